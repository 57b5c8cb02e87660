"""Figures of a plan: plain numbers and strings in one nested dictionary, which reports and pages read.

Shares lie between 0 and 1 and are None where they are undefined (no ground, no demand, no facility of the kind).
Areas are square metres on the ellipsoid, distances geodesic metres, demand is in ``demand.unit``. A figure *weighted by
demand* is weighted by area where the demand of its ground is zero. Numbers are Python ``int`` or ``float``.
``CLASS`` stands for each of ``all``, ``urban``, ``fringe``, ``rural``; ``KIND`` for each ``FacilityKind`` value,
present whether or not the plan has facilities of the kind; ``LEVEL`` for each area level given.

::

    counts
        areas               {LEVEL: int}
        lowest_level        str, the level the cells and grids belong to
        cells, grids, facilities, outlets, devices, gaps          int
        facilities_by_kind  {KIND: int}
        facilities_outside  int, facilities that lie in no area; they serve all the same
    area_m2                 float, ground of the lowest level
    demand
        total               float, demand on the ground (inside)
        given               float, what the source holds: total + outside
        outside             float, demand too far from every area to be put anywhere
        outside_places      int, points or polygons that lost demand so
        moved_in            float, demand of points just outside (at most 500 m), put on the nearest cell; part of total
        unit                str, "m2" where area stands in
        source              str, file name, "" where area stands in
        stands_in           bool, area stands in for demand
    coverage
        CLASS
            area_m2, demand                           float
            cells                                     int
            covered_area_share                        exact: area of ground ∩ union of service circles / area
            covered_demand_share, covered_cells_share by cells whose representative point is in reach
            mean_distance_m, p95_distance_m           to the nearest facility of any kind, weighted by demand
    coverage_by_kind
        KIND
            facilities                                int
            radius_urban_m, radius_rural_m            float, of the plan; a facility's own radius goes before it
            CLASS                                     the same keys as coverage.CLASS, for this kind alone
    villages, townships     areas of that level (total 0 where the level is not given)
        CLASS
            total                                     int
            fully_covered, partly_covered, not_covered   int; by the demand of their cells, they add up to total
            with_outlet, with_branch                  int, areas in which one lies
            with_cash_point                           int, areas in which a rural cash point lies
            with_basic_service                        int, areas in which cash can be withdrawn (any kind but POS)
            fully_covered_share, with_outlet_share, with_branch_share, with_cash_point_share,
            with_basic_service_share                  share of total
            basic_service_demand_share                share of their demand in areas with basic service
            full_service_demand_share                 share of their demand in areas with a branch
    grids
        CLASS
            total, fully_covered, partly_covered, not_covered, with_outlet        int
            fully_covered_share, with_outlet_share    share of total
        entry_rate          入格率: demand inside some grid / all demand given
        demand_mean, demand_min, demand_max           per grid
        area_mean_m2        per grid
        outlet_mean_distance_m, outlet_p95_distance_m    cell to the primary outlet of its grid, weighted by demand
    density
        outlets_per_1000_km2, branches_per_1000_km2, atms_per_1000_km2, cash_points_per_1000_km2,
        devices_per_1000_km2
        outlets_per_10000_people, outlets_per_100000_people, branches_per_100000_people, atms_per_100000_people,
        cash_points_per_100000_people                 None unless demand.unit is "people"
    crossing                crossing degree: how many outlets reach a cell
        mean, max           mean weighted by demand; over all cells
        ceiling_urban, floor_rural                    int, of the plan
        CLASS
            mean, max
            over_ceiling_demand_share, over_ceiling_cells     more outlets than ceiling_urban
            under_floor_demand_share, under_floor_cells       fewer outlets than floor_rural
        cells_by_degree     {"0": int, "1": int, … "9": int, "10+": int}
    load                    demand of the grids whose primary outlet an outlet is, against its capacity
        outlets             int, outlets of the plan
        outlets_with_grids  int
        outlets_with_capacity   int, outlets that state a capacity
        over_capacity       int, outlets whose demand exceeds their capacity
        excess_demand       float, demand above capacity, summed
        beyond_capacity     list of {outlet_id, demand, capacity, excess}, largest excess first
        grids_yielded       int, grids led by another outlet than their first choice, which had no room for them or lay
                            apart from its other ground
        capacity_total, demand_assigned               float
        demand_mean, demand_max                       per outlet with grids
        utilisation_mean, utilisation_max             demand / capacity of outlets that state one
                            capacity figures are None where area stands in for demand: they have no common unit
    balance                 how near the grids that were drawn to a target come to it; deviation is demand / target - 1
        tolerance           of the plan
        grids               int, grids that were drawn to a target; without any the figures below are None or 0
        max, mean           largest and mean size of the deviation
        within_tolerance    int, grids
        within_tolerance_share
        bound               least possible largest deviation that was proved; 0 where nothing was
        shortfalls          int, things that were asked for and cannot be
        by_parent           list, by code, of grids, max, mean, within_tolerance, within_tolerance_share of the grids
                            of one area whose borders no grid crosses (code: "" where all areas together are one)
    staffing
        people, managers, officers, part_time         int, as in the file
        placed, unplaced    int, people who hold a grid, and who hold none; they add up to people
        misplaced           int, people whose file asks for a grid or outlet that is not in the plan
        grids_without_manager, grids_short_of_officers   int
        officers_missing    int, summed over the grids
    levels                  each level there is, widest first: area levels, then super, grid, sub
        members             int, areas, super-grids, grids or sub-grids
        area_m2, demand, cells                        sums over what its members hold
        grids               int, grids that lie in one member whole
    gaps
        count               int
        area_m2, demand     float, uncovered
        largest_demand      float
        without_facility    bool, the plan has no facility at all
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.planning.decisions import CellGroups, Decisions
from gridmap.planning.findings.grid_indicators import balance, levels, staffing
from gridmap.planning.groups import sums
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.facilities import KINDS
from gridmap.planning.service.reach import Flags, Floats

#: Kinds at which cash can be withdrawn: basic service.
WITHDRAWAL_KINDS = tuple(kind for kind in KINDS if kind is not FacilityKind.POS)
OUTLET_KINDS = tuple(kind for kind in KINDS if kind.is_outlet)

Figures = dict[str, Any]

_PEOPLE = "people"
_MOST_DEGREES = 10


def indicators(decisions: Decisions) -> Figures:
    """Every figure of a plan, in the shape that the head of this module fixes."""
    coverage = decisions.coverage
    return {
        "counts": _counts(decisions),
        "area_m2": float(decisions.ground.area_m2.sum()),
        "demand": _demand(decisions),
        "coverage": _coverage(decisions, coverage.covered, coverage.covered_share, coverage.nearest_of_all[1]),
        "coverage_by_kind": {kind.value: _coverage_of_kind(decisions, row) for row, kind in enumerate(KINDS)},
        "villages": _areas(decisions, AreaLevel.VILLAGE),
        "townships": _areas(decisions, AreaLevel.TOWNSHIP),
        "grids": _grids(decisions),
        "density": _density(decisions),
        "crossing": _crossing(decisions),
        "load": _load(decisions),
        "balance": balance(decisions),
        "staffing": staffing(decisions),
        "levels": levels(decisions),
        "gaps": _gaps(decisions),
    }


def share(part: float, whole: float) -> float | None:
    """Part of the whole, None where there is no whole."""
    return float(part) / float(whole) if whole > 0 else None


def weighted_mean(value: Floats, weight: Floats, stand_in: Floats) -> float | None:
    """Mean by weight, or by ``stand_in`` where all weights are zero; None where a value is unknown or none is there."""
    used = weight if weight.sum() > 0 else stand_in
    counted = used > 0
    if not counted.any() or not np.isfinite(value[counted]).all():
        return None
    return float(np.average(value[counted], weights=used[counted]))


def weighted_percentile(value: Floats, weight: Floats, stand_in: Floats, percent: float) -> float | None:
    """Least value at or below which ``percent`` of the weight lies; None as in ``weighted_mean``."""
    used = weight if weight.sum() > 0 else stand_in
    counted = np.flatnonzero(used > 0)
    if not len(counted) or not np.isfinite(value[counted]).all():
        return None
    order = counted[np.argsort(value[counted], kind="stable")]
    running = np.cumsum(used[order])
    place = np.searchsorted(running, running[-1] * percent / 100 * (1 - 1e-12))
    return float(value[order[min(place, len(order) - 1)]])


def _by_class(number_of: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[tuple[str, Flags]]:
    """Every class with the rows that belong to it: all, then each settlement class."""
    yield "all", np.ones(len(number_of), dtype=np.bool_)
    for number, settlement in enumerate(CLASSES):
        yield settlement.value, number_of == number


def _counts(decisions: Decisions) -> Figures:
    facilities, outlets = decisions.facilities, len(decisions.facilities.outlets)
    return {
        "areas": {areas.level.value: len(areas) for areas in decisions.hierarchy.levels},
        "lowest_level": decisions.hierarchy.lowest.level.value,
        "cells": len(decisions.ground),
        "grids": len(decisions.grids),
        "facilities": len(facilities),
        "outlets": outlets,
        "devices": len(facilities) - outlets,
        "facilities_by_kind": {kind.value: len(facilities.of_kind(kind)) for kind in KINDS},
        "facilities_outside": int((decisions.facility_cell < 0).sum()),
        "gaps": len(decisions.gaps),
    }


def _demand(decisions: Decisions) -> Figures:
    demand = decisions.demand
    return {
        "total": float(demand.value.sum()),
        "given": demand.given,
        "outside": float(demand.outside.sum()),
        "outside_places": len(demand.outside),
        "moved_in": demand.moved_in,
        "unit": demand.unit,
        "source": demand.source,
        "stands_in": demand.stands_in,
    }


def _coverage(decisions: Decisions, covered: Flags, covered_share: Floats, distance_m: Floats) -> Figures:
    ground, demand = decisions.ground, decisions.demand.value
    figures: Figures = {}
    for name, rows in _by_class(ground.settlement):
        area, held = ground.area_m2[rows], demand[rows]
        figures[name] = {
            "area_m2": float(area.sum()),
            "demand": float(held.sum()),
            "cells": int(rows.sum()),
            "covered_area_share": share((area * covered_share[rows]).sum(), area.sum()),
            "covered_demand_share": share(held[covered[rows]].sum(), held.sum()),
            "covered_cells_share": share(covered[rows].sum(), rows.sum()),
            "mean_distance_m": weighted_mean(distance_m[rows], held, area),
            "p95_distance_m": weighted_percentile(distance_m[rows], held, area, 95),
        }
    return figures


def _coverage_of_kind(decisions: Decisions, row: int) -> Figures:
    coverage, kind, settings = decisions.coverage, KINDS[row], decisions.settings.coverage
    return {
        "facilities": len(decisions.facilities.of_kind(kind)),
        "radius_urban_m": settings.radius_of(kind, SettlementClass.URBAN),
        "radius_rural_m": settings.radius_of(kind, SettlementClass.RURAL),
        **_coverage(decisions, coverage.covered_by[row], coverage.covered_share_by[row], coverage.nearest_m[row]),
    }


def _areas(decisions: Decisions, level: AreaLevel) -> Figures:
    groups = decisions.groups_of(level)
    return {
        name: _area_figures(groups, rows)
        for name, rows in _by_class(groups.settlement if groups else np.zeros(0, dtype=np.int64))
    }


def _area_figures(groups: CellGroups | None, rows: Flags) -> Figures:
    total = int(rows.sum())
    none = np.zeros(len(rows), dtype=np.bool_)
    full, without = groups.covered_states if groups else (none, none)
    demand = groups.demand if groups else np.zeros(0)
    held = {
        "outlet": groups.holds(*OUTLET_KINDS) if groups else none,
        "branch": groups.holds(FacilityKind.BRANCH) if groups else none,
        "cash_point": groups.holds(FacilityKind.RURAL_CASH_POINT) if groups else none,
        "basic_service": groups.holds(*WITHDRAWAL_KINDS) if groups else none,
    }
    return {
        "total": total,
        "fully_covered": int((full & rows).sum()),
        "partly_covered": int((~full & ~without & rows).sum()),
        "not_covered": int((without & rows).sum()),
        **{f"with_{what}": int((there & rows).sum()) for what, there in held.items()},
        "fully_covered_share": share((full & rows).sum(), total),
        **{f"with_{what}_share": share((there & rows).sum(), total) for what, there in held.items()},
        "basic_service_demand_share": share(demand[held["basic_service"] & rows].sum(), demand[rows].sum()),
        "full_service_demand_share": share(demand[held["branch"] & rows].sum(), demand[rows].sum()),
    }


def _grids(decisions: Decisions) -> Figures:
    groups, assignment, demand = decisions.grid_groups, decisions.assignment, decisions.demand
    full, without = groups.covered_states
    figures: Figures = {}
    for name, rows in _by_class(groups.settlement):
        total = int(rows.sum())
        figures[name] = {
            "total": total,
            "fully_covered": int((full & rows).sum()),
            "partly_covered": int((~full & ~without & rows).sum()),
            "not_covered": int((without & rows).sum()),
            "with_outlet": int((assignment.has_outlet & rows).sum()),
            "fully_covered_share": share((full & rows).sum(), total),
            "with_outlet_share": share((assignment.has_outlet & rows).sum(), total),
        }
    distance_m, area = assignment.cell_distance_m, decisions.ground.area_m2
    return {
        **figures,
        "entry_rate": share(demand.value.sum(), demand.given),
        "demand_mean": float(groups.demand.mean()),
        "demand_min": float(groups.demand.min()),
        "demand_max": float(groups.demand.max()),
        "area_mean_m2": float(groups.area_m2.mean()),
        "outlet_mean_distance_m": weighted_mean(distance_m, demand.value, area),
        "outlet_p95_distance_m": weighted_percentile(distance_m, demand.value, area, 95),
    }


def _density(decisions: Decisions) -> Figures:
    facilities = decisions.facilities
    inside = decisions.facility_cell >= 0
    area_km2 = float(decisions.ground.area_m2.sum()) / 1e6
    people = float(decisions.demand.value.sum()) if decisions.demand.unit == _PEOPLE else 0.0

    def count(*kinds: FacilityKind) -> int:
        return sum(int(inside[facilities.of_kind(kind)].sum()) for kind in kinds)

    def per(number: int, whole: float, unit: float) -> float | None:
        return number * unit / whole if whole > 0 else None

    outlets, branches = count(*OUTLET_KINDS), count(FacilityKind.BRANCH)
    atms, cash_points = count(FacilityKind.ATM), count(FacilityKind.RURAL_CASH_POINT)
    return {
        "outlets_per_1000_km2": per(outlets, area_km2, 1e3),
        "branches_per_1000_km2": per(branches, area_km2, 1e3),
        "atms_per_1000_km2": per(atms, area_km2, 1e3),
        "cash_points_per_1000_km2": per(cash_points, area_km2, 1e3),
        "devices_per_1000_km2": per(int(inside.sum()) - outlets, area_km2, 1e3),
        "outlets_per_10000_people": per(outlets, people, 1e4),
        "outlets_per_100000_people": per(outlets, people, 1e5),
        "branches_per_100000_people": per(branches, people, 1e5),
        "atms_per_100000_people": per(atms, people, 1e5),
        "cash_points_per_100000_people": per(cash_points, people, 1e5),
    }


def _crossing(decisions: Decisions) -> Figures:
    ground, demand, settings = decisions.ground, decisions.demand.value, decisions.settings.coverage
    degree = decisions.coverage.crossing_degree
    over, under = degree > settings.crossing_ceiling_urban, degree < settings.crossing_floor_rural
    figures: Figures = {}
    for name, rows in _by_class(ground.settlement):
        held = demand[rows]
        figures[name] = {
            "mean": weighted_mean(degree[rows].astype(np.float64), held, ground.area_m2[rows]),
            "max": int(degree[rows].max(initial=0)),
            "over_ceiling_demand_share": share(held[over[rows]].sum(), held.sum()),
            "over_ceiling_cells": int((over & rows).sum()),
            "under_floor_demand_share": share(held[under[rows]].sum(), held.sum()),
            "under_floor_cells": int((under & rows).sum()),
        }
    cells = np.bincount(np.minimum(degree, _MOST_DEGREES), minlength=_MOST_DEGREES + 1).tolist()
    names = [str(number) for number in range(_MOST_DEGREES)] + [f"{_MOST_DEGREES}+"]
    return {
        "mean": figures["all"]["mean"],
        "max": figures["all"]["max"],
        "ceiling_urban": settings.crossing_ceiling_urban,
        "floor_rural": settings.crossing_floor_rural,
        **figures,
        "cells_by_degree": dict(zip(names, cells, strict=True)),
    }


def outlet_loads(decisions: Decisions) -> Floats:
    """(m,) float64: demand of the grids whose primary outlet each facility is."""
    primary = decisions.assignment.primary
    assigned = primary >= 0
    return sums(primary[assigned], decisions.grid_groups.demand[assigned], len(decisions.facilities))


def known_capacity(decisions: Decisions) -> Floats:
    """(m,) float64: capacity of each outlet in the unit of demand; NaN where unknown, or where area stands in."""
    facilities = decisions.facilities
    comparable = facilities.is_outlet & (not decisions.demand.stands_in)
    return np.where(comparable, facilities.capacity, np.nan)


def _load(decisions: Decisions) -> Figures:
    load, capacity = outlet_loads(decisions), known_capacity(decisions)
    leads = np.isin(np.arange(len(load)), decisions.assignment.primary)
    known = np.flatnonzero(capacity > 0)
    excess = np.maximum(load - capacity, 0.0)[~np.isnan(capacity)]
    use = load[known] / capacity[known]
    comparable = not decisions.demand.stands_in
    return {
        "outlets": len(decisions.facilities.outlets),
        "outlets_with_grids": int(leads.sum()),
        "outlets_with_capacity": int((~np.isnan(decisions.facilities.capacity[decisions.facilities.outlets])).sum()),
        "over_capacity": int((excess > 0).sum()) if comparable else None,
        "excess_demand": float(excess.sum()) if comparable else None,
        "beyond_capacity": _beyond_capacity(decisions, load, capacity) if comparable else None,
        "grids_yielded": int((decisions.assignment.primary != decisions.assignment.first_choice).sum()),
        "capacity_total": float(np.nansum(capacity)) if comparable else None,
        "demand_assigned": float(load.sum()),
        "demand_mean": float(load[leads].mean()) if leads.any() else None,
        "demand_max": float(load[leads].max()) if leads.any() else None,
        "utilisation_mean": float(use.mean()) if len(use) else None,
        "utilisation_max": float(use.max()) if len(use) else None,
    }


def _beyond_capacity(decisions: Decisions, load: Floats, capacity: Floats) -> list[Figures]:
    """Outlets that lead more demand than they can look after."""
    excess = np.where(np.isnan(capacity), 0.0, load - capacity)
    rows = np.lexsort((np.arange(len(load)), -excess))
    return [
        {
            "outlet_id": str(decisions.facilities.ids[row]),
            "demand": float(load[row]),
            "capacity": float(capacity[row]),
            "excess": float(excess[row]),
        }
        for row in rows[: int((excess > 0).sum())].tolist()
    ]


def _gaps(decisions: Decisions) -> Figures:
    gaps = decisions.gaps
    return {
        "count": len(gaps),
        "area_m2": float(gaps.area_m2.sum()),
        "demand": float(gaps.demand.sum()),
        "largest_demand": float(gaps.demand.max(initial=0.0)),
        "without_facility": not len(decisions.facilities),
    }
