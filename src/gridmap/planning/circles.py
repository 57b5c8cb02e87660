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
from gridmap.planning.reach import GEOD, EarthPoints, Floats, Rows, close_pairs

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


def covered_share(cells: Geometries, circles: Circles) -> Floats:
    """Share of each cell's area inside the union of the circles.

    Parameters
    ----------
    cells : (n,) polygons or multipolygons, metres, same plane as ``circles``

    Returns
    -------
    (n,) float64 in [0, 1]
    """
    share = np.zeros(len(cells))
    if not len(cells) or not len(circles.polygon):
        return share
    corners, corner_of = shapely.get_coordinates(cells, return_index=True)
    starts = np.searchsorted(corner_of, np.arange(len(cells) + 1))
    middle = shapely.get_coordinates(shapely.centroid(cells))
    half_m = np.sqrt(np.maximum.reduceat(((corners - middle[corner_of]) ** 2).sum(axis=1), starts[:-1]))
    cell, circle, distance_m = close_pairs(middle, circles.centre, circles.outer_m + half_m.max())
    reached = distance_m < circles.outer_m[circle] + half_m[cell]
    cell, circle, distance_m = cell[reached], circle[reached], distance_m[reached]

    whole = np.zeros(len(cells), dtype=np.bool_)
    whole[cell[distance_m + half_m[cell] <= circles.inner_m[circle]]] = True
    rim = ~whole[cell]
    cell, circle = cell[rim], circle[rim]
    farthest_m = _farthest_corner(corners, starts, cell, circles.centre[circle])
    whole[cell[farthest_m <= circles.inner_m[circle]]] = True
    share[whole] = 1.0
    rim = ~whole[cell]
    cell, circle, farthest_m = cell[rim], circle[rim], farthest_m[rim]
    # The circle that reaches deepest first: what it leaves is small, and often nothing.
    order = np.lexsort((farthest_m - circles.outer_m[circle], cell))
    rows, rest_m2 = _rest(cells, cell[order], circles.polygon[circle[order]])
    share[rows] = 1.0 - rest_m2 / shapely.area(cells[rows])
    return np.clip(share, 0.0, 1.0)


def _farthest_corner(corners: Floats, starts: Rows, cell: Rows, centre: Floats) -> Floats:
    """Distance from each centre to the farthest corner of its cell."""
    if not len(cell):
        return np.zeros(0)
    count = starts[cell + 1] - starts[cell]
    first = np.cumsum(count) - count
    corner = np.arange(count.sum()) + np.repeat(starts[cell] - first, count)
    square = ((corners[corner] - np.repeat(centre, count, axis=0)) ** 2).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum.reduceat(square, first)))


def _rest(cells: Geometries, cell: Rows, polygon: Geometries) -> tuple[Rows, Floats]:
    """Area each cell keeps after its circles, which stand together and in order, are cut away one after the other."""
    rows, starts, count = np.unique(cell, return_index=True, return_counts=True)
    rest = cells[rows]
    alive = np.arange(len(rows))
    for turn in range(int(count.max(initial=0))):
        alive = alive[(count[alive] > turn) & ~shapely.is_empty(rest[alive])]
        rest[alive] = shapely.difference(rest[alive], polygon[starts[alive] + turn])
    return rows, np.asarray(shapely.area(rest))
