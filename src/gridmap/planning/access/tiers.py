"""Service inside one's own village and township, and the rule that every rural village has a rural cash point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.planning.access.standing import Standing
from gridmap.planning.access.terrain import GRID, Groups
from gridmap.planning.groups import first_of_each, sums
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.facilities import KINDS
from gridmap.planning.service.reach import Flags, Rows


@dataclass(frozen=True, slots=True)
class Tier:
    """Places of one level by whether they hold a facility of some kinds.

    Attributes
    ----------
    level : ``village`` or ``township``
    places : how many there are
    demand : of all of them
    lacking : codes of those that hold none, most demand first
    lacking_demand : demand of each of those
    """

    level: str
    places: int
    demand: float
    lacking: tuple[str, ...]
    lacking_demand: tuple[float, ...]

    @property
    def demand_share(self) -> float | None:
        """Share of demand in places that hold one, None without demand."""
        return 1 - sum(self.lacking_demand) / self.demand if self.demand else None


@dataclass(frozen=True, slots=True)
class VillageWithout:
    """A rural village, or a rural grid where no villages are given, without a rural cash point.

    ``nearest`` is the nearest rural cash point to its cell of most demand, None where the plan has none at all;
    ``distance_m`` from there, metres.
    """

    level: str
    code: str
    demand: float
    nearest: str | None
    distance_m: float | None


def tier(standing: Standing, level: AreaLevel, kinds: Sequence[FacilityKind]) -> Tier | None:
    """Which areas of a level hold a facility of one of the kinds; None where the plan has no such level."""
    groups = standing.terrain.by(level)
    if groups is None:
        return None
    demand = groups.total(standing.terrain.demand)
    lacks = ~_holds(standing, groups, kinds)
    rows = np.flatnonzero(lacks)[np.argsort(-demand[lacks], kind="stable")].tolist()
    return Tier(
        level.value,
        len(groups.codes),
        float(demand.sum()),
        tuple(groups.codes[row] for row in rows),
        tuple(float(demand[row]) for row in rows),
    )


def villages_without_cash_point(standing: Standing) -> tuple[int, list[VillageWithout]]:
    """Count of rural villages, and those that hold no rural cash point, most demand first."""
    terrain = standing.terrain
    groups = terrain.by(AreaLevel.VILLAGE) or terrain.by(GRID)
    if groups is None:
        return 0, []
    rural = _settlement(standing, groups) == CLASSES.index(SettlementClass.RURAL)
    lacks = rural & ~_holds(standing, groups, [FacilityKind.RURAL_CASH_POINT])
    demand = groups.total(terrain.demand)
    inside = np.flatnonzero(groups.of_cell >= 0)
    of_cell = groups.of_cell[inside]
    hearts = inside[first_of_each(of_cell, -terrain.ground.area_m2[inside], -terrain.demand[inside])]
    heart = np.full(len(groups.codes), -1, dtype=np.int64)
    heart[groups.of_cell[hearts]] = hearts
    kind = KINDS.index(FacilityKind.RURAL_CASH_POINT)
    nearest, nearest_m = standing.coverage.nearest[kind], standing.coverage.nearest_m[kind]
    found = []
    for row in np.flatnonzero(lacks)[np.argsort(-demand[lacks], kind="stable")].tolist():
        facility = int(nearest[heart[row]])
        known = facility >= 0
        found.append(
            VillageWithout(
                groups.level,
                groups.codes[row],
                float(demand[row]),
                str(standing.facilities.ids[facility]) if known else None,
                float(nearest_m[heart[row]]) if known else None,
            )
        )
    return int(rural.sum()), found


def cash_points_on_urban_ground(standing: Standing) -> list[str]:
    """List the rural cash points that stand on urban ground: most likely a fault of the data."""
    rows = standing.facilities.of_kind(FacilityKind.RURAL_CASH_POINT)
    cell = standing.cells[rows]
    urban = (cell >= 0) & (standing.terrain.ground.settlement[cell] == CLASSES.index(SettlementClass.URBAN))
    return [str(one) for one in standing.facilities.ids[rows[urban]]]


def _holds(standing: Standing, groups: Groups, kinds: Sequence[FacilityKind]) -> Flags:
    """(k,) bool: a facility of one of the kinds stands in the group."""
    chosen = np.isin(standing.facilities.kind, [KINDS.index(kind) for kind in kinds]) & (standing.cells >= 0)
    held = np.zeros(len(groups.codes) + 1, dtype=np.bool_)
    held[groups.of_cell[standing.cells[chosen]]] = True
    return held[:-1]


def _settlement(standing: Standing, groups: Groups) -> Rows:
    """(k,) int64: class of each group: as the plan states, else that of most of its demand, else of its ground."""
    terrain = standing.terrain
    inside = np.flatnonzero(groups.of_cell >= 0)
    pair = groups.of_cell[inside] * len(CLASSES) + terrain.ground.settlement[inside]
    size = len(groups.codes) * len(CLASSES)
    area_m2, demand = (sums(pair, value[inside], size) for value in (terrain.ground.area_m2, terrain.demand))
    group = np.repeat(np.arange(len(groups.codes)), len(CLASSES))
    most = first_of_each(group, -area_m2, -demand) % len(CLASSES)
    stated = terrain.settlement_of_area if groups.level != GRID else {}
    given = [CLASSES.index(stated[code]) if code in stated else -1 for code in groups.codes]
    return np.where(np.array(given) >= 0, given, most)
