"""Covered shares against an overlay of the same circles."""

from __future__ import annotations

from collections.abc import Callable

import h3
import numpy as np
import pytest
import shapely
from pyproj import Geod

from gridmap.geometry.measure import LocalPlane
from gridmap.planning.land.ground import Ground
from gridmap.planning.service.circles import CIRCLE_POINTS, Outlines, covered_share, draw_circles
from gridmap.planning.service.reach import EarthPoints


@pytest.fixture(scope="module")
def hexagons() -> tuple[np.ndarray, LocalPlane]:
    """Cells within 25 steps of one, some cut in two by a strip, in metres of a plane."""
    cells = h3.grid_disk(h3.latlng_to_cell(30.9, 111.3, 9), 25)
    rings = [[(round(lon * 1e7), round(lat * 1e7)) for lat, lon in h3.cell_to_boundary(cell)] for cell in cells]
    shapes = shapely.polygons(rings)
    strip = shapely.box(1112900000, 308000000, 1112905000, 310000000)
    shapes = shapely.difference(shapes, strip)
    plane = LocalPlane.around(shapes)
    return plane.project(shapes[~shapely.is_empty(shapes)]), plane


def overlay(cells: np.ndarray, circles: np.ndarray) -> np.ndarray:
    """Share of each cell inside the union of the circles, by one overlay of all."""
    return shapely.area(shapely.intersection(cells, shapely.union_all(circles))) / shapely.area(cells)


@pytest.mark.parametrize(("count", "spread"), [(1, 0.02), (8, 0.03), (60, 0.05), (60, 0.005)])
def test_shares_equal_an_overlay_of_the_same_circles(
    hexagons: tuple[np.ndarray, LocalPlane], count: int, spread: float
) -> None:
    cells, plane = hexagons
    rng = np.random.default_rng(count)
    centres = EarthPoints(111.3 + rng.normal(0, spread, count), 30.9 + rng.normal(0, spread, count))
    circles = draw_circles(centres, rng.choice([500.0, 1500.0, 5000.0, 137.5], count), plane)
    share = covered_share(Outlines.of(cells), circles)
    np.testing.assert_allclose(share, overlay(cells, circles.polygon), rtol=0, atol=1e-9)
    assert ((share > 0) & (share < 1)).any()


def test_a_circle_touches_its_radius_all_around() -> None:
    plane = LocalPlane(111.3, 30.9)
    circles = draw_circles(EarthPoints(np.array([111.5]), np.array([30.7])), np.array([5000.0]), plane)
    ring = plane.to_degrees(shapely.get_coordinates(circles.polygon[0])[:-1])
    reached = Geod(ellps="WGS84").inv([111.5] * CIRCLE_POINTS, [30.7] * CIRCLE_POINTS, ring[:, 0], ring[:, 1])[2]
    # PROJ's way back from the plane is a series, good to some millimetres.
    np.testing.assert_allclose(reached, 5000.0, rtol=0, atol=5e-3)
    assert len(ring) == CIRCLE_POINTS


def test_the_largest_disk_inside_a_circle_is_inside_and_the_smallest_outside_is_outside() -> None:
    circles = draw_circles(
        EarthPoints(np.array([111.3, 111.9]), np.array([30.9, 31.4])),
        np.array([500.0, 20_000.0]),
        LocalPlane(111.3, 30.9),
    )
    for polygon, centre, inner_m, outer_m in zip(
        circles.polygon, circles.centre, circles.inner_m, circles.outer_m, strict=True
    ):
        middle = shapely.Point(centre)
        assert shapely.contains(polygon, middle.buffer(inner_m * (1 - 1e-12), quad_segs=512))
        assert shapely.hausdorff_distance(polygon, middle) <= outer_m * (1 + 1e-12)
        assert 0.9998 < inner_m / outer_m < 1


def test_a_cell_whose_corner_just_leaves_the_circle_is_not_whole() -> None:
    plane = LocalPlane(111.3, 30.9)
    circles = draw_circles(EarthPoints(np.array([111.3]), np.array([30.9])), np.array([1000.0]), plane)
    touching = shapely.Polygon([(0, 0), (circles.inner_m[0], 0), (0, 100)])
    beyond = shapely.Polygon([(0, 0), (circles.outer_m[0] + 1e-3, 0), (0, 100)])
    share = covered_share(Outlines.of(np.array([touching, beyond], dtype=object)), circles)
    assert share[0] == 1.0
    assert 0.999 < share[1] < 1.0


def test_a_cell_that_ends_between_the_circle_s_side_and_its_corner_is_cut() -> None:
    circles = draw_circles(
        EarthPoints(np.array([111.3]), np.array([30.9])), np.array([1000.0]), LocalPlane(111.3, 30.9)
    )
    one, other = shapely.get_coordinates(circles.polygon[0])[40:42] - circles.centre[0]
    ahead = (one + other) / np.hypot(*(one + other))
    aside = np.array([-ahead[1], ahead[0]])
    tip = (circles.inner_m[0] + circles.outer_m[0]) / 2
    kite = shapely.Polygon(
        circles.centre[0]
        + np.array([ahead * tip, ahead * (tip - 50) + aside, ahead * (tip - 100), ahead * (tip - 50) - aside])
    )
    assert circles.inner_m[0] < tip < circles.outer_m[0]
    share = covered_share(Outlines.of(np.array([kite], dtype=object)), circles)
    np.testing.assert_allclose(share, overlay(np.array([kite]), circles.polygon), rtol=0, atol=1e-12)
    assert share[0] < 1.0


def test_no_circles_cover_nothing_and_no_cells_have_no_share(made_ground: Callable[..., Ground]) -> None:
    ground = made_ground(3, 3)
    none = draw_circles(EarthPoints(np.zeros(0), np.zeros(0)), np.zeros(0), ground.plane)
    assert covered_share(ground.outlines, none).tolist() == [0.0] * 9
    one = draw_circles(EarthPoints(np.array([111.0]), np.array([30.0])), np.array([10.0]), ground.plane)
    assert len(covered_share(ground.outlines.take(np.zeros(0, dtype=np.int64)), one)) == 0
