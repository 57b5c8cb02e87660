r"""Outlets for grids in which none stands: the nearest that has room, all grids of a plan decided together.

The first choice of a grid is the outlet nearest to its demand. Where an outlet would hold more than its capacity, grids
yield to another that has room for them, within ``MOST_TIMES`` the distance of their first choice or ``MOST_FURTHER_M``
beyond it; an outlet beyond its capacity holds none but grids of its own first choice. Of all ways to do so the one is
sought that leaves least demand beyond capacity, and then hauls demand least far. With :math:`x_{go}` for grid
:math:`g` at outlet :math:`o`, its demand :math:`q_g`, its first choice :math:`f_g`, what room :math:`R_o` the grids in
which outlets stand have left, the excess :math:`e_o`, and the farthest detour :math:`D` that any pair may mean:

.. math::

    \min \sum_{g,o} q_g \frac{d_{go} - d_{g f_g}}{D} x_{go} + W \sum_o e_o, \quad
    \sum_o x_{go} = 1, \quad \sum_g q_g x_{go} \le R_o + e_o, \quad e_o > 0 \Rightarrow x_{go} = 0 \ (f_g \ne o)

(a generalised assignment problem: Martello and Toth, *Knapsack Problems*, 1990, ch. 7; :math:`W` = ``BEYOND``). Small
plans are solved by branch and bound up to ``MOST_NODES`` nodes, large ones by the linear relaxation, rounded; then
moves of one grid and exchanges of two are tried until none helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from gridmap.planning.groups import first_of_each, sums
from gridmap.planning.service.reach import Floats, Rows

#: A grid yields to an outlet at most so many times as far as its first choice,
MOST_TIMES = 2.0
#: or at most so much farther, metres: where outlets stand close, twice the distance is still next door.
MOST_FURTHER_M = 5_000.0
#: Demand beyond capacity weighs as much as so many times as much taken the farthest way allowed.
BEYOND = 1_000.0
#: Nodes of branch and bound: a count, so that every machine stops at the same place.
MOST_NODES = 200

# Beyond, the relaxation takes a thirtieth of the time, and its answer hauls demand two per cent farther.
_MOST_BINARIES = 300
# Exchanges look at this many outlets of each grid, nearest first.
_NEAREST = 8
_SURE = 1 - 1e-6
# Gains below this share of a grid of mean demand are rounding.
_GAIN = 1e-9


@dataclass(frozen=True)
class Choices:
    """Outlets that grids may come to, one row a pair, by grid, then nearest first.

    Attributes
    ----------
    grid, outlet : (k,) int64
    distance_m : (k,) float64
    """

    grid: Rows
    outlet: Rows
    distance_m: Floats

    @classmethod
    def ordered(cls, grid: Rows, outlet: Rows, distance_m: Floats) -> Choices:
        """Choices from pairs in any order; equally far outlets go by their rows."""
        order = np.lexsort((outlet, distance_m, grid))
        return cls(grid[order], outlet[order], distance_m[order])

    @property
    def first(self) -> Rows:
        """Row of each grid's first choice, by grid."""
        return first_of_each(self.grid)


def give_room(choices: Choices, demand: Floats, room: Floats) -> Rows:
    """Outlet of each grid, so that as little demand as can be goes beyond what outlets have room for.

    Parameters
    ----------
    demand : (g,) float64
    room : (m,) float64, demand each outlet can still take, infinite where it knows no limit

    Returns
    -------
    (g,) int64, -1 for grids that have no choices
    """
    chosen = np.full(len(demand), -1, dtype=np.int64)
    first = choices.first
    chosen[choices.grid[first]] = choices.outlet[first]
    load = sums(choices.outlet[first], demand[choices.grid[first]], len(room))
    if not (load > np.maximum(room, 0.0)).any():
        return chosen
    heavy = demand[choices.grid] > 0
    loaded = Choices(choices.grid[heavy], choices.outlet[heavy], choices.distance_m[heavy])
    problem = _Problem.of(loaded, demand, np.maximum(room, 0.0))
    state = _State(problem, problem.wanted())
    state.make_legal()
    state.improve()
    chosen[problem.grids] = problem.outlet[state.option]
    return chosen


