"""Figures of shapes: parts, holes, how far their ground lies from their middle, how compact they are."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.geometry.lattice import Geometries, to_degrees
from gridmap.geometry.measure import LocalPlane
from gridmap.planning.groups import counts, first_of_each
from gridmap.planning.land.ground import representative_points
from gridmap.planning.service.reach import EarthPoints, Floats, Rows, distances


def part_counts(shapes: Geometries) -> Rows:
    """(n,) int64: polygons of each shape."""
    return np.asarray(shapely.get_num_geometries(shapes), dtype=np.int64)


def hole_counts(shapes: Geometries) -> Rows:
    """(n,) int64: interior rings of each shape, over all its parts."""
    parts, shape = shapely.get_parts(shapes, return_index=True)
    inside = shapely.get_num_interior_rings(parts)
    return counts(np.repeat(shape, inside), len(shapes))


def radius_m(shapes: Geometries) -> Floats:
    """(n,) float64: how far the farthest ground of each shape lies from its representative point, geodesic metres.

    It is a corner: the corner farthest by chord is measured by geodesic.

    Parameters
    ----------
    shapes : (n,) polygons or multipolygons, lattice frame, none empty
    """
    corners, shape = shapely.get_coordinates(shapes, return_index=True)
    middles, points = (_earth(units) for units in (representative_points(shapes), corners))
    chord = np.linalg.norm(points.xyz - middles.xyz[shape], axis=1)
    farthest = first_of_each(shape, -chord)
    return distances(middles, np.arange(len(shapes)), points, farthest)


def compactness(shapes: Geometries, area_m2: Floats, plane: LocalPlane) -> Floats:
    r"""(n,) float64: Polsby–Popper :math:`4\pi A / P^2` of each shape: 1 for a circle."""
    around_m = shapely.length(plane.project(shapes))
    return np.asarray(np.minimum(1.0, 4 * np.pi * area_m2 / around_m**2))


def _earth(units: Floats) -> EarthPoints:
    lonlat = to_degrees(units)
    return EarthPoints(lonlat[:, 0], lonlat[:, 1])
