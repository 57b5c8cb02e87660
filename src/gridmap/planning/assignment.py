r"""Who is responsible: one primary outlet a grid, and the outlets that cooperate.

Primary is an outlet inside the grid where one is: a branch before a self-service bank, then the one nearest to the
grid's demand, then the one of larger capacity. Where none is inside, it is the outlet nearest to the grid's demand.
*Nearest to the demand* is the least mean geodesic distance of the grid's cells, weighted by demand (by area where the
grid has none):

.. math:: \bar d(g, o) = \frac{\sum_{i \in g} w_i\, d(i, o)}{\sum_{i \in g} w_i}

Cooperating are the other outlets that reach some of the grid's demand, most demand first. Devices take no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gridmap.domain.kinds import FacilityKind
from gridmap.planning.facilities import KINDS, Facilities
from gridmap.planning.ground import Ground
from gridmap.planning.groups import first_of_each, sums, weighted_means
from gridmap.planning.reach import EarthPoints, Flags, Floats, Pairs, Rows, close_pairs, distances

# A geodesic exceeds its chord by less than this share on any distance at which an outlet is still of use.
_ARC_SHARE = 1e-3


@dataclass(frozen=True)
class Assignment:
    """Outlets of grids, one row a pair, by grid, then primary first, then by demand in reach.

    Attributes
    ----------
    primary : (g,) int64, facility row of each grid's primary outlet, -1 where the plan has no outlet
    has_outlet : (g,) bool, an outlet stands inside the grid
    cell_distance_m : (n,) float64, from each cell to the primary outlet of its grid, NaN without one
    grid, outlet : (k,) int64, pairs of a grid and a facility row
    is_primary : (k,) bool
    distance_m : (k,) float64, mean distance of the grid's demand from the outlet
    demand_in_reach : (k,) float64, demand of the grid within the outlet's service radius
    """

    primary: Rows
    has_outlet: Flags
    cell_distance_m: Floats
    grid: Rows
    outlet: Rows
    is_primary: Flags
    distance_m: Floats
    demand_in_reach: Floats

    def cooperating(self, grids: int) -> list[list[int]]:
        """Facility rows of the cooperating outlets of each grid, most demand first."""
        rows = np.flatnonzero(~self.is_primary)
        ends = np.searchsorted(self.grid[rows], np.arange(grids + 1))
        return [self.outlet[rows[a:b]].tolist() for a, b in pairwise(ends)]


def assign(
    ground: Ground,
    grid: Rows,
    demand: Floats,
    facilities: Facilities,
    facility_cell: Rows,
    in_reach: Pairs,
    most_cooperating: int,
) -> Assignment:
    """Give each grid its primary and its cooperating outlets.

    Parameters
    ----------
    grid : (n,) int64, grid of each cell, numbered from 0
    demand : (n,) float64
    facility_cell : (m,) int64, cell each facility stands in, -1 outside every area
    in_reach : pairs (cell, facility) in reach of each other
    most_cooperating : most cooperating outlets a grid lists
    """
    count = int(grid.max(initial=-1)) + 1
    outlets = facilities.outlets
    placed = outlets[facility_cell[outlets] >= 0]
    home = grid[facility_cell[placed]]
    has_outlet = np.zeros(count, dtype=np.bool_)
    has_outlet[home] = True
    if not len(outlets):
        none, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
        unknown = np.full(len(grid), np.nan)
        primary = np.full(count, -1, dtype=np.int64)
        return Assignment(primary, has_outlet, unknown, none, none, none.astype(np.bool_), nothing, nothing)

    cells_of = _CellsOf(ground, grid, demand, count)
    without = np.flatnonzero(~has_outlet)
    near_grid, near_outlet = _may_be_nearest(cells_of, without, facilities, outlets)
    primary = _choose(cells_of, np.r_[home, near_grid], np.r_[placed, near_outlet], facilities, has_outlet)
    cell_distance_m = distances(ground.points, np.arange(len(grid)), facilities.points, primary[grid])
    table = _table(grid, demand, facilities, in_reach, primary, most_cooperating)
    pair_grid, pair_outlet, is_primary, reached = table
    distance_m = cells_of.mean_distance_m(pair_grid, facilities.points, pair_outlet)
    return Assignment(primary, has_outlet, cell_distance_m, pair_grid, pair_outlet, is_primary, distance_m, reached)


class _CellsOf:
    """Cells of each grid, laid one grid after the other, with the weights of their distances."""

    def __init__(self, ground: Ground, grid: Rows, demand: Floats, count: int) -> None:
        self.points, self.grid, self.demand, self.area_m2, self.count = (
            ground.points,
            grid,
            demand,
            ground.area_m2,
            count,
        )
        self.order = np.argsort(grid, kind="stable")
        self.starts = np.searchsorted(grid[self.order], np.arange(count + 1))

    def middle(self) -> tuple[Floats, Floats]:
        """Weighted mean of each grid's cells, earth-centred, and the mean chord of the cells from it."""
        axes = [
            self._mean(self.grid, self.points.xyz[:, axis], np.arange(len(self.grid)), self.count) for axis in range(3)
        ]
        middle = np.column_stack(axes)
        chord = np.sqrt(((self.points.xyz - middle[self.grid]) ** 2).sum(axis=1))
        return middle, self._mean(self.grid, chord, np.arange(len(self.grid)), self.count)

    def mean_distance_m(self, grid: Rows, outlets: EarthPoints, outlet: Rows) -> Floats:
        """Mean geodesic distance of each pair's grid from its outlet, weighted by demand."""
        size = (self.starts[1:] - self.starts[:-1])[grid]
        pair = np.repeat(np.arange(len(grid)), size)
        cell = self.order[np.arange(len(pair)) - np.repeat(np.cumsum(size) - size - self.starts[grid], size)]
        return self._mean(pair, distances(self.points, cell, outlets, outlet[pair]), cell, len(grid))

    def _mean(self, group: Rows, value: Floats, cell: Rows, count: int) -> Floats:
        return weighted_means(group, value, self.demand[cell], self.area_m2[cell], count)


