"""How many grids each parent area gets, what each is to hold, and which outlets they are drawn round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import GridSection
from gridmap.errors import Place, PlanError
from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.groups import first_of_each
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import Floats, Rows

_BRANCH = KINDS.index(FacilityKind.BRANCH)


@dataclass(frozen=True)
class Sites:
    """Outlets that stand on atoms of one parent, by facility row.

    Attributes
    ----------
    outlet : (m,) int64, facility rows
    atom : (m,) int64, atom of the parent's graph each stands on
    """

    outlet: Rows
    atom: Rows

    def take(self, rows: Rows) -> Sites:
        """Take some of them."""
        return Sites(self.outlet[rows], self.atom[rows])


def share_out(total: int, demand: Floats, fewest: Rows, most: Rows, names: list[str]) -> Rows:
    """Whole numbers of grids by demand, between ``fewest`` and ``most`` each, that sum to ``total``.

    Divisors of Sainte-Laguë: the next grid goes where demand over (2 × grids held + 1) is largest, ties to the first.

    Parameters
    ----------
    demand, fewest, most : (p,)
    names : of the parents, as errors show them

    Raises
    ------
    PlanError
        If ``total`` is fewer than the parents need or more than they can hold.
    """
    if total < fewest.sum():
        shown = ", ".join(names[:5])
        raise PlanError("rules.too_few_grids_asked", Place(), count=total, parents=int(fewest.sum()), names=shown)
    if total > most.sum():
        raise PlanError("rules.too_many_grids_asked", Place(), count=total, most=int(most.sum()))
    held = fewest.astype(np.int64).copy()
    weight = np.maximum(demand, 1e-12)
    for _ in range(total - int(held.sum())):
        claim = np.where(held < most, weight / (2 * held + 1), -1.0)
        held[int(claim.argmax())] += 1
    return held


def count_of(settings: GridSection, demand: Floats, sites: list[Sites], atoms: Rows, names: list[str]) -> Rows:
    """(p,) int64: grids of each parent, at least one each.

    Parameters
    ----------
    demand : (p,) float64, demand of each parent
    sites : outlets of each
    atoms : (p,) int64, atoms of each
    """
    one = np.ones(len(demand), dtype=np.int64)
    if settings.count is not None:
        return share_out(settings.count, demand, one, np.maximum(atoms, 1), names)
    if settings.target_demand is not None:
        wanted = np.floor(demand / settings.target_demand + 0.5).astype(np.int64)
        return np.clip(wanted, 1, np.maximum(atoms, 1))
    return np.maximum([len(of_parent.outlet) for of_parent in sites], one)


def anchors_of(settings: GridSection, count: int, sites: Sites, graph: UnitGraph, facilities: Facilities) -> Rows:
    """(k,) int64: site that each of ``count`` grids is drawn round, -1 where it is free.

    With one grid for each outlet every outlet is one. Otherwise one outlet a unit, a branch before a self-service
    bank; where there are more than grids, those that together lie nearest to the demand (greedy p-median).
    """
    if settings.mode == "free" or not len(sites.outlet):
        return np.full(count, -1, dtype=np.int64)
    if settings.one_per is None and (settings.count is not None or settings.target_demand is not None):
        rows = best_of_each_unit(sites, facilities)
        chosen = rows if len(rows) <= count else _nearest_to_demand(rows, count, sites, graph, facilities)
    else:
        chosen = np.arange(len(sites.outlet))
    return np.asarray(np.r_[np.sort(chosen), np.full(count - len(chosen), -1)], dtype=np.int64)


def targets_of(settings: GridSection, anchor: Rows, sites: Sites, demand: float, facilities: Facilities) -> Floats:
    """(k,) float64: demand each grid should hold: equal, or by the capacity of its outlet where that is known."""
    share = np.ones(len(anchor))
    if settings.targets == "capacity":
        drawn = np.flatnonzero(anchor >= 0)
        capacity = np.full(len(anchor), np.nan)
        capacity[drawn] = facilities.capacity[sites.outlet[anchor[drawn]]]
        known = capacity > 0
        if known.any():
            share = np.where(known, capacity, capacity[known].mean())
    return np.asarray(demand * share / share.sum())


def best_of_each_unit(sites: Sites, facilities: Facilities) -> Rows:
    """Rows of one site for each unit that has any, by unit: a branch first, then the one of larger capacity."""
    capacity = np.nan_to_num(facilities.capacity[sites.outlet])
    is_other = facilities.kind[sites.outlet] != _BRANCH
    return first_of_each(sites.atom, sites.outlet, -capacity, is_other)


def _nearest_to_demand(rows: Rows, count: int, sites: Sites, graph: UnitGraph, facilities: Facilities) -> Rows:
    """Rows of ``count`` sites chosen one after the other, each where it shortens the way to the demand most."""
    weight = graph.demand if graph.demand.sum() > 0 else graph.area_m2
    branch = facilities.kind[sites.outlet[rows]] == _BRANCH
    chosen: list[int] = []
    nearest_m = np.full(len(graph), np.inf)
    for _ in range(count):
        left = [row for row, is_branch in zip(rows.tolist(), branch.tolist(), strict=True) if is_branch]
        left = [row for row in left if row not in chosen] or [row for row in rows.tolist() if row not in chosen]
        away_m = [np.minimum(nearest_m, _distance_m(graph, int(sites.atom[row]))) for row in left]
        best = int(np.argmin([float((weight * one).sum()) for one in away_m]))
        chosen.append(left[best])
        nearest_m = away_m[best]
    return np.array(chosen, dtype=np.int64)


def _distance_m(graph: UnitGraph, atom: int) -> Floats:
    return np.asarray(np.hypot(*(graph.xy_m - graph.xy_m[atom]).T))
