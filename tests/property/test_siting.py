"""Where to add facilities: as good as the best of all choices, where those can be tried, and never beyond a bound."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import floyd_warshall

from gridmap.planning.siting.bounds import lagrangian_bound, relaxed_bound
from gridmap.planning.siting.centre import least_farthest
from gridmap.planning.siting.covers import covers_of
from gridmap.planning.siting.fewest import fewest_serving
from gridmap.planning.siting.maximal import most_served
from gridmap.planning.siting.median import least_mean

SETTINGS = settings(max_examples=60, deadline=None)
#: Known optima of the OR-Library: p-median, and p-centre on the same networks.
MEDIANS = (5819, 4093, 4250, 3034, 1355, 7824, 5631, 4445, 2734, 1255)
CENTRES = (127, 98, 93, 74, 48, 84, 64, 55, 37, 20)


@st.composite
def grounds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Distances of demands from candidates, whole numbers so that many are equal, and weights, zero among them."""
    demands, candidates = draw(st.integers(1, 14)), draw(st.integers(1, 8))
    numbers = st.lists(st.integers(0, 9), min_size=demands * candidates, max_size=demands * candidates)
    weights = st.lists(st.integers(0, 5), min_size=demands, max_size=demands)
    return np.array(draw(numbers), float).reshape(demands, candidates), np.array(draw(weights), float)


def choices(candidates: int, size: int):
    return [list(chosen) for chosen in combinations(range(candidates), min(size, candidates))]


@given(grounds(), st.integers(1, 5), st.integers(0, 6))
@SETTINGS
def test_no_choice_serves_more(ground, size, radius):
    distance, weight = ground
    demand, candidate = np.nonzero(distance <= radius)
    covers, merged = covers_of(demand, candidate, weight, distance.shape[1])

    answer = most_served(covers, size)

    best = max(weight[(distance[:, chosen] <= radius).any(axis=1)].sum() for chosen in choices(distance.shape[1], size))
    assert answer.value == pytest.approx(best)
    assert answer.bound == pytest.approx(best, rel=1e-6)
    assert weight[(distance[:, answer.rows] <= radius).any(axis=1)].sum() == pytest.approx(best)
    assert (np.diff(answer.added) <= 1e-9).all(), "the order is that of what each adds"
    assert ((merged >= 0) == ((weight > 0) & (distance <= radius).any(axis=1))).all()


@given(grounds(), st.integers(1, 5), st.integers(0, 6))
@SETTINGS
def test_no_bound_is_beaten(ground, size, radius):
    distance, weight = ground
    covers, _ = covers_of(*np.nonzero(distance <= radius), weight, distance.shape[1])
    if not len(covers):
        return
    best = max(covers.value(np.array(chosen)) for chosen in choices(distance.shape[1], size))

    assert lagrangian_bound(covers, size, 0.0).value >= best - 1e-9
    assert relaxed_bound(covers, size).value >= best - 1e-9


@given(grounds(), st.integers(0, 6), st.sampled_from([0.0, 0.5, 0.8, 1.0]))
@SETTINGS
def test_no_fewer_serve_as_much(ground, radius, share):
    distance, weight = ground
    covers, _ = covers_of(*np.nonzero(distance <= radius), weight, distance.shape[1])
    needed = share * weight.sum()

    answer = fewest_serving(covers, needed)

    counts = [
        size
        for size in range(distance.shape[1] + 1)
        if any(
            weight[(distance[:, chosen] <= radius).any(axis=1)].sum() >= needed - 1e-9
            for chosen in choices(distance.shape[1], size)
        )
    ]
    assert answer.is_possible == bool(counts)
    if counts:
        assert len(answer.rows) == answer.at_least == counts[0]
        assert covers.value(answer.rows) >= needed - 1e-9


