"""Rules of outlets: one primary a grid, inside it where one is, within its capacity."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.domain.kinds import BaseUnitKind
from gridmap.domain.plan import RuleResult
from gridmap.planning.decisions import Decisions
from gridmap.planning.findings.indicators import known_capacity, outlet_loads
from gridmap.planning.groups import counts
from gridmap.planning.responsibility.line_numbers import valid_line_number
from gridmap.planning.rules.parents import parents_of_grids
from gridmap.planning.rules.results import WARNING, drawn, not_asked, result, result_among
from gridmap.planning.service.reach import ROUNDING_M, Rows


def one_primary_outlet(decisions: Decisions) -> RuleResult:
    """Each grid has exactly one primary outlet: broken by grids, those of most demand first."""
    assignment, groups = decisions.assignment, decisions.grid_groups
    primaries = counts(assignment.grid[assignment.is_primary], len(groups))
    return result("one_primary_outlet", groups.codes, primaries != 1, groups.demand)


def primary_outlet_inside(decisions: Decisions) -> RuleResult:
    """Each grid that holds an outlet has one of those as its primary: broken by grids, most demand first."""
    groups, assignment = decisions.grid_groups, decisions.assignment
    inside = _stands_in(decisions, assignment.primary) == np.arange(len(groups))
    return result_among("primary_outlet_inside", groups.codes, assignment.has_outlet, ~inside, groups.demand)


def one_outlet_inside_anchored(decisions: Decisions) -> RuleResult:
    """Each grid drawn round an outlet holds it: broken by grids, most demand first."""
    groups, anchor = decisions.grid_groups, decisions.grids.anchor
    inside = _stands_in(decisions, anchor) == np.arange(len(groups))
    return result_among("one_outlet_inside_anchored", groups.codes, anchor >= 0, ~inside, groups.demand)


def grids_hold_outlets(decisions: Decisions) -> RuleResult:
    """As many grids as possible hold an outlet: broken by grids, most demand first; a warning.

    A grid without an outlet breaks it if another of the same parent holds outlets that could be told apart: they stand
    in different base units, or on open ground in different cells.
    """
    grids, groups = decisions.grids, decisions.grid_groups
    free, parent = drawn(decisions), parents_of_grids(decisions)
    cell = decisions.facility_cell[decisions.facilities.leading]
    cell = cell[cell >= 0]
    unit = decisions.ground.unit[cell]
    open_ground = np.array([kind is BaseUnitKind.CELLS for kind in decisions.units.kind], dtype=np.bool_)
    # A cell stands for itself on open ground, for its base unit elsewhere.
    place = np.where(open_ground[unit], len(decisions.units) + cell, unit)
    pairs = np.unique(np.column_stack([grids.of_cell[cell], place]), axis=0)
    places = counts(pairs[:, 0], len(grids))
    rich = np.unique(parent[free & (places > 1)])
    served = np.isin(parent, np.unique(parent[free & (places > 0)])) & (parent >= 0)
    lacks = (places == 0) & np.isin(parent, rich)
    return result_among("grids_hold_outlets", groups.codes, free & served, lacks, groups.demand, WARNING)


def outlet_buffer(decisions: Decisions) -> RuleResult:
    """Each grid reaches as far around its outlet as set: broken by grids, those whose neighbour is nearest first.

    The outlet is the one the grid was drawn round, else its primary, where it stands inside. Ground of dedicated and of
    locked grids, and of other parents, may lie nearer: no grid could have it.
    """
    buffer_m = decisions.settings.grids.buffer_m
    if buffer_m is None:
        return not_asked("outlet_buffer")
    grids, free, parent = decisions.grids, drawn(decisions), parents_of_grids(decisions)
    outlet = np.where(grids.anchor >= 0, grids.anchor, decisions.assignment.primary)
    asked = free & (_stands_in(decisions, outlet) == np.arange(len(grids)))
    rows, others = np.flatnonzero(asked), np.flatnonzero(free)
    plane, points = decisions.ground.plane, decisions.facilities.points
    lonlat = np.column_stack([points.lon, points.lat])[outlet[rows]]
    centres = np.asarray(shapely.points(plane.from_degrees(lonlat)), dtype=object)
    shapes = plane.project(grids.shape[others])
    near, other = shapely.STRtree(shapes).query(centres, predicate="dwithin", distance=buffer_m)
    rival = (others[other] != rows[near]) & (parent[others[other]] == parent[rows[near]])
    near, other = near[rival], other[rival]
    nearest_m = np.full(len(grids), np.inf)
    np.minimum.at(nearest_m, rows[near], shapely.distance(centres[near], shapes[other]))
    return result_among("outlet_buffer", grids.codes, asked, nearest_m < buffer_m - ROUNDING_M, -nearest_m)


def capacity_not_exceeded(decisions: Decisions) -> RuleResult:
    """Each outlet that states a capacity holds at most that demand: broken by outlets, the largest excess first."""
    capacity = known_capacity(decisions)
    rows = np.flatnonzero(~np.isnan(capacity))
    excess = outlet_loads(decisions)[rows] - capacity[rows]
    return result("capacity_not_exceeded", decisions.facilities.ids[rows].tolist(), excess > 0, excess)


def bank_line_numbers_valid(decisions: Decisions) -> RuleResult:
    """Each bank line number given is twelve digits that end in their check digit: broken by facilities; a warning."""
    facilities = decisions.facilities
    given = [(str(code), text) for code, text in zip(facilities.ids, facilities.line_numbers, strict=False) if text]
    wrong = np.array([not valid_line_number(text) for _, text in given], dtype=np.bool_)
    codes = [code for code, _ in given]
    return result("bank_line_numbers_valid", codes, wrong, np.zeros(len(given)), WARNING)


def _stands_in(decisions: Decisions, facility: Rows) -> Rows:
    """Grid that each facility row stands in, -1 outside all and for row -1."""
    grid = np.append(decisions.grid_groups.of_facility, -1)
    return np.asarray(grid[facility])