@dataclass(frozen=True)
class _Problem:
    """Grids numbered from 0, their options, nearest first, what each option costs and how much each grid loads.

    Costs are in grids of mean demand taken the farthest detour, loads and room in the unit of demand: their sums stay
    exact.
    """

    grids: Rows
    starts: Rows
    owner: Rows
    outlet: Rows
    cost: Floats
    weight: Floats
    room: Floats

    @classmethod
    def of(cls, choices: Choices, demand: Floats, room: Floats) -> _Problem:
        grids, owner = np.unique(choices.grid, return_inverse=True)
        starts = np.searchsorted(choices.grid, grids)
        further = choices.distance_m - choices.distance_m[starts][owner]
        weight = demand[grids]
        cost = (weight / weight.mean())[owner] * further / max(float(further.max()), 1.0)
        return cls(grids, np.r_[starts, len(owner)], owner, choices.outlet, cost, weight, room)

    def wanted(self) -> Rows:
        """(grids,) int64: option of each grid in an optimum of the model or of its relaxation; -1 where it is split."""
        pairs, count = len(self.owner), len(self.grids)
        outlets, row = np.unique(self.outlet, return_inverse=True)
        few = len(outlets)
        limited = np.isfinite(self.room[outlets])
        unit = float(self.weight.mean())
        weight = self.weight[self.owner] / unit
        foreign = np.arange(pairs) != self.starts[self.owner]
        own = np.bincount(row[~foreign], weights=weight[~foreign], minlength=few)
        here, one = np.arange(few), np.ones(pairs)
        row = row.reshape(-1)

        def block(value: Floats, at: Rows, column: Rows, rows: int, columns: int) -> csr_array:
            return csr_array((value, (at, column)), shape=(rows, columns))

        each = block(one, self.owner, np.arange(pairs), count, pairs + 2 * few)
        load = block(
            np.r_[weight, -np.ones(few)], np.r_[row, here], np.r_[np.arange(pairs), pairs + here], few, pairs + 2 * few
        )
        # An excess is at most what prefers the outlet, and bars all that do not.
        excess = block(
            np.r_[np.ones(few), -own], np.r_[here, here], np.r_[pairs + here, pairs + few + here], few, pairs + 2 * few
        )
        strangers = np.bincount(row[foreign], minlength=few).astype(np.float64)
        barred = block(
            np.r_[one[foreign], strangers],
            np.r_[row[foreign], here],
            np.r_[np.flatnonzero(foreign), pairs + few + here],
            few,
            pairs + 2 * few,
        )
        most = np.r_[np.ones(count), np.where(limited, self.room[outlets] / unit, np.inf), np.zeros(few), strangers]
        least = np.r_[np.ones(count), np.full(3 * few, -np.inf)]
        cost = np.r_[self.cost, np.full(few, BEYOND), np.zeros(few)]
        for whole in (1, 0) if pairs <= _MOST_BINARIES else (0,):
            found = milp(
                cost,
                constraints=LinearConstraint(vstack([each, load, excess, barred]), least, most),
                integrality=np.repeat(np.array([whole, 0, whole]), [pairs, few, few]),
                bounds=Bounds(0, np.r_[one, np.where(limited, np.inf, 0.0), np.ones(few)]),
                options={"node_limit": MOST_NODES, "mip_rel_gap": 0.0},
            ).x
            if found is not None:
                break
        option = np.full(count, -1, dtype=np.int64)
        sure = np.flatnonzero(found[:pairs] >= _SURE) if found is not None else np.zeros(0, dtype=np.int64)
        option[self.owner[sure]] = sure
        return option