def _may_be_nearest(cells_of: _CellsOf, grids: Rows, facilities: Facilities, outlets: Rows) -> tuple[Rows, Rows]:
    """Pairs (grid, facility row) among which the nearest outlet of each grid is, by the triangle inequality."""
    middle, spread_m = cells_of.middle()
    sites = facilities.points.take(outlets)
    nearest_m, _ = sites.tree.query(middle[grids])
    reach_m = (np.asarray(nearest_m) + 2 * spread_m[grids]) * (1 + _ARC_SHARE) + 1.0
    outlet, grid, _ = close_pairs(sites.tree, middle[grids], reach_m)
    return grids[grid], outlets[outlet]


def _choose(cells_of: _CellsOf, grid: Rows, outlet: Rows, facilities: Facilities, has_outlet: Flags) -> Rows:
    """Primary outlet of each grid among the pairs that may be it."""
    distance_m = np.round(cells_of.mean_distance_m(grid, facilities.points, outlet), 6)
    is_branch = facilities.kind[outlet] == KINDS.index(FacilityKind.BRANCH)
    capacity = np.nan_to_num(facilities.capacity[outlet])
    first = first_of_each(grid, outlet, -capacity, distance_m, has_outlet[grid] & ~is_branch)
    return np.asarray(outlet[first])


def _table(
    grid: Rows, demand: Floats, facilities: Facilities, in_reach: Pairs, primary: Rows, most_cooperating: int
) -> tuple[Rows, Rows, Flags, Floats]:
    """Pairs (grid, outlet) that work together, and the demand of the grid each outlet reaches."""
    served = in_reach.where(facilities.is_outlet[in_reach.facility])
    key, inverse = np.unique(grid[served.point] * len(facilities) + served.facility, return_inverse=True)
    reached = sums(inverse.reshape(-1), demand[served.point], len(key))
    pair_grid, pair_outlet = key // len(facilities), key % len(facilities)
    cooperates = (reached > 0) & (pair_outlet != primary[pair_grid])

    grids = np.arange(len(primary))
    place = np.searchsorted(key, grids * len(facilities) + primary)
    found = np.flatnonzero(np.r_[key, -1][place] == grids * len(facilities) + primary)
    reached_by_primary = np.zeros(len(primary))
    reached_by_primary[found] = reached[place[found]]

    all_grid = np.r_[grids, pair_grid[cooperates]]
    all_outlet = np.r_[primary, pair_outlet[cooperates]]
    all_reached = np.r_[reached_by_primary, reached[cooperates]]
    is_primary = np.arange(len(all_grid)) < len(primary)
    order = np.lexsort((all_outlet, -all_reached, ~is_primary, all_grid))
    rank = np.arange(len(order)) - np.searchsorted(all_grid[order], all_grid[order])
    kept = order[rank <= most_cooperating]
    return all_grid[kept], all_outlet[kept], is_primary[kept], all_reached[kept]
