"""Grids cut off from the ground of their outlet, and what becomes of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.planning.responsibility.allocation import Choices
from gridmap.planning.responsibility.togetherness import TOGETHER_TIMES, bring_together, cut_off


def together(
    primary: list[int],
    away: list[list[float]],
    stands_in: list[int],
    room: tuple[float, float] = (np.inf, np.inf),
    links: tuple[tuple[int, int], ...] = ((0, 1), (1, 2)),
) -> list[int]:
    """Grids of one unit of demand, in a line if nothing else is said; those that no outlet stands in are free."""
    grids, outlets = len(primary), len(stands_in)
    free = np.array([grid not in stands_in for grid in range(grids)])
    grid, outlet = (rows.reshape(-1) for rows in np.meshgrid(np.arange(grids), np.arange(outlets), indexing="ij"))
    may = free[grid]
    choices = Choices.ordered(grid[may], outlet[may], np.array(away, dtype=np.float64).reshape(-1)[may])
    return bring_together(
        np.array(primary), choices, free, np.array(links), np.array(stands_in), np.ones(grids), np.array(room)
    ).tolist()


def test_a_grid_cut_off_joins_ground_it_adjoins_if_that_is_not_much_farther() -> None:
    # The outlets stand in the first two grids: the third is given to the first, and adjoins the second only.
    away = [[0, 1000], [1000, 0], [1000, 1000 * TOGETHER_TIMES]]
    assert together([0, 1, 0], away, [0, 1]) == [0, 1, 1]
    away[2][1] += 1
    assert together([0, 1, 0], away, [0, 1]) == [0, 1, 0]


def test_no_grid_joins_an_outlet_that_has_no_room() -> None:
    away = [[0, 1000], [1000, 0], [1000, 1100]]
    assert together([0, 1, 0], away, [0, 1], room=(np.inf, 0.5)) == [0, 1, 0]
    assert together([0, 1, 0], away, [0, 1], room=(np.inf, 1.0)) == [0, 1, 1]


def test_a_grid_in_between_joins_where_the_one_behind_it_cannot_go_elsewhere() -> None:
    # The second grid lies between the first, where one outlet stands, the fourth, where the other does, and the third.
    links = ((0, 1), (1, 2), (1, 3))
    away = [[0, 2000], [1100, 1000], [1500, 5000], [2000, 0]]
    assert together([0, 1, 0, 1], away, [0, 3], links=links) == [0, 0, 0, 1]
    away[1][0] = 2000
    assert together([0, 1, 0, 1], away, [0, 3], links=links) == [0, 1, 0, 1]


def test_ground_beside_the_place_of_an_outlet_hangs_together_with_it_even_where_the_place_is_another_s() -> None:
    # Both outlets stand in grid 1; it is 0's, and 1 has the grids beside it.
    assert together([1, 0, 1], [[950, 900], [0, 0], [950, 900]], [1, 1]) == [1, 0, 1]


@settings(deadline=None)
@given(st.integers(0, 100_000))
def test_fewer_are_cut_off_nobody_goes_too_far_and_no_outlet_is_overfilled(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side, outlets = 5, 4
    places = np.array([(x, y) for y in range(side) for x in range(side)], dtype=np.float64)
    links = np.array([(i, j) for i in range(25) for j in range(i) if np.abs(places[i] - places[j]).sum() == 1])[:, ::-1]
    stands_in = rng.integers(-1, 25, outlets)
    sites = np.where(stands_in[:, None] >= 0, places[stands_in], rng.uniform(-3, 8, (outlets, 2)))
    away = 1000 * np.sqrt(((places[:, None] - sites[None]) ** 2).sum(axis=2)) + rng.uniform(0, 100, (25, outlets))
    free = ~np.isin(np.arange(25), stands_in)
    grid, outlet = np.repeat(np.arange(25), outlets), np.tile(np.arange(outlets), 25)
    grid, outlet = grid[free[grid]], outlet[free[grid]]
    choices = Choices.ordered(grid, outlet, away[grid, outlet])
    # Somebody gave the free grids out without looking at the map.
    primary = np.where(free, rng.integers(0, outlets, 25), -1)
    for row, where in enumerate(stands_in.tolist()):
        if where >= 0 and primary[where] < 0:
            primary[where] = row
    demand = rng.integers(0, 5, 25).astype(np.float64)
    held = np.bincount(primary[free], weights=demand[free], minlength=outlets)
    room = np.where(rng.random(outlets) < 0.5, np.inf, held + rng.integers(-3, 6, outlets))
    after = bring_together(primary, choices, free, links, stands_in, demand, room)

    before_off, after_off = (cut_off(one, choices, free, links, stands_in) for one in (primary, after))
    assert len(after_off) <= len(before_off)
    assert (after[~free] == primary[~free]).all()
    load = np.bincount(after[free], weights=demand[free], minlength=outlets)
    assert (load <= np.maximum(room, held)).all()
    # Nobody cut off could still join ground it adjoins: told by walking the map, grid by grid.
    ground = {row: walked(row, after, free, links, stands_in, away) for row in range(outlets)}
    near = {i: {a + b - i for a, b in links.tolist() if i in (a, b)} for i in range(25)}
    assert sorted(i for i in np.flatnonzero(free).tolist() if i not in ground[int(after[i])]) == after_off
    for i in after_off:
        for row in set(range(outlets)) - {int(after[i])}:
            beside = bool(near[i] & ground[row]) or int(stands_in[row]) in near[i]
            fits = load[row] + demand[i] <= room[row] or demand[i] == 0
            assert not (beside and fits and away[i, row] <= TOGETHER_TIMES * away[i, after[i]])


def walked(
    row: int, primary: np.ndarray, free: np.ndarray, links: np.ndarray, stands_in: np.ndarray, away: np.ndarray
) -> set[int]:
    mine = {i for i in range(len(primary)) if primary[i] == row}
    pairs = [*links.tolist(), *links[:, ::-1].tolist()]
    begin = {i for i in mine if not free[i]} | {b for a, b in pairs if a == stands_in[row] and b in mine}
    if not begin and mine:
        begin = {min(mine, key=lambda i: (away[i, row], i))}
    while True:
        more = {b for a, b in pairs if a in begin and b in mine} - begin
        if not more:
            return begin
        begin |= more


def test_islands_stay_with_their_outlet() -> None:
    choices = Choices.ordered(np.array([1, 1]), np.array([0, 1]), np.array([1000.0, 1001.0]))
    none = np.zeros((0, 2), dtype=np.int64)
    given_out = np.array([0, 0, 1])
    found = bring_together(
        given_out, choices, np.array([False, True, False]), none, np.array([0, 2]), np.ones(3), np.full(2, np.inf)
    )
    assert found.tolist() == given_out.tolist()
