"""Take polygons apart into the faces of their noded linework and put them together again without narrow faults.

All linework near the faults is noded once on the lattice (snap rounding, GEOS fixed precision), so that faces tile the
ground by construction. Each face has the polygons that hold it; where that is none, or several, over a stretch no
wider than the tolerance, the neighbour with the longest border to the stretch gets it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.geometry.chain import Indices, cancel
from gridmap.geometry.lattice import Geometries, geometries_to_degrees
from gridmap.geometry.noded_border import BEND_UNITS, DirectedFaces, noded_border
from gridmap.geometry.predicates import Points, Values
from gridmap.geometry.width import sizes_of
from gridmap.geometry.winding import OUTSIDE, Chain, chain_of, compact, faces_of

ANY_AREA = -1

#: (face, polygon) pairs.
Holdings = set[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where polygons may lie.

    Attributes
    ----------
    areas : (m,) polygons or multipolygons, lattice frame; none: everywhere
    area_of_polygon : (n,) int64, the area to which each polygon is bound, ``ANY_AREA`` for any
    """

    areas: Geometries
    area_of_polygon: Indices

    def allows(self, polygon: int, area: int) -> bool:
        """Whether a polygon may hold ground of an area; ``OUTSIDE`` is beyond all areas."""
        if not len(self.areas):
            return True
        bound = int(self.area_of_polygon[polygon])
        return area != OUTSIDE and bound in (ANY_AREA, area)


def reassemble(polygons: Geometries, zones: Geometries, ground: Ground, tolerance_m: float) -> Geometries:
    """Rebuild polygons, without overlap, gap or ground of others up to the tolerance in the zones.

    Parameters
    ----------
    polygons : (n,) valid polygons or multipolygons, lattice frame
    zones : boxes, lattice units, within which linework is noded
    ground : where the polygons may lie
    tolerance_m : greatest width of what is mended, metres

    Returns
    -------
    (n,) object
        Polygons with no linework in a zone are the same objects.
    """
    touched = _meeting(polygons, zones)
    everything = np.concatenate([polygons[touched], ground.areas[_meeting(ground.areas, zones)]])
    faces = _faces(everything, zones)
    held, known = _holdings(faces, polygons, touched)
    chain = chain_of(faces, np.arange(len(faces)))
    area = _area_of(faces, chain, ground)[known]
    held = _settled(faces[known], held, area, _borders(chain, known), ground, tolerance_m)
    return _put_together(polygons, touched, chain, {(int(known[face]), row) for face, row in held})


def _meeting(polygons: Geometries, zones: Geometries) -> Indices:
    """Rows of polygons that meet a zone, with their border or as its ground."""
    return np.unique(shapely.STRtree(zones).query(polygons, predicate="intersects")[0]).astype(np.int64)


def _faces(polygons: Geometries, zones: Geometries) -> Geometries:
    """Faces of the border segments of polygons, those in the zones noded on the lattice."""
    chain = chain_of(polygons, np.arange(len(polygons)))
    low = np.minimum(chain.edges.start, chain.edges.end)
    high = np.maximum(chain.edges.start, chain.edges.end)
    ends = np.unique(np.stack([low, high], axis=1), axis=0)
    segments = shapely.linestrings(chain.points[ends])
    near = np.zeros(len(segments), np.bool_)
    near[shapely.STRtree(zones).query(segments)[0]] = True
    near = _with_entangled(segments, ends, chain.points, near)
    faces, *broken = shapely.polygonize_full(_noded(segments, near))
    loose = shapely.get_parts(np.array(broken, dtype=object))
    if np.isin(shapely.to_wkb(shapely.normalize(segments[~near])), shapely.to_wkb(shapely.normalize(loose))).any():
        # Noding bent a border over one that was left alone, so that this bounds no face: bend them all.
        faces = shapely.polygonize(_noded(segments, np.ones(len(segments), np.bool_)))
    return np.asarray(shapely.orient_polygons(shapely.get_parts(faces)))


def _noded(segments: Geometries, near: NDArray[np.bool_]) -> Geometries:
    """Segments, the near ones snap-rounded together."""
    noded = shapely.get_parts(shapely.union_all(segments[near], grid_size=1))
    # Lines with inner vertices would not be joined there by the segments that were left alone.
    corners, line = shapely.get_coordinates(noded, return_index=True)
    first = np.flatnonzero(line[1:] == line[:-1])
    pieces = shapely.linestrings(np.stack([corners[first], corners[first + 1]], axis=1))
    return np.concatenate([segments[~near], pieces])


