"""Widths and areas of shapes whose width and area are known."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Geod

from gridmap.geometry.width import lengths_m, sizes_of

LON, LAT = 111.25, 30.75
GEOD = Geod(ellps="WGS84")


def on_ground(polygon: shapely.Polygon) -> shapely.Polygon:
    """Put a polygon drawn in metres on the ground at Yichang with geodesics along the axes."""
    east = GEOD.inv(LON - 0.005, LAT, LON + 0.005, LAT)[2] / 0.01
    north = GEOD.inv(LON, LAT - 0.005, LON, LAT + 0.005)[2] / 0.01
    return shapely.transform(polygon, lambda xy: xy / (east, north) + (LON, LAT))


@pytest.mark.parametrize(
    ("shape", "width"),
    [
        (shapely.box(0, 0, 100, 100), 100.0),
        (shapely.Polygon([(0, 0), (3, 0), (0, 4)]), 2.0),
        (shapely.box(0, 0, 1000, 0.01), 0.01),
        (shapely.Polygon([(0, 0), (1000, 0), (500, 0.02)]), 0.02),
        (shapely.box(0, 0, 500, 2).union(shapely.Point(250, 0).buffer(10)), 20.0),
        (shapely.box(0, 0, 50, 50).difference(shapely.box(20, 20, 30, 30)), 23.4315),
    ],
)
def test_width_is_the_diameter_of_the_largest_circle(shape: shapely.Polygon, width: float) -> None:
    sizes = sizes_of(np.array([on_ground(shape)], dtype=object))
    assert sizes.width_m[0] == pytest.approx(width, rel=0.02)
    assert sizes.area_m2[0] == pytest.approx(shape.area, rel=2e-3)
    assert on_ground(shape).distance(shapely.Point(sizes.lonlat[0])) < 1e-9


def test_a_sliver_as_thin_as_rounding_has_a_width() -> None:
    thin = shapely.Polygon([(111.2, 30.7), (111.3, 30.7), (111.3, np.nextafter(30.7, 31))])
    width = sizes_of(np.array([thin], dtype=object)).width_m[0]
    assert 1e-10 < width < 1e-9


def test_area_of_a_county_is_the_geodesic_one() -> None:
    county = shapely.segmentize(shapely.box(111.0, 30.5, 111.8, 31.2), 0.001)
    area, _ = GEOD.geometry_area_perimeter(county)
    assert sizes_of(np.array([county], dtype=object)).area_m2[0] == pytest.approx(area, rel=1e-6)


def test_lengths_are_geodesic() -> None:
    line = shapely.LineString([(LON, LAT), (LON + 1e-5, LAT + 2e-5)])
    assert lengths_m(np.array([line], dtype=object))[0] == pytest.approx(GEOD.geometry_length(line), rel=1e-6)
