"""A unit that alone holds too much is a grid of its own, and the rest is balanced without it."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.territory.heavy_units import set_apart


def units(demand: list[float], links: list[tuple[int, int]], border_m: list[float] | None = None) -> UnitGraph:
    count = len(demand)
    return UnitGraph(
        np.array(demand, dtype=float),
        np.full(count, 1e6),
        np.column_stack([np.arange(count) * 1000.0, np.zeros(count)]),
        np.array(links, dtype=np.int64).reshape(-1, 2),
        np.array(border_m if border_m is not None else [1000.0] * len(links)),
        np.full(count, 4000.0),
    )


def in_a_row(demand: list[float]) -> UnitGraph:
    return units(demand, [(row, row + 1) for row in range(len(demand) - 1)])


def test_nothing_is_set_apart_where_no_unit_passes_the_mean_by_more_than_the_tolerance() -> None:
    found = set_apart(in_a_row([100, 105, 95, 100]), 4, None, 0.05)
    assert found.grid.tolist() == [-1] * 4
    assert (found.count, len(found.unit)) == (4, 0)


def test_setting_one_apart_lowers_the_mean_and_can_make_others_heavy() -> None:
    # Mean of four: 300; without the 800, mean of three: 133, which 250 passes; without that, mean of two: 75.
    found = set_apart(in_a_row([800, 250, 75, 40, 35]), 4, None, 0.1)
    assert found.unit.tolist() == [0, 1]
    assert found.count == 2
    assert found.mean == 75


def test_no_more_units_are_set_apart_than_leaves_a_grid_for_the_rest() -> None:
    found = set_apart(in_a_row([900, 800, 700, 10, 10]), 3, None, 0.05)
    assert len(found.unit) <= 2
    assert found.count == 3 - len(found.unit)


def test_with_a_target_the_number_of_grids_for_the_rest_is_found_anew() -> None:
    found = set_apart(in_a_row([9000, 1000, 1000, 1000, 1000, 1000, 1000]), 5, 2000.0, 0.05)
    assert found.unit.tolist() == [0]
    assert found.count == 3


def test_a_little_ground_shut_in_by_heavy_units_joins_the_one_it_shares_most_border_with() -> None:
    # 3 adjoins only the heavy 0 and 2; the rest, 1 and 4, lies beyond.
    graph = units([5000, 1000, 6000, 50, 1000], [(0, 1), (0, 3), (1, 4), (2, 3), (2, 4)], [500, 300, 500, 700, 500])
    found = set_apart(graph, 4, 1000.0, 0.05)
    assert found.unit.tolist() == [0, 2]
    assert found.grid.tolist() == [0, -1, 1, 1, -1]


def test_ground_shut_in_that_could_be_a_grid_is_left_to_be_one() -> None:
    graph = units([5000, 2000, 6000, 900, 2000], [(0, 1), (0, 3), (1, 4), (2, 3), (2, 4)])
    assert set_apart(graph, 6, 1000.0, 1.5).grid.tolist() == [0, -1, 1, -1, -1]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_left_holds_no_unit_that_passes_the_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    demand = rng.pareto(1.2, 20) * 100
    found = set_apart(in_a_row(demand.tolist()), 12, None, 0.1)
    rest = found.grid < 0
    assert len(found.unit) + found.count == 12
    assert (found.grid[found.unit] == np.arange(len(found.unit))).all()
    shut_in = (found.grid >= 0) & ~np.isin(np.arange(20), found.unit)
    assert demand[rest | shut_in].max() <= found.mean * 1.1 or found.count == 1


def test_everything_heavy_leaves_nothing_to_divide() -> None:
    found = set_apart(in_a_row([900, 900]), 2, 100.0, 0.05)
    assert (found.grid.tolist(), found.count) == ([0, 1], 0)
