"""Reach against geodesics over all pairs: no flag may be wrong."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from gridmap.planning.service.reach import ROUNDING_M, EarthPoints, close_pairs, distances, nearest, within

GEOD = Geod(ellps="WGS84")


def all_distances(points: EarthPoints, facilities: EarthPoints) -> np.ndarray:
    """(n, m) metres, every pair by geodesic."""
    n, m = len(points), len(facilities)
    lon, lat = np.repeat(points.lon, m), np.repeat(points.lat, m)
    return GEOD.inv(lon, lat, np.tile(facilities.lon, n), np.tile(facilities.lat, n))[2].reshape(n, m)


def scattered(seed: int, count: int, lon: tuple[float, float], lat: tuple[float, float]) -> EarthPoints:
    rng = np.random.default_rng(seed)
    return EarthPoints(rng.uniform(*lon, count), rng.uniform(*lat, count))


def at_distance(centre: tuple[float, float], radius_m: float, count: int) -> EarthPoints:
    azimuth = np.linspace(0, 360, count, endpoint=False)
    lon, lat, _ = GEOD.fwd([centre[0]] * count, [centre[1]] * count, azimuth, [radius_m] * count)
    return EarthPoints(np.array(lon), np.array(lat))


def assert_nearest_agrees(points: EarthPoints, facilities: EarthPoints) -> None:
    truth = all_distances(points, facilities)
    index, distance_m = nearest(points, facilities)
    least = truth.min(axis=1)
    expected = (truth <= least[:, None] + ROUNDING_M).argmax(axis=1)
    assert (index == expected).all()
    np.testing.assert_allclose(distance_m, least, rtol=0, atol=ROUNDING_M)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ((111, 112), (30, 31)),
        ((105, 115), (22, 31)),
        ((-180, 180), (-90, 90)),
        ((179.5, 180), (-1, 1)),
        ((0, 90), (88, 90)),
    ],
    ids=["county", "province", "earth", "antimeridian", "pole"],
)
def test_nearest_is_the_nearest_of_all_geodesics(lon: tuple[float, float], lat: tuple[float, float]) -> None:
    assert_nearest_agrees(scattered(1, 1500, lon, lat), scattered(2, 150, lon, lat))


def test_nearest_across_the_antimeridian_and_from_the_far_side_of_the_earth() -> None:
    facilities = EarthPoints(np.array([-179.99, 0.0, 0.001]), np.array([0.0, 0.0, 0.0]))
    points = EarthPoints(np.array([179.99, 179.9995, 90.0, -90.0]), np.array([0.0, 0.3, 10.0, -80.0]))
    assert_nearest_agrees(points, facilities)


def test_of_equally_near_facilities_the_lowest_row_is_nearest() -> None:
    one_roof = EarthPoints(np.full(4, 111.3), np.full(4, 30.8))
    index, _ = nearest(scattered(3, 50, (111, 112), (30, 31)), one_roof)
    assert (index == 0).all()
    mirrored = EarthPoints(np.array([111.2, 111.4]), np.array([30.8, 30.8]))
    index, _ = nearest(EarthPoints(np.full(5, 111.3), np.linspace(30, 31, 5)), mirrored)
    assert (index == 0).all()


def test_the_shorter_way_over_the_ground_wins_over_the_shorter_way_through_it() -> None:
    # At the equator the meridian curves more: 1,000 km of it span a chord some 14 m shorter than the equator's.
    east, north = (GEOD.fwd(0, 0, azimuth, length) for azimuth, length in ((90, 1_000_000), (0, 1_000_005)))
    facilities = EarthPoints(np.array([north[0], east[0]]), np.array([north[1], east[1]]))
    here = EarthPoints(np.zeros(1), np.zeros(1))
    chords = np.sqrt(((facilities.xyz - here.xyz) ** 2).sum(axis=1))
    assert chords[0] < chords[1]
    assert nearest(here, facilities)[0].tolist() == [1]


def test_without_facilities_nothing_is_near() -> None:
    index, distance_m = nearest(scattered(4, 3, (111, 112), (30, 31)), EarthPoints(np.zeros(0), np.zeros(0)))
    assert (index == -1).all()
    assert np.isinf(distance_m).all()


def test_without_points_nothing_is_asked() -> None:
    nobody, somebody = EarthPoints(np.zeros(0), np.zeros(0)), scattered(5, 3, (111, 112), (30, 31))
    assert len(nearest(nobody, somebody)[0]) == 0
    assert len(within(nobody, somebody, np.array(5000.0)).point) == 0
    assert len(within(somebody, nobody, np.array(5000.0)).point) == 0


def test_within_has_every_pair_up_to_the_radius_and_no_other() -> None:
    points, facilities = scattered(6, 3000, (111, 111.5), (30.5, 31)), scattered(7, 200, (111, 111.5), (30.5, 31))
    truth = all_distances(points, facilities)
    found = within(points, facilities, np.array(5000.0))
    expected = np.argwhere(truth <= 5000.0)
    np.testing.assert_array_equal(np.column_stack([found.point, found.facility]), expected)
    np.testing.assert_allclose(found.distance_m, truth[truth <= 5000.0], rtol=0, atol=ROUNDING_M)


def test_each_facility_reaches_as_far_as_its_own_radius_for_the_class_of_the_point() -> None:
    points, facilities = scattered(8, 2000, (111, 111.5), (30.5, 31)), scattered(9, 120, (111, 111.5), (30.5, 31))
    rng = np.random.default_rng(10)
    radius_m, classes = rng.uniform(100, 12_000, (120, 3)), rng.integers(0, 3, 2000)
    found = within(points, facilities, radius_m, classes)
    expected = np.argwhere(all_distances(points, facilities) <= radius_m.T[classes])
    np.testing.assert_array_equal(np.column_stack([found.point, found.facility]), expected)


@pytest.mark.parametrize("radius_m", [500.0, 1500.0, 5000.0, 60_000.0, 1_000_000.0])
@pytest.mark.parametrize("centre", [(111.3, 30.8), (0.0, 0.0), (179.999, 65.0)])
def test_a_point_exactly_at_the_radius_is_in_reach(radius_m: float, centre: tuple[float, float]) -> None:
    here = EarthPoints(np.array([centre[0]]), np.array([centre[1]]))
    assert len(within(at_distance(centre, radius_m, 360), here, np.array(radius_m)).point) == 360


@pytest.mark.parametrize("radius_m", [500.0, 1500.0, 5000.0, 60_000.0, 1_000_000.0])
def test_a_hundredth_of_a_millimetre_beyond_the_radius_is_out_of_reach(radius_m: float) -> None:
    here = EarthPoints(np.array([111.3]), np.array([30.8]))
    assert len(within(at_distance((111.3, 30.8), radius_m + 1e-5, 360), here, np.array(radius_m)).point) == 0


def test_a_facility_reaches_the_point_it_stands_on() -> None:
    here = EarthPoints(np.array([111.3]), np.array([30.8]))
    found = within(here, here, np.array(1.0))
    assert found.distance_m.tolist() == [0.0]
    assert nearest(here, here)[1].tolist() == [0.0]


def test_distances_are_geodesics_whether_short_or_long() -> None:
    points, facilities = scattered(11, 5000, (100, 120), (-60, 60)), scattered(12, 5000, (100, 120), (-60, 60))
    near = EarthPoints(points.lon + np.random.default_rng(13).normal(0, 0.05, 5000), points.lat)
    rows = np.arange(5000)
    for other in (facilities, near):
        truth = GEOD.inv(points.lon, points.lat, other.lon, other.lat)[2]
        np.testing.assert_allclose(distances(points, rows, other, rows), truth, rtol=0, atol=ROUNDING_M)


def test_close_pairs_keeps_pairs_at_zero_and_at_the_radius() -> None:
    point, centre, distance_m = close_pairs(
        np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]), np.zeros((1, 2)), np.array([5.0])
    )
    assert sorted(zip(point.tolist(), centre.tolist(), distance_m.tolist(), strict=True)) == [(0, 0, 0.0), (1, 0, 5.0)]
