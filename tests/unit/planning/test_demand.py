"""Demand put on cells: nothing is lost, nothing is made."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import shapely
from pyproj import Geod

from gridmap.domain.inputs import Demand
from gridmap.errors import InvalidGeometry
from gridmap.geometry.measure import area_m2
from gridmap.planning.land.demand import spread
from gridmap.planning.land.ground import Ground

Made = Callable[..., Ground]


def points(*places: tuple[float, float, float]) -> Demand:
    """Demand at (lon, lat, value)."""
    at = np.array(shapely.points([place[:2] for place in places]))
    return Demand(at, np.array([place[2] for place in places]), "people", "people.csv")


def polygons(*places: tuple[shapely.Geometry, float]) -> Demand:
    shapes = np.array([place[0] for place in places], dtype=object)
    return Demand(shapes, np.array([place[1] for place in places], dtype=np.float64), "people", "people.gpkg")


def test_a_point_counts_for_the_cell_that_holds_it(made_ground: Made) -> None:
    found = spread(points((111.005, 30.005, 3), (111.015, 30.015, 4), (111.016, 30.016, 5)), made_ground(2, 2))
    assert found.value.tolist() == [3, 0, 0, 9]
    assert (found.given, found.moved_in, len(found.outside)) == (12, 0, 0)


def test_a_point_on_a_border_counts_once_for_the_lowest_row(made_ground: Made) -> None:
    corner_and_edge = points((111.01, 30.01, 1), (111.01, 30.015, 10))
    assert spread(corner_and_edge, made_ground(2, 2)).value.tolist() == [1, 0, 10, 0]


def test_a_point_up_to_500_m_outside_counts_for_the_nearest_cell_and_a_farther_one_is_left_out(
    made_ground: Made,
) -> None:
    near, far = (Geod(ellps="WGS84").fwd(111.005, 30.02, 0, away_m)[1] for away_m in (499.9, 500.1))
    found = spread(points((111.005, near, 7), (111.015, far, 20), (112.0, 30.0, 5)), made_ground(2, 2))
    assert found.value.tolist() == [0, 0, 7, 0]
    assert found.moved_in == 7
    assert found.outside.tolist() == [20, 5]
    assert found.outside_lonlat.tolist() == [[111.015, far], [112.0, 30.0]]
    assert found.value.sum() + found.outside.sum() == found.given


def test_every_unit_of_scattered_points_is_inside_or_outside(made_ground: Made) -> None:
    rng = np.random.default_rng(1)
    lonlat = rng.uniform([110.98, 29.98], [111.12, 30.12], (5000, 2))
    value = rng.integers(0, 50, 5000).astype(np.float64)
    found = spread(Demand(np.array(shapely.points(lonlat)), value, "people", ""), made_ground(10, 10))
    assert found.value.sum() + found.outside.sum() == value.sum() == found.given
    inside = ((lonlat > [111, 30]) & (lonlat < [111.1, 30.1])).all(axis=1)
    expected = np.zeros(100)
    for (lon, lat), held in zip(lonlat[inside].tolist(), value[inside].tolist(), strict=True):
        expected[int((lat - 30) * 100) * 10 + int((lon - 111) * 100)] += held
    assert found.value.sum() - found.moved_in == expected.sum()
    assert (found.value >= expected).all()


def test_a_polygon_is_spread_by_area_in_whole_numbers(made_ground: Made) -> None:
    whole_ground = shapely.box(111.0, 30.0, 111.02, 30.02)
    assert spread(polygons((whole_ground, 8)), made_ground(2, 2)).value.tolist() == [2, 2, 2, 2]
    uneven = spread(polygons((whole_ground, 7)), made_ground(2, 2)).value
    assert sorted(uneven.tolist()) == [1, 2, 2, 2]
    # The southern cells are larger by a hair: the northern one with the higher row gets the floor.
    assert uneven.tolist() == [2, 2, 2, 1]


def test_largest_remainders_match_a_plain_count(made_ground: Made) -> None:
    ground = made_ground(7, 5)
    rng = np.random.default_rng(2)
    for _ in range(30):
        corners = rng.uniform([111.0, 30.0], [111.07, 30.05], (12, 2))
        polygon = shapely.MultiPoint(corners).convex_hull
        total = int(rng.integers(1, 400))
        shares = area_m2(shapely.intersection(ground.geometry, shapely.transform(polygon, lambda xy: xy * 1e7)))
        exact = shares / shares.sum() * total
        expected = np.floor(exact)
        for row in np.argsort(-(exact - expected), kind="stable")[: int(total - expected.sum())]:
            expected[row] += 1
        assert spread(polygons((polygon, total)), ground).value.tolist() == expected.tolist()


def test_fractions_are_spread_by_exact_shares_and_overlapping_polygons_add_up(made_ground: Made) -> None:
    ground = made_ground(2, 1)
    left, both = shapely.box(111.0, 30.0, 111.01, 30.01), shapely.box(111.0, 30.0, 111.02, 30.01)
    found = spread(polygons((left, 0.5), (both, 3.0)), ground)
    np.testing.assert_allclose(found.value, [2.0, 1.5], rtol=1e-9)


def test_what_of_a_polygon_lies_outside_is_counted_outside(made_ground: Made) -> None:
    half_out = shapely.box(111.0, 30.0, 111.04, 30.01)
    found = spread(polygons((half_out, 101), (shapely.box(113, 30, 113.1, 30.1), 9)), made_ground(2, 1))
    assert sorted(found.value.tolist()) == [25, 25]
    assert found.outside.tolist() == [51, 9]
    assert found.value.sum() + found.outside.sum() == found.given == 110


def test_a_polygon_that_ends_on_the_border_but_for_a_centimetre_loses_nothing(made_ground: Made) -> None:
    almost = shapely.box(111.0 - 1e-7, 30.0, 111.02 + 1e-7, 30.02)
    found = spread(polygons((almost, 0.75)), made_ground(2, 2))
    assert len(found.outside) == 0
    assert found.value.sum() == pytest.approx(0.75, rel=1e-12)


def test_a_polygon_with_long_edges_loses_nothing_to_the_bend_of_straight_lines(made_ground: Made) -> None:
    # A line straight in degrees bends by a metre against one straight in the equal-area plane.
    triangle = shapely.Polygon([(111.0, 30.0), (111.08, 30.08), (111.0, 30.08)])
    found = spread(polygons((triangle, 1_000_000)), made_ground(8, 8))
    assert found.outside.tolist() == []
    assert found.value.sum() == 1_000_000


def test_points_and_polygons_may_come_together(made_ground: Made) -> None:
    shapes = np.array([shapely.Point(111.005, 30.005), shapely.box(111.0, 30.0, 111.02, 30.02)], dtype=object)
    found = spread(Demand(shapes, np.array([5.0, 4.0]), "people", ""), made_ground(2, 2))
    assert found.value.tolist() == [6, 1, 1, 1]


def test_without_demand_area_stands_in_and_is_said_to(made_ground: Made) -> None:
    ground = made_ground(2, 2)
    found = spread(None, ground)
    assert found.stands_in
    assert found.unit == "m2"
    assert found.value.tolist() == ground.area_m2.tolist()
    assert not spread(points((111.005, 30.005, 0)), ground).stands_in


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Polygon([(111, 30), (111.01, 30.01), (111.01, 30), (111, 30.01)]),
        shapely.LineString([(111, 30), (112, 30)]),
    ],
    ids=["bow-tie", "line"],
)
def test_an_unusable_shape_is_refused_by_its_place_in_the_file(made_ground: Made, shape: shapely.Geometry) -> None:
    good = shapely.box(111.0, 30.0, 111.01, 30.01)
    with pytest.raises(InvalidGeometry) as refused:
        spread(polygons((good, 1), (shape, 2)), made_ground(2, 2))
    assert refused.value.place is not None
    assert refused.value.place.feature == 1


def test_fractions_add_up_bit_for_bit_in_any_order_and_grouping(made_ground: Made) -> None:
    ground = made_ground(9, 7)
    rng = np.random.default_rng(5)
    corners = rng.uniform([111.0, 30.0], [111.09, 30.07], (40, 8, 2))
    shapes = [shapely.MultiPoint(some).convex_hull for some in corners]
    values = rng.lognormal(3, 2, 40)
    found = spread(polygons(*zip(shapes, values.tolist(), strict=True)), ground).value
    # The total is what was given, to the nearest step.
    assert abs(math.fsum(found) - math.fsum(values)) <= 2.0**-20
    assert (found * 2**20 == np.rint(found * 2**20)).all()
    group = rng.integers(0, 5, len(found))
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(found))
        running = 0.0
        for value in found[order].tolist():
            running += value
        assert running == math.fsum(found)
        assert np.bincount(group[order], weights=found[order])[np.arange(5)].sum() == running


def test_enormous_totals_that_are_not_whole_take_a_wider_step_and_lose_nothing(made_ground: Made) -> None:
    whole_ground = shapely.box(111.0, 30.0, 111.03, 30.03)
    found = spread(polygons((whole_ground, 3e13 + 0.25)), made_ground(3, 3))
    assert found.value.sum() == found.given
    assert found.given == pytest.approx(3e13 + 0.25, rel=1e-14)


def test_areas_add_up_bit_for_bit_in_any_order(made_ground: Made) -> None:
    area = made_ground(9, 7).area_m2
    for seed in range(20):
        running = 0.0
        for value in np.random.default_rng(seed).permutation(area).tolist():
            running += value
        assert running == math.fsum(area)
