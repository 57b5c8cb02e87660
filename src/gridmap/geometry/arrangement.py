"""Cut areas by lines and carve polygons out of them, exactly, on the lattice.

Lines, carved polygons and the borders they come near are noded together (``local_noding``), so that neighbours get the
same points. The faces of the linework belong to the area whose border they have on their left, or to that of the face
across a line; which is counted, not measured, and then proved: the edges of an area's faces cancel, and what is left
over is the area's border with points added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.errors import InvalidGeometry
from gridmap.geometry.absorption import absorb
from gridmap.geometry.boundary import follow
from gridmap.geometry.certificate import unproved
from gridmap.geometry.chain import Edges, Indices, cancel, cancel_within, edges_of, shared_borders
from gridmap.geometry.lattice import Geometries, Packed, to_degrees, unpack
from gridmap.geometry.local_noding import draw_to, node
from gridmap.geometry.snap_rounding import lines_of
from gridmap.geometry.sums import sum_by_owner
from gridmap.geometry.trimming import Cuts, trim

Bools = NDArray[np.bool_]

#: Faces of less mean width come of rounding, lattice units: each border of one may be bent by a unit.
_ROUNDING_WIDTH = 2.0
#: Lines are drawn to corners of areas this near, and to those they would cut off from ever farther, lattice units.
_REACH, _REACH_GROWTH, _MOST_REACH = 3.0, 10.0, 3000.0
_NOTHING = -1


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Faces of areas, by area, then by carved ground, then from west to east.

    Attributes
    ----------
    faces : (f,) polygons, lattice frame; an area that nothing touches is one face, the very polygon it was given as
    area : (f,) int64, row of the area
    carved : (f,) int64, row of the carved polygon the face is ground of, -1 for none
    """

    faces: Geometries
    area: Indices
    carved: Indices

    def __len__(self) -> int:
        """Count of the faces."""
        return len(self.faces)


def arrange(areas: Geometries, lines: Geometries, carved: Geometries, cuts: Cuts | None = None) -> Arrangement:
    """Cut areas.

    Ends of lines that dangle cut nothing, nor does what lies outside all areas. What two lines, or a line and a border,
    enclose by rounding only is given to the neighbour in the same area.

    Parameters
    ----------
    areas : (n,) polygons or multipolygons, lattice frame, valid, noded alike where they adjoin, without overlap
    lines : (l,) LineStrings or MultiLineStrings, lattice frame
    carved : (c,) polygons or multipolygons, lattice frame, valid, overlapping by rounding at most (the first counts)
    cuts : which lines may cut which areas; default: every line every area

    Raises
    ------
    InvalidGeometry
        If a line cuts off so sharp a corner of an area that its tip is lost in the rounding.
    ProofFailed
        If the faces could not be proved to tile the areas.
    """
    border = edges_of(areas)
    cutting, touched = trim(lines, areas, border, cuts)
    carving = edges_of(carved)
    touched[shapely.STRtree(areas).query(carved, predicate="intersects")[1]] = True
    corners = np.unique(border.start)
    reach = np.full(len(corners), _REACH)
    while True:
        found = _arranged(areas, border, draw_to(cutting, corners, reach), draw_to(carving, corners, reach), touched)
        lost = _lost_corners(found, areas, border)
        if not len(lost):
            return found
        cut_off = np.isin(corners, lost)
        reach[cut_off] *= _REACH_GROWTH
        if reach.max() > _MOST_REACH or not cut_off.any():
            lon, lat = to_degrees(unpack(lost[:1]))[0]
            raise InvalidGeometry("geometry.lost_corner_to_line", lon=f"{lon:.7f}", lat=f"{lat:.7f}")


