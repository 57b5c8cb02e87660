"""Join directed edges to closed rings, for many owners at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.geometry.chain import Edges, Indices
from gridmap.geometry.lattice import Geometries, unpack

_POLYGON = shapely.GeometryType.POLYGON
_MIX_OWNER, _MIX_POINT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


@dataclass(frozen=True, slots=True)
class AssembledRings:
    """Rings of many owners.

    Attributes
    ----------
    points : (p, 2) int64, lattice units, not closed
    offset : (r + 1,) int64, where each ring begins
    owner : (r,) int64
    twice_area : (r,) int64, positive for shells
    torn : (k,) int64, owners whose edges close in no way or in more than one; they have no rings
    """

    points: Indices
    offset: Indices
    owner: Indices
    twice_area: Indices
    torn: Indices

    def polygons(self) -> Geometries:
        """Each ring as a polygon of its own."""
        return polygons_of_rings(self.points, self.offset)


def polygons_of_rings(points: NDArray[Any], offset: Indices) -> Geometries:
    """Polygons without holes.

    Parameters
    ----------
    points : (p, 2) lattice units, not closed
    offset : (n + 1,) where each ring begins
    """
    size = np.diff(offset)
    if not len(size):
        return np.empty(0, object)
    closed = np.arange(len(points) + len(size)) - np.repeat(np.arange(len(size)), size + 1)
    ends = offset[1:] + np.arange(len(size))
    closed[ends] = offset[:-1]
    ring = np.append(0, ends + 1)
    parts = points[closed].astype(np.float64)
    return np.asarray(shapely.from_ragged_array(_POLYGON, parts, (ring, np.arange(len(ring)))))


def assemble_rings(edges: Edges) -> AssembledRings:
    """Join edges of one owner end to start.

    A point at which two edges of an owner start is ambiguous; that owner is given back as torn.
    """
    edges, following, torn = _following(edges)
    if not len(edges):
        none = np.empty(0, np.int64)
        return AssembledRings(np.empty((0, 2), np.int64), np.zeros(1, np.int64), none, none, torn)
    row = np.arange(len(edges))
    graph = coo_array((np.ones(len(row), np.int8), (row, following)))
    ring = np.asarray(connected_components(graph, directed=False)[1], np.int64)
    order = np.lexsort((places_in_rings(ring, following), ring))
    first = np.flatnonzero(np.diff(ring[order], prepend=-1))
    points = unpack(edges.start[order])
    offset = np.append(first, len(row))
    return AssembledRings(points, offset, edges.owner[order][first], twice_areas(points, offset), torn)


def _following(edges: Edges) -> tuple[Edges, Indices, Indices]:
    """Edges of sound owners, the row of the edge after each, and the owners that are not sound."""
    torn = np.empty(0, np.int64)
    while True:
        starts, by_start = _sorted(edges.owner, edges.start)
        _, by_end = _sorted(edges.owner, edges.end)
        ambiguous = np.flatnonzero(starts[1:] == starts[:-1])
        same = (edges.owner[by_start] == edges.owner[by_end]) & (edges.start[by_start] == edges.end[by_end])
        bad = np.unique(
            np.concatenate([edges.owner[by_start[ambiguous]], edges.owner[by_start[~same]], edges.owner[by_end[~same]]])
        )
        if not len(bad):
            following = np.empty(len(edges), np.int64)
            following[by_end] = by_start
            return edges, following, torn
        torn = np.union1d(torn, bad)
        edges = edges.take(~np.isin(edges.owner, bad))


def _sorted(owner: Indices, point: Indices) -> tuple[Indices, Indices]:
    with np.errstate(over="ignore"):
        key = (owner.view(np.uint64) * _MIX_OWNER) ^ (point.view(np.uint64) * _MIX_POINT)
    order = np.argsort(key)
    return key[order], order


def places_in_rings(ring: Indices, following: Indices) -> Indices:
    """Rank edges along their ring, by doubling the stride until all have arrived at its last edge."""
    row = np.arange(len(ring))
    first = np.full(int(ring.max()) + 1, len(ring))
    np.minimum.at(first, ring, row)
    ahead = following.copy()
    steps = np.ones(len(ring), np.int64)
    last = np.flatnonzero(following == first[ring])
    ahead[last], steps[last] = last, 0
    while True:
        further = ahead[ahead]
        if (further == ahead).all():
            return -steps
        steps += steps[ahead]
        ahead = further


def twice_areas(points: Indices, offset: Indices) -> Indices:
    """Twice the signed area of each ring, (r,) int64, exact; points and offsets as in ``AssembledRings``."""
    begin, size = offset[:-1], np.diff(offset)
    local = points - np.repeat(points[begin], size, axis=0)
    following = np.arange(1, len(points) + 1)
    following[offset[1:] - 1] = begin
    cross = local[:, 0] * local[following, 1] - local[following, 0] * local[:, 1]
    return np.asarray(np.add.reduceat(cross, begin))
