"""Access scores, second choices, loads and distributions against plain loops, and against PySAL's ``access``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from access import fca
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gridmap.planning.access.catchments import RING_WEIGHTS, ring_weights, two_step
from gridmap.planning.access.distributions import distribution
from gridmap.planning.access.loads import loads
from gridmap.planning.access.second_choices import next_nearest
from gridmap.planning.service.reach import GEOD, ROUNDING_M, EarthPoints, nearest, within

RADIUS_M = 4000.0
QUICK = settings(max_examples=60, deadline=None)


@st.composite
def served_ground(draw):
    """Cells with demand and facilities with supply, in a box of some 10 km."""
    count, facilities = draw(st.integers(1, 30)), draw(st.integers(1, 12))
    # A coarse raster, so that facilities share places and distances tie.
    step = st.integers(0, 12)
    lon = [111.2 + draw(step) / 120 for _ in range(count + facilities)]
    lat = [30.7 + draw(step) / 120 for _ in range(count + facilities)]
    demand = draw(arrays.arrays(float, count, elements=st.integers(0, 500).map(float)))
    supply = draw(arrays.arrays(float, facilities, elements=st.integers(0, 40).map(float)))
    points = EarthPoints(np.array(lon[:count]), np.array(lat[:count]))
    return points, EarthPoints(np.array(lon[count:]), np.array(lat[count:])), demand, supply


def metres(points, facilities):
    return np.array([[GEOD.inv(x, y, fx, fy)[2] for fx, fy in zip(facilities.lon, facilities.lat, strict=True)]
                     for x, y in zip(points.lon, points.lat, strict=True)])  # fmt: skip


@QUICK
@given(served_ground(), st.booleans())
def test_no_supply_is_lost_or_made_up(made, by_rings):
    points, facilities, demand, supply = made
    pairs = within(points, facilities, np.array([RADIUS_M]))
    radii = np.full((len(facilities), 1), RADIUS_M)
    weight = ring_weights(pairs, radii, np.zeros(len(points), dtype=np.int64)) if by_rings else None
    access = two_step(pairs, demand, supply, weight)
    assert (access.score * demand).sum() == pytest.approx(supply[access.serves].sum())
    reached = {int(j) for i, j in zip(pairs.point, pairs.facility, strict=True) if demand[i] > 0}
    assert set(np.flatnonzero(access.serves).tolist()) == reached


@QUICK
@given(served_ground(), st.booleans())
def test_scores_equal_a_plain_loop(made, by_rings):
    points, facilities, demand, supply = made
    far = metres(points, facilities)
    pairs = within(points, facilities, np.array([RADIUS_M]))
    radii = np.full((len(facilities), 1), RADIUS_M)
    weight = ring_weights(pairs, radii, np.zeros(len(points), dtype=np.int64)) if by_rings else None

    def weigh(distance_m: float) -> float:
        if distance_m > RADIUS_M:
            return 0.0
        if not by_rings:
            return 1.0
        return RING_WEIGHTS[0 if distance_m <= RADIUS_M / 3 else 1 if distance_m <= RADIUS_M * 2 / 3 else 2]

    expected = np.zeros(len(points))
    for j in range(len(facilities)):
        asked = sum(demand[i] * weigh(far[i, j]) for i in range(len(points)))
        for i in range(len(points)):
            expected[i] += weigh(far[i, j]) * supply[j] / asked if asked else 0.0
    assert two_step(pairs, demand, supply, weight).score == pytest.approx(expected)


@pytest.mark.parametrize("by_rings", [False, True])
def test_scores_equal_those_of_pysal(by_rings):
    random = np.random.default_rng(7)
    points = EarthPoints(random.uniform(111.2, 111.3, 400), random.uniform(30.7, 30.8, 400))
    facilities = EarthPoints(random.uniform(111.2, 111.3, 40), random.uniform(30.7, 30.8, 40))
    demand, supply = random.integers(1, 900, 400).astype(float), random.integers(1, 9, 40).astype(float)
    pairs = within(points, facilities, np.array([RADIUS_M]))
    weight = None
    if by_rings:
        weight = ring_weights(pairs, np.full((40, 1), RADIUS_M), np.zeros(400, dtype=np.int64))

    def steps(distance_m: float) -> float:
        return 1.0 if distance_m <= RADIUS_M / 3 else 0.68 if distance_m <= RADIUS_M * 2 / 3 else 0.22

    index = pd.Index(range(400), name="geoid")
    theirs = fca.two_stage_fca(
        pd.DataFrame({"demand": demand}, index=index),
        pd.DataFrame({"supply": supply}, index=pd.Index(range(40), name="geoid")),
        pd.DataFrame({"origin": pairs.point, "dest": pairs.facility, "cost": pairs.distance_m}),
        max_cost=RADIUS_M,
        demand_index=True,
        weight_fn=steps if by_rings else None,
    ).reindex(index, fill_value=0.0)
    ours = two_step(pairs, demand, supply, weight).score
    assert (ours > 0).sum() > 300
    assert ours == pytest.approx(theirs.to_numpy())


@QUICK
@given(served_ground())
def test_the_second_choice_is_the_nearest_of_the_others(made):
    points, facilities, _, _ = made
    first, _ = nearest(points, facilities)
    found, found_m = next_nearest(points, facilities, first)
    far = metres(points, facilities)
    for i in range(len(points)):
        others = [j for j in range(len(facilities)) if j != first[i]]
        if not others:
            assert (found[i], found_m[i]) == (-1, np.inf)
            continue
        least = min(far[i, j] for j in others)
        assert found_m[i] == pytest.approx(least, abs=2 * ROUNDING_M)
        assert found[i] == min(j for j in others if far[i, j] <= least + ROUNDING_M)


def test_the_second_choice_is_found_among_many_under_one_roof():
    points = EarthPoints(np.array([111.2]), np.array([30.7]))
    lon = np.array([111.21] * 30 + [111.205])
    found, found_m = next_nearest(points, EarthPoints(lon, np.full(31, 30.7)), np.array([30]))
    assert found.tolist() == [0]
    assert found_m[0] == pytest.approx(GEOD.inv(111.2, 30.7, 111.21, 30.7)[2])


def test_without_facilities_there_is_no_choice():
    nobody = EarthPoints(np.zeros(0), np.zeros(0))
    found, found_m = next_nearest(EarthPoints(np.array([111.2]), np.array([30.7])), nobody, np.array([-1]))
    assert (found.tolist(), found_m.tolist()) == ([-1], [np.inf])


@QUICK
@given(served_ground())
def test_demand_goes_to_the_nearest_facility_that_reaches_it(made):
    points, facilities, demand, supply = made
    pairs = within(points, facilities, np.array([RADIUS_M]))
    counted = supply > 5
    found = loads(pairs, demand, supply, counted)
    expected, unserved = np.zeros(len(facilities)), 0.0
    for i in range(len(points)):
        near = [(d, j) for p, j, d in zip(pairs.point, pairs.facility, pairs.distance_m, strict=True)
                if p == i and counted[j]]  # fmt: skip
        if near:
            expected[min(near)[1]] += demand[i]
        else:
            unserved += demand[i]
    assert found.load == pytest.approx(expected)
    assert found.unserved == pytest.approx(unserved)
    assert found.excess == pytest.approx(np.maximum(expected - supply, 0))


@QUICK
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 499.0, 500.0, 900.5, 12_000.0, np.inf]), st.integers(0, 9)), min_size=1)
)
def test_a_distribution_is_that_of_people_standing_in_a_row(pairs):
    value, weight = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    found = distribution(value, weight)
    row = sorted(v for v, w in pairs for _ in range(w) if np.isfinite(v))
    assert found.weight == weight.sum()
    assert found.without == weight[~np.isfinite(value)].sum()
    assert sum(found.histogram) == len(row)
    assert found.histogram[0] == sum(v <= 500 for v in row)
    assert found.histogram[-1] == sum(v > 10_000 for v in row)
    if not row:
        assert (found.mean, found.p95, found.deciles, found.largest) == (None, None, None, None)
        return
    assert found.mean == pytest.approx(np.mean(row))
    assert found.largest == row[-1]
    assert found.deciles == tuple(row[-(-len(row) * tenth // 10) - 1] for tenth in range(1, 10))
    assert found.p95 == row[-(-len(row) * 95 // 100) - 1]
