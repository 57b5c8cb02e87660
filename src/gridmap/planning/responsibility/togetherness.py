"""Bring the grids of an outlet together: what is cut off from its ground joins ground that it adjoins.

A grid in which no outlet stands is cut off where no chain of adjoining grids of the same outlet leads from it to a
grid in which that outlet stands, or to a grid beside that; where there is neither, the grid nearest to the outlet
stands for its place. Such a grid goes to an outlet whose ground it adjoins, if that is at most ``TOGETHER_TIMES`` as
far and has room; else a grid in between comes to the outlet on the same terms, if that joins the one behind it. Each
step leaves fewer grids cut off, so there is an end; ground that adjoins nothing, an island, stays with its outlet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridmap.planning.groups import sums
from gridmap.planning.responsibility.allocation import Choices
from gridmap.planning.service.reach import Flags, Floats, Rows

#: A grid goes at most so many times as far to lie beside the rest of its outlet's ground.
TOGETHER_TIMES = 1.25


def cut_off(primary: Rows, choices: Choices, free: Flags, links: Rows, stands_in: Rows) -> list[int]:
    """Free grids that do not hang together with the ground of their outlet; parameters as of ``bring_together``."""
    nothing, no_limit = np.zeros(len(primary)), np.full(len(stands_in), np.inf)
    return _Grounds.of(primary, choices, free, links, stands_in, nothing, no_limit).cut_off()


def bring_together(
    primary: Rows, choices: Choices, free: Flags, links: Rows, stands_in: Rows, demand: Floats, room: Floats
) -> Rows:
    """Primary outlets after grids that are cut off from their outlet's ground have joined ground they adjoin.

    Parameters
    ----------
    primary : (g,) int64, outlet of each grid, -1 without one
    choices : of the free grids
    free : (g,) bool, no outlet stands in the grid
    links : (l, 2) int64, grids that share a border
    stands_in : (m,) int64, grid each outlet stands in, -1 outside all
    demand : (g,) float64
    room : (m,) float64, demand each outlet could take beside the grids that are not free

    Returns
    -------
    (g,) int64
    """
    grounds = _Grounds.of(primary, choices, free, links, stands_in, demand, room)
    waiting = grounds.cut_off()
    while waiting:
        moved = [grid for grid in waiting if grounds.join(grid)]
        if not moved:
            break
        waiting = grounds.cut_off()
    return np.array(grounds.primary, dtype=np.int64)


@dataclass
class _Grounds:
    """Ground of each outlet, and which of its grids hang together with the place it stands in."""

    primary: list[int]
    free: list[bool]
    near: list[list[int]]
    choices: dict[int, list[tuple[float, int]]]
    outlets_in: dict[int, set[int]]
    demand: list[float]
    left: list[float]
    members: dict[int, set[int]] = field(default_factory=dict)
    joined: dict[int, set[int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, primary: Rows, choices: Choices, free: Flags, links: Rows, stands_in: Rows, demand: Floats, room: Floats
    ) -> _Grounds:
        near: list[list[int]] = [[] for _ in primary]
        for a, b in links.tolist():
            near[a].append(b)
            near[b].append(a)
        may: dict[int, list[tuple[float, int]]] = {}
        for grid, outlet, distance_m in zip(
            choices.grid.tolist(), choices.outlet.tolist(), choices.distance_m.tolist(), strict=True
        ):
            may.setdefault(grid, []).append((distance_m, outlet))
        outlets_in: dict[int, set[int]] = {}
        for outlet in np.flatnonzero(stands_in >= 0).tolist():
            outlets_in.setdefault(int(stands_in[outlet]), set()).add(outlet)
        held = free & (primary >= 0)
        left = room - sums(primary[held], demand[held], len(room))
        found = cls(primary.tolist(), free.tolist(), near, may, outlets_in, demand.tolist(), left.tolist())
        for grid, outlet in enumerate(found.primary):
            found.members.setdefault(outlet, set()).add(grid)
        for outlet in found.members:
            found.joined[outlet] = found.hanging_together(outlet)
        return found

    def hanging_together(self, outlet: int) -> set[int]:
        """Grids of an outlet connected with its place: a grid not free, one beside its place, else the nearest."""
        members = self.members[outlet]
        begin = {grid for grid in members if not self.free[grid] or self._beside_place(grid, outlet)}
        if not begin and members:
            begin = {min((self._distance_m(grid, outlet), grid) for grid in members)[1]}
        found, rim = set(begin), list(begin)
        while rim:
            for grid in self.near[rim.pop()]:
                if grid in members and grid not in found:
                    found.add(grid)
                    rim.append(grid)
        return found

    def cut_off(self) -> list[int]:
        """Free grids that do not hang together with their outlet's ground."""
        return sorted(
            grid for outlet, members in self.members.items() if outlet >= 0 for grid in members - self.joined[outlet]
        )

    def join(self, grid: int) -> bool:
        """Move a grid that is cut off, or one beside it, so that fewer are."""
        if grid in self.joined[self.primary[grid]]:
            return False
        if any(self._try(grid, outlet) for outlet in self._within_reach(grid)):
            return True
        mine = self.primary[grid]
        return any(
            self.free[between] and mine in self._within_reach(between) and self._try(between, mine)
            for between in self.near[grid]
        )

    def _within_reach(self, grid: int) -> list[int]:
        """Other outlets that are not much farther, and have room, nearest first."""
        now = self.primary[grid]
        most_m = TOGETHER_TIMES * self._distance_m(grid, now)
        return [
            outlet
            for distance_m, outlet in self.choices.get(grid, ())
            if outlet != now and distance_m <= most_m and self.demand[grid] <= max(self.left[outlet], 0.0)
        ]

    def _distance_m(self, grid: int, outlet: int) -> float:
        return next((distance_m for distance_m, one in self.choices.get(grid, ()) if one == outlet), np.inf)

    def _try(self, grid: int, outlet: int) -> bool:
        """Move a grid to an outlet whose ground it adjoins, unless as many grids are cut off then as before."""
        before, ground = self.primary[grid], self.joined.get(outlet, set())
        if not self._beside_place(grid, outlet) and ground.isdisjoint(self.near[grid]):
            return False
        was = {one: self.joined.get(one, set()) for one in (before, outlet)}
        apart = sum(len(self.members.get(one, ())) - len(was[one]) for one in was)
        self._shift(grid, outlet)
        for one in was:
            self.joined[one] = self.hanging_together(one)
        if sum(len(self.members[one]) - len(self.joined[one]) for one in was) < apart:
            return True
        self._shift(grid, before)
        self.joined.update(was)
        return False

    def _shift(self, grid: int, outlet: int) -> None:
        now = self.primary[grid]
        self.left[now] += self.demand[grid]
        self.left[outlet] -= self.demand[grid]
        self.members[now].discard(grid)
        self.members.setdefault(outlet, set()).add(grid)
        self.primary[grid] = outlet

    def _beside_place(self, grid: int, outlet: int) -> bool:
        """Whether the outlet stands in a grid beside this one, which may be another outlet's."""
        return any(outlet in self.outlets_in.get(one, ()) for one in self.near[grid])
