r"""Who is responsible: one primary outlet a grid, and the outlets that cooperate.

Primary is the outlet a grid was drawn round, where it stands inside; else an outlet inside: a branch before a
self-service bank, then the one nearest to the grid's demand, then the one of larger capacity. Where none is inside, it
is the outlet nearest to the grid's demand, unless that has no room left or the grid would lie apart from the rest of
its ground: such grids of a plan are decided together, as ``allocation`` and ``togetherness`` say. *Nearest to the
demand* is the least mean geodesic distance of the grid's cells, weighted by demand (by area where the grid has none):

.. math:: \bar d(g, o) = \frac{\sum_{i \in g} w_i\, d(i, o)}{\sum_{i \in g} w_i}

Cooperating are the other outlets that reach some of the grid's demand, most demand first. Devices take no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from gridmap.domain.kinds import FacilityKind
from gridmap.planning.groups import first_of_each, sums, weighted_means
from gridmap.planning.land.ground import Ground
from gridmap.planning.responsibility.allocation import MOST_FURTHER_M, MOST_TIMES, Choices, give_room
from gridmap.planning.responsibility.togetherness import bring_together, cut_off
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import EarthPoints, Flags, Floats, Pairs, Rows, close_pairs, distances

# A geodesic exceeds its chord by less than this share on any distance at which an outlet is still of use.
_ARC_SHARE = 1e-3
_CELLS_AT_A_TIME = 1_000_000


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
    first_choice : (g,) int64, facility row of the outlet that would be primary if every outlet had room and ground need
        not hang together, -1 where the plan has no outlet
    """

    primary: Rows
    has_outlet: Flags
    cell_distance_m: Floats
    grid: Rows
    outlet: Rows
    is_primary: Flags
    distance_m: Floats
    demand_in_reach: Floats
    first_choice: Rows

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
    *,
    anchor: Rows | None = None,
    capacity: Floats | None = None,
) -> Assignment:
    """Give each grid its primary and its cooperating outlets.

    Parameters
    ----------
    grid : (n,) int64, grid of each cell, numbered from 0
    demand : (n,) float64
    facility_cell : (m,) int64, cell each facility stands in, -1 outside every area
    in_reach : pairs (cell, facility) in reach of each other
    most_cooperating : most cooperating outlets a grid lists
    anchor : (g,) int64, facility row of the outlet each grid was drawn round, -1 without one; by default none was
    capacity : (m,) float64, demand each facility can look after, NaN where unknown; by default none is known. Where
        area stands in for demand, capacities are in another unit: leave them out
    """
    count = int(grid.max(initial=-1)) + 1
    outlets = facilities.leading
    placed = outlets[facility_cell[outlets] >= 0]
    home = grid[facility_cell[placed]]
    has_outlet = np.zeros(count, dtype=np.bool_)
    has_outlet[home] = True
    if not len(outlets):
        none, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
        unknown = np.full(len(grid), np.nan)
        primary = np.full(count, -1, dtype=np.int64)
        return Assignment(primary, has_outlet, unknown, none, none, none.astype(np.bool_), nothing, nothing, primary)

    cells_of = _CellsOf(ground, grid, demand, count)
    near = cells_of.choices(*_may_be_nearest(cells_of, np.flatnonzero(~has_outlet), facilities, outlets), facilities)
    first_choice = np.full(count, -1, dtype=np.int64)
    first_choice[near.grid[near.first]] = near.outlet[near.first]
    first_choice[has_outlet] = _inside(cells_of, home, placed, facilities)
    if anchor is not None:
        inside = np.flatnonzero(has_outlet & (anchor >= 0))
        stands_in = facility_cell[anchor[inside]]
        drawn_round = inside[(stands_in >= 0) & (grid[stands_in] == inside)]
        first_choice[drawn_round] = anchor[drawn_round]
    most = np.full(len(facilities), np.nan) if capacity is None else capacity
    primary = _decided(cells_of, first_choice, near, facilities, placed, home, most)
    cell_distance_m = distances(ground.points, np.arange(len(grid)), facilities.points, primary[grid])
    table = _table(grid, demand, facilities, in_reach, primary, most_cooperating)
    pair_grid, pair_outlet, is_primary, reached = table
    distance_m = cells_of.mean_distance_m(pair_grid, facilities.points, pair_outlet)
    return Assignment(
        primary, has_outlet, cell_distance_m, pair_grid, pair_outlet, is_primary, distance_m, reached, first_choice
    )