class _State:
    """An option for every grid, and what it makes of the outlets.

    Parameters
    ----------
    wanted : (grids,) int64, options to begin with; grids of -1 go to the nearest outlet that has room, those of most
        demand first, or to their first choice
    """

    def __init__(self, problem: _Problem, wanted: Rows) -> None:
        self.starts: list[int] = problem.starts.tolist()
        self.outlet: list[int] = problem.outlet.tolist()
        self.cost, self.weight = problem.cost.tolist(), problem.weight.tolist()
        self.room, self.unit = problem.room.tolist(), float(problem.weight.mean())
        self.load = [0.0] * len(self.room)
        self.strangers = [0] * len(self.room)
        self.members: dict[int, set[int]] = {}
        self.option = [-1] * len(self.weight)
        for grid, one in enumerate(wanted.tolist()):
            if one >= 0:
                self._put(grid, one)
        waiting = [grid for grid, one in enumerate(self.option) if one < 0]
        for grid in sorted(waiting, key=lambda grid: (-self.weight[grid], grid)):
            self._put(grid, self._with_room(grid))

    def make_legal(self) -> None:
        """Clear outlets beyond their room of grids that prefer another."""
        # What goes home stays there until all is legal, so there is an end.
        crowded = True
        while crowded:
            crowded = False
            for outlet in range(len(self.room)):
                while self.load[outlet] > self.room[outlet] and self.strangers[outlet]:
                    grid = min(
                        (-self.weight[grid], grid)
                        for grid in self.members[outlet]
                        if self.option[grid] != self.starts[grid]
                    )[1]
                    self._take(grid)
                    self._put(grid, self._with_room(grid))
                    crowded = True

    def improve(self) -> None:
        """Move grids, alone or with one they displace, until nothing makes the whole better."""
        moves = 1
        while moves:
            moves = sum(self._better(grid) for grid in range(len(self.option)))

    def _better(self, grid: int) -> bool:
        """Make the best move of this grid, if there is one."""
        now = self.option[grid]
        here = self.outlet[now]
        if now == self.starts[grid] and self.load[here] <= self.room[here]:
            return False
        gain, best = _GAIN, list[tuple[int, int]]()
        for one in range(self.starts[grid], self.starts[grid + 1]):
            if one == now:
                continue
            there = self.outlet[one]
            ways = [[(grid, one)]]
            if self.load[there] + self.weight[grid] > self.room[there] and one - self.starts[grid] < _NEAREST:
                ways += [[(grid, one), change] for change in self._displaced(there)]
            for changes in ways:
                if (found := self._gain(changes)) > gain:
                    gain, best = found, changes
        for changed, _ in best:
            self._take(changed)
        for changed, one in best:
            self._put(changed, one)
        return bool(best)

    def _displaced(self, outlet: int) -> Iterator[tuple[int, int]]:
        """Yield each grid of an outlet with each option it has elsewhere."""
        for grid in sorted(self.members.get(outlet, ())):
            begin = self.starts[grid]
            for one in range(begin, min(begin + _NEAREST, self.starts[grid + 1])):
                if self.outlet[one] != outlet:
                    yield grid, one

    def _gain(self, changes: Sequence[tuple[int, int]]) -> float:
        """By how much moves make the whole better; minus infinity where they are not allowed."""
        load: dict[int, float] = {}
        strangers: dict[int, int] = {}
        gain = 0.0
        for grid, new in changes:
            for one, sign in ((self.option[grid], -1), (new, 1)):
                outlet = self.outlet[one]
                load[outlet] = load.get(outlet, self.load[outlet]) + sign * self.weight[grid]
                strangers[outlet] = strangers.get(outlet, self.strangers[outlet]) + sign * self._is_stranger(grid, one)
                gain -= sign * self.cost[one]
        for outlet, loaded in load.items():
            beyond = max(0.0, loaded - self.room[outlet])
            if beyond and strangers[outlet]:
                return -np.inf
            gain -= BEYOND * (beyond - max(0.0, self.load[outlet] - self.room[outlet])) / self.unit
        return gain

    def _is_stranger(self, grid: int, option: int) -> bool:
        return option != self.starts[grid]

    def _with_room(self, grid: int) -> int:
        """Nearest option that has room for a grid, else its first choice."""
        return next(
            (
                one
                for one in range(self.starts[grid], self.starts[grid + 1])
                if self.load[self.outlet[one]] + self.weight[grid] <= self.room[self.outlet[one]]
            ),
            self.starts[grid],
        )

    def _put(self, grid: int, option: int) -> None:
        outlet = self.outlet[option]
        self.load[outlet] += self.weight[grid]
        self.strangers[outlet] += self._is_stranger(grid, option)
        self.members.setdefault(outlet, set()).add(grid)
        self.option[grid] = option

    def _take(self, grid: int) -> None:
        option = self.option[grid]
        outlet = self.outlet[option]
        self.load[outlet] -= self.weight[grid]
        self.strangers[outlet] -= self._is_stranger(grid, option)
        self.members[outlet].discard(grid)
