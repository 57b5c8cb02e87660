"""Sum polygons that meet edge for edge: what does not cancel within a group is the border of the group.

Edges are joined so that each ring bounds one connected stretch of ground; a ring that touches itself is then taken
apart there, into a shell and holes, as valid polygons need it. No coordinate is computed, so the sum is exact.
"""

from __future__ import annotations

from functools import cmp_to_key

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.geometry.certificate import unproved
from gridmap.geometry.chain import Edges, Indices, cancel_within
from gridmap.geometry.lattice import Geometries, Packed, pack, unpack
from gridmap.geometry.rings import places_in_rings, twice_areas


def sum_by_owner(edges: Edges, count: int) -> Geometries:
    """Polygons of what each owner's edges enclose.

    Parameters
    ----------
    edges : directed edges of polygons that do not overlap within an owner, ground on the left; owners are 0 to count-1
    count : number of owners

    Returns
    -------
    (count,) polygons or multipolygons, lattice frame, normalised; empty polygons where nothing is left over

    Raises
    ------
    ProofFailed
        If the edges of an owner are not closed, or its polygons overlap.
    """
    edges = cancel_within(edges)
    summed = np.full(count, shapely.Polygon(), dtype=object)
    if not len(edges):
        return summed
    corners, offset, stretch, owner = _simple_rings(edges)
    area = twice_areas(unpack(corners), offset)
    shell, hole = np.flatnonzero(area > 0), np.flatnonzero(area < 0)
    rings = _linear_rings(corners, offset)
    home = _shells_of_holes(rings, shell, hole, stretch, owner, area)
    polygons = np.asarray(shapely.polygons(rings[shell]), dtype=object)
    by_home = np.argsort(home, kind="stable")
    pierced = np.unique(home)
    ends = np.searchsorted(home[by_home], np.stack([pierced, pierced + 1]))
    for number, begin, end in zip(pierced.tolist(), *ends.tolist(), strict=True):
        inner = by_home[begin:end]
        polygons[number] = shapely.polygons(rings[shell[number]], rings[hole[inner]])
    parts = np.bincount(owner[shell], minlength=count)
    order = np.argsort(owner[shell], kind="stable")
    polygons, of = polygons[order], owner[shell][order]
    single = parts[of] == 1
    summed[of[single]] = polygons[single]
    several = np.flatnonzero(parts > 1)
    if len(several):
        summed[several] = shapely.multipolygons(polygons[~single], indices=np.searchsorted(several, of[~single]))
    return np.asarray(shapely.normalize(summed))


def _linear_rings(corners: Packed, offset: Indices) -> Geometries:
    """Each ring, closed by its first point."""
    points = unpack(corners).astype(np.float64)
    size = np.diff(offset)
    ring = np.repeat(np.arange(len(size)), size + 1)
    place = np.arange(len(ring)) - np.repeat(offset[:-1] + np.arange(len(size)), size + 1)
    place = np.where(place == size[ring], 0, place)
    return np.asarray(shapely.linearrings(points[offset[ring] + place], indices=ring))


def _simple_rings(edges: Edges) -> tuple[Packed, Indices, Indices, Indices]:
    """Rings that touch themselves nowhere: corners, where each begins, the ring it was taken from, and its owner."""
    following = _following(edges)
    row = np.arange(len(edges))
    graph = coo_array((np.ones(len(row), np.int8), (row, following)), shape=(len(row), len(row)))
    ring = np.asarray(connected_components(graph, directed=False)[1], np.int64)
    order = np.lexsort((places_in_rings(ring, following), ring))
    corners, ring = edges.start[order], ring[order]
    first = np.flatnonzero(np.diff(ring, prepend=-1))
    offset, owner = np.append(first, len(row)), edges.owner[order][first]
    touching = _touching(corners, ring)
    if not len(touching):
        return corners, offset, np.arange(len(first)), owner
    split, loops = np.isin(ring, touching), list[list[int]]()
    source = list[int]()
    for number in touching.tolist():
        taken = _loops(corners[offset[number] : offset[number + 1]].tolist())
        loops += taken
        source += [number] * len(taken)
    whole = np.setdiff1d(np.arange(len(first)), touching)
    size = np.concatenate([np.diff(offset)[whole], [len(loop) for loop in loops]])
    stretch = np.concatenate([whole, source]).astype(np.int64)
    pulled = np.array([corner for loop in loops for corner in loop], np.int64)
    return np.concatenate([corners[~split], pulled]), np.append(0, np.cumsum(size)), stretch, owner[stretch]


