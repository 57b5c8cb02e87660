"""Rules of ground: nothing twice, nothing left out, nothing cut that is whole, each grid in one piece."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.domain.kinds import BaseUnitKind
from gridmap.domain.plan import RuleResult
from gridmap.planning.decisions import Decisions
from gridmap.planning.groups import counts, sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.rules.parents import parents_of_cells
from gridmap.planning.rules.results import WARNING, drawn, not_asked, result, result_among
from gridmap.planning.service.reach import Floats, Rows
from gridmap.planning.tables.shape_figures import part_counts
from gridmap.planning.territory.nesting import level_sets, nesting_faults

_EXACT = "exact"


def grids_do_not_overlap(decisions: Decisions) -> RuleResult:
    """Every cell has one grid, and the certificate proves that cells tile the areas: broken by areas."""
    grids, ground = decisions.grids, decisions.ground
    exact = decisions.certificate["verdict"] == _EXACT
    astray = np.zeros(len(ground), dtype=np.bool_)
    for number, areas in enumerate(decisions.hierarchy.levels):
        here = grids.level[grids.of_cell] == number
        held_by = decisions.hierarchy.ancestors(areas.level)[ground.area]
        astray |= here & (held_by != grids.home[grids.of_cell])
    astray |= grids.of_cell < 0
    broken = np.bincount(ground.area[astray], minlength=len(decisions.hierarchy.lowest)).astype(np.float64)
    codes = decisions.hierarchy.lowest.codes
    return result("grids_do_not_overlap", codes, broken > 0 if exact else np.ones(len(codes), np.bool_), broken)


def levels_nested(decisions: Decisions) -> RuleResult:
    """Each set of every level lies in the next wider one, cell for cell: broken by sets, most cells astray first.

    A level that the certificate does not prove exact breaks it by its name.
    """
    faults = nesting_faults(decisions)
    unproved = [str(level["level"]) for level in decisions.certificate.get("levels", ()) if level["verdict"] != _EXACT]
    codes = [*unproved, *(fault.code or fault.level for fault in faults)]
    astray = np.array([np.inf] * len(unproved) + [float(fault.cells) for fault in faults])
    broken = result("levels_nested", codes, np.ones(len(codes), dtype=np.bool_), astray)
    checked = sum(len(sets) for sets in level_sets(decisions))
    return RuleResult(broken.rule, broken.holds, checked, broken.broken_by)


def base_units_whole(decisions: Decisions) -> RuleResult:
    """No base unit lies in several grids; open ground is made of cells and may: broken by units, most demand first."""
    units, grids = decisions.units, decisions.grids
    low = np.full(len(units), len(grids), dtype=np.int64)
    high = np.full(len(units), -1, dtype=np.int64)
    np.minimum.at(low, decisions.ground.unit, grids.of_cell)
    np.maximum.at(high, decisions.ground.unit, grids.of_cell)
    whole = np.array([kind is not BaseUnitKind.CELLS for kind in units.kind], dtype=np.bool_)
    demand = sums(decisions.ground.unit, decisions.demand.value, len(units))
    return result_among("base_units_whole", units.codes, whole, low < high, demand)


def no_empty_grid(decisions: Decisions) -> RuleResult:
    """Each grid has ground: broken by grids."""
    grids = decisions.grids
    cells = counts(grids.of_cell[grids.of_cell >= 0], len(grids))
    return result("no_empty_grid", grids.codes, cells == 0, np.zeros(len(grids)))


def grids_contiguous(decisions: Decisions) -> RuleResult:
    """Each grid that the plan drew hangs together where its ground does: broken by grids, most demand apart first.

    Cells hang together that share an edge of positive length, by the cancelled edges of the partition, or lie in one
    base unit. A part is forced on a grid where it is all there is of a stretch of its parent's open ground, such as an
    island, ground behind a barrier, or ground that dedicated grids cut off; a grid breaks the rule if it has two parts
    or more that are not. ``grids_in_one_part`` names forced ones too.
    """
    grids, ground = decisions.grids, decisions.ground
    free = drawn(decisions)[grids.of_cell]
    part = connected_stretches(grids.of_cell, _linked(decisions, ground.shared_m))
    parent = np.where(free, parents_of_cells(decisions), -2)
    stretch = connected_stretches(parent, _linked(decisions, ground.crossable_m))
    # A part is forced if no stretch it has cells of has any cell outside it.
    pair = np.unique(np.column_stack([stretch, part]), axis=0)
    shared = counts(pair[:, 0], int(stretch.max(initial=-1)) + 1) > 1
    partial = np.zeros(int(part.max(initial=-1)) + 1, dtype=np.bool_)
    partial[pair[shared[pair[:, 0]], 1]] = True
    apart = _demand_apart(decisions, np.where(partial[part], part, -1))
    grid_of_part = grids.of_cell[np.unique(part, return_index=True)[1]]
    broken = counts(grid_of_part[partial], len(grids)) > 1
    return result_among("grids_contiguous", grids.codes, drawn(decisions), broken, apart)


def grids_in_one_part(decisions: Decisions) -> RuleResult:
    """Each grid is one polygon: broken by grids, those of most parts first; a warning, as islands cannot be helped."""
    parts = part_counts(decisions.grids.shape)
    return result("grids_in_one_part", decisions.grids.codes, parts > 1, parts.astype(np.float64), WARNING)


def no_holes(decisions: Decisions) -> RuleResult:
    """No grid encloses ground of another ordinary grid: broken by grids, most demand enclosed first; a warning.

    Dedicated grids lie inside others as a rule and do not count, nor does ground that is in no area of the plan.
    """
    grids, ground = decisions.grids, decisions.ground
    parts, of_part = shapely.get_parts(grids.shape, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    inner = np.flatnonzero(np.diff(of_ring, prepend=-1) == 0)
    cells = np.flatnonzero(~grids.dedicated[grids.of_cell])
    points = shapely.points(np.column_stack([ground.points.lon[cells], ground.points.lat[cells]]) * 1e7)
    hole, row = shapely.STRtree(points).query(shapely.polygons(rings[inner]), predicate="contains")
    owner = of_part[of_ring[inner[hole]]]
    foreign = grids.of_cell[cells[row]] != owner
    owner, row = owner[foreign], row[foreign]
    enclosed = sums(owner, decisions.demand.value[cells[row]], len(grids))
    broken = counts(owner, len(grids)) > 0
    return result("no_holes", grids.codes, broken, enclosed, WARNING)


def barrier_not_crossed(decisions: Decisions) -> RuleResult:
    """No grid hangs together only across a barrier: broken by grids, most demand on the lesser sides first.

    Base units that barriers do not cut, such as villages, hang together by themselves.
    """
    grids, ground = decisions.grids, decisions.ground
    if decisions.settings.barriers is None and not (ground.crossable_m < ground.shared_m).any():
        return not_asked("barrier_not_crossed")
    across = connected_stretches(grids.of_cell, _linked(decisions, ground.shared_m))
    around = connected_stretches(grids.of_cell, _linked(decisions, ground.crossable_m))
    first = np.unique(around, return_index=True)[1]
    sides = counts(grids.of_cell[first], len(grids))
    parts = counts(grids.of_cell[np.unique(across, return_index=True)[1]], len(grids))
    return result("barrier_not_crossed", grids.codes, sides > parts, _demand_apart(decisions, around))


def _linked(decisions: Decisions, length_m: Floats) -> Rows:
    """(m, 2) int64: cells that share a border of some length, or lie one after the other in a unit that is whole."""
    ground = decisions.ground
    whole = np.array([kind is not BaseUnitKind.CELLS for kind in decisions.units.kind], dtype=np.bool_)
    follows = np.flatnonzero((ground.unit[1:] == ground.unit[:-1]) & whole[ground.unit[1:]])
    return np.concatenate([ground.adjacency[length_m > 0], np.column_stack([follows, follows + 1])])


def _demand_apart(decisions: Decisions, part: Rows) -> Floats:
    """(g,) float64: demand of each grid outside that part of it which holds most; parts of -1 are left out."""
    grids = decisions.grids
    held = np.flatnonzero(part >= 0)
    demand = sums(part[held], decisions.demand.value[held], int(part.max(initial=-1)) + 1)
    most, total = np.zeros(len(grids)), sums(grids.of_cell[held], decisions.demand.value[held], len(grids))
    np.maximum.at(most, grids.of_cell[held], demand[part[held]])
    return np.asarray(total - most)
