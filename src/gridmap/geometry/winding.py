"""How often a chain of directed edges winds around each face it makes, for any doubles.

The sum of valid polygons winds around a point as often as polygons cover it. Opposite edges cancel, bit for bit; a
vertex lying exactly on another edge splits that edge first. What is left over is exact. Where left-over edges cross,
the crossing is a rounded point: only the drawing of a fault depends on it, never whether there is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from gridmap.geometry.chain import Edges, Indices, cancel
from gridmap.geometry.lattice import Geometries
from gridmap.geometry.predicates import Points, orientation

OUTSIDE = -1
_MOST_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Chain:
    """Directed edges between numbered points.

    Attributes
    ----------
    points : (k, 2) float64, distinct
    edges : start and end are rows of ``points``
    """

    points: Points
    edges: Edges

    def __len__(self) -> int:
        """Count the edges."""
        return len(self.edges)


def chain_of(polygons: Geometries, owner: Indices) -> Chain:
    """Directed edges of valid polygons, shells counter-clockwise and holes clockwise.

    Parameters
    ----------
    polygons : (n,) polygons or multipolygons, any plane
    owner : (n,) int64

    Returns
    -------
    Chain
        Each edge with the owner of its polygon.
    """
    parts, row = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    points, number = _distinct(coordinates)
    first = np.flatnonzero(ring[1:] == ring[:-1])
    start, end = number[first], number[first + 1]
    long = start != end
    owners = owner[row[part[ring[first]]]]
    return Chain(points, Edges(start[long], end[long], owners[long].astype(np.int64)))


def _distinct(coordinates: Points) -> tuple[Points, Indices]:
    # Complex numbers let np.unique see a point as one value.
    points, number = np.unique(coordinates[:, 0] + 1j * coordinates[:, 1], return_inverse=True)
    return np.column_stack([points.real, points.imag]), number.astype(np.int64)


def compact(chain: Chain) -> Chain:
    """Return the same chain without points that it does not use."""
    edges = chain.edges
    used, number = np.unique(np.concatenate([edges.start, edges.end]), return_inverse=True)
    number = number.astype(np.int64)
    return Chain(chain.points[used], Edges(number[: len(edges)], number[len(edges) :], edges.owner))


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What remains of a chain, noded.

    Attributes
    ----------
    chain : the left-over edges; no two of them cross or overlap
    crossings : (c, 2) points where left-over edges crossed properly
    unnoded : (u, 2) points that lay exactly on the edge of another owner without being a vertex of it; may repeat
    unnoded_owners : (u, 2) int64, owner of the edge, owner of the point
    """

    chain: Chain
    crossings: Points
    unnoded: Points
    unnoded_owners: Indices


def left_over(chain: Chain) -> LeftOver:
    """Cancel opposite edges, split edges at vertices that lie exactly on them and at crossings, cancel again."""
    once = Chain(chain.points, cancel(chain.edges))
    contact = _contacts(once)
    owner = once.edges.owner[contact.edge]
    touching = (contact.point < len(once.points)) & (owner != contact.owner)
    noded, again = once, contact
    for _ in range(_MOST_ROUNDS):
        if not len(again.edge):
            break
        split = _split(noded, again)
        noded = Chain(split.points, cancel(split.edges))
        # A rounded crossing moves its edges by a hair, and may push them over another vertex.
        again = _contacts(noded) if len(again.new_points) else _NO_CONTACTS
    return LeftOver(
        noded,
        contact.new_points,
        once.points[contact.point[touching]],
        np.column_stack([owner[touching], contact.owner[touching]]),
    )


@dataclass(frozen=True, slots=True)
class _Contacts:
    """Cuts: ``edge`` is to be cut at ``point``, which an edge of ``owner`` brings; new points follow the old ones."""

    edge: Indices
    point: Indices
    owner: Indices
    new_points: Points


_NO_CONTACTS = _Contacts(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2)))


def _contacts(chain: Chain) -> _Contacts:
    if not len(chain):
        return _NO_CONTACTS
    points, edges = chain.points, chain.edges
    a, b = points[edges.start], points[edges.end]
    one, other = _box_pairs(a, b)
    # How each end of one edge lies to the other edge.
    ends = [(one, other, edges.start), (one, other, edges.end), (other, one, edges.start), (other, one, edges.end)]
    sides = [orientation(a[base], b[base], points[which[tip]]) for base, tip, which in ends]
    edge, point, owner = [], [], []
    for (base, tip, which), side in zip(ends, sides, strict=True):
        on_line = np.flatnonzero(side == 0)
        base, vertex, brought_by = base[on_line], which[tip[on_line]], edges.owner[tip[on_line]]
        within = _strictly_within(a[base], b[base], points[vertex])
        edge.append(base[within])
        point.append(vertex[within])
        owner.append(brought_by[within])
    crossing = np.flatnonzero((sides[0] * sides[1] < 0) & (sides[2] * sides[3] < 0))
    new_points = _crossing_points(a[one[crossing]], b[one[crossing]], a[other[crossing]], b[other[crossing]])
    new = len(points) + np.arange(len(crossing))
    return _Contacts(
        np.concatenate([*edge, one[crossing], other[crossing]]),
        np.concatenate([*point, new, new]),
        np.concatenate([*owner, edges.owner[other[crossing]], edges.owner[one[crossing]]]),
        new_points,
    )


