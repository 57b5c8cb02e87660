"""Cancel the directed edges of polygons: what is left over is the boundary of their sum.

Shells run counter-clockwise and holes clockwise, so the interior lies on the left of every edge. Polygons that share
a border edge for edge hold each edge of it once in each direction; these pairs annihilate. Two planar chains of
polygons with the same boundary are equal, so pieces whose left-over edges are exactly the boundary of an area
cover it everywhere once, counted with multiplicity, without any tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.lattice import Geometries, Packed, pack, unpack

Indices = NDArray[np.int64]
Whole = TypeVar("Whole", np.int64, np.uint64)

_POLYGON = 3
_MIX_LOW, _MIX_HIGH = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_OWNER = np.uint64(0x165667B19E3779F9)
_FOLD = np.uint64(29)


@dataclass(frozen=True, slots=True)
class Edges:
    """Directed edges between packed lattice points, each with the row of the polygon it belongs to.

    Attributes
    ----------
    start, end : (n,) int64, points packed by ``lattice.pack``
    owner : (n,) int64
    """

    start: Packed
    end: Packed
    owner: Indices

    def __len__(self) -> int:
        """Count the edges."""
        return len(self.start)

    def take(self, rows: NDArray[np.bool_] | Indices) -> Edges:
        """Edges of these rows."""
        return Edges(self.start[rows], self.end[rows], self.owner[rows])

    @staticmethod
    def join(parts: list[Edges]) -> Edges:
        """All edges of several sets."""
        if not parts:
            nothing = np.empty(0, np.int64)
            return Edges(nothing, nothing, nothing)
        return Edges(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
            np.concatenate([part.owner for part in parts]),
        )


def edges_of(polygons: Geometries, owner: Indices | None = None) -> Edges:
    """Directed edges of all rings, shells counter-clockwise and holes clockwise, edges of no length left out.

    Parameters
    ----------
    polygons : (n,) polygons or multipolygons, lattice frame; rings may be wound either way
    owner : (n,) int64, default the row

    Returns
    -------
    Edges
    """
    rings = rings_of(polygons)
    if not len(rings.points):
        return Edges.join([])
    begin = rings.offset[:-1]
    length = np.diff(rings.offset)
    local = rings.points - np.repeat(rings.points[begin], length, axis=0)
    within = np.delete(np.arange(len(local)), rings.offset[1:] - 1)
    cross = local[within, 0] * local[within + 1, 1] - local[within + 1, 0] * local[within, 1]
    area = np.add.reduceat(cross, begin - np.arange(len(begin)))
    backwards = np.repeat((area > 0) != rings.is_shell, length - 1)
    packed = pack(rings.points)
    head, tail = packed[within], packed[within + 1]
    owners = np.arange(len(polygons), dtype=np.int64) if owner is None else owner
    edges = Edges(
        np.where(backwards, tail, head),
        np.where(backwards, head, tail),
        np.repeat(owners[rings.polygon], length - 1),
    )
    return edges.take(head != tail)


@dataclass(frozen=True, slots=True)
class Rings:
    """All rings of polygons as one array of points.

    Attributes
    ----------
    points : (p, 2) int64, lattice units; each ring closed by its first point
    offset : (r + 1,) int64, where each ring begins
    polygon : (r,) int64, row of the polygon
    is_shell : (r,) bool
    """

    points: Indices
    offset: Indices
    polygon: Indices
    is_shell: NDArray[np.bool_]


def rings_of(polygons: Geometries) -> Rings:
    """Rings of polygons and multipolygons in the lattice frame; empty ones have none."""
    simple = (shapely.get_type_id(polygons) == _POLYGON) & (shapely.get_num_interior_rings(polygons) == 0)
    simple &= ~shapely.is_empty(polygons)
    # A ring object for each of a million cells would cost more than all the rest.
    plain, rest = np.flatnonzero(simple), np.flatnonzero(~simple)
    parts, row = shapely.get_parts(polygons[rest], return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    size = np.concatenate([shapely.get_num_coordinates(polygons[plain]), shapely.get_num_coordinates(rings)])
    return Rings(
        np.concatenate([shapely.get_coordinates(polygons[plain]), shapely.get_coordinates(rings)]).astype(np.int64),
        np.append(0, np.cumsum(size.astype(np.int64))),
        np.concatenate([plain, rest[row[part]]]),
        np.append(np.ones(len(plain), np.bool_), np.diff(part, prepend=-1) != 0),
    )


@dataclass(frozen=True, slots=True)
class _Groups:
    """Edges sorted so that those between the same two points stand together."""

    order: Indices
    start_of_group: Indices
    size: Indices
    net: Indices
    forward: NDArray[np.bool_]


def _group(edges: Edges) -> _Groups:
    low, high = np.minimum(edges.start, edges.end), np.maximum(edges.start, edges.end)
    with np.errstate(over="ignore"):
        mixed = low.view(np.uint64) * _MIX_LOW
        mixed ^= mixed >> _FOLD
        mixed += high.view(np.uint64) * _MIX_HIGH
    order = np.argsort(mixed)
    low, high, mixed = low[order], high[order], mixed[order]
    new_pair = np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1]))
    if (new_pair[1:] & (mixed[1:] == mixed[:-1])).any():
        # Two different pairs share a hash: sort by the points themselves, so that no group is torn.
        exact = np.lexsort((high, low))
        order, low, high = order[exact], low[exact], high[exact]
        new_pair = np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1]))
    start_of_group = np.flatnonzero(new_pair)
    forward = edges.start[order] == low
    net = np.add.reduceat(np.where(forward, 1, -1), start_of_group)
    size = np.diff(start_of_group, append=len(order))
    return _Groups(order, start_of_group, size, net, forward)


def cancel_within(edges: Edges) -> Edges:
    """Edges left over after opposite ones of the same owner annihilate, sorted by owner, start and end."""
    if not len(edges):
        return edges
    low, high = np.minimum(edges.start, edges.end), np.maximum(edges.start, edges.end)
    with np.errstate(over="ignore"):
        mixed = low.view(np.uint64) * _MIX_LOW
        mixed ^= mixed >> _FOLD
        mixed += high.view(np.uint64) * _MIX_HIGH
        mixed ^= mixed >> _FOLD
        mixed += edges.owner.view(np.uint64) * _MIX_OWNER
    order = np.argsort(mixed)
    mixed = mixed[order]
    alike = mixed[1:] == mixed[:-1]
    before, after = np.append(False, alike), np.append(alike, False)
    alone = order[~(before | after)]
    # Nearly all edges that have a like have one, their opposite.
    two = np.flatnonzero(after & ~before & ~np.append(after[1:], False))
    one, other = order[two], order[two + 1]
    opposite = (edges.start[one] == edges.end[other]) & (edges.end[one] == edges.start[other])
    opposite &= edges.owner[one] == edges.owner[other]
    among = before | after
    among[two[opposite]] = among[two[opposite] + 1] = False
    rest = edges.take(order[among])
    low, high, owner = low[order[among]], high[order[among]], rest.owner
    exact = np.lexsort((high, low, owner))
    key = np.stack([owner[exact], low[exact], high[exact]])
    first = np.flatnonzero(np.append(True, (key[:, 1:] != key[:, :-1]).any(axis=0))[: len(exact)])
    forward = (rest.start == low)[exact]
    net = np.add.reduceat(np.where(forward, 1, -1), first) if len(first) else np.empty(0, np.int64)
    group = np.repeat(np.arange(len(first)), np.diff(first, append=len(exact)))
    of_sign = np.flatnonzero(forward == (net[group] > 0))
    rank = np.arange(len(of_sign)) - np.searchsorted(group[of_sign], group[of_sign])
    kept = exact[of_sign[rank < np.abs(net)[group[of_sign]]]]
    left = Edges.join([edges.take(alone), rest.take(kept)])
    return left.take(np.lexsort((left.end, left.start, left.owner)))


def cancel(edges: Edges) -> Edges:
    """Edges left over after opposite ones annihilate, sorted by start, end and owner.

    An edge that stands k times more in one direction than in the other is left over k times, with the lowest
    owners of that direction.
    """
    if not len(edges):
        return edges
    groups = _group(edges)
    open_group = np.flatnonzero(groups.net)
    size, net = groups.size[open_group], groups.net[open_group]
    member = np.repeat(groups.start_of_group[open_group] - np.cumsum(size) + size, size) + np.arange(size.sum())
    group = np.repeat(np.arange(len(open_group)), size)
    of_sign = groups.forward[member] == (net[group] > 0)
    member, group = member[of_sign], group[of_sign]
    row = groups.order[member]
    by_owner = np.lexsort((edges.owner[row], group))
    row, group = row[by_owner], group[by_owner]
    rank = np.arange(len(group)) - np.searchsorted(group, group)
    left = edges.take(row[rank < np.abs(net)[group]])
    return left.take(np.lexsort((left.owner, left.end, left.start)))


def distinct(values: NDArray[Whole]) -> NDArray[Whole]:
    """Sorted distinct values; for whole numbers a plain sort beats the hash table of ``numpy.unique``."""
    ordered = np.sort(values)
    first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    return np.asarray(ordered[first])


def shared_borders(edges: Edges) -> tuple[Indices, Packed, Packed]:
    """Edges that exactly two owners hold, once in each direction.

    Returns
    -------
    pairs : (m, 2) int64, the two owners, lower first; one row an edge
    start, end : (m,) packed points of the edge
    """
    if not len(edges):
        return np.empty((0, 2), np.int64), edges.start, edges.end
    groups = _group(edges)
    twos = groups.start_of_group[(groups.size == 2) & (groups.net == 0)]
    one, other = groups.order[twos], groups.order[twos + 1]
    pairs = np.sort(np.stack([edges.owner[one], edges.owner[other]], axis=1), axis=1)
    apart = pairs[:, 0] != pairs[:, 1]
    return pairs[apart], edges.start[one][apart], edges.end[one][apart]


def twice_area(edges: Edges) -> int:
    """Twice the area the edges enclose, lattice units squared, exact.

    ``sum(x1*y2 - x2*y1)``; taken about a local origin so that the parts stay small, which changes nothing for closed
    chains.
    """
    if not len(edges):
        return 0
    a, b = unpack(edges.start), unpack(edges.end)
    origin = a[0]
    a, b = a - origin, b - origin
    low = a[:, 0] * b[:, 1], a[:, 1] * b[:, 0]
    if max(int(np.abs(a).max()), int(np.abs(b).max())) < 1 << 30:
        # Each difference fits 62 bits; summed in halves so that a million of them cannot overflow.
        cross = low[0] - low[1]
        return (int((cross >> 32).sum()) << 32) + int((cross & 0xFFFFFFFF).sum())
    exact = a[:, 0].astype(object) * b[:, 1] - a[:, 1].astype(object) * b[:, 0]
    return int(exact.sum())