def _arranged(areas: Geometries, border: Edges, cutting: Edges, carving: Edges, touched: Bools) -> Arrangement:
    noded = node(Edges.join([cutting, carving]), border)
    touched = touched.copy()
    touched[border.owner[noded.bent[len(cutting) + len(carving) :]]] = True
    of_cutting = noded.source < len(cutting)
    of_border = noded.source >= len(cutting) + len(carving)
    borders = noded.edges.take(of_border)
    rims = cancel_within(borders.take(touched[borders.owner]))
    rings = cancel_within(noded.edges.take(~of_cutting & ~of_border))
    found = _faces(rims, rings, noded.edges.take(of_cutting), len(areas))
    found = _without_slivers(found)
    return _with_untouched(found, areas, touched, borders, border)


@dataclass(frozen=True, slots=True)
class _Linework:
    """Faces by the directed edges that have them on the left; edges are numbers of point pairs."""

    points: Packed
    key: Indices
    face: Indices

    @classmethod
    def of(cls, faces: Edges) -> _Linework:
        points = np.unique(np.concatenate([faces.start, faces.end]))
        key = _key(points, faces.start, faces.end)
        order = np.argsort(key)
        return cls(points, key[order], faces.owner[order])

    def left_of(self, edges: Edges) -> Indices:
        """Face on the left of each edge, -1 where there is none."""
        key = _key(self.points, edges.start, edges.end)
        place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return np.where(self.key[place] == key, self.face[place], _NOTHING)


def _key(points: Packed, start: Packed, end: Packed) -> Indices:
    """One number for each pair of points, -1 where one is unknown."""
    pair = []
    for packed in (start, end):
        place = np.minimum(np.searchsorted(points, packed), len(points) - 1)
        pair.append(np.where(points[place] == packed, place, _NOTHING))
    return np.where((pair[0] < 0) | (pair[1] < 0), _NOTHING, pair[0] * len(points) + pair[1])


def _faces(rims: Edges, rings: Edges, cutting: Edges, areas: int) -> Arrangement:
    """Faces of all linework that lie in an area."""
    everything = Edges.join([rims, rings, cutting])
    ends = np.stack([np.minimum(everything.start, everything.end), np.maximum(everything.start, everything.end)])
    low, high = np.unique(ends, axis=1)
    faces = shapely.get_parts(shapely.polygonize(lines_of(low, high))) if len(low) else np.empty(0, object)
    none = np.empty(0, np.int64)
    if not len(faces):
        return Arrangement(np.empty(0, object), none, none)
    edges = edges_of(faces)
    linework, (pairs, start, end) = _Linework.of(edges), shared_borders(edges)
    across = Edges(start, end, np.arange(len(start)))
    area = _labels(linework, pairs, across, rims, len(faces), strict=True)
    ground = _labels(linework, pairs, across, rings, len(faces), strict=False)
    kept = area >= 0
    return _in_order(Arrangement(faces[kept], area[kept], ground[kept]))


def _labels(linework: _Linework, pairs: Indices, across: Edges, border: Edges, count: int, strict: bool) -> Indices:
    """Owner of the border around each face, -1 for faces outside all borders.

    Faces that adjoin across anything but a border have the same owner.
    """
    reverse = Edges(border.end, border.start, border.owner)
    sides = np.concatenate([_key(linework.points, side.start, side.end) for side in (border, reverse)])
    open_edge = ~np.isin(_key(linework.points, across.start, across.end), sides)
    joined = pairs[open_edge]
    graph = coo_array((np.ones(len(joined), np.int8), (joined[:, 0], joined[:, 1])), shape=(count, count))
    stretch = np.asarray(connected_components(graph, directed=False)[1], np.int64)
    face = linework.left_of(border)
    known = np.flatnonzero(face >= 0)
    owner = np.full(int(stretch.max()) + 1, _NOTHING)
    by_owner = known[np.argsort(-border.owner[known], kind="stable")]
    owner[stretch[face[by_owner]]] = border.owner[by_owner]
    torn = known[owner[stretch[face[known]]] != border.owner[known]]
    if strict and len(torn):
        raise unproved(None, int(border.start[torn[0]]))
    return np.asarray(owner[stretch])