def _box_pairs(a: Points, b: Points) -> tuple[Indices, Indices]:
    """Pairs of edges whose bounding boxes meet, each pair once."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    one, other = shapely.STRtree(boxes).query(boxes)
    once = one < other
    return one[once].astype(np.int64), other[once].astype(np.int64)


def _strictly_within(a: Points, b: Points, point: Points) -> NDArray[np.bool_]:
    """Whether points on the lines of edges lie between their ends, not at one."""
    between = (point >= np.minimum(a, b)).all(axis=1) & (point <= np.maximum(a, b)).all(axis=1)
    return np.asarray(between & (point != a).any(axis=1) & (point != b).any(axis=1))


def _crossing_points(a: Points, b: Points, c: Points, d: Points) -> Points:
    along, across, offset = b - a, d - c, c - a
    share = (offset[:, 0] * across[:, 1] - offset[:, 1] * across[:, 0]) / (
        along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    )
    # Edges so nearly parallel that the quotient overflows cross somewhere along them.
    share = np.clip(np.nan_to_num(share, nan=0.5), 0, 1)
    return np.asarray(a + along * share[:, None])


def _split(chain: Chain, cuts: _Contacts) -> Chain:
    edges = chain.edges
    points = np.concatenate([chain.points, cuts.new_points])
    pair = np.unique(np.stack([cuts.edge, cuts.point], axis=1), axis=0)
    edge, point = pair[:, 0], pair[:, 1]
    origin = points[edges.start[edge]]
    along = ((points[point] - origin) * (points[edges.end[edge]] - origin)).sum(axis=1)
    order = np.lexsort((along, edge))
    edge, point = edge[order], point[order]
    start = np.insert(edges.start, edge + 1, point)
    end = np.insert(edges.end, edge, point)
    owner = np.insert(edges.owner, edge + 1, edges.owner[edge])
    # A rounded crossing may fall on a point that is already there.
    distinct, number = _distinct(points)
    start, end = number[start], number[end]
    long = start != end
    return Chain(distinct, Edges(start[long], end[long], owner[long]))


@dataclass(frozen=True, slots=True)
class Faces:
    """Bounded faces that a noded chain makes.

    Attributes
    ----------
    polygon : (f,) object
    winding : (f,) int64, how often the chain winds around each
    left, right : (m,) int64, the face on either side of each edge of the chain, ``OUTSIDE`` for the unbounded one
    """

    polygon: Geometries
    winding: Indices
    left: Indices
    right: Indices


def faces_of(chain: Chain) -> Faces:
    """Faces of a noded closed chain and its winding number in each."""
    if not len(chain):
        none = np.empty(0, np.int64)
        return Faces(np.empty(0, object), none, none, none)
    start, end = chain.edges.start, chain.edges.end
    count = len(chain.points)
    low, high = np.minimum(start, end), np.maximum(start, end)
    span, of_edge = np.unique(low * count + high, return_inverse=True)
    net = np.bincount(of_edge, np.where(start == low, 1, -1)).astype(np.int64)
    low, high = span // count, span % count
    lines = shapely.linestrings(np.stack([chain.points[low], chain.points[high]], axis=1))
    polygons = shapely.orient_polygons(shapely.get_parts(shapely.polygonize(lines)))

    rings, polygon = shapely.get_rings(polygons, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    number = _number_in(chain.points, coordinates)
    first = np.flatnonzero(ring[1:] == ring[:-1])
    here, there = number[first], number[first + 1]
    row = np.searchsorted(span, np.minimum(here, there) * count + np.maximum(here, there))
    forward = here < there
    left, right = np.full(len(span), OUTSIDE), np.full(len(span), OUTSIDE)
    left[row[forward]] = polygon[ring[first]][forward]
    right[row[~forward]] = polygon[ring[first]][~forward]

    winding = _propagate(left, right, net, len(polygons))
    along = start == low[of_edge]
    return Faces(
        polygons,
        winding,
        np.where(along, left[of_edge], right[of_edge]),
        np.where(along, right[of_edge], left[of_edge]),
    )


def unresolved(faces: Faces, chain: Chain) -> NDArray[np.bool_]:
    """Edges of a chain across which the winding number does not step as it must; (m,) bool.

    There are none in a noded chain. Where rounding left two edges crossing, faces are missing: the edges still prove
    that something is wrong there.
    """
    start, end = chain.edges.start, chain.edges.end
    forward = start * len(chain.points) + end
    _, edge, copies = np.unique(forward, return_inverse=True, return_counts=True)
    winding = np.append(faces.winding, 0)
    return np.asarray(winding[faces.left] - winding[faces.right] != copies[edge])


def _number_in(points: Points, coordinates: Points) -> Indices:
    known = points[:, 0] + 1j * points[:, 1]
    return np.searchsorted(known, coordinates[:, 0] + 1j * coordinates[:, 1])


def _propagate(left: Indices, right: Indices, net: Indices, faces: int) -> Indices:
    """Winding numbers from the unbounded face inwards: crossing an edge from right to left adds its multiplicity."""
    one, other = np.where(left == OUTSIDE, faces, left), np.where(right == OUTSIDE, faces, right)
    apart = one != other
    one, other, net = one[apart], other[apart], net[apart]
    graph = coo_array((np.ones(2 * len(one)), (np.r_[one, other], np.r_[other, one])), shape=(faces + 1, faces + 1))
    order, parent = breadth_first_order(graph.tocsr(), faces, directed=False)
    step = {(int(r), int(lf)): int(n) for lf, r, n in zip(one, other, net, strict=True)}
    winding = np.zeros(faces + 1, np.int64)
    for face in order[1:].tolist():
        before = int(parent[face])
        winding[face] = winding[before] + (step[before, face] if (before, face) in step else -step[face, before])
    return winding[:-1]
