r"""Covered share of cells: the exact part of each that the union of service circles covers.

.. math:: s_i = \frac{|c_i \cap \bigcup_j D(p_j, r_j)|}{|c_i|}

A circle is the polygon of 256 points at geodesic distance :math:`r_j` from :math:`p_j`, drawn straight in an equal-area
plane. Cells wholly inside one circle, by their farthest corner against the largest disk that fits into the polygon,
and cells beyond all of them are settled by distances; only the rim is cut, and each rim cell only by the circles that
reach it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.geometry.lattice import Geometries
from gridmap.geometry.measure import LocalPlane
from gridmap.planning.service.reach import GEOD, EarthPoints, Floats, Rows, close_pairs

#: Points of a circle.
CIRCLE_POINTS = 256


@dataclass(frozen=True)
class Circles:
    """Service circles in metres of a plane.

    Attributes
    ----------
    polygon : (m,) polygons
    centre : (m, 2) float64
    inner_m, outer_m : (m,) float64, largest disk around ``centre`` inside the polygon, smallest around it
    """

    polygon: Geometries
    centre: Floats
    inner_m: Floats
    outer_m: Floats

    def take(self, rows: Rows) -> Circles:
        """Return the circles of ``rows``."""
        return Circles(self.polygon[rows], self.centre[rows], self.inner_m[rows], self.outer_m[rows])


def draw_circles(points: EarthPoints, radius_m: Floats, plane: LocalPlane) -> Circles:
    """Geodesic circles around points, ``CIRCLE_POINTS`` vertices each, in metres of ``plane``.

    Parameters
    ----------
    radius_m : (m,) float64, metres
    """
    shape = (len(points), CIRCLE_POINTS)
    azimuth = np.broadcast_to(np.linspace(0, 360, CIRCLE_POINTS, endpoint=False), shape)
    lon, lat = (np.broadcast_to(values[:, None], shape).ravel() for values in (points.lon, points.lat))
    reached = GEOD.fwd(lon, lat, azimuth.ravel(), np.broadcast_to(radius_m[:, None], shape).ravel())
    ring = plane.from_degrees(np.column_stack(reached[:2])).reshape(*shape, 2)
    centre = plane.from_degrees(np.column_stack([points.lon, points.lat]))
    polygon = np.asarray(shapely.polygons(ring)) if len(points) else np.zeros(0, dtype=object)
    inner_m = shapely.distance(shapely.points(centre), shapely.boundary(polygon))
    outer_m = np.sqrt(((ring - centre[:, None]) ** 2).sum(axis=2).max(axis=1, initial=0.0))
    return Circles(polygon, centre, np.asarray(inner_m), outer_m)


@dataclass(frozen=True)
class Outlines:
    """Cells in metres of a plane, with the disk around each.

    Attributes
    ----------
    polygon : (n,) polygons or multipolygons
    middle : (n, 2) float64, centroid
    half_m : (n,) float64, distance from ``middle`` to the farthest corner
    """

    polygon: Geometries
    middle: Floats
    half_m: Floats

    @classmethod
    def of(cls, cells: Geometries) -> Outlines:
        """Measure cells."""
        middle = np.asarray(shapely.get_coordinates(shapely.centroid(cells)))
        return cls(cells, middle, _farthest_corner(cells, np.arange(len(cells)), middle))

    def take(self, rows: Rows) -> Outlines:
        """Return the cells of ``rows``."""
        return Outlines(self.polygon[rows], self.middle[rows], self.half_m[rows])


def covered_share(cells: Outlines, circles: Circles) -> Floats:
    """Share of each cell's area inside the union of the circles, which lie in the same plane.

    Returns
    -------
    (n,) float64 in [0, 1]
    """
    share = np.zeros(len(cells.polygon))
    if not len(share) or not len(circles.polygon):
        return share
    cell, circle, distance_m = close_pairs(cells.middle, circles.centre, circles.outer_m + cells.half_m.max())
    reached = distance_m < circles.outer_m[circle] + cells.half_m[cell]
    cell, circle, distance_m = cell[reached], circle[reached], distance_m[reached]

    share[cell[distance_m + cells.half_m[cell] <= circles.inner_m[circle]]] = 1.0
    rim = share[cell] == 0
    cell, circle = cell[rim], circle[rim]
    farthest_m = _farthest_corner(cells.polygon, cell, circles.centre[circle])
    share[cell[farthest_m <= circles.inner_m[circle]]] = 1.0
    rim = share[cell] == 0
    cell, circle, farthest_m = cell[rim], circle[rim], farthest_m[rim]
    # The circle that reaches deepest first: what it leaves is small, and often nothing.
    order = np.lexsort((farthest_m - circles.outer_m[circle], cell))
    rows, rest_m2 = _rest(cells.polygon, cell[order], circles.polygon[circle[order]])
    share[rows] = 1.0 - rest_m2 / shapely.area(cells.polygon[rows])
    return np.clip(share, 0.0, 1.0)


def _farthest_corner(cells: Geometries, cell: Rows, point: Floats) -> Floats:
    """Distance from each point to the farthest corner of its cell."""
    used, of_used = np.unique(cell, return_inverse=True)
    corners, corner_of = shapely.get_coordinates(cells[used], return_index=True)
    starts = np.searchsorted(corner_of, np.arange(len(used) + 1))
    count = (starts[1:] - starts[:-1])[of_used]
    first = np.cumsum(count) - count
    corner = np.arange(count.sum()) + np.repeat(starts[of_used] - first, count)
    square = ((corners[corner] - np.repeat(point, count, axis=0)) ** 2).sum(axis=1)
    return np.sqrt(np.maximum.reduceat(square, first)) if len(cell) else np.zeros(0)


def _rest(cells: Geometries, cell: Rows, polygon: Geometries) -> tuple[Rows, Floats]:
    """Area each cell keeps after its circles, which stand together and in order, are cut away one after the other."""
    rows, starts, count = np.unique(cell, return_index=True, return_counts=True)
    rest = cells[rows]
    alive = np.arange(len(rows))
    for turn in range(int(count.max(initial=0))):
        alive = alive[(count[alive] > turn) & ~shapely.is_empty(rest[alive])]
        rest[alive] = shapely.difference(rest[alive], polygon[starts[alive] + turn])
    return rows, np.asarray(shapely.area(rest))
