"""The cells of a grid and of the grids around it, and what becomes of them when ground moves.

Borders are the edges that two cells hold in opposite directions, so "adjoins" means an edge, never a corner, and no
distance is guessed. Only cells near the place are looked at, never the whole plan.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import edges_of
from gridmap.geometry.lattice import geometries_to_units
from gridmap.geometry.partition import adjacent
from gridmap.planning.groups import sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import Flags, Floats, Rows


@dataclass(frozen=True)
class Surroundings:
    """Cells of one grid and of its neighbours near a place.

    Attributes
    ----------
    rows : (n,) int64, rows of the plan's cells, ascending
    grid : (n,) int64, number of each cell's grid in ``codes``
    codes : grids, the own one first, then its neighbours by code
    moves : (n,) bool, what would move
    pairs : (m, 2) int64, numbers in ``rows`` of cells that share an edge
    shared_m : (m,) float64, length of what they share, metres
    """

    rows: Rows
    grid: Rows
    codes: tuple[str, ...]
    moves: Flags
    pairs: Rows
    shared_m: Floats

    def shared_with(self) -> Floats:
        """(g,) float64: border that what would move shares with the rest of each grid, metres."""
        moves = self.moves[self.pairs]
        across = moves[:, 0] != moves[:, 1]
        outside = np.where(moves[across, 0], self.pairs[across, 1], self.pairs[across, 0])
        return sums(self.grid[outside], self.shared_m[across], len(self.codes))

    def parts(self, number: int, *, without: bool = False, added: bool = False) -> int:
        """Parts a grid consists of: as it is, without what would move, or with it."""
        member = self.grid == number
        if without:
            member &= ~self.moves
        if added:
            member |= self.moves
        place = np.flatnonzero(member)
        if not len(place):
            return 0
        inside = self.pairs[member[self.pairs].all(axis=1)]
        local = np.searchsorted(place, inside)
        return int(connected_stretches(np.zeros(len(place), dtype=np.int64), local).max()) + 1


def surroundings(cells: gpd.GeoDataFrame, moved: Rows) -> Surroundings:
    """Cells of the grid that holds ``moved`` and of those around it.

    Around it are the grids that share an edge with what would move or, where it lies amid its own grid, with the grid.

    Parameters
    ----------
    cells
        ``Plan.cells``.
    moved : (k,) int64, ascending
        Rows of cells, all of one grid.
    """
    shapes = cells.geometry.to_numpy()
    code = cells["grid_code"].to_numpy(dtype=object)
    own = str(code[moved[0]])
    boxes = shapely.bounds(shapes)
    beside = _neighbours(shapes, boxes, code, moved, own)
    if not beside:
        beside = _neighbours(shapes, boxes, code, np.flatnonzero(code == own), own)
    codes = (own, *beside)
    number_of = {one: number for number, one in enumerate(codes)}
    number = np.array([number_of.get(one, -1) for one in code], dtype=np.int64)
    rows = np.flatnonzero(number >= 0)
    pairs, shared_m = adjacent(edges_of(geometries_to_units(shapes[rows])))
    return Surroundings(rows, number[rows], codes, np.isin(rows, moved), pairs, shared_m)


def _neighbours(
    shapes: NDArray[np.object_], boxes: Floats, code: NDArray[np.object_], of: Rows, own: str
) -> tuple[str, ...]:
    """Other grids whose cells share an edge with some cells, by code."""
    west, south, east, north = boxes[of, 0].min(), boxes[of, 1].min(), boxes[of, 2].max(), boxes[of, 3].max()
    near = np.flatnonzero(
        (boxes[:, 0] <= east) & (boxes[:, 2] >= west) & (boxes[:, 1] <= north) & (boxes[:, 3] >= south)
    )
    pairs, _ = adjacent(edges_of(geometries_to_units(shapes[near])))
    among = np.isin(near, of)[pairs]
    across = pairs[among.any(axis=1)]
    found = {str(one) for one in code[near[across.reshape(-1)]]}
    return tuple(sorted(found - {own}))