def _in_order(found: Arrangement) -> Arrangement:
    faces = np.asarray(shapely.normalize(found.faces))
    corner = np.asarray(shapely.get_coordinates(shapely.get_point(shapely.get_exterior_ring(faces), 0)))
    size = shapely.area(faces)
    order = np.lexsort((size, corner[:, 1], corner[:, 0], found.carved, found.area))
    return Arrangement(faces[order], found.area[order], found.carved[order])


def _without_slivers(found: Arrangement) -> Arrangement:
    """Give faces that come of rounding to the neighbour in the same area with the longest border to them."""
    size = shapely.area(found.faces)
    thin = 2 * size < _ROUNDING_WIDTH * shapely.length(found.faces)
    if not thin.any():
        return found
    edges = edges_of(found.faces)
    pairs, start, end = shared_borders(edges)
    alike = (found.area[pairs[:, 0]] == found.area[pairs[:, 1]]) & thin[pairs].any(axis=1)
    pairs, along = pairs[alike], (unpack(end) - unpack(start))[alike]
    key, which = np.unique(pairs, axis=0, return_inverse=True)
    length = np.bincount(which.reshape(-1), weights=np.hypot(along[:, 0], along[:, 1]), minlength=len(key))
    joined = absorb(size, np.where(thin, np.inf, 0.0), key, length.astype(np.float64))
    kept, number = np.unique(joined, return_inverse=True)
    summed = sum_by_owner(Edges(edges.start, edges.end, number[edges.owner]), len(kept))
    return _in_order(_parts(Arrangement(summed, found.area[kept], found.carved[kept])))


def _parts(found: Arrangement) -> Arrangement:
    """Polygons of multipolygons as faces of their own."""
    parts, row = shapely.get_parts(found.faces, return_index=True)
    return Arrangement(parts, found.area[row], found.carved[row])


def _with_untouched(found: Arrangement, areas: Geometries, touched: Bools, noded: Edges, border: Edges) -> Arrangement:
    """Add areas as they were given where nothing cuts them nor adds a point to their border."""
    whole = np.bincount(found.area, minlength=len(areas)) == shapely.get_num_geometries(areas)
    whole &= np.bincount(noded.owner, minlength=len(areas)) == np.bincount(border.owner, minlength=len(areas))
    whole[found.area[found.carved >= 0]] = False
    whole |= ~touched
    rest = np.flatnonzero(~whole[found.area])
    alone = np.flatnonzero(whole)
    faces = np.concatenate([found.faces[rest], areas[alone]])
    area = np.concatenate([found.area[rest], alone])
    carved = np.concatenate([found.carved[rest], np.full(len(alone), _NOTHING)])
    order = np.argsort(area, kind="stable")
    return Arrangement(faces[order], area[order], carved[order])


def _lost_corners(found: Arrangement, areas: Geometries, border: Edges) -> Packed:
    """Corners of areas that are no corners of what their faces leave over; none if that is the areas' noded border.

    Raises
    ------
    ProofFailed
        If it is not, although all corners are there.
    """
    left = cancel_within(edges_of(found.faces, found.area))
    whole = cancel_within(border)
    known = {id(area) for area in areas}
    given = np.array([id(face) in known for face in found.faces], dtype=np.bool_)
    begin, end = (
        np.searchsorted(left.owner, np.arange(len(areas) + 1)),
        np.searchsorted(whole.owner, np.arange(len(areas) + 1)),
    )
    lost = [np.empty(0, np.int64)]
    for row in np.setdiff1d(np.arange(len(areas)), found.area[given]).tolist():
        own, noded = whole.take(np.arange(end[row], end[row + 1])), left.take(np.arange(begin[row], begin[row + 1]))
        _, mismatches = follow(own, noded)
        if mismatches:
            lost.append(np.setdiff1d(own.start, noded.start))
            if not len(lost[-1]):
                raise unproved(None, mismatches[0].start)
    if len(lost) == 1:
        _, mismatches = follow(cancel(border), cancel(left))
        if mismatches:
            raise unproved(None, mismatches[0].start)
    return np.unique(np.concatenate(lost))
