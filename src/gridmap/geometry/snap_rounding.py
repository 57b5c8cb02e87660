"""Lead segments of the lattice through the points where they meet, so that they share points and cross nowhere else.

Ends of segments and their rounded crossings are *hot*: every segment that meets the closed unit square around a hot
point is led through it. The bent segments cross nowhere but in hot points, and which way a segment bends depends on its
immediate surroundings only. (Guibas, Marimont, *Rounding arrangements dynamically*, 1998; Hobby, *Practical segment
intersection with finite precision output*, 1999.)
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import Edges
from gridmap.geometry.crossing import cross
from gridmap.geometry.lattice import Geometries, Packed, unpack

#: Farthest from a segment that a hot point may lie whose unit square the segment meets.
PIXEL_REACH = 0.75


def lines_of(start: Packed, end: Packed) -> Geometries:
    """Segments as lines of two points, lattice frame."""
    return np.asarray(shapely.linestrings(np.stack([unpack(start), unpack(end)], axis=1).astype(np.float64)))


def bend(start: Packed, end: Packed, hot: Packed) -> Edges:
    """Segments led through every hot point whose unit square they meet, in order; owners are segments.

    Parameters
    ----------
    start, end : (n,) ends of segments, themselves hot
    hot : points, distinct
    """
    low, high = np.minimum(start, end), np.maximum(start, end)
    points = shapely.points(unpack(hot).astype(np.float64))
    segment, met = shapely.STRtree(points).query(lines_of(low, high), predicate="dwithin", distance=PIXEL_REACH)
    kept = meets_pixel(low[segment], high[segment], hot[met])
    segment, point = segment[kept], hot[met[kept]]
    origin = unpack(low[segment])
    along = ((unpack(point) - origin).astype(float) * (unpack(high[segment]) - origin)).sum(axis=1)
    order = np.lexsort((point, along, segment))
    segment, point = segment[order], point[order]
    within = np.flatnonzero(segment[1:] == segment[:-1])
    head, tail, owner = point[within], point[within + 1], segment[within]
    forward = start[owner] == low[owner]
    return Edges(np.where(forward, head, tail), np.where(forward, tail, head), owner)


def meets_pixel(low: Packed, high: Packed, hot: Packed) -> NDArray[np.bool_]:
    """Whether a segment meets the closed unit square around a point; in doubled coordinates, exact."""
    centre = unpack(hot)
    a, b = 2 * (unpack(low) - centre), 2 * (unpack(high) - centre)
    squares = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    turn = cross((b - a)[:, None], squares - a[:, None])
    straddles = (turn.min(axis=1) <= 0) & (turn.max(axis=1) >= 0)
    overlaps = (np.minimum(a, b) <= 1).all(axis=1) & (np.maximum(a, b) >= -1).all(axis=1)
    return np.asarray(straddles & overlaps)
