"""Node moving segments into resting ones by snap rounding, and bend no resting segment that nothing comes near.

Snap rounding the whole of a map would bend borders that no new line touches, where one of their own vertices lies
within half a unit of another edge. So the hot points are found outwards from the moving segments: their ends, the
vertices they pass within half a unit, and their crossings; whatever meets one of those is bent, too, and looked at in
turn, until nothing more is met. All other segments meet no hot point but their ends, so snap rounding leaves them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import Edges, Indices
from gridmap.geometry.crossing import cross, crossing_points
from gridmap.geometry.lattice import Geometries, Packed, unpack
from gridmap.geometry.snap_rounding import PIXEL_REACH, bend, lines_of, meets_pixel


@dataclass(frozen=True, slots=True)
class Noded:
    """Edges led through the points where they meet.

    Attributes
    ----------
    edges : in place of each edge those it was led along; owners are kept
    source : (n,) int64, row of the edge that each comes from
    bent : (m,) bool, of each given edge: it was led through a point other than its ends
    """

    edges: Edges
    source: Indices
    bent: NDArray[np.bool_]


def node(moving: Edges, resting: Edges) -> Noded:
    """Node edges with each other.

    Parameters
    ----------
    moving : edges that may lie anyhow
    resting : edges that meet each other in common ends only

    Returns
    -------
    Noded
        Rows count the moving edges first.
    """
    edges = Edges.join([moving, resting])
    low, high, segment = _segments(edges)
    moves = np.zeros(len(low), np.bool_)
    moves[segment[: len(moving)]] = True
    chosen, hot = _disturbed(low, high, moves)
    rows = np.flatnonzero(chosen)
    led = bend(low[rows], high[rows], hot)
    rest = np.flatnonzero(~chosen)
    paths = Edges.join([Edges(led.start, led.end, rows[led.owner]), Edges(low[rest], high[rest], rest)])
    return _along(edges, low, segment, paths)


def draw_to(moving: Edges, corners: Packed, reach: NDArray[np.float64]) -> Edges:
    """Lead edges through the corners that they pass nearby, so that they do not cut them off by rounding.

    Parameters
    ----------
    moving : edges that may lie anyhow
    corners : (n,) distinct points
    reach : (n,) float64, how far each draws edges to itself, lattice units
    """
    if not len(moving) or not len(corners):
        return moving
    low, high, segment = _segments(moving)
    near, corner = _within_reach(lines_of(low, high), corners, reach)
    here, there, point = unpack(low[near]), unpack(high[near]), unpack(corners[corner])
    along = ((point - here).astype(float) * (there - here)).sum(axis=1) / ((there - here) ** 2).sum(axis=1)
    ends = np.unique(np.concatenate([low, high]))
    drawn = ends.copy()
    end, by = _within_reach(_points(ends), corners, reach)
    away = np.hypot(*(unpack(ends[end]) - unpack(corners[by])).T)
    nearest_last = np.lexsort((-corners[by], -away))
    drawn[end[nearest_last]] = corners[by[nearest_last]]
    every = np.arange(len(low))
    owner = np.concatenate([every, near, every])
    points = np.concatenate([drawn[np.searchsorted(ends, low)], corners[corner], drawn[np.searchsorted(ends, high)]])
    place = np.concatenate([np.full(len(low), -1.0), np.clip(along, 0, 1), np.full(len(low), 2.0)])
    order = np.lexsort((points, place, owner))
    owner, points = owner[order], points[order]
    within = np.flatnonzero((owner[1:] == owner[:-1]) & (points[1:] != points[:-1]))
    paths = Edges(points[within], points[within + 1], owner[within])
    # Each path runs from low to high, whatever the order of the points it is drawn to.
    return _along(moving, low, segment, paths).edges


def _within_reach(shapes: Geometries, corners: Packed, reach: NDArray[np.float64]) -> tuple[Indices, Indices]:
    """Pairs of a shape and a corner that draws it."""
    tree, points = shapely.STRtree(shapes), _points(corners)
    corner, shape = tree.query(points, predicate="dwithin", distance=reach)
    return shape.astype(np.int64), corner.astype(np.int64)


def _along(edges: Edges, low: Packed, segment: Indices, paths: Edges) -> Noded:
    """Lead each edge along the path of its segment; paths run from low to high, owners are segments."""
    order = np.argsort(paths.owner, kind="stable")
    paths = paths.take(order)
    begin = np.searchsorted(paths.owner, np.arange(len(low) + 1))
    count = np.diff(begin)[segment]
    source = np.repeat(np.arange(len(edges)), count)
    place = np.arange(len(source)) - np.repeat(np.cumsum(count) - count - begin[segment], count)
    forward = (edges.start == low[segment])[source]
    head, tail = paths.start[place], paths.end[place]
    led = Edges(np.where(forward, head, tail), np.where(forward, tail, head), edges.owner[source])
    return Noded(led, source, count > 1)


def _segments(edges: Edges) -> tuple[Packed, Packed, Indices]:
    """Distinct segments, sorted, and the segment of each edge."""
    low, high = np.minimum(edges.start, edges.end), np.maximum(edges.start, edges.end)
    order = np.lexsort((high, low))
    fresh = np.append(True, (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0))[: len(order)]
    segment = np.empty(len(order), np.int64)
    segment[order] = np.cumsum(fresh) - 1
    return low[order][fresh], high[order][fresh], segment


def _disturbed(low: Packed, high: Packed, moves: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Packed]:
    """Segments that take part, and the hot points."""
    lines = lines_of(low, high)
    corner = np.unique(np.concatenate([low, high]))
    segments, corners = shapely.STRtree(lines), shapely.STRtree(_points(corner))
    chosen, hot = moves.copy(), np.empty(0, np.int64)
    fresh = np.flatnonzero(chosen)
    while len(fresh):
        row, met = corners.query(lines[fresh], predicate="dwithin", distance=PIXEL_REACH)
        row, point = fresh[row], corner[met]
        found = [point[meets_pixel(low[row], high[row], point)]]
        one, other = segments.query(lines[fresh], predicate="intersects")
        one = fresh[one]
        crossed, points = _crossings(low, high, one, other)
        found.append(points)
        added = np.setdiff1d(np.concatenate(found), hot)
        hot = np.union1d(hot, added)
        near, row = segments.query(_points(added), predicate="dwithin", distance=PIXEL_REACH)
        point = added[near]
        led = meets_pixel(low[row], high[row], point) & (low[row] != point) & (high[row] != point)
        taken = np.union1d(crossed, row[led])
        fresh = taken[~chosen[taken]]
        chosen[fresh] = True
    return chosen, hot


def _points(packed: Packed) -> Geometries:
    return np.asarray(shapely.points(unpack(packed).astype(np.float64)))


def _crossings(low: Packed, high: Packed, one: Indices, other: Indices) -> tuple[Indices, Packed]:
    """Segments that others meet apart from common ends, and the rounded points where they do."""
    # In one order, whichever of the two was looked at first: rounding must not depend on it.
    first, second = np.minimum(one, other), np.maximum(one, other)
    pair = np.unique(np.stack([first, second])[:, first != second], axis=1)
    first, second = pair
    along, side = unpack(high[first]) - unpack(low[first]), unpack(high[second]) - unpack(low[second])
    apart = (low[first] != low[second]) & (low[first] != high[second])
    apart &= (high[first] != low[second]) & (high[first] != high[second])
    first, second = pair[:, apart & (cross(along, side) != 0)]
    return np.concatenate([first, second]), crossing_points(low[first], high[first], low[second], high[second])