def grid_links(adjacency: Rows, grid: Rows) -> Rows:
    """(l, 2) int64: pairs of grids that share a border, lower first, sorted, distinct.

    Parameters
    ----------
    adjacency : (m, 2) int64, cells that share an edge
    grid : (n,) int64, grid of each cell
    """
    pairs = np.sort(grid[adjacency], axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def _decided(
    cells_of: _CellsOf,
    first_choice: Rows,
    near: Choices,
    facilities: Facilities,
    placed: Rows,
    home: Rows,
    capacity: Floats,
) -> Rows:
    """Primary outlet of each grid, those without an outlet inside decided together."""
    free = np.zeros(len(first_choice), dtype=np.bool_)
    free[near.grid] = True
    demand = sums(cells_of.grid, cells_of.demand, len(first_choice))
    held = sums(first_choice[~free], demand[~free], len(facilities))
    room = np.where(np.isnan(capacity), np.inf, capacity) - held
    stands_in = np.full(len(facilities), -1, dtype=np.int64)
    stands_in[placed] = home
    links = grid_links(cells_of.adjacency, cells_of.grid)
    too_full = (sums(first_choice, demand, len(facilities)) > capacity).any()
    if not too_full and not cut_off(first_choice, near, free, links, stands_in):
        return first_choice
    within_m = np.maximum(MOST_TIMES * near.distance_m, near.distance_m + MOST_FURTHER_M)[near.first]
    wide = _within(cells_of, near.grid[near.first], within_m, facilities)
    primary = np.where(free, give_room(wide, demand, room), first_choice)
    return bring_together(primary, wide, free, links, stands_in, demand, room)


class _CellsOf:
    """Cells of each grid, laid one grid after the other, with the weights of their distances."""

    def __init__(self, ground: Ground, grid: Rows, demand: Floats, count: int) -> None:
        self.points, self.area_m2, self.adjacency = ground.points, ground.area_m2, ground.adjacency
        self.grid, self.demand, self.count = grid, demand, count
        self.order = np.argsort(grid, kind="stable")
        self.starts = np.searchsorted(grid[self.order], np.arange(count + 1))

    @cached_property
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
        ends = np.searchsorted(np.cumsum(size), np.arange(_CELLS_AT_A_TIME, int(size.sum()), _CELLS_AT_A_TIME))
        pieces = np.split(np.arange(len(grid)), np.unique(ends))
        return np.concatenate([self._of_pairs(grid[rows], size[rows], outlets, outlet[rows]) for rows in pieces])

    def choices(self, grid: Rows, outlet: Rows, facilities: Facilities) -> Choices:
        """Pairs with their distances, to the micrometre."""
        return Choices.ordered(grid, outlet, np.round(self.mean_distance_m(grid, facilities.points, outlet), 6))

    def _of_pairs(self, grid: Rows, size: Rows, outlets: EarthPoints, outlet: Rows) -> Floats:
        pair = np.repeat(np.arange(len(grid)), size)
        cell = self.order[np.arange(len(pair)) - np.repeat(np.cumsum(size) - size - self.starts[grid], size)]
        return self._mean(pair, distances(self.points, cell, outlets, outlet[pair]), cell, len(grid))

    def _mean(self, group: Rows, value: Floats, cell: Rows, count: int) -> Floats:
        return weighted_means(group, value, self.demand[cell], self.area_m2[cell], count)


def _may_be_nearest(cells_of: _CellsOf, grids: Rows, facilities: Facilities, outlets: Rows) -> tuple[Rows, Rows]:
    """Pairs (grid, facility row) among which the nearest outlet of each grid is, by the triangle inequality."""
    middle, spread_m = cells_of.middle
    sites = facilities.points.take(outlets)
    nearest_m, _ = sites.tree.query(middle[grids])
    reach_m = (np.asarray(nearest_m) + 2 * spread_m[grids]) * (1 + _ARC_SHARE) + 1.0
    outlet, grid, _ = close_pairs(sites.tree, middle[grids], reach_m)
    return grids[grid], outlets[outlet]


def _within(cells_of: _CellsOf, grids: Rows, within_m: Floats, facilities: Facilities) -> Choices:
    """All outlets whose mean distance from a grid is at most ``within_m``, found by the triangle inequality."""
    middle, spread_m = cells_of.middle
    outlets = facilities.leading
    sites = facilities.points.take(outlets)
    outlet, row, _ = close_pairs(sites.tree, middle[grids], within_m + spread_m[grids] + 1.0)
    found = cells_of.choices(grids[row], outlets[outlet], facilities)
    limit_m = np.zeros(cells_of.count)
    limit_m[grids] = within_m
    near = found.distance_m <= limit_m[found.grid]
    return Choices(found.grid[near], found.outlet[near], found.distance_m[near])


def _inside(cells_of: _CellsOf, grid: Rows, outlet: Rows, facilities: Facilities) -> Rows:
    """Primary outlet of each grid, in ascending order of the grids, among the outlets that stand in it."""
    distance_m = np.round(cells_of.mean_distance_m(grid, facilities.points, outlet), 6)
    is_branch = facilities.kind[outlet] == KINDS.index(FacilityKind.BRANCH)
    capacity = np.nan_to_num(facilities.capacity[outlet])
    return np.asarray(outlet[first_of_each(grid, outlet, -capacity, distance_m, ~is_branch)])


def _table(
    grid: Rows, demand: Floats, facilities: Facilities, in_reach: Pairs, primary: Rows, most_cooperating: int
) -> tuple[Rows, Rows, Flags, Floats]:
    """Pairs (grid, outlet) that work together, and the demand of the grid each outlet reaches."""
    served = in_reach.where(np.isin(in_reach.facility, facilities.leading))
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