def _with_entangled(
    segments: Geometries, ends: Indices, points: Points, chosen: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Add the segments that chosen ones meet other than at a common end: to be noded, too, or lines would cross."""
    tree = shapely.STRtree(segments)
    fresh = np.flatnonzero(chosen)
    while len(fresh):
        one, other = tree.query(segments[fresh])
        one, other = fresh[one][~chosen[other]], other[~chosen[other]]
        entangled = np.zeros(len(one), np.bool_)
        apart = (ends[one][:, :, None] != ends[other][:, None, :]).all(axis=(1, 2))
        entangled[apart] = shapely.dwithin(segments[one[apart]], segments[other[apart]], BEND_UNITS)
        for base, tip in ((one, other), (other, one)):
            for end in (0, 1):
                free = (ends[tip][:, end, None] != ends[base]).all(axis=1)
                tips = shapely.points(points[ends[tip[free], end]])
                entangled[free] |= shapely.dwithin(segments[base[free]], tips, BEND_UNITS)
        fresh = np.unique(other[entangled])
        chosen = chosen.copy()
        chosen[fresh] = True
    return chosen


def _holdings(faces: Geometries, polygons: Geometries, touched: Indices) -> tuple[Holdings, Indices]:
    """Polygons that hold each face, and the faces that are not wholly ground of untouched polygons."""
    places = shapely.point_on_surface(faces)
    face, row = shapely.STRtree(polygons).query(places, predicate="intersects")
    of_touched = np.isin(row, touched)
    foreign = np.setdiff1d(face[~of_touched], face[of_touched])
    known = np.setdiff1d(np.arange(len(faces)), foreign)
    number = np.searchsorted(known, face[of_touched])
    return set(zip(number.tolist(), row[of_touched].tolist(), strict=True)), known


def _area_of(faces: Geometries, chain: Chain, ground: Ground) -> Indices:
    """Area that each face is ground of: on the left of its noded border, elsewhere that under its inner point."""
    area = np.full(len(faces), OUTSIDE)
    if not len(ground.areas):
        return area
    where, found = shapely.STRtree(ground.areas).query(shapely.point_on_surface(faces), predicate="intersects")
    # The first of several areas that meet at a point counts.
    area[where[::-1]] = found[::-1]
    start, end, of_area = noded_border(chain, ground.areas)
    side = DirectedFaces(chain)
    left, right = side.left_of(start, end), side.left_of(end, start)
    beyond = (right != OUTSIDE) & (area[right] == of_area)
    area[right[beyond]] = OUTSIDE
    area[left[left != OUTSIDE]] = of_area[left != OUTSIDE]
    return area


@dataclass(frozen=True, slots=True)
class _Borders:
    """Faces across the border of each face.

    Attributes
    ----------
    begin : (f + 1,) int64, where each face's rows begin
    other : (b,) int64, the face across, ``OUTSIDE`` for none
    length : (b,) float64, lattice units
    """

    begin: Indices
    other: Indices
    length: Values

    def of(self, faces: Indices) -> Indices:
        """Rows of these faces."""
        return np.concatenate([np.arange(self.begin[face], self.begin[face + 1]) for face in faces])

    @property
    def one(self) -> Indices:
        """Face of each row."""
        return np.repeat(np.arange(len(self.begin) - 1), np.diff(self.begin))


def _borders(chain: Chain, known: Indices) -> _Borders:
    """Borders among the ``known`` faces, which are renumbered; all others are outside."""
    edges, count = chain.edges, len(chain.points)
    forward = edges.start * count + edges.end
    order = np.argsort(forward)
    at = np.searchsorted(forward[order], edges.end * count + edges.start)
    twin = order[np.minimum(at, len(order) - 1)]
    matched = (edges.start[twin] == edges.end) & (edges.end[twin] == edges.start)
    number = np.full(int(edges.owner.max(initial=-1)) + 1, OUTSIDE)
    number[known] = np.arange(len(known))
    one, other = number[edges.owner], np.where(matched, number[edges.owner[twin]], OUTSIDE)
    length = np.hypot(*(chain.points[edges.end] - chain.points[edges.start]).T)
    by_face = np.argsort(one, kind="stable")
    by_face = by_face[one[by_face] != OUTSIDE]
    begin = np.searchsorted(one[by_face], np.arange(len(known) + 1))
    return _Borders(begin.astype(np.int64), other[by_face], length[by_face])


def _settled(
    faces: Geometries, held: Holdings, area: Indices, borders: _Borders, ground: Ground, tolerance_m: float
) -> Holdings:
    """Give every narrow stretch to one allowed holder."""
    holders: list[frozenset[int]] = [frozenset()] * len(faces)
    grouped: dict[int, set[int]] = {}
    for face, polygon in held:
        grouped.setdefault(face, set()).add(polygon)
    for face, found in grouped.items():
        holders[face] = frozenset(found)
    is_wrong = np.array(
        [_is_wrong(found, int(area[face]), ground) for face, found in enumerate(holders)], dtype=np.bool_
    )
    stretches = _stretches(holders, area, is_wrong, borders)
    ground_of = np.array([_sum(faces[stretch]) for stretch in stretches], dtype=object)
    solid = np.array([not found.is_empty for found in ground_of], dtype=np.bool_)
    width = np.zeros(len(stretches))
    if solid.any():
        width[solid] = sizes_of(geometries_to_degrees(ground_of[solid])).width_m
    settled = set(held)
    for stretch, width_m in zip(stretches, width.tolist(), strict=True):
        if width_m > tolerance_m:
            continue
        winner = _winner(stretch, holders, int(area[stretch[0]]), borders, ground)
        settled -= {(face, polygon) for face in stretch.tolist() for polygon in holders[face]}
        if winner is not None:
            settled |= {(face, winner) for face in stretch.tolist()}
    return settled


def _sum(faces: Geometries) -> shapely.Geometry:
    return faces[0] if len(faces) == 1 else shapely.union_all(faces, grid_size=1)


def _is_wrong(found: frozenset[int], area: int, ground: Ground) -> bool:
    """Whether a face is held by none although it should be, by several, or by one that may not."""
    wanted = 0 if len(ground.areas) and area == OUTSIDE else 1
    return len(found) != wanted or not all(ground.allows(polygon, area) for polygon in found)


def _stretches(
    holders: list[frozenset[int]], area: Indices, is_wrong: NDArray[np.bool_], borders: _Borders
) -> list[Indices]:
    """Find connected sets of wrong faces with the same holders, but for unheld ones that reach the outside."""
    kinds: dict[tuple[frozenset[int], int], int] = {}
    kind = np.array(
        [kinds.setdefault(key, len(kinds)) for key in zip(holders, area.tolist(), strict=True)], dtype=np.int64
    )
    inner = borders.other != OUTSIDE
    one, other = borders.one, borders.other
    open_to_outside = np.unique(one[~inner])
    one, other = one[inner], other[inner]
    alike = (kind[one] == kind[other]) & is_wrong[one] & is_wrong[other]
    graph = coo_array((np.ones(int(alike.sum())), (one[alike], other[alike])), shape=(len(kind), len(kind)))
    _, component = connected_components(graph, directed=False)
    # Within an area the ground ends at its border; without areas, ground open to the outside is nobody's.
    unheld = np.array([not found for found in holders], dtype=np.bool_) & (area == OUTSIDE)
    open_components = np.unique(component[open_to_outside[unheld[open_to_outside]]])
    rows = np.flatnonzero(is_wrong & ~np.isin(component, open_components))
    rows = rows[np.argsort(component[rows], kind="stable")]
    return [part for part in np.split(rows, np.flatnonzero(np.diff(component[rows])) + 1) if len(part)]


def _winner(
    stretch: Indices, holders: list[frozenset[int]], area: int, borders: _Borders, ground: Ground
) -> int | None:
    """Find the allowed polygon with the longest border to a stretch: one of its holders, if there are any."""
    claims = {polygon for polygon in holders[stretch[0]] if ground.allows(polygon, area)}
    rim = borders.of(stretch)
    rim = rim[(borders.other[rim] != OUTSIDE) & ~np.isin(borders.other[rim], stretch)]
    shared = dict.fromkeys(claims, 0.0)
    neighbours: set[int] = set()
    for other, length in zip(borders.other[rim].tolist(), borders.length[rim].tolist(), strict=True):
        neighbours |= holders[other]
        for polygon in holders[other]:
            if ground.allows(polygon, area) and (not claims or polygon in claims):
                shared[polygon] = shared.get(polygon, 0.0) + length
    if not holders[stretch[0]] and len(neighbours) < 2 and not len(ground.areas):
        # A hole that lies within one polygon is meant.
        return None
    return min(shared, key=lambda polygon: (-shared[polygon], polygon)) if shared else None


def _put_together(polygons: Geometries, touched: Indices, chain: Chain, held: Holdings) -> Geometries:
    """Replace each touched polygon by the sum of its faces, empty where it has none."""
    faces_of_row: dict[int, list[int]] = {row: [] for row in touched.tolist()}
    for face, row in sorted(held):
        faces_of_row[row].append(face)
    by_face = np.argsort(chain.edges.owner, kind="stable")
    begin = np.searchsorted(chain.edges.owner[by_face], np.arange(int(chain.edges.owner.max(initial=-1)) + 2))
    rebuilt = polygons.copy()
    for row, faces in faces_of_row.items():
        rows = [by_face[begin[face] : begin[face + 1]] for face in faces]
        border = cancel(chain.edges.take(np.concatenate([*rows, np.empty(0, np.int64)])))
        found = faces_of(compact(Chain(chain.points, border)))
        parts = found.polygon[found.winding == 1]
        rebuilt[row] = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    return rebuilt
