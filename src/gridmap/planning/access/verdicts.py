"""Presets put to the test: how many have service, whether that is enough, and who misses it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.domain.kinds import AreaLevel, SettlementClass
from gridmap.domain.presets import Preset
from gridmap.planning.access.standing import Standing
from gridmap.planning.access.tiers import Tier, tier
from gridmap.planning.groups import sums
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.facilities import KINDS
from gridmap.planning.service.reach import Floats, nearest, within


@dataclass(frozen=True, slots=True)
class Step:
    """What one radius, or one tier, comes to.

    Attributes
    ----------
    urban_m, rural_m : metres; None of a tier
    level : ``village`` or ``township``; None of a radius
    demand_share : share of demand that has the service, None without demand
    missing_demand : demand that has it not
    """

    urban_m: float | None
    rural_m: float | None
    level: str | None
    demand_share: float | None
    missing_demand: float


@dataclass(frozen=True, slots=True)
class Missed:
    """A place, or a facility, that a preset names: its level (``facility`` for one), code and demand."""

    level: str
    code: str
    demand: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a preset turned out.

    Attributes
    ----------
    preset : its name in the file
    test : as in the preset
    asked_share : share of demand it asks for, None where it states none
    steps : of each radius or tier
    holds : None where the preset asks for no share, or there is no demand or level to judge by
    named : places that miss it, or facilities that stand alone with the demand nearest to them; most demand first
    """

    preset: str
    test: str
    asked_share: float | None
    steps: tuple[Step, ...]
    holds: bool | None
    named: tuple[Missed, ...]


def judge(standing: Standing, name: str, preset: Preset) -> Verdict:
    """Put a preset to the test."""
    if preset.test == "tiers":
        return _tiers(standing, name, preset)
    if preset.test == "alone":
        return _alone(standing, name, preset)
    return _reach(standing, name, preset)


def _reach(standing: Standing, name: str, preset: Preset) -> Verdict:
    terrain = standing.terrain
    demand = terrain.demand
    rows = _rows_of(standing, preset)
    facilities = standing.facilities.points.take(rows)
    steps, missed = [], np.zeros(len(demand), dtype=np.bool_)
    for urban_m, rural_m in preset.radius_m:
        radius_m = np.broadcast_to(_by_class(urban_m, rural_m), (len(rows), len(CLASSES)))
        pairs = within(terrain.ground.points, facilities, radius_m, terrain.ground.settlement)
        missed = np.ones(len(demand), dtype=np.bool_)
        missed[pairs.point] = False
        steps.append(_step(float(demand[missed].sum()), float(demand.sum()), urban_m=urban_m, rural_m=rural_m))
    by_area = terrain.lowest.total(np.where(missed, demand, 0.0))
    order = [row for row in np.argsort(-by_area, kind="stable").tolist() if by_area[row] > 0]
    named = [Missed(terrain.lowest.level, terrain.lowest.codes[row], float(by_area[row])) for row in order]
    return Verdict(name, preset.test, preset.share, tuple(steps), _holds(steps[-1:], preset.share), tuple(named))


def _alone(standing: Standing, name: str, preset: Preset) -> Verdict:
    """Facilities with no other one within the radius of the ground they stand on, rural where they stand outside."""
    terrain, rows = standing.terrain, _rows_of(standing, preset)
    points, cell = standing.facilities.points.take(rows), standing.cells[rows]
    rural = CLASSES.index(SettlementClass.RURAL)
    settlement = np.where(cell >= 0, terrain.ground.settlement[cell], rural)
    ((urban_m, rural_m),) = preset.radius_m
    radius_m = np.broadcast_to(_by_class(urban_m, rural_m), (len(rows), len(CLASSES)))
    pairs = within(points, points, radius_m, settlement)
    beside = np.bincount(pairs.point[pairs.point != pairs.facility], minlength=len(rows))
    index, _ = nearest(terrain.ground.points, points)
    held = sums(index, terrain.demand, len(rows)) if len(rows) else np.zeros(0)
    alone = np.flatnonzero(beside == 0)
    named = [
        Missed("facility", str(standing.facilities.ids[rows[row]]), float(held[row]))
        for row in alone[np.argsort(-held[alone], kind="stable")].tolist()
    ]
    return Verdict(name, preset.test, preset.share, (), None, tuple(named))


def _tiers(standing: Standing, name: str, preset: Preset) -> Verdict:
    asked = ((AreaLevel.VILLAGE, preset.kinds), (AreaLevel.TOWNSHIP, preset.full_kinds))
    found = [one for level, kinds in asked if (one := tier(standing, level, kinds)) is not None]
    steps = [_step(sum(one.lacking_demand), one.demand, level=one.level) for one in found]
    named = [missed for one in found for missed in _lacking(one)]
    return Verdict(name, preset.test, preset.share, tuple(steps), _holds(steps, preset.share), tuple(named))


def _lacking(found: Tier) -> list[Missed]:
    pairs = zip(found.lacking, found.lacking_demand, strict=True)
    return [Missed(found.level, code, demand) for code, demand in pairs]


def _rows_of(standing: Standing, preset: Preset) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.flatnonzero(np.isin(standing.facilities.kind, [KINDS.index(kind) for kind in preset.kinds]))


def _by_class(urban_m: float, rural_m: float) -> Floats:
    return np.array([rural_m if settlement is SettlementClass.RURAL else urban_m for settlement in CLASSES])


def _step(
    missing: float,
    whole: float,
    urban_m: float | None = None,
    rural_m: float | None = None,
    level: str | None = None,
) -> Step:
    return Step(urban_m, rural_m, level, 1 - missing / whole if whole else None, missing)


def _holds(steps: list[Step], share: float | None) -> bool | None:
    judged = [step.demand_share for step in steps]
    if share is None or not judged or None in judged:
        return None
    # A share that misses its mark by the rounding of a sum alone has reached it.
    return all(one is not None and one >= share - 1e-12 for one in judged)
