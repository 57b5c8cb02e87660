"""The levels of a plan as sets of cells, and the check that each lies whole in the next wider one.

Nesting is by sets of cells alone: where every set holds its parts cell for cell, sums of exact figures agree between
levels, and the borders of a wider set run along those of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridmap import catalogue
from gridmap.planning.decisions import Decisions
from gridmap.planning.groups import counts
from gridmap.planning.service.reach import Rows

#: Levels that are drawn, widest first; those of areas come before them.
SUPER, GRID, SUB = "super", "grid", "sub"


@dataclass(frozen=True)
class LevelSet:
    """Sets of one level, by code.

    Attributes
    ----------
    level : ``county``, ``township``, ``village``, ``super``, ``grid`` or ``sub``
    codes, names : (k,) str
    of_cell : (n,) int64, set of each cell, -1 for none
    parent_level : (k,) int64, place among ``level_sets`` of the next wider set that holds each, -1 for none
    parent : (k,) int64, row there, -1 for none
    """

    level: str
    codes: tuple[str, ...]
    names: tuple[str, ...]
    of_cell: Rows
    parent_level: Rows
    parent: Rows

    def __len__(self) -> int:
        """Count of the sets."""
        return len(self.codes)

    @cached_property
    def cells(self) -> Rows:
        """(k,) int64: cells of each set."""
        return counts(self.of_cell[self.of_cell >= 0], len(self))


@dataclass(frozen=True)
class NestingFault:
    """A set that does not lie whole in the one it is said to lie in, or that its parts do not fill.

    Attributes
    ----------
    level, code : of the set
    parent_code : what should hold it; None where its own parts are at fault
    cells : cells astray
    """

    level: str
    code: str
    parent_code: str | None
    cells: int


def level_sets(decisions: Decisions) -> tuple[LevelSet, ...]:
    """All levels of a plan, widest first: areas, super-grids, grids, sub-grids; levels the plan has not are left out.

    The parent of a sub-grid is its grid, of a grid its super-grid, else the lowest area that holds it whole; that is
    the parent of a super-grid too. The parent of an area is the area above it.
    """
    hierarchy, ground, grids = decisions.hierarchy, decisions.ground, decisions.grids
    found: list[LevelSet] = []
    for number, areas in enumerate(hierarchy.levels):
        row = hierarchy.ancestors(areas.level)[ground.area]
        above = np.where(areas.parent >= 0, number - 1, -1)
        found.append(LevelSet(areas.level.value, areas.codes, areas.names, row, above, areas.parent))
    level, home = grids.level, grids.home
    if grids.above is not None:
        upper = grids.above
        of_cell = np.where(upper.of_grid >= 0, upper.of_grid, -1)[grids.of_cell]
        names = _drawn_names("super", _home_names(decisions, upper.level, upper.home), upper.level, upper.home)
        found.append(LevelSet(SUPER, upper.codes, names, of_cell, upper.level, upper.home))
        level = np.where(upper.of_grid >= 0, len(found) - 1, level)
        home = np.where(upper.of_grid >= 0, upper.of_grid, home)
    found.append(LevelSet(GRID, grids.codes, grids.names, grids.of_cell, level, home))
    if grids.sub is not None:
        sub = grids.sub
        of_grid = np.full(len(sub), len(found) - 1)
        names = _drawn_names("sub", [grids.names[row] for row in sub.grid.tolist()], of_grid, sub.grid)
        found.append(LevelSet(SUB, sub.codes, names, sub.of_cell, of_grid, sub.grid))
    return tuple(found)


def nesting_faults(decisions: Decisions) -> list[NestingFault]:
    """Every set that is not nested cell for cell, widest level first, then by code.

    Checked are: every cell of a set lies in the set's parent; the sub-grids of a divided grid hold all its cells; no
    set is without a cell; every cell lies in a lowest-level area and in a grid.
    """
    levels = level_sets(decisions)
    faults: list[NestingFault] = []
    for sets in levels:
        astray = _cells_astray(sets, levels)
        for row in np.flatnonzero((astray > 0) | (sets.cells == 0)).tolist():
            above = int(sets.parent_level[row])
            holder = levels[above].codes[sets.parent[row]] if above >= 0 and astray[row] else None
            faults.append(NestingFault(sets.level, sets.codes[row], holder, int(astray[row])))
        if sets.level in (GRID, decisions.hierarchy.lowest.level.value) and (sets.of_cell < 0).any():
            faults.append(NestingFault(sets.level, "", None, int((sets.of_cell < 0).sum())))
    faults += _not_filled_by_sub_grids(decisions)
    return faults


def _cells_astray(sets: LevelSet, levels: Sequence[LevelSet]) -> Rows:
    """(k,) int64: cells of each set that do not lie in its parent."""
    astray = np.zeros(len(sets), dtype=np.int64)
    cells = np.flatnonzero(sets.of_cell >= 0)
    member = sets.of_cell[cells]
    for above in np.unique(sets.parent_level[sets.parent_level >= 0]).tolist():
        here = sets.parent_level[member] == above
        wrong = levels[above].of_cell[cells[here]] != sets.parent[member[here]]
        astray += counts(member[here][wrong], len(sets))
    return astray


def _not_filled_by_sub_grids(decisions: Decisions) -> list[NestingFault]:
    grids, sub = decisions.grids, decisions.grids.sub
    if sub is None:
        return []
    divided = np.zeros(len(grids), dtype=np.bool_)
    divided[sub.grid] = True
    left_out = counts(grids.of_cell[divided[grids.of_cell] & (sub.of_cell < 0)], len(grids))
    return [NestingFault(GRID, grids.codes[row], None, int(left_out[row])) for row in np.flatnonzero(left_out).tolist()]


def _home_names(decisions: Decisions, level: Rows, home: Rows) -> list[str]:
    """Name of the lowest area that holds each, its code where it has none, "" where no area does."""
    names = []
    for number, row in zip(level.tolist(), home.tolist(), strict=True):
        areas = decisions.hierarchy.levels[number] if number >= 0 else None
        names.append("" if areas is None else areas.names[row] or areas.codes[row])
    return names


def _drawn_names(kind: str, holders: list[str], level: Rows, holder: Rows) -> tuple[str, ...]:
    """Name of what holds each, what it is, and its number there, in the order of the codes."""
    so_far: dict[tuple[int, int], int] = {}
    names = []
    for name, key in zip(holders, zip(level.tolist(), holder.tolist(), strict=True), strict=True):
        so_far[key] = so_far.get(key, 0) + 1
        names.append(catalogue.text(f"rules.{kind}_grid_name", name=name, number=so_far[key]).strip())
    return tuple(names)
