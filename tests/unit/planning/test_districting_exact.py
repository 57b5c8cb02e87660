"""The solver beside the proved optimum of small tasks, and the proof beside a plainer one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gridmap.planning.districting.draw import draw
from gridmap.planning.districting.task import Districts, Task, UnitGraph
from territory_exact import Optimum, between_m, connected_sets, optimum
from territory_instances import equal, small, square_units
from territory_score import Score, score

#: Of the first thirty small tasks those whose proof takes no more than a few seconds.
TASKS = sorted({*range(30)} - {12, 17, 18, 24, 25})

Solved = list[tuple[Task, Optimum, Districts, Score]]


def hold_together(graph: UnitGraph, units: set[int]) -> bool:
    """Whether a set of units is connected: a plain walk."""
    near: dict[int, set[int]] = {unit: set() for unit in units}
    for a, b in graph.links.tolist():
        if a in near and b in near:
            near[a].add(b)
            near[b].add(a)
    waiting, seen = [min(units)], {min(units)}
    while waiting:
        fresh = near[waiting.pop()] - seen
        seen |= fresh
        waiting += fresh
    return seen == units


def divisions(task: Task) -> list[tuple[float, float]]:
    """Largest deviation and border length of every division into connected districts that hold their anchors."""
    found = []
    for drawn in product(range(len(task.target)), repeat=len(task.graph)):
        label = np.asarray(drawn)
        if any(anchor >= 0 and label[anchor] != district for district, anchor in enumerate(task.anchor.tolist())):
            continue
        districts = [set(np.flatnonzero(label == district).tolist()) for district in range(len(task.target))]
        if all(units and hold_together(task.graph, units) for units in districts):
            load = np.bincount(label, weights=task.graph.demand, minlength=len(task.target))
            found.append((float(np.abs(load / task.target - 1).max()), between_m(task.graph, label)))
    return found


def tiny(seed: int) -> Task:
    """Six to nine squares, two or three districts, anchored at random, equal or unequal targets."""
    rng = np.random.default_rng(seed)
    graph = square_units(3, int(rng.integers(2, 4)), seed)
    count = int(rng.integers(2, 4))
    anchor = np.where(rng.random(count) < 0.5, rng.choice(len(graph), count, replace=False), -1)
    share = rng.uniform(0.7, 1.3, count) if seed % 2 else np.ones(count)
    return Task(graph, graph.demand.sum() * share / share.sum(), anchor.astype(np.int64))


@pytest.mark.parametrize("seed", range(8))
def test_the_proved_optimum_is_the_best_of_all_divisions(seed: int) -> None:
    task = tiny(seed)
    every = divisions(task)
    best = optimum(task)

    assert best is not None
    least = min(deviation for deviation, _ in every)
    bound = max(least, task.tolerance) + 1e-9
    assert best.deviation == pytest.approx(least, abs=1e-12)
    assert best.border_m == pytest.approx(min(border for deviation, border in every if deviation <= least + 1e-9))
    assert best.tolerated_m == pytest.approx(min(border for deviation, border in every if deviation <= bound))


def test_a_task_that_no_division_fits_has_no_optimum() -> None:
    path = square_units(4, 1, seed=1)

    assert optimum(Task(path, equal(path, 2), np.asarray([0, 0]))) is None


@pytest.mark.parametrize(("wide", "high", "known"), [(2, 2, 13), (3, 3, 218), (4, 4, 11506)])
def test_the_connected_sets_of_a_square_board_are_as_many_as_oeis_a059525_says(
    wide: int, high: int, known: int
) -> None:
    board = square_units(wide, high, seed=1)

    assert len(connected_sets(board, 0.0, np.inf)) == known


def test_the_score_of_a_board_in_two_halves_is_what_a_ruler_gives() -> None:
    board = square_units(4, 2, seed=1, side_m=100.0)
    halves = np.asarray([0, 0, 1, 1, 0, 0, 1, 1])
    task = Task(board, equal(board, 2), np.asarray([2, 6]))

    found = score(task, halves, knows_outlets=False)

    load = board.demand[halves == 0].sum() / task.target[0]
    assert found.border_m == 200.0
    assert found.mean_compact == found.least_compact == pytest.approx(np.pi / 4)
    assert found.deviation == pytest.approx(abs(load - 1))
    assert found.broken == 0
    # Both outlets stand in the right half: only one can have it, and district 0 was asked to hold the first.
    assert found.inside == 1
    assert score(task, halves, knows_outlets=True).inside == 1
    assert score(task, halves[::-1], knows_outlets=True).inside == 1
    assert score(task, np.asarray([0, 1, 0, 1, 1, 0, 1, 0]), knows_outlets=False).broken == 2


@pytest.fixture(scope="module")
def solved() -> Solved:
    rows = []
    for number in TASKS:
        task = small(number)
        best = optimum(task)
        assert best is not None
        made = draw(task)
        rows.append((task, best, made, score(task, made.label, knows_outlets=True)))
    return rows


def test_no_division_is_better_than_the_proved_optimum(solved: Solved) -> None:
    for task, best, made, found in solved:
        assert found.deviation >= best.deviation - 1e-9
        assert made.bound <= best.deviation + 1e-9
        if found.deviation <= max(task.tolerance, best.deviation) + 1e-9:
            assert found.border_m >= best.tolerated_m - 1e-3


def test_small_divisions_are_connected_and_hold_their_outlets(
    solved: Solved,
) -> None:
    for task, _, _, found in solved:
        assert found.districts == len(task.target)
        assert found.broken == 0
        assert found.inside == np.count_nonzero(task.anchor >= 0)


def test_the_gap_of_small_tasks_to_the_least_deviation_and_the_shortest_border_is_none(solved: Solved) -> None:
    for task, best, _, found in solved:
        assert found.deviation <= max(best.deviation, task.tolerance) + 1e-9
        assert found.border_m == pytest.approx(best.tolerated_m, rel=1e-9)


def test_a_shortfall_is_told_where_the_tolerance_cannot_be_kept_and_nowhere_else(solved: Solved) -> None:
    for task, best, made, _ in solved:
        assert bool(made.shortfalls) == (best.deviation > task.tolerance)
        assert made.bound == pytest.approx(best.deviation if made.shortfalls else 0.0)