@given(grounds(), st.integers(1, 5), st.booleans(), st.data())
@SETTINGS
def test_no_choice_is_nearer_on_average(ground, size, has_existing, data):
    distance, weight = ground
    existing = None
    if has_existing:
        there = data.draw(st.lists(st.integers(0, 9), min_size=len(weight), max_size=len(weight)))
        existing = np.array(there, float)
    near = np.full(len(weight), np.inf) if existing is None else existing

    answer = least_mean(distance, weight, size, existing=existing)

    best = min(
        (weight * np.minimum(distance[:, chosen].min(axis=1), near))[weight > 0].sum()
        for chosen in choices(distance.shape[1], size)
    )
    assert answer.cost == pytest.approx(best)
    assert answer.bound == pytest.approx(best, rel=1e-6, abs=1e-6)


@given(grounds(), st.integers(1, 5), st.booleans())
@SETTINGS
def test_no_choice_has_the_farthest_nearer(ground, size, has_existing):
    distance, weight = ground
    existing = weight + 2 if has_existing else None
    near = np.full(len(weight), np.inf) if existing is None else existing

    answer = least_farthest(distance, size, existing=existing)

    best = min(np.minimum(distance[:, chosen].min(axis=1), near).max() for chosen in choices(distance.shape[1], size))
    assert answer.radius == answer.bound == best
    assert len(answer.rows) <= size


def test_what_nobody_can_reach_is_said():
    distance = np.array([[1.0, 2.0], [np.inf, np.inf]])

    assert np.isinf(least_farthest(distance, 1).radius)
    covers, _ = covers_of(*np.nonzero(distance < 5), np.ones(2), 2)
    assert not fewest_serving(covers, 2.0).is_possible


def test_equal_questions_have_equal_answers_and_tell_how_far_they_are():
    random = np.random.default_rng(5)
    points, sites = random.random((800, 2)), random.random((120, 2))
    near = ((points[:, None] - sites) ** 2).sum(axis=2) < 0.01
    covers, _ = covers_of(*np.nonzero(near), random.integers(1, 50, 800).astype(float), 120)
    told: list[float] = []

    first, second = (most_served(covers, 12, seed=3, told=told.append) for _ in range(2))

    assert first.rows.tolist() == second.rows.tolist()
    assert first.bound == second.bound
    assert first.gap < 0.001
    assert told[-1] == 1.0


def test_work_can_be_ended_from_outside():
    random = np.random.default_rng(5)
    near = random.random((500, 60)) < 0.05
    covers, _ = covers_of(*np.nonzero(near), np.ones(500), 60)

    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        most_served(covers, 6, told=stop)


def network(path: Path) -> tuple[np.ndarray, int]:
    """Distances and the number of places of an instance of the OR-Library; of roads given twice the last counts."""
    numbers = np.array(path.read_text().split(), int)
    places, _, size = numbers[:3].tolist()
    distance = np.full((places, places), np.inf)
    np.fill_diagonal(distance, 0)
    for one, other, metres in numbers[3:].reshape(-1, 3) - [1, 1, 0]:
        distance[one, other] = distance[other, one] = metres
    return floyd_warshall(distance), size


@pytest.mark.skipif("GRIDMAP_REAL_DATA" not in os.environ, reason="GRIDMAP_REAL_DATA names no folder of real data")
@pytest.mark.parametrize(
    "number", [1, 2, 4, 5, 10, *(pytest.param(number, marks=pytest.mark.slow) for number in (3, 6, 7, 8, 9))]
)
def test_known_networks_are_solved_to_their_optimum(number: int):
    distance, size = network(Path(os.environ["GRIDMAP_REAL_DATA"]) / "pmed" / f"pmed{number}.txt")

    median, centre = least_mean(distance, np.ones(len(distance)), size), least_farthest(distance, size)

    assert (median.cost, centre.radius) == (MEDIANS[number - 1], CENTRES[number - 1])
    assert median.gap < 1e-6
    assert centre.gap == 0
