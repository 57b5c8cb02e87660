"""Grids are shared out by demand, and drawn round the outlets that serve it best."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.domain.plan_settings import GridSection
from gridmap.errors import PlanError
from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.service.facilities import Facilities
from gridmap.planning.territory.allotment import Sites, anchors_of, count_of, share_out, targets_of

Made = Callable[..., Facilities]


def row_of_units(demand: list[float]) -> UnitGraph:
    """Units in a row, a kilometre apart."""
    count = len(demand)
    return UnitGraph(
        np.array(demand, dtype=float),
        np.full(count, 1e6),
        np.column_stack([np.arange(count) * 1000.0, np.zeros(count)]),
        np.column_stack([np.arange(count - 1), np.arange(1, count)]),
        np.full(count - 1, 1000.0),
        np.full(count, 4000.0),
    )


def sites_on(*atoms: int) -> Sites:
    return Sites(np.arange(len(atoms)), np.array(atoms, dtype=np.int64))


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=8),
    st.integers(0, 60),
)
@settings(deadline=None)
def test_grids_shared_out_sum_to_the_total_and_follow_demand(demand: list[float], more: int) -> None:
    total = len(demand) + more
    held = share_out(total, np.array(demand), np.ones(len(demand), dtype=np.int64), np.full(len(demand), 10**6), [])
    assert held.sum() == total
    assert (held >= 1).all()
    for a, b in combinations(range(len(demand)), 2):
        if demand[a] > demand[b]:
            assert held[a] >= held[b]


def test_a_parent_gets_no_more_grids_than_it_has_units() -> None:
    held = share_out(6, np.array([1000.0, 1.0, 1.0]), np.ones(3, dtype=np.int64), np.array([2, 3, 3]), [])
    assert held.tolist() == [2, 2, 2]


@pytest.mark.parametrize(("total", "key"), [(2, "rules.too_few_grids_asked"), (10, "rules.too_many_grids_asked")])
def test_a_count_that_cannot_be_is_refused(total: int, key: str) -> None:
    with pytest.raises(PlanError) as refused:
        share_out(total, np.ones(3), np.ones(3, dtype=np.int64), np.full(3, 3), ["甲镇", "乙镇", "丙镇"])
    assert refused.value.key == key
    assert str(total) in str(refused.value)


def test_the_number_of_grids_comes_from_the_target_the_count_or_the_outlets() -> None:
    demand, sites, atoms = np.array([9000.0, 2600.0, 100.0]), [sites_on(0, 1), sites_on(), sites_on(0)], np.full(3, 9)
    by_target = count_of(GridSection(target_demand=3000), demand, sites, atoms, ["a", "b", "c"])
    assert by_target.tolist() == [3, 1, 1]
    assert count_of(GridSection(one_per="outlet"), demand, sites, atoms, ["a", "b", "c"]).tolist() == [2, 1, 1]
    assert count_of(GridSection(count=7), demand, sites, atoms, ["a", "b", "c"]).sum() == 7


def test_one_grid_an_outlet_is_drawn_round_every_outlet(made_facilities: Made) -> None:
    facilities = made_facilities(("branch", 0, 0), ("self_service", 0, 0), ("branch", 3, 0))
    anchor = anchors_of(GridSection(one_per="outlet"), 3, sites_on(0, 0, 3), row_of_units([1.0] * 4), facilities)
    assert anchor.tolist() == [0, 1, 2]


def test_of_outlets_in_one_unit_a_branch_is_taken_and_the_rest_of_the_grids_are_free(made_facilities: Made) -> None:
    facilities = made_facilities(("self_service", 0, 0), ("branch", 0, 0), ("branch", 3, 0))
    anchor = anchors_of(GridSection(count=3), 3, sites_on(0, 0, 3), row_of_units([1.0] * 4), facilities)
    assert anchor.tolist() == [1, 2, -1]


@pytest.mark.parametrize("seed", range(5))
def test_where_outlets_are_more_than_grids_those_nearest_to_the_demand_are_taken(
    made_facilities: Made, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    graph = row_of_units(rng.uniform(0, 100, 12).tolist())
    places = np.sort(rng.choice(12, 5, replace=False))
    facilities = made_facilities(*(("branch", int(place), 0) for place in places))
    chosen = anchors_of(GridSection(count=1), 1, sites_on(*places.tolist()), graph, facilities)

    def cost(place: int) -> float:
        return float((graph.demand * np.abs(np.arange(12) - place)).sum())

    assert places[chosen[0]] == min(places.tolist(), key=cost)


def test_branches_go_before_self_service_banks(made_facilities: Made) -> None:
    facilities = made_facilities(("self_service", 2, 0), ("branch", 0, 0))
    chosen = anchors_of(GridSection(count=1), 1, sites_on(2, 0), row_of_units([1.0, 1.0, 90.0]), facilities)
    assert chosen.tolist() == [1]


def test_free_grids_are_drawn_round_nothing(made_facilities: Made) -> None:
    facilities = made_facilities(("branch", 0, 0))
    chosen = anchors_of(GridSection(one_per="outlet", mode="free"), 1, sites_on(0), row_of_units([1.0]), facilities)
    assert chosen.tolist() == [-1]


def test_targets_are_equal_or_follow_capacity_with_the_mean_where_it_is_unknown(made_facilities: Made) -> None:
    facilities = made_facilities(("branch", 0, 0), ("branch", 1, 0), ("branch", 2, 0), capacity=[100, 300, np.nan])
    anchor, sites = np.array([0, 1, 2, -1]), sites_on(0, 1, 2)
    assert targets_of(GridSection(), anchor, sites, 800.0, facilities).tolist() == [200.0] * 4
    by_capacity = targets_of(GridSection(targets="capacity"), anchor, sites, 800.0, facilities)
    assert by_capacity.tolist() == [100.0, 300.0, 200.0, 200.0]
