r"""How wide, how large and where faults are, in metres on the ground, down to slivers thinner than an atom.

Width is the diameter of the largest circle that fits in. Each polygon is measured in a plane of its own, its first
vertex the origin, so that the differences of coordinates keep their digits:

.. math:: x = (\lambda-\lambda_0)\,N(\varphi)\cos\varphi, \qquad y = (\varphi-\varphi_0)\,M(\varphi)

with the radii of curvature M and N of WGS 84 at the middle latitude (Snyder 1987, eq. 4-18 to 4-21). Over a county this
is true to a few tenths of a per cent, over a sliver to all digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.lattice import UNITS_PER_DEGREE, Geometries
from gridmap.geometry.measure import SEMI_MAJOR_M, area_m2
from gridmap.geometry.predicates import Points, Values

_E2 = 0.0066943799901413165
#: A polygon longer than this many times its mean width is a sliver and measured in a window.
_SLIVER_ASPECT = 100
#: Up to this size the plane's own area is truer than that of far coordinates.
_SMALL_M = 2_000.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """Measures of polygons.

    Attributes
    ----------
    width_m : (n,) float64, diameter of the largest inscribed circle, metres
    area_m2 : (n,) float64, square metres
    lonlat : (n, 2) float64, centre of that circle, degrees
    """

    width_m: Values
    area_m2: Values
    lonlat: Points


def sizes_of(polygons: Geometries) -> Sizes:
    """Width, area and widest place of polygons.

    Parameters
    ----------
    polygons : (n,) polygons or multipolygons, degrees, not empty

    Returns
    -------
    Sizes
    """
    count = len(polygons)
    if not count:
        return Sizes(np.zeros(0), np.zeros(0), np.zeros((0, 2)))
    coordinates, row = shapely.get_coordinates(polygons, return_index=True)
    origin = coordinates[np.searchsorted(row, np.arange(count))]
    scale = _metres_per_degree(shapely.bounds(polygons)[:, [1, 3]].mean(axis=1))
    local = shapely.set_coordinates(polygons.copy(), (coordinates - origin[row]) * scale[row])
    circles = np.array([_largest_circle(polygon) for polygon in local])
    area = np.asarray(shapely.area(local))
    extent = shapely.bounds(local)
    large = np.maximum(extent[:, 2] - extent[:, 0], extent[:, 3] - extent[:, 1]) > _SMALL_M
    if large.any():
        area[large] = area_m2(shapely.transform(polygons[large], lambda degrees: degrees * UNITS_PER_DEGREE))
    return Sizes(2 * circles[:, 2], area, origin + circles[:, :2] / scale)


def lengths_m(lines: Geometries) -> Values:
    """Lengths of short lines in degrees, metres; (n,) float64."""
    coordinates, row = shapely.get_coordinates(lines, return_index=True)
    origin = coordinates[np.searchsorted(row, np.arange(len(lines)))]
    scale = _metres_per_degree(shapely.bounds(lines)[:, [1, 3]].mean(axis=1))
    return np.asarray(shapely.length(shapely.set_coordinates(lines.copy(), (coordinates - origin[row]) * scale[row])))


def _metres_per_degree(lat: Values) -> Points:
    sine2 = np.sin(np.radians(lat)) ** 2
    root = np.sqrt(1 - _E2 * sine2)
    across = SEMI_MAJOR_M / root * np.cos(np.radians(lat))
    along = SEMI_MAJOR_M * (1 - _E2) / root**3
    # At a pole a degree of longitude has no length; a nanometre keeps the way back defined.
    return np.asarray(np.radians(np.column_stack([np.maximum(across, 1e-9), along])))


def _largest_circle(polygon: Any) -> tuple[float, float, float]:
    """Centre and radius of the largest inscribed circle, metres of the local plane; never larger than the truth."""
    area, length = polygon.area, polygon.length
    if not area > 0:
        x, y = shapely.get_coordinates(polygon).mean(axis=0)
        return float(x), float(y), 0.0
    # Area over perimeter is the least radius the circle can have; half the perimeter bounds the extent.
    if length * length < 4 * _SLIVER_ASPECT * area:
        return _inscribed(polygon, area / length / 25)
    x, y, radius = _incircle_of_best_triangle(polygon)
    if not radius > 0:
        return x, y, area / length
    centred = shapely.transform(polygon, lambda xy: xy - (x, y))
    reach = 8 * radius
    window = shapely.intersection(centred, shapely.box(-reach, -reach, reach, reach))
    parts = [part for part in shapely.get_parts(window) if part.area > 0]
    found = max(
        (_inscribed(part, radius / 25) for part in parts), key=lambda circle: circle[2], default=(0.0, 0.0, 0.0)
    )
    return (x + found[0], y + found[1], found[2]) if found[2] > radius else (x, y, radius)


def _inscribed(polygon: Any, tolerance: float) -> tuple[float, float, float]:
    try:
        line = shapely.maximum_inscribed_circle(polygon, tolerance=tolerance)
    except shapely.GEOSException:
        # Rounding left a polygon that GEOS refuses; the caller has a lower bound already.
        return 0.0, 0.0, 0.0
    (x, y), _ = shapely.get_coordinates(line)
    return float(x), float(y), float(line.length)


def _incircle_of_best_triangle(polygon: Any) -> tuple[float, float, float]:
    """Largest of the circles inscribed in the triangles of the constrained Delaunay triangulation."""
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(polygon))
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    opposite = np.linalg.norm(np.roll(corners, -1, axis=1) - np.roll(corners, -2, axis=1), axis=2)
    perimeter: NDArray[np.float64] = opposite.sum(axis=1)
    radius = 2 * shapely.area(triangles) / np.where(perimeter > 0, perimeter, 1)
    if not len(radius):
        x, y = shapely.get_coordinates(polygon)[0]
        return float(x), float(y), 0.0
    best = int(np.argmax(radius))
    x, y = (corners[best] * opposite[best][:, None]).sum(axis=0) / max(perimeter[best], 5e-324)
    return float(x), float(y), float(radius[best])
