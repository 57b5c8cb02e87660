r"""Levels drawn below and above the grids: sub-grids (小网格) in large grids, super-grids (大网格) over small ones.

A grid of demand :math:`D > 1.5\,s` is divided into :math:`\lfloor D/s + ½ \rfloor` contiguous parts of about the demand
:math:`s` asked for. Parts are made of whole base units; a unit that alone holds more than :math:`1.5\,s`, and open
ground, is divided by its cells. Super-grids gather whole grids of one parent area in the same way. So every sub-grid
lies in one grid and every grid in one super-grid, cell for cell.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from gridmap.domain.inputs import PreviousGrids
from gridmap.domain.kinds import BaseUnitKind
from gridmap.geometry.lattice import Geometries, to_degrees
from gridmap.planning.districting.draw import draw
from gridmap.planning.districting.task import Task, UnitGraph
from gridmap.planning.groups import sums
from gridmap.planning.land.base_units import BaseUnits
from gridmap.planning.land.components import numbered_by_first
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.land.ground import Ground, representative_points
from gridmap.planning.land.hierarchy import Hierarchy
from gridmap.planning.service.reach import Flags, Floats, Rows
from gridmap.planning.territory.atoms import Atoms
from gridmap.planning.territory.codes import grid_codes, kept_codes
from gridmap.planning.territory.grids import Grids, SubGrids, SuperGrids
from gridmap.planning.territory.numbering import home_codes, homes

#: Grids and base units of up to this many times the demand asked of a sub-grid stay whole.
DIVIDED_ABOVE = 1.5


def draw_sub_grids(
    hierarchy: Hierarchy,
    units: BaseUnits,
    ground: Ground,
    demand: Floats,
    grids: Grids,
    sub_demand: float,
    tolerance: float,
    compactness: float,
    seed: int,
    previous: PreviousGrids | None = None,
    taken: Collection[str] = (),
) -> SubGrids:
    """Divide the grids of much demand.

    Parameters
    ----------
    demand : (n,) float64, demand of each cell
    sub_demand : demand a sub-grid should hold
    tolerance, compactness, seed : as of ``Task``
    previous : sub- and super-grids of the plan before; equal ground keeps its code, no other ground is given it
    taken : codes that are never given, beside those of the grids and the retired ones

    Raises
    ------
    PlanError
        If an area has more grids and sub-grids than its codes can number.
    """
    held = sums(grids.of_cell, demand, len(grids))
    large = held > DIVIDED_ABOVE * sub_demand
    label = np.full(len(ground), -1, dtype=np.int64)
    count = 0
    grid_of: list[Rows] = []
    pieces = _pieces(ground, units, demand, large[grids.of_cell], sub_demand)
    grid_of_piece = grids.of_cell[pieces.first]
    for row in np.flatnonzero(large).tolist():
        rows = np.flatnonzero(grid_of_piece == row)
        part = _divided(pieces.graph(rows), float(held[row]), sub_demand, tolerance, compactness, seed)
        cells = np.flatnonzero(grids.of_cell == row)
        label[cells] = count + part[np.searchsorted(rows, pieces.of_cell[cells])]
        grid_of.append(np.full(int(part.max()) + 1, row, dtype=np.int64))
        count += len(grid_of[-1])
    grid = np.concatenate([*grid_of, np.zeros(0, dtype=np.int64)])
    shape = dissolve(ground.geometry, label, count)
    level, home = homes(hierarchy, ground.area, label, count)
    codes, order = _coded(home_codes(hierarchy, level, home), shape, grids, previous, taken)
    return SubGrids(_renumbered(label, order), codes, grid[order], shape[order])


def draw_super_grids(
    hierarchy: Hierarchy,
    ground: Ground,
    demand: Floats,
    grids: Grids,
    parent_of_area: Rows,
    super_demand: float,
    tolerance: float,
    compactness: float,
    seed: int,
    previous: PreviousGrids | None = None,
    taken: Collection[str] = (),
) -> SuperGrids:
    """Gather the grids of each parent area.

    Parameters
    ----------
    demand : (n,) float64, demand of each cell
    parent_of_area : (k,) int64, number of the parent of each lowest-level area, -1 for none; grids that lie in several
        parents, and those in none, are gathered into no super-grid
    super_demand : demand a super-grid should hold
    tolerance, compactness, seed : as of ``Task``
    previous : sub- and super-grids of the plan before; equal ground keeps its code, no other ground is given it
    taken : codes that are never given, beside those of the grids and the retired ones

    Raises
    ------
    PlanError
        If an area has more grids and super-grids than its codes can number.
    """
    size = len(grids)
    nothing = np.arange(size)
    whole = np.zeros(size, dtype=np.bool_)
    nodes = Atoms(ground, demand, grids.of_cell, nothing, nothing, whole)
    parent = _single(parent_of_area[ground.area], grids.of_cell, size)
    of_grid = np.full(size, -1, dtype=np.int64)
    count = 0
    for number in np.unique(parent[parent >= 0]).tolist():
        rows = np.flatnonzero(parent == number)
        graph = nodes.graph(rows)
        part = _divided(graph, float(graph.demand.sum()), super_demand, tolerance, compactness, seed)
        of_grid[rows] = count + part
        count += int(part.max()) + 1
    shape = dissolve(grids.shape, of_grid, count)
    level, home = homes(hierarchy, ground.area, of_grid[grids.of_cell], count)
    codes, order = _coded(home_codes(hierarchy, level, home), shape, grids, previous, taken)
    return SuperGrids(_renumbered(of_grid, order), codes, level[order], home[order], shape[order])


def _pieces(ground: Ground, units: BaseUnits, demand: Floats, concerned: Flags, sub_demand: float) -> Atoms:
    """Pieces that sub-grids are made of: base units, or the cells of open ground and of units of too much demand."""
    heavy = sums(ground.unit, demand, len(units)) > DIVIDED_ABOVE * sub_demand
    opened = heavy | np.array([kind is BaseUnitKind.CELLS for kind in units.kind], dtype=np.bool_)
    begins = opened[ground.unit]
    begins[np.unique(ground.unit, return_index=True)[1]] = True
    begins &= concerned
    first = np.flatnonzero(begins)
    unit = ground.unit[first]
    of_cell = np.where(concerned, np.cumsum(begins) - 1, -1)
    return Atoms(ground, demand, of_cell, unit, first, ~opened[unit])


def _divided(graph: UnitGraph, demand: float, wanted: float, tolerance: float, compactness: float, seed: int) -> Rows:
    """(n,) int64: part of each unit, numbered from 0 by first unit; as many parts as the demand asks for."""
    parts = int(np.clip(np.floor(demand / wanted + 0.5), 1, len(graph)))
    if parts == 1:
        return np.zeros(len(graph), dtype=np.int64)
    anywhere = np.full(parts, -1, dtype=np.int64)
    task = Task(graph, np.full(parts, demand / parts), anywhere, tolerance, compactness, seed=seed)
    return numbered_by_first(draw(task).label)


def _single(value: Rows, group: Rows, count: int) -> Rows:
    """(count,) int64: the one value of each group, -1 where it has several."""
    low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, -1, dtype=np.int64)
    np.minimum.at(low, group, value)
    np.maximum.at(high, group, value)
    return np.where(low == high, high, -1)


def _coded(
    home: list[str | None], shape: Geometries, grids: Grids, previous: PreviousGrids | None, taken: Collection[str]
) -> tuple[tuple[str, ...], Rows]:
    """Codes, ascending, and the row that each belongs to."""
    ordinary = [code for code, dedicated in zip(grids.codes, grids.dedicated.tolist(), strict=True) if not dedicated]
    in_use = {*grids.codes, *grids.retired, *taken}
    kept: list[str | None] = [None] * len(home)
    if previous is not None:
        kept = [None if code in in_use else code for code in kept_codes(shape, previous)]
        in_use |= set(previous.codes) - set(kept)
    lonlat = to_degrees(representative_points(shape))
    codes = grid_codes(home, lonlat, np.zeros(len(home), dtype=np.bool_), kept, in_use, ordinary)
    order = np.argsort(np.array(codes, dtype=object))
    return tuple(codes[row] for row in order.tolist()), order


def _renumbered(label: Rows, order: Rows) -> Rows:
    """Labels after row ``order[k]`` has become k; -1 stays."""
    place = np.full(len(order) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[label]
