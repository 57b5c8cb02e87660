"""One primary outlet a grid, chosen by a rule that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from pyproj import Geod

from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import CoverageSection, GridSection, PlanSection, PlanSettings
from gridmap.planning.land.ground import Ground
from gridmap.planning.pipeline import build_plan
from gridmap.planning.responsibility.assignment import Assignment, assign, grid_links
from gridmap.planning.responsibility.togetherness import TOGETHER_TIMES
from gridmap.planning.service.coverage import cover
from gridmap.planning.service.facilities import KINDS, Facilities

Made = Callable[..., Ground]
MadeFacilities = Callable[..., Facilities]
BRANCH, SELF_SERVICE, ATM = FacilityKind.BRANCH, FacilityKind.SELF_SERVICE, FacilityKind.ATM
GEOD = Geod(ellps="WGS84")


def assigned(
    ground: Ground,
    grid: list[int],
    demand: list[float],
    facilities: Facilities,
    cooperating: int = 3,
    anchor: list[int] | None = None,
    capacity: list[float] | None = None,
) -> Assignment:
    cell = ground.locate(np.column_stack([facilities.points.lon, facilities.points.lat]))
    in_reach = cover(ground, facilities, CoverageSection()).in_reach
    return assign(
        ground,
        np.array(grid),
        np.array(demand, dtype=float),
        facilities,
        cell,
        in_reach,
        cooperating,
        anchor=None if anchor is None else np.array(anchor),
        capacity=None if capacity is None else np.array(capacity),
    )


def mean_distance_m(ground: Ground, facilities: Facilities, rows: np.ndarray, weight: np.ndarray, outlet: int) -> float:
    """Weighted mean of geodesics, plainly."""
    lon, lat = facilities.points.lon[outlet], facilities.points.lat[outlet]
    distance_m = [GEOD.inv(ground.points.lon[row], ground.points.lat[row], lon, lat)[2] for row in rows]
    return float(np.average(distance_m, weights=weight[rows]))


def test_the_outlet_inside_is_primary_even_where_one_outside_is_nearer_to_the_demand(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    inside, outside = (BRANCH, 0.1, 0.5), (BRANCH, 3.1, 0.5)
    found = assigned(made_ground(4, 1), [0, 0, 0, 1], [1, 1, 100, 1], made_facilities(outside, inside))
    assert found.primary.tolist() == [1, 0]
    assert found.has_outlet.tolist() == [True, True]


def test_of_outlets_inside_a_branch_goes_before_a_self_service_bank_then_the_nearer_then_the_larger(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    ground = made_ground(4, 1)
    far_branch, near_machine, near_branch = (BRANCH, 3.9, 0.5), (SELF_SERVICE, 0.5, 0.5), (BRANCH, 1.5, 0.5)
    one_grid, demand = [0, 0, 0, 0], [9, 1, 1, 1]
    assert assigned(ground, one_grid, demand, made_facilities(near_machine, far_branch)).primary.tolist() == [1]
    assert assigned(ground, one_grid, demand, made_facilities(far_branch, near_branch)).primary.tolist() == [1]
    twins = made_facilities(near_branch, near_branch, capacity=[100.0, 200.0])
    assert assigned(ground, one_grid, demand, twins).primary.tolist() == [1]


def test_without_an_outlet_inside_the_nearest_by_demand_is_primary(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    # The grid lies between: most ground is near the western outlet, most demand near the eastern.
    ground = made_ground(5, 1)
    outlets = made_facilities((BRANCH, -0.5, 0.5), (BRANCH, 5.5, 0.5))
    assert assigned(ground, [0] * 5, [1, 1, 1, 1, 50], outlets).primary.tolist() == [1]
    assert assigned(ground, [0] * 5, [50, 1, 1, 1, 1], outlets).primary.tolist() == [0]
    # Without demand, ground decides; equally near outlets go by their order.
    assert assigned(ground, [0] * 5, [0] * 5, outlets).primary.tolist() == [0]


@pytest.mark.parametrize("seed", range(8))
def test_primary_and_its_distance_match_a_comparison_of_all_outlets(
    made_ground: Made, made_facilities: MadeFacilities, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    ground = made_ground(10, 10)
    grid = np.repeat(np.arange(10), 10)
    demand = rng.integers(0, 20, 100).astype(np.float64)
    places = rng.uniform([-3, -3], [13, 13], (12, 2))
    facilities = made_facilities(*((BRANCH, x, y) for x, y in places.tolist()))
    found = assigned(ground, grid.tolist(), demand.tolist(), facilities)
    for number in range(10):
        rows = np.flatnonzero(grid == number)
        inside = [row for row, (x, y) in enumerate(places.tolist()) if 0 < x < 10 and number < y < number + 1]
        candidates = inside or list(range(12))
        distances_m = {row: mean_distance_m(ground, facilities, rows, demand, row) for row in candidates}
        best = min(distances_m, key=lambda row: (distances_m[row], row))
        assert found.first_choice[number] == best
        chosen = int(found.primary[number])
        # Another than the best only for a grid that would else lie apart from the ground of its outlet.
        assert chosen == best or (not inside and distances_m[chosen] <= TOGETHER_TIMES * distances_m[best])
        listed = np.flatnonzero((found.grid == number) & found.is_primary)
        assert found.distance_m[listed] == pytest.approx([distances_m[chosen]], abs=1e-5)
    islands = replace(ground, adjacency=np.zeros((0, 2), dtype=np.int64))
    apart = assigned(islands, grid.tolist(), demand.tolist(), facilities)
    assert apart.primary.tolist() == apart.first_choice.tolist() == found.first_choice.tolist()


def test_cooperating_outlets_are_those_in_reach_of_demand_most_first_up_to_the_limit(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    ground = made_ground(6, 1)
    home = (BRANCH, 0.5, 0.5, 100.0)
    reaches_two, reaches_three, reaches_empty_ground, too_far = (
        (BRANCH, 1.5, 0.5, 500.0),
        (SELF_SERVICE, 2.5, 0.5, 1000.0),
        (BRANCH, 5.5, 0.5, 100.0),
        (BRANCH, 40.0, 0.5, 100.0),
    )
    facilities = made_facilities(home, reaches_two, reaches_three, reaches_empty_ground, too_far, (ATM, 0.5, 0.5))
    demand = [5, 10, 10, 10, 10, 0]
    found = assigned(ground, [0] * 6, demand, facilities)
    assert found.primary.tolist() == [1] or found.primary.tolist() == [2]
    found = assigned(ground, [0, 1, 1, 1, 1, 1], demand, facilities)
    assert found.primary.tolist() == [0, 1]
    assert found.cooperating(2) == [[], [2]]
    second = np.flatnonzero(found.grid == 1)
    assert found.outlet[second].tolist() == [1, 2]
    assert found.is_primary[second].tolist() == [True, False]
    assert found.demand_in_reach[second].tolist() == [10, 30]
    assert assigned(ground, [0, 1, 1, 1, 1, 1], demand, facilities, cooperating=0).cooperating(2) == [[], []]


def test_each_cell_tells_its_distance_to_the_primary_outlet_of_its_grid(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    ground, facilities = made_ground(3, 1), made_facilities((BRANCH, 0.5, 0.5), (BRANCH, 2.5, 0.5))
    found = assigned(ground, [0, 0, 0], [1, 1, 1], facilities)
    primary = int(found.primary[0])
    expected = [mean_distance_m(ground, facilities, np.array([row]), np.ones(3), primary) for row in range(3)]
    np.testing.assert_allclose(found.cell_distance_m, expected, rtol=0, atol=1e-6)


def test_devices_are_never_responsible(made_ground: Made, made_facilities: MadeFacilities) -> None:
    devices = made_facilities(*((kind, 0.5, 0.5) for kind in KINDS if not kind.is_outlet))
    found = assigned(made_ground(2, 1), [0, 1], [1, 1], devices)
    assert found.primary.tolist() == [-1, -1]
    assert found.has_outlet.tolist() == [False, False]
    assert np.isnan(found.cell_distance_m).all()
    assert len(found.grid) == 0
    assert found.cooperating(2) == [[], []]


def test_the_outlet_a_grid_was_drawn_round_is_primary_if_it_stands_inside(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    ground = made_ground(4, 1)
    near, far, outside = (BRANCH, 0.5, 0.5), (SELF_SERVICE, 1.5, 0.5), (BRANCH, 3.4, 0.5)
    facilities, grid, demand = made_facilities(near, far, outside), [0, 0, 1, 2], [9, 1, 1, 1]
    assert assigned(ground, grid, demand, facilities).primary.tolist() == [0, 2, 2]
    assert assigned(ground, grid, demand, facilities, anchor=[1, -1, -1]).primary.tolist() == [1, 2, 2]
    assert assigned(ground, grid, demand, facilities, anchor=[2, 1, -1]).primary.tolist() == [0, 2, 2]


def test_a_full_outlet_yields_to_the_next_that_has_room_if_it_is_near_enough(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    # Squares of 960 m; outlets in grids 0 and 5, grids of 100 between: three are nearer to the western one.
    ground, grid = made_ground(6, 1), [0, 1, 2, 3, 4, 5]
    facilities = made_facilities((BRANCH, 0.9, 0.5), (BRANCH, 5.5, 0.5))
    demand = [100.0] * 6
    unlimited = assigned(ground, grid, demand, facilities, capacity=[np.nan, np.nan])
    assert unlimited.primary.tolist() == [0, 0, 0, 1, 1, 1]
    tight = assigned(ground, grid, demand, facilities, capacity=[200.0, np.nan])
    assert tight.primary.tolist() == [0, 0, 1, 1, 1, 1]
    assert tight.first_choice.tolist() == [0, 0, 0, 1, 1, 1]
    # The grid it stands in is the outlet's whatever its capacity; what finds no room stays with its first choice.
    assert assigned(ground, grid, demand, facilities, capacity=[0.0, np.nan]).primary.tolist() == [0, 1, 1, 1, 1, 1]
    assert assigned(ground, grid, demand, facilities, capacity=[100.0, 300.0]).primary.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_grid_does_not_yield_to_an_outlet_unreasonably_far(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    # The other outlet is 5 km and more beyond the first choice, and more than twice as far.
    ground, facilities = made_ground(2, 1), made_facilities((BRANCH, 0.5, 0.5), (BRANCH, 9.0, 0.5))
    full = [10.0, np.nan]
    assert assigned(ground, [0, 1], [10, 10], facilities, capacity=full).primary.tolist() == [0, 0]
    nearer = made_facilities((BRANCH, 0.5, 0.5), (BRANCH, 7.5, 0.5))
    assert assigned(ground, [0, 1], [10, 10], nearer, capacity=full).primary.tolist() == [0, 1]


def test_a_grid_apart_from_the_ground_of_the_nearest_outlet_goes_to_the_ground_it_adjoins(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    # Three squares in a row: the third is 50 m nearer to the outlet of the first than to that of the second.
    ground, facilities = made_ground(3, 1), made_facilities((BRANCH, 0.999, 0.5), (BRANCH, 1.05, 0.99))
    found = assigned(ground, [0, 1, 2], [1, 1, 1], facilities)
    assert found.first_choice.tolist() == [0, 1, 0]
    assert found.primary.tolist() == [0, 1, 1]
    apart = replace(ground, adjacency=np.zeros((0, 2), dtype=np.int64))
    assert assigned(apart, [0, 1, 2], [1, 1, 1], facilities).primary.tolist() == [0, 1, 0]


def test_grids_that_share_a_border_are_linked_once(made_ground: Made) -> None:
    ground = made_ground(3, 2)
    assert grid_links(ground.adjacency, np.array([0, 1, 1, 0, 2, 2])).tolist() == [[0, 1], [0, 2], [1, 2]]


def test_the_order_of_the_cells_changes_no_primary(made_ground: Made, made_facilities: MadeFacilities) -> None:
    rng = np.random.default_rng(4)
    ground, grid = made_ground(8, 8), rng.integers(0, 20, 64)
    grid[:20] = np.arange(20)
    demand = rng.integers(0, 50, 64).astype(float)
    facilities = made_facilities(*((BRANCH, x, y) for x, y in rng.uniform(0, 8, (6, 2)).tolist()))
    capacity = [float(demand.sum()) / 8] * 6
    order = rng.permutation(64)
    place = np.argsort(order)
    moved = replace(
        ground,
        cell=ground.cell[order],
        geometry=ground.geometry[order],
        adjacency=np.sort(place[ground.adjacency], axis=1),
    )
    one = assigned(ground, grid.tolist(), demand.tolist(), facilities, capacity=capacity)
    other = assigned(moved, grid[order].tolist(), demand[order].tolist(), facilities, capacity=capacity)
    assert one.primary.tolist() == other.primary.tolist()
    assert one.primary.tolist() != one.first_choice.tolist()


def test_a_bank_s_plan_is_led_by_its_own_outlets_and_a_supervisor_s_by_all(
    plan_settings: Callable[..., PlanSettings],
    two_villages: PlanInputs,
    facilities_frame: Callable[..., gpd.GeoDataFrame],
) -> None:
    outlets = facilities_frame(("A1", "branch", 111.02, 30.02), ("B1", "branch", 111.08, 30.02))
    inputs = replace(two_villages, facilities=outlets.assign(institution=["甲行", "乙行"]))

    def leads(**section: str) -> set[str]:
        settings = plan_settings(grids=GridSection.model_validate(section))
        of_a_bank = settings.model_copy(update={"plan": PlanSection(name="p", institution="乙行")})
        return set(build_plan(of_a_bank, inputs).assignments["outlet_id"])

    assert leads() == {"B1"}
    assert leads(outlets="all") == {"A1", "B1"}