def _touching(corners: Packed, ring: Indices) -> Indices:
    """Rings that visit a point more than once."""
    order = np.lexsort((corners, ring))
    again = (np.diff(ring[order]) == 0) & (np.diff(corners[order]) == 0)
    return np.unique(ring[order][1:][again])


def _loops(corners: list[int]) -> list[list[int]]:
    """Take a ring apart at the points it visits more than once."""
    loops: list[list[int]] = []
    path: list[int] = []
    place: dict[int, int] = {}
    for corner in corners:
        if corner in place:
            begin = place[corner]
            loops.append(path[begin:])
            for gone in path[begin:]:
                del place[gone]
            del path[begin:]
        place[corner] = len(path)
        path.append(corner)
    return [*loops, path]


def _following(edges: Edges) -> Indices:
    """Row of the edge after each: the one that bounds the same ground; edges are sorted by owner and start."""
    by_end = np.lexsort((edges.end, edges.owner))
    ends, starts = edges.take(by_end), edges
    if not (np.array_equal(ends.owner, starts.owner) and np.array_equal(ends.end, starts.start)):
        raise unproved(None, _first_apart(starts, ends))
    following = np.empty(len(edges), np.int64)
    following[by_end] = np.arange(len(edges))
    again = (np.diff(starts.owner) == 0) & (np.diff(starts.start) == 0)
    for first in np.flatnonzero(again & ~np.append(False, again[:-1])).tolist():
        last = first + 1
        while last < len(again) and again[last]:
            last += 1
        meeting = slice(first, last + 1)
        for coming, going in _pairs(starts, by_end[meeting], np.arange(first, last + 1)):
            following[coming] = going
    return following


def _first_apart(starts: Edges, ends: Edges) -> int:
    """First point at which not as many edges of an owner come as go."""
    apart = np.flatnonzero((ends.owner != starts.owner) | (ends.end != starts.start))
    return int(starts.start[apart[0]])


def _pairs(edges: Edges, coming: Indices, going: Indices) -> list[tuple[int, int]]:
    """Edges that come to a point and those that go on from it, with the ground between them.

    Seen from the point, ground lies clockwise of an edge that comes, up to the next edge that goes.
    """
    here = unpack(edges.start[going[:1]])[0]
    rays = [(*(unpack(edges.start[[row]])[0] - here).tolist(), row, False) for row in coming.tolist()]
    rays += [(*(unpack(edges.end[[row]])[0] - here).tolist(), row, True) for row in going.tolist()]
    rays.sort(key=cmp_to_key(_clockwise))
    pairs = []
    for number, (*_, row, goes) in enumerate(rays):
        if not goes:
            after = rays[(number + 1) % len(rays)]
            if not after[3]:
                raise unproved(None, int(edges.start[row] if goes else edges.end[row]))
            pairs.append((row, after[2]))
    return pairs


def _clockwise(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Order of rays by angle, clockwise from the west; exact."""
    halves = [ray[1] > 0 or (ray[1] == 0 and ray[0] < 0) for ray in (one, other)]
    if halves[0] != halves[1]:
        return -1 if halves[0] else 1
    turn = one[0] * other[1] - one[1] * other[0]
    return (turn > 0) - (turn < 0)


def _shells_of_holes(
    rings: Geometries, shell: Indices, hole: Indices, stretch: Indices, owner: Indices, area: NDArray[np.int64]
) -> Indices:
    """Find the shell around each hole, as its place in ``shell``."""
    home = np.full(len(hole), -1)
    only = np.bincount(owner[shell], minlength=int(owner.max()) + 1) == 1
    number = np.full(len(only), -1)
    number[owner[shell]] = np.arange(len(shell))
    home = np.where(only[owner[hole]], number[owner[hole]], home)
    of_stretch = dict(zip(stretch[shell].tolist(), range(len(shell)), strict=True))
    for row in np.flatnonzero(home < 0).tolist():
        home[row] = of_stretch.get(int(stretch[hole[row]]), -1)
    open_rows = np.flatnonzero(home < 0)
    if len(open_rows):
        tree = shapely.STRtree(shapely.polygons(rings[shell]))
        inner, outer = tree.query(shapely.get_point(rings[hole[open_rows]], 0), predicate="within")
        fits = owner[shell[outer]] == owner[hole[open_rows[inner]]]
        inner, outer = inner[fits], outer[fits]
        smallest = np.lexsort((-area[shell[outer]], inner))
        home[open_rows[inner[smallest]]] = outer[smallest]
    for row in np.flatnonzero(home < 0)[:1].tolist():
        raise unproved(None, int(pack(shapely.get_coordinates(rings[hole[row]]))[0]))
    return home
