"""Coverage and reach for any facilities on any ground, against geodesics over all pairs and an overlay of circles."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gridmap.domain.inputs import Demand
from gridmap.domain.kinds import FacilityKind, SettlementClass
from gridmap.domain.plan_settings import DEFAULT_RADIUS_M, CoverageSection
from gridmap.geometry.lattice import UNITS_PER_DEGREE
from gridmap.planning.land.demand import spread
from gridmap.planning.land.ground import CLASSES, Ground
from gridmap.planning.service.circles import draw_circles
from gridmap.planning.service.coverage import cover
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import ROUNDING_M, EarthPoints, nearest, within
from gridmap.planning.territory.nearest import nearest_outlet

GEOD = Geod(ellps="WGS84")
SEEDS = st.integers(0, 2**32 - 1)
LATITUDES = st.floats(-85, 85)


def squares(seed: int, west: float, south: float, step: float) -> Ground:
    """Make some of eight by eight squares, with a random class each."""
    rng = np.random.default_rng(seed)
    places = [(x, y) for y in range(8) for x in range(8) if rng.random() < 0.8] or [(0, 0)]
    unit, left, low = (round(value * UNITS_PER_DEGREE) for value in (step, west, south))
    shapes = [
        shapely.box(left + x * unit, low + y * unit, left + (x + 1) * unit, low + (y + 1) * unit) for x, y in places
    ]
    links = [
        (i, j)
        for i, (x, y) in enumerate(places)
        for j, (u, v) in enumerate(places)
        if i < j and abs(x - u) + abs(y - v) == 1
    ]
    return Ground(
        np.arange(len(places), dtype=np.uint64),
        np.array([x // 4 for x, _ in places], dtype=np.int64),
        np.array([x // 4 for x, _ in places], dtype=np.int64),
        np.array(shapes, dtype=object),
        np.array(links, dtype=np.int64).reshape(-1, 2),
        np.ones(len(links)),
        np.ones(len(links)),
        rng.integers(0, len(CLASSES), len(places)),
    )


def facilities_around(seed: int, west: float, south: float, step: float, count: int) -> Facilities:
    rng = np.random.default_rng(seed)
    lonlat = rng.uniform([west - step, south - step], [west + 9 * step, south + 9 * step], (count, 2))
    return Facilities(
        np.array([f"F{row:03d}" for row in range(count)], dtype=object),
        rng.integers(0, len(KINDS), count),
        EarthPoints(lonlat[:, 0], lonlat[:, 1]),
        np.where(rng.random(count) < 0.3, rng.uniform(50, 6000, count), np.nan),
        np.full(count, np.nan),
    )


@given(SEEDS, st.floats(-179, 178), LATITUDES, st.floats(1e-4, 0.05), st.integers(0, 25))
@settings(max_examples=60, deadline=None)
def test_flags_and_shares_match_plain_oracles_anywhere(
    seed: int, west: float, south: float, step: float, count: int
) -> None:
    ground, facilities = squares(seed, west, south, step), facilities_around(seed, west, south, step, count)
    rules = CoverageSection()
    found = cover(ground, facilities, rules)
    covered = np.zeros(len(ground), dtype=bool)
    degree = np.zeros(len(ground), dtype=int)
    for row in range(count):
        kind = KINDS[facilities.kind[row]]
        distance_m = GEOD.inv(
            ground.points.lon,
            ground.points.lat,
            np.full(len(ground), facilities.points.lon[row]),
            np.full(len(ground), facilities.points.lat[row]),
        )[2]
        of_class = [DEFAULT_RADIUS_M[kind][int(settlement is SettlementClass.RURAL)] for settlement in CLASSES]
        own = facilities.service_radius_m[row]
        radius_m = np.array(of_class)[ground.settlement] if np.isnan(own) else own
        reached = distance_m <= radius_m + ROUNDING_M
        covered |= reached
        degree += reached & (kind in (FacilityKind.BRANCH, FacilityKind.SELF_SERVICE))
    assert found.covered.tolist() == covered.tolist()
    assert found.crossing_degree.tolist() == degree.tolist()

    radii = facilities.radius_m(rules)
    for number in range(len(CLASSES)):
        rows = ground.settlement == number
        circles = draw_circles(facilities.points, radii[:, number], ground.plane).polygon
        served = shapely.area(shapely.intersection(ground.in_plane[rows], shapely.union_all(circles)))
        expected = served / shapely.area(ground.in_plane[rows])
        np.testing.assert_allclose(found.covered_share[rows], expected, rtol=0, atol=1e-9)


@given(SEEDS, st.floats(-180, 180), st.floats(-90, 90), st.floats(1.0, 3e6), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_points_set_on_the_radius_are_in_reach_and_beyond_it_are_not(
    seed: int, lon: float, lat: float, radius_m: float, count: int
) -> None:
    azimuth = np.random.default_rng(seed).uniform(0, 360, count)
    centre = EarthPoints(np.array([lon]), np.array([lat]))
    for shift_m, expected in ((-1e-4, count), (0.0, count), (1e-4, 0)):
        there = GEOD.fwd([lon] * count, [lat] * count, azimuth, [radius_m + shift_m] * count)
        points = EarthPoints(np.array(there[0]), np.array(there[1]))
        assert len(within(points, centre, np.array(radius_m)).point) == expected


@given(SEEDS, st.floats(1e-5, 120), st.integers(1, 30), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_no_facility_is_nearer_than_the_nearest(seed: int, spread_deg: float, facilities: int, points: int) -> None:
    rng = np.random.default_rng(seed)

    def some(count: int) -> EarthPoints:
        lon = (111 + rng.uniform(-spread_deg, spread_deg, count) + 180) % 360 - 180
        return EarthPoints(lon, np.clip(30 + rng.uniform(-spread_deg, spread_deg, count), -90, 90))

    here, there = some(points), some(facilities)
    index, distance_m = nearest(here, there)
    truth = np.array(
        [
            GEOD.inv(here.lon, here.lat, np.full(points, x), np.full(points, y))[2]
            for x, y in zip(there.lon, there.lat, strict=True)
        ]
    )
    np.testing.assert_allclose(distance_m, truth.min(axis=0), rtol=0, atol=ROUNDING_M)
    assert (truth[index, np.arange(points)] <= truth.min(axis=0) + ROUNDING_M).all()


@given(SEEDS, LATITUDES, st.floats(1e-4, 0.05), st.booleans())
@settings(max_examples=60, deadline=None)
def test_demand_is_kept_to_the_last_unit(seed: int, south: float, step: float, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    ground = squares(seed, 111.0, south, step)
    points = shapely.points(rng.uniform([111 - step, south - step], [111 + 9 * step, south + 9 * step], (20, 2)))
    corners = rng.uniform([111 - step, south - step], [111 + 9 * step, south + 9 * step], (5, 6, 2))
    hulls = [shapely.MultiPoint(some).convex_hull for some in corners]
    value = rng.integers(0, 1000, 25).astype(float) if whole else rng.uniform(0, 1000, 25)
    found = spread(Demand(np.array([*points, *hulls], dtype=object), value, "people", ""), ground)
    assert (found.value >= 0).all()
    total = found.value.sum() + found.outside.sum()
    if whole:
        assert (found.value == np.rint(found.value)).all()
        assert total == value.sum()
    else:
        # Counted in steps of 2^-20, so that sums are exact.
        assert abs(total - value.sum()) <= 2.0**-20
    assert total == found.given


@given(SEEDS, st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_what_the_nearest_outlet_gets_holds_together_in_each_part_of_the_ground(seed: int, outlets: int) -> None:
    ground = squares(seed, 111.0, 30.0, 0.01)
    some = facilities_around(seed, 111.0, 30.0, 0.01, outlets).points
    label = nearest_outlet(ground.points, ground.adjacency, ground.shared_m, some)
    assert set(label.tolist()) <= set(range(outlets))
    part, stretch = np.arange(len(ground)), np.arange(len(ground))
    for _ in range(len(ground)):
        for a, b in ground.adjacency.tolist():
            part[[a, b]] = min(part[a], part[b])
            if label[a] == label[b]:
                stretch[[a, b]] = min(stretch[a], stretch[b])
    for outlet in set(label.tolist()):
        rows = label == outlet
        assert len(set(stretch[rows].tolist())) == len(set(part[rows].tolist()))
