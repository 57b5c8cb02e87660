"""Grids that yield to outlets with room, against every way there is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.planning.responsibility import allocation
from gridmap.planning.responsibility.allocation import BEYOND, Choices, give_room


def made(seed: int, grids: int, outlets: int, tightness: float) -> tuple[Choices, np.ndarray, np.ndarray]:
    """Grids and outlets strewn over ten kilometres, and room for a part of all demand."""
    rng = np.random.default_rng(seed)
    here, there = rng.uniform(0, 10_000, (grids, 2)), rng.uniform(0, 10_000, (outlets, 2))
    away = np.sqrt(((here[:, None] - there[None]) ** 2).sum(axis=2))
    limit = np.maximum(2 * away.min(axis=1), away.min(axis=1) + 5000)
    grid, outlet = np.nonzero(away <= limit[:, None])
    demand = np.ceil(rng.gamma(2.0, 300.0, grids))
    room = np.floor(rng.dirichlet(np.full(outlets, 2.0)) * demand.sum() * tightness)
    return Choices.ordered(grid, outlet, away[grid, outlet]), demand, room


def worth(choices: Choices, demand: np.ndarray, room: np.ndarray, way: Sequence[int]) -> float:
    """Weigh a way to place grids; infinite where an outlet beyond its room holds a grid that prefers another."""
    rows = [np.flatnonzero(choices.grid == grid) for grid in range(len(demand))]
    farthest = max(float(np.ptp(choices.distance_m[of_grid])) for of_grid in rows)
    load, found = np.zeros(len(room)), 0.0
    for grid, outlet in enumerate(way):
        load[outlet] += demand[grid]
        at = rows[grid][choices.outlet[rows[grid]] == outlet][0]
        found += demand[grid] * float(choices.distance_m[at] - choices.distance_m[rows[grid][0]]) / farthest
    for grid, outlet in enumerate(way):
        if load[outlet] > room[outlet] and outlet != choices.outlet[rows[grid][0]]:
            return np.inf
    return found + BEYOND * float(np.maximum(load - room, 0.0).sum())


def best_of_all(choices: Choices, demand: np.ndarray, room: np.ndarray) -> float:
    ways = [choices.outlet[choices.grid == grid].tolist() for grid in range(len(demand))]
    return min(worth(choices, demand, room, way) for way in product(*ways))


@pytest.mark.parametrize("seed", range(25))
def test_small_plans_are_solved_to_the_optimum(seed: int) -> None:
    choices, demand, room = made(seed, 6, 3, [0.7, 1.0, 1.4][seed % 3])
    chosen = give_room(choices, demand, room)
    assert worth(choices, demand, room, chosen.tolist()) == pytest.approx(best_of_all(choices, demand, room), rel=1e-9)


def test_large_plans_come_near_to_the_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    gaps, excess = [], []
    for seed in range(12):
        choices, demand, room = made(seed, 50, 7, [1.1, 1.3, 1.6][seed % 3])
        hauled = []
        for most_binaries in (10_000, 0):
            monkeypatch.setattr(allocation, "_MOST_BINARIES", most_binaries)
            chosen = give_room(choices, demand, room)
            load = np.bincount(chosen, weights=demand, minlength=7)
            excess.append(np.maximum(load - room, 0).sum() / demand.sum())
            pairs = (chosen[choices.grid] == choices.outlet).nonzero()[0]
            hauled.append((demand[choices.grid[pairs]] * choices.distance_m[pairs]).sum())
        gaps.append(hauled[1] / hauled[0] - 1)
    assert np.mean(excess[1::2]) <= np.mean(excess[::2]) + 0.01
    assert np.mean(gaps) < 0.03


@settings(deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 25),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.4, 0.9, 1.1, 3.0]),
    st.booleans(),
)
def test_no_outlet_is_pushed_beyond_its_capacity_by_a_grid_that_is_not_its_own_first_choice(
    seed: int, grids: int, outlets: int, tightness: float, some_unknown: bool
) -> None:
    choices, demand, room = made(seed, grids, outlets, tightness)
    if some_unknown:
        room[::2] = np.inf
    chosen = give_room(choices, demand, room)
    first = choices.outlet[choices.first]
    load = np.bincount(chosen, weights=demand, minlength=outlets)
    for grid in range(grids):
        may = choices.outlet[choices.grid == grid].tolist()
        assert chosen[grid] in may
        if chosen[grid] != first[grid]:
            assert load[chosen[grid]] <= room[chosen[grid]]
        excess = load[chosen[grid]] - room[chosen[grid]]
        if demand[grid] > 0 and excess > 0:
            # Nobody near has room: else it would have yielded.
            assert all(load[other] + demand[grid] > room[other] for other in may if other != chosen[grid])
    if (np.bincount(first, weights=demand, minlength=outlets) <= room).all():
        assert chosen.tolist() == first.tolist()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0.8, 1.2]))
def test_the_order_of_grids_and_outlets_decides_nothing(seed: int, tightness: float) -> None:
    choices, demand, room = made(seed, 12, 4, tightness)
    rng = np.random.default_rng(seed)
    grid_to, outlet_to = rng.permutation(12), rng.permutation(4)
    moved_demand, moved_room = np.empty(12), np.empty(4)
    moved_demand[grid_to], moved_room[outlet_to] = demand, room
    moved = Choices.ordered(grid_to[choices.grid], outlet_to[choices.outlet], choices.distance_m)
    one, other = give_room(choices, demand, room), give_room(moved, moved_demand, moved_room)
    back = np.argsort(outlet_to)[other[grid_to]]
    assert worth(choices, demand, room, back.tolist()) == pytest.approx(worth(choices, demand, room, one.tolist()))
    assert give_room(choices, demand, room).tobytes() == one.tobytes()
