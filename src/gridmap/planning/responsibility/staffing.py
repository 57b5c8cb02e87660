"""Who holds which grid: managers and officers, one person one grid before anyone holds a second.

People stay with their outlet and go to the grids of which it is primary:

1. who asks for grids gets them first, in the order of the wishes, full-time people before part-time ones, then by
   identifier; a grid has one manager, and a wish for a grid of another outlet is not granted;
2. every manager without a grid takes the grid of most demand that has none, full-time managers first; officers go
   where fewest are until each grid has ``officers_per_grid``, then where most demand is without one, counted in
   officers of ``demand_per_officer``; a part-time officer counts ``part_time_weight``;
3. people of no stated outlet fill what is still missing, most demand first, and belong to the outlet of that grid
   from then on;
4. where people may hold several grids, grids still without a manager, or with too few officers, are matched to those
   who have room: those of most demand where not all can be had, at most one a person and round, adjoining grids
   before others and near ones before far ones, for the least sum of distances in each round (the assignment problem,
   solved exactly by ``scipy.optimize.linear_sum_assignment``: Crouse, *On implementing 2D rectangular assignment
   algorithms*, 2016).

Nobody moves to another outlet: what is short stays missing and is counted, who is left over is named.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from gridmap.domain.inputs import Staff
from gridmap.domain.kinds import Employment, StaffRole
from gridmap.domain.plan_settings import StaffingSection
from gridmap.planning.service.reach import Flags, Floats, Rows

# Shares of officers that differ by less are equal: demand over demand_per_officer is a quotient.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Staffing:
    """People and the grids they hold.

    Attributes
    ----------
    staff : as given, None where no file was
    manager : (g,) int64, person who manages each grid, -1 without one
    officer_grid, officer : (k,) int64 pairs of a grid and a person who works in it as an officer, by grid, then person
    managers_missing : (g,) bool
    officers_missing : (g,) int64, officers each grid still needs, after the rules and its demand
    unplaced : (p,) int64, people who hold no grid, ascending
    misplaced : (q,) int64, people whose file asks for a grid or outlet that is not in the plan, or for a grid of
        another outlet than their own, ascending; they may hold other grids
    """

    staff: Staff | None
    manager: Rows
    officer_grid: Rows
    officer: Rows
    managers_missing: Flags
    officers_missing: Rows
    unplaced: Rows
    misplaced: Rows


def staff_grids(
    codes: Sequence[str],
    primary_outlet_ids: Sequence[str | None],
    demand: Floats,
    staff: Staff | None,
    settings: StaffingSection,
    *,
    outlet_ids: Collection[str] = (),
    xy_m: Floats | None = None,
    links: Rows | None = None,
    demand_counts: bool = True,
) -> Staffing:
    """Give the grids to people, and count who is missing where.

    Parameters
    ----------
    codes : (g,) str, distinct
    primary_outlet_ids : (g,) identifier of each grid's primary outlet, None without one
    demand : (g,) float64
    staff : None where no file was given: then all is missing
    outlet_ids : outlets of the plan beside the primary ones: their people are known, and hold no grid
    xy_m : (g, 2) float64, a point of each grid in a local plane, metres; by default grids lie in the order of codes
    links : (l, 2) int64, grids that adjoin; by default unknown
    demand_counts : False where area stands in for demand: then ``demand_per_officer`` is not asked
    """
    per_officer = settings.demand_per_officer if demand_counts else None
    asked = np.zeros(len(codes)) if per_officer is None else np.asarray(demand, dtype=np.float64) / per_officer
    by_demand = np.lexsort((np.array(codes, dtype=object), -np.asarray(demand))).tolist()
    posts = _Posts(by_demand, primary_outlet_ids, asked, settings, _Ground.of(codes, xy_m, links))
    misplaced: list[int] = []
    if staff is not None:
        known = {outlet for outlet in primary_outlet_ids if outlet is not None} | set(outlet_ids)
        crew = _Crew(staff, codes, primary_outlet_ids, known, settings)
        misplaced = crew.misplaced
        for role in (StaffRole.MANAGER, StaffRole.OFFICER):
            posts.fill(role, crew)
        posts.count_shares(crew)
    pairs = sorted((grid, person) for grid, people in enumerate(posts.officers) for person in people)
    manager = np.array(posts.manager, dtype=np.int64)
    holds = {*posts.manager, *(person for _, person in pairs)}
    count = len(staff.ids) if staff is not None else 0
    return Staffing(
        staff,
        manager,
        np.array([grid for grid, _ in pairs], dtype=np.int64),
        np.array([person for _, person in pairs], dtype=np.int64),
        manager < 0,
        np.array([posts.officers_missing(grid) for grid in range(len(codes))], dtype=np.int64),
        np.array([person for person in range(count) if person not in holds], dtype=np.int64),
        np.array(misplaced, dtype=np.int64),
    )


@dataclass(frozen=True)
class _Ground:
    """Where grids lie, for people who hold several."""

    xy_m: Floats
    adjoins: frozenset[tuple[int, int]]

    @classmethod
    def of(cls, codes: Sequence[str], xy_m: Floats | None, links: Rows | None) -> _Ground:
        if xy_m is None:
            place = np.empty(len(codes))
            place[np.argsort(np.array(codes, dtype=object))] = np.arange(len(codes))
            xy_m = np.column_stack([place, np.zeros(len(codes))])
        pairs = [] if links is None else links.tolist()
        return cls(xy_m, frozenset((a, b) for pair in pairs for a, b in (pair, pair[::-1])))

    def distances_m(self, held: Sequence[Collection[int]], grids: Sequence[int]) -> Floats:
        """(people, grids) float64: from the nearest grid each person holds; infinite to one they hold already.

        Grids that adjoin none of those held come after all that adjoin one.
        """
        cost = np.empty((len(held), len(grids)))
        apart = np.zeros(cost.shape, dtype=np.bool_)
        places = self.xy_m[list(grids)]
        for row, own in enumerate(held):
            away = self.xy_m[sorted(own)][:, None, :] - places[None, :, :]
            cost[row] = np.sqrt((away**2).sum(axis=2)).min(axis=0)
            apart[row] = [not any((grid, one) in self.adjoins for one in own) for grid in grids]
        cost += apart * (cost.max(initial=0.0) + 1.0)
        for row, own in enumerate(held):
            cost[row, [column for column, grid in enumerate(grids) if grid in own]] = np.inf
        return cost


class _Crew:
    """People in the order in which they are asked, and what each may still take."""

    def __init__(
        self,
        staff: Staff,
        codes: Sequence[str],
        outlets: Sequence[str | None],
        known: Collection[str],
        settings: StaffingSection,
    ) -> None:
        row_of = {code: row for row, code in enumerate(codes)}
        self.roles, self.most = staff.roles, settings.grids_per_person
        self.weight = [1.0 if kind is Employment.FULL_TIME else settings.part_time_weight for kind in staff.employment]
        self.order = sorted(
            range(len(staff.ids)), key=lambda row: (staff.employment[row] is not Employment.FULL_TIME, staff.ids[row])
        )
        self.held: list[list[int]] = [[] for _ in staff.ids]
        self.outlet: list[str | None] = []
        self.free = [not outlet for outlet in staff.outlet_ids]
        self.wishes: list[list[int]] = []
        self.misplaced: list[int] = []
        for person, outlet in enumerate(staff.outlet_ids):
            asked = [row_of.get(code, -1) for code in dict.fromkeys(staff.grid_codes[person])]
            there = [grid for grid in asked if grid >= 0]
            own = outlets[there[0]] if there and not outlet else outlet or None
            # Who asks for a grid of this plan and names no outlet belongs to that grid's.
            self.free[person] = not outlet and not there
            lost = bool(outlet) and outlet not in known
            granted = [] if lost else [grid for grid in there if outlets[grid] == own]
            self.outlet.append(own)
            self.wishes.append(granted)
            if lost or len(granted) < len(asked):
                self.misplaced.append(person)

    def of_role(self, role: StaffRole) -> list[int]:
        return [person for person in self.order if self.roles[person] is role]

    def take(self, person: int, grid: int, outlet: str | None) -> None:
        self.held[person].append(grid)
        self.outlet[person], self.free[person] = outlet, False

    def has_room(self, person: int) -> bool:
        return len(self.held[person]) < self.most


class _Posts:
    """Grids, by demand, and who holds them."""

    def __init__(
        self,
        by_demand: Sequence[int],
        outlets: Sequence[str | None],
        asked: Floats,
        settings: StaffingSection,
        ground: _Ground,
    ) -> None:
        self.outlets, self.asked, self.least, self.ground = outlets, asked.tolist(), settings.officers_per_grid, ground
        self.rank = {grid: place for place, grid in enumerate(by_demand)}
        self.by_demand = by_demand
        self.manager = [-1] * len(by_demand)
        self.officers: list[list[int]] = [[] for _ in by_demand]
        self.share = [0.0] * len(by_demand)

    def fill(self, role: StaffRole, crew: _Crew) -> None:
        """Place all people of one role."""
        people = crew.of_role(role)
        self._grant_wishes(role, crew, people)
        idle = [person for person in people if not crew.held[person]]
        grids_of = _grouped((self.outlets[grid], grid) for grid in self.by_demand)
        people_of = _grouped((crew.outlet[person], person) for person in idle if not crew.free[person])
        for outlet, own in people_of.items():
            self._place(role, crew, own, grids_of.get(outlet, []))
        self._place(role, crew, [person for person in idle if crew.free[person]], self.by_demand)
        if crew.most > 1:
            busy = _grouped((crew.outlet[person], person) for person in people if crew.held[person])
            for outlet, own in busy.items():
                self._share_out(role, crew, own, grids_of.get(outlet, []))

    def count_shares(self, crew: _Crew) -> None:
        """Count officers of each grid, everyone's time divided evenly among the grids they hold."""
        for grid, people in enumerate(self.officers):
            self.share[grid] = sum(crew.weight[person] / len(crew.held[person]) for person in sorted(people))

    def officers_missing(self, grid: int) -> int:
        """Officers a grid still needs, by their number and by its demand."""
        by_demand = int(np.ceil(self.asked[grid] - self.share[grid] - _ROUNDING))
        return max(0, self.least - len(self.officers[grid]), by_demand)

    def _give(self, role: StaffRole, crew: _Crew, person: int, grid: int) -> None:
        if role is StaffRole.MANAGER:
            self.manager[grid] = person
        else:
            self.officers[grid].append(person)
            self.share[grid] += crew.weight[person]
        crew.take(person, grid, self.outlets[grid])

    def _grant_wishes(self, role: StaffRole, crew: _Crew, people: Iterable[int]) -> None:
        asking = [
            (rank, place, person) for place, person in enumerate(people) for rank in range(len(crew.wishes[person]))
        ]
        for rank, _, person in sorted(asking):
            grid = crew.wishes[person][rank]
            taken = role is StaffRole.MANAGER and self.manager[grid] >= 0
            if crew.has_room(person) and not taken:
                self._give(role, crew, person, grid)

    def _place(self, role: StaffRole, crew: _Crew, people: Sequence[int], grids: Sequence[int]) -> None:
        """Give each of the people one grid, where they are needed most."""
        for person, grid in zip(people, self._needs(role, grids, crew, people), strict=False):
            self._give(role, crew, person, grid)

    def _needs(self, role: StaffRole, grids: Sequence[int], crew: _Crew, people: Sequence[int]) -> Iterator[int]:
        """Yield grids in the order of their need while there is any; each is filled before the next is asked for."""
        if role is StaffRole.MANAGER:
            yield from (grid for grid in grids if self.manager[grid] < 0)
            return
        queue = [(need, self.rank[grid], grid) for grid in grids if (need := self._officer_need(grid)) is not None]
        heapq.heapify(queue)
        while queue:
            grid = queue[0][2]
            yield grid
            need = self._officer_need(grid)
            if need is None:
                heapq.heappop(queue)
            else:
                heapq.heapreplace(queue, (need, self.rank[grid], grid))

    def _officer_need(self, grid: int) -> tuple[int, float] | None:
        """Sort key of a grid that needs an officer: fewest officers first, then most demand without one."""
        if len(self.officers[grid]) < self.least:
            return len(self.officers[grid]), 0.0
        lacking = self.asked[grid] - self.share[grid]
        return (self.least, -lacking) if lacking > _ROUNDING else None

    def _share_out(self, role: StaffRole, crew: _Crew, people: Sequence[int], grids: Sequence[int]) -> None:
        """Give further grids to people who hold some, at most one each a round, those with fewest people first."""
        most = 1 if role is StaffRole.MANAGER else self.least
        for level in range(most):
            while self._one_round(role, crew, people, [grid for grid in grids if self._count(role, grid) == level]):
                pass

    def _one_round(self, role: StaffRole, crew: _Crew, people: Sequence[int], short: Sequence[int]) -> bool:
        """Match grids to people who have room; whether any found someone."""
        ready = [person for person in people if crew.has_room(person)]
        short = short[: sum(crew.most - len(crew.held[person]) for person in ready)]
        if not short:
            return False
        cost = self.ground.distances_m([crew.held[person] for person in ready], short)
        # An assignment asks for finite costs: what may not be is dearer than all that may be together.
        barred = np.isinf(cost)
        cost[barred] = (cost[~barred].max(initial=0.0) + 1.0) * (len(short) + 1)
        rows, columns = (side.tolist() for side in linear_sum_assignment(cost))
        chosen = [pair for pair in zip(rows, columns, strict=True) if not barred[pair]]
        for place, column in chosen:
            self._give(role, crew, ready[place], short[column])
        return bool(chosen)

    def _count(self, role: StaffRole, grid: int) -> int:
        """People who hold a grid in a role."""
        return int(self.manager[grid] >= 0) if role is StaffRole.MANAGER else len(self.officers[grid])


def _grouped(pairs: Iterable[tuple[str | None, int]]) -> dict[str | None, list[int]]:
    """Members by group, in their order."""
    found: dict[str | None, list[int]] = {}
    for group, member in pairs:
        found.setdefault(group, []).append(member)
    return found
