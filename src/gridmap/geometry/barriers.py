"""Tell which borders run along barriers: lines that cannot be crossed."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.lattice import Geometries, Packed, unpack

#: A border that was bent to a line, and cut by cells since, lies within this of it, lattice units.
_BESIDE = 2.0


def run_along(start: Packed, end: Packed, lines: Geometries) -> NDArray[np.bool_]:
    """Whether each segment runs along one of the lines: its ends and its middle lie within two lattice units of them.

    Parameters
    ----------
    start, end : (n,) ends of segments
    lines : (l,) LineStrings or MultiLineStrings, lattice frame

    Returns
    -------
    (n,) bool
    """
    parts = shapely.get_parts(lines)
    points, line = shapely.get_coordinates(parts, return_index=True)
    within = np.flatnonzero(line[1:] == line[:-1])
    tree = shapely.STRtree(shapely.linestrings(np.stack([points[within], points[within + 1]], axis=1)))
    corner, place = np.unique(np.concatenate([start, end]), return_inverse=True)
    beside = np.asarray(_beside(tree, unpack(corner).astype(np.float64))[place.reshape(2, -1)].all(axis=0))
    rows = np.flatnonzero(beside)
    middle = (unpack(start[rows]) + unpack(end[rows])) / 2
    beside[rows] = _beside(tree, middle)
    return beside


def _beside(tree: shapely.STRtree, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    near = np.zeros(len(points), np.bool_)
    near[tree.query(shapely.points(points), predicate="dwithin", distance=_BESIDE)[0]] = True
    return near
