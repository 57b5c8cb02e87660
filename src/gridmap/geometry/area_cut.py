"""Cut one area into its cells and prove the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.errors import InvalidGeometry, OutOfPlace, Place, TooLarge
from gridmap.geometry.boundary import MOST_SHIFT_UNITS, Mismatch, follow
from gridmap.geometry.certificate import AreaProof, prove, unproved
from gridmap.geometry.chain import Edges, Indices, cancel, distinct, edges_of
from gridmap.geometry.clip import clip
from gridmap.geometry.cover import Cover, cover
from gridmap.geometry.hexes import Cells, Outlines
from gridmap.geometry.lattice import (
    MAX_X,
    MAX_Y,
    UNITS_PER_DEGREE,
    Geometries,
    geometries_to_degrees,
    pack,
    to_degrees,
    unpack,
)
from gridmap.geometry.measure import area_m2, ring_area_m2
from gridmap.geometry.rings import polygons_of_rings
from gridmap.geometry.snap_overlay import SnapOverlay, Surroundings
from gridmap.settings import settings

#: What snap rounding bends lies within this of where it shows.
_NEIGHBOURHOOD_UNITS = 16
#: Cosine of the angle below which a corner's tip may be narrower than the rounding, 100°.
_SHARPEST = -0.174


@dataclass(frozen=True, slots=True)
class Shapes:
    """Ground of pieces, from which polygons are made when asked for: making them is a good part of all the work.

    Attributes
    ----------
    whole : outlines of the pieces that are whole cells
    cut : polygons or multipolygons of the others, lattice frame
    order : (n,) int64, rows of the whole ones and then the cut ones, in the order of the pieces
    """

    whole: Outlines
    cut: Geometries
    order: Indices

    def on_lattice(self) -> Geometries:
        """Polygons or multipolygons in the lattice frame."""
        return self._in_order(polygons_of_rings(self.whole.points, self.whole.offset), self.cut)

    def in_degrees(self) -> Geometries:
        """Polygons or multipolygons in degrees."""
        whole = polygons_of_rings(to_degrees(self.whole.points), self.whole.offset)
        return self._in_order(whole, geometries_to_degrees(self.cut))

    def area_m2(self) -> NDArray[np.float64]:
        """Area of each, square metres on the ellipsoid."""
        return self._in_order(ring_area_m2(self.whole.points, self.whole.offset), area_m2(self.cut))

    def _in_order(self, whole: NDArray[Any], cut: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.concatenate([whole, cut])[self.order])


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of one area or of a part of it, by cell.

    Attributes
    ----------
    cell : (n,) uint64, ascending
    shapes : their ground
    edges : directed edges of all pieces, owners are rows
    """

    cell: Cells
    shapes: Shapes
    edges: Edges


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies around a part of an area and must be cut alike on both sides.

    Attributes
    ----------
    carriers : for each edge of the part's border the edge of the area it was bent from, else itself; points where cells
        cut the border are taken on it, so that none comes to lie farther aside than one rounding
    around : all borders
    unstable : cells to be cut by snap rounding, because another part needs it
    """

    carriers: Edges
    around: Surroundings
    unstable: Cells


@dataclass(frozen=True, slots=True)
class AreaPieces(Pieces):
    """Pieces of one area, proved.

    Attributes
    ----------
    left_over : edges that did not cancel: the noded border of the area
    proof : what the certificate says of the area
    """

    left_over: Edges
    proof: AreaProof


def cut_area(polygon: shapely.Geometry, code: str, resolution: int) -> AreaPieces:
    """Cut one area into its cells and prove the result.

    Parameters
    ----------
    polygon : polygon or multipolygon, lattice frame, valid

    Raises
    ------
    TooLarge
        If it would come to more cells than the settings allow.
    OutOfPlace
        If the area lies at the antimeridian or a pole, where cells have no outline in longitude and latitude.
    InvalidGeometry
        If a cell cuts off a sharp corner of the area within the rounding, some centimetres from its tip.
    ProofFailed
        If the pieces could not be proved to tile the area.
    """
    alone = np.array([polygon], dtype=object)
    refuse_too_many(float(area_m2(alone)[0]), code, resolution)
    border = edges_of(alone)
    pieces, _ = cut_ground(polygon, border, code, resolution)
    left_over, proof = prove_area(border, [pieces], code)
    return AreaPieces(pieces.cell, pieces.shapes, pieces.edges, left_over, proof)


def cut_ground(
    polygon: shapely.Geometry, border: Edges, code: str, resolution: int, beside: Beside | None = None
) -> tuple[Pieces, Cells]:
    """Cut ground into its cells.

    Parameters
    ----------
    polygon : polygon or multipolygon, lattice frame, valid
    border : its directed edges
    code : code of the area it lies in, for messages
    beside : what else lies around that must be cut alike

    Returns
    -------
    pieces : the cells
    unstable : cells in which something lies so near to something else that they were cut by snap rounding

    Raises
    ------
    OutOfPlace
        As ``cut_area``.
    """
    covered = cover(polygon, border, resolution)
    _refuse_wrapped(covered, code)
    whole = np.flatnonzero(~covered.border)
    crossed = np.flatnonzero(covered.border)
    parts, part_row, unstable = _cut_crossed(covered, crossed, border, polygon, beside)
    cell, shapes, part_owner = _rows(covered, whole, crossed, parts, part_row)
    whole_owner = np.searchsorted(cell, covered.cells[whole])
    edges = Edges.join([_outline_edges(covered.outlines, whole, whole_owner), edges_of(parts, part_owner)])
    return Pieces(cell, shapes, edges), covered.cells[crossed[unstable]]


def prove_area(border: Edges, parts: Sequence[Pieces], code: str) -> tuple[Edges, AreaProof]:
    """Prove that all pieces of an area tile it.

    Parameters
    ----------
    border : directed edges of the area
    parts : pieces of its parts

    Returns
    -------
    left_over : the noded border of the area
    proof : what the certificate says of the area

    Raises
    ------
    InvalidGeometry, ProofFailed
        As ``cut_area``.
    """
    edges = parts[0].edges if len(parts) == 1 else Edges.join([part.edges for part in parts])
    left_over = cancel(edges)
    shift_m, mismatches = follow(border, left_over)
    if mismatches:
        _refuse_lost_corner(border, left_over, code)
        _refuse_narrow_ground(border, mismatches, code)
        raise unproved(code, mismatches[0].start)
    return left_over, prove(code, sum(len(part.cell) for part in parts), len(edges), left_over, shift_m)


def _refuse_lost_corner(border: Edges, left_over: Edges, code: str) -> None:
    """Name a sharp corner of the area that a cell cuts off within the rounding, so that it is gone from the pieces."""
    gone = np.setdiff1d(np.concatenate([border.start, border.end]), np.concatenate([left_over.start, left_over.end]))
    if len(gone):
        lon, lat = to_degrees(unpack(gone[:1]))[0]
        raise InvalidGeometry("geometry.lost_corner", Place(code=code), lon=f"{lon:.7f}", lat=f"{lat:.7f}")


def _refuse_narrow_ground(border: Edges, mismatches: Sequence[Mismatch], code: str) -> None:
    """Name a place near a mismatch where the area, or a gap in it, is too narrow for the lattice.

    Rounding moves each of two edges by up to ``MOST_SHIFT_UNITS``: nearer than that to each other they may become one.
    """
    start, end = unpack(border.start).astype(np.float64), unpack(border.end).astype(np.float64)
    lines, corners = shapely.linestrings(np.stack([start, end], axis=1)), shapely.points(start)
    failed = shapely.points(unpack(np.array([mismatch.start for mismatch in mismatches])).astype(np.float64))
    near = shapely.STRtree(corners).query(failed, predicate="dwithin", distance=_NEIGHBOURHOOD_UNITS)[1]
    near = distinct(near)
    corner, edge = shapely.STRtree(lines).query(corners[near], predicate="dwithin", distance=2 * MOST_SHIFT_UNITS)
    corner = near[corner]
    apart = (border.start[corner] != border.start[edge]) & (border.start[corner] != border.end[edge])
    tight = np.concatenate([corner[apart], near[_are_sharp(border, near)]])
    if len(tight):
        lon, lat = to_degrees(unpack(border.start[tight[:1]]))[0]
        raise InvalidGeometry("geometry.narrow_ground", Place(code=code), lon=f"{lon:.7f}", lat=f"{lat:.7f}")


def _are_sharp(border: Edges, rows: Indices) -> NDArray[np.bool_]:
    """Whether the corner that each of these edges begins at is sharper than a right angle, give or take a rounding."""
    order = np.argsort(border.end, kind="stable")
    before = order[np.searchsorted(border.end[order], border.start[rows])]
    ahead = (unpack(border.end[rows]) - unpack(border.start[rows])).astype(np.float64)
    back = (unpack(border.start[before]) - unpack(border.start[rows])).astype(np.float64)
    cosine = (ahead * back).sum(axis=1) / np.hypot(*ahead.T) / np.hypot(*back.T)
    return np.asarray(cosine > _SHARPEST)


def _cut_crossed(
    covered: Cover, crossed: Indices, border: Edges, polygon: shapely.Geometry, beside: Beside | None
) -> tuple[Geometries, Indices, Indices]:
    """Parts of the border cells ``crossed``, the row in ``crossed`` of each, and the rows cut by snap rounding."""
    size = np.diff(covered.outlines.offset)[crossed]
    crossings = _all_crossings(covered, crossed, border)
    carriers = None if beside is None else beside.carriers
    parts, rows, undecided = [], [], []
    for corner_count in np.unique(size):
        same = np.flatnonzero(size == corner_count)
        point, _ = _corner_rows(covered.outlines, crossed[same])
        corners = covered.outlines.points[point].astype(np.int64).reshape(len(same), -1, 2)
        row_of = np.full(len(crossed), -1)
        row_of[same] = np.arange(len(same))
        of_these = crossings[row_of[crossings[:, 0]] >= 0]
        pairs = np.stack([row_of[of_these[:, 0]], of_these[:, 1]], axis=1)
        clipped = clip(corners, border, pairs, polygon, carriers)
        parts.append(clipped.parts)
        rows.append(same[clipped.row])
        undecided.append(same[clipped.undecided])
    unstable = np.concatenate([np.empty(0, np.int64), *undecided])
    if beside is not None and len(beside.unstable):
        unstable = np.union1d(unstable, np.flatnonzero(np.isin(covered.cells[crossed], beside.unstable)))
        kept = [~np.isin(row, unstable) for row in rows]
        parts = [part[keep] for part, keep in zip(parts, kept, strict=True)]
        rows = [row[keep] for row, keep in zip(rows, kept, strict=True)]
    if len(unstable):
        overlay = SnapOverlay.of(border, carriers, None if beside is None else beside.around)
        for row in unstable.tolist():
            pieces = overlay.cut(int(covered.cells[crossed[row]]))
            parts.append(pieces)
            rows.append(np.full(len(pieces), row))
    none = np.empty(0, object), np.empty(0, np.int64)
    return np.concatenate([none[0], *parts]), np.concatenate([none[1], *rows]), unstable


def _all_crossings(covered: Cover, crossed: Indices, border: Edges) -> Indices:
    """Pairs of a row of ``crossed`` and a border edge that may cross that cell, sorted; cells of the seam included."""
    row_of = np.full(len(covered.cells), -1)
    row_of[crossed] = np.arange(len(crossed))
    known = np.stack([row_of[covered.crossings[:, 0]], covered.crossings[:, 1]], axis=1)
    seam = crossed[covered.seam[crossed]]
    if not len(seam):
        return known
    outlines = covered.outlines
    corners = [outlines.points[outlines.offset[row] : outlines.offset[row + 1]] for row in seam]
    boxes = shapely.box(*np.array([[*(xy.min(axis=0) - 2), *(xy.max(axis=0) + 2)] for xy in corners]).T)
    lines = shapely.linestrings(np.stack([unpack(border.start), unpack(border.end)], axis=1).astype(np.float64))
    edge, box = shapely.STRtree(boxes).query(lines)
    pairs = np.concatenate([known, np.stack([row_of[seam[box]], edge], axis=1)])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def refuse_too_many(ground_m2: float, code: str, resolution: int) -> None:
    """Raise ``TooLarge`` if an area would come to more cells than the settings allow."""
    cells = ground_m2 / h3.average_hexagon_area(resolution, "m^2")
    limit = settings().max_cells
    if cells > limit:
        place = Place(code=code)
        raise TooLarge(
            "geometry.too_many_cells", place, resolution=resolution, cells=f"{cells:,.0f}", limit=f"{limit:,}"
        )


def _refuse_wrapped(covered: Cover, code: str) -> None:
    points, offset = covered.outlines.points, covered.outlines.offset[:-1]
    if not len(offset):
        return
    width = np.maximum.reduceat(points[:, 0], offset) - np.minimum.reduceat(points[:, 0], offset)
    if (width > MAX_X).any() or np.abs(points[:, 1]).max() >= MAX_Y:
        lon, lat = points[offset[int(width.argmax())]] / UNITS_PER_DEGREE
        raise OutOfPlace("geometry.antimeridian", Place(code=code), lon=f"{lon:.4f}", lat=f"{lat:.4f}")


def _corner_rows(outlines: Outlines, rows: Indices) -> tuple[Indices, Indices]:
    """Point rows of these outlines one after the other, and which of ``rows`` each belongs to."""
    size = np.diff(outlines.offset)[rows]
    owner = np.repeat(np.arange(len(rows)), size)
    point = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size) + np.repeat(outlines.offset[rows], size)
    return point, owner


def _outline_edges(outlines: Outlines, rows: Indices, owners: Indices) -> Edges:
    point, owner = _corner_rows(outlines, rows)
    packed = pack(outlines.points[point])
    size = np.diff(outlines.offset)[rows]
    following = np.arange(1, len(point) + 1)
    last = np.cumsum(size) - 1
    following[last] -= size
    return Edges(packed, packed[following], owners[owner])


def _rows(
    covered: Cover, whole: Indices, crossed: Indices, parts: Geometries, part_row: Indices
) -> tuple[Cells, Shapes, Indices]:
    """One row a cell, ascending: cells, their ground, and the row of each part."""
    part_cell = covered.cells[crossed][part_row]
    cut = distinct(part_cell)
    part_of_cut = np.searchsorted(cut, part_cell)
    order = np.argsort(part_of_cut, kind="stable")
    count = np.bincount(part_of_cut, minlength=len(cut))
    joined = parts[order][np.cumsum(count) - count]
    of_several = count[part_of_cut[order]] > 1
    if of_several.any():
        indices = np.cumsum(count > 1)[part_of_cut[order][of_several]] - 1
        joined[count > 1] = shapely.multipolygons(parts[order][of_several], indices=indices)
    cells = np.concatenate([covered.cells[whole], cut])
    ascending = np.argsort(cells)
    row_of = np.empty(len(cells), np.int64)
    row_of[ascending] = np.arange(len(cells))
    point, owner = _corner_rows(covered.outlines, whole)
    outlines = Outlines(covered.outlines.points[point], np.searchsorted(owner, np.arange(len(whole) + 1)))
    return cells[ascending], Shapes(outlines, joined, ascending), row_of[len(whole) :][part_of_cut]
