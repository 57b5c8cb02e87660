"""Find every H3 cell that an area touches, and which of them its border may cross.

The border is sampled so densely that no cell can be crossed unseen; the samples mark cells on the lattice of their
icosahedron face. The cells that are left fall into connected stretches which no border enters, so one point of a
stretch settles all of it. Cells near an edge of a face are always counted among those the border may cross.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from gridmap.geometry.chain import Edges, distinct
from gridmap.geometry.hexes import (
    Cells,
    Outlines,
    lattice_cells,
    lattice_outlines,
    library_outlines,
    named_cells,
)
from gridmap.geometry.icosahedron import FaceLattice, directions, face_lattice, face_of, faces, lonlat_of
from gridmap.geometry.lattice import to_degrees, to_units, unpack

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Distance between border samples, cell spacings.
_STEP = 0.25
#: The plane of a face stretches lengths by up to 1 / cos² of the angle to its centre.
_MOST_STRETCH = 1.6
#: Cells whose centre is this near an edge of their face, cell spacings, are drawn by the library.
_SEAM = 1.2
#: Neighbours of a cell in axial coordinates that share an edge with it.
_ACROSS = ((1, 0), (1, 1), (0, 1))
_CONNECTED = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]])


@dataclass(frozen=True, slots=True)
class Cover:
    """Cells that may touch an area.

    Attributes
    ----------
    cells : (n,) uint64, distinct
    outlines : corners of each on the lattice
    border : (n,) bool; False where the cell lies inside the area and at least one lattice unit away from its border
    crossings : (m, 2) int64, sorted: row of a border cell with six corners, row of a border edge that may cross it
    seam : (n,) bool, cells drawn by the library; they have no ``crossings``
    """

    cells: Cells
    outlines: Outlines
    border: NDArray[np.bool_]
    crossings: Indices
    seam: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Samples:
    """Points of the border: directions (n, 3), and the row of the border edge each lies on (n,)."""

    directions: Floats
    edge: Indices

    def take(self, rows: NDArray[np.bool_]) -> _Samples:
        return _Samples(self.directions[rows], self.edge[rows])


def cover(polygon: shapely.Geometry, border: Edges, resolution: int) -> Cover:
    """Cover one area.

    Parameters
    ----------
    polygon : polygon or multipolygon, lattice frame, valid
    border : its directed edges
    resolution : H3 resolution, 0 to 15

    Returns
    -------
    Cover
        With every cell that has ground in common with the area, and some border cells that have none.
    """
    lonlat = to_degrees(unpack(border.start)), to_degrees(unpack(border.end))
    samples = _border_samples(*lonlat, resolution)
    shapely.prepare(polygon)
    parts = []
    for face in _near_faces(samples.directions, lonlat[0], resolution):
        parts.append(_cover_on_face(face_lattice(face, resolution), samples, polygon))
    seam = np.unique(np.concatenate([part.seam for part in parts]))
    drawn = sum(len(part.cells) for part in parts)
    first = np.cumsum([0] + [len(part.cells) for part in parts])
    return Cover(
        np.concatenate([part.cells for part in parts] + [seam]),
        Outlines.join([part.outlines for part in parts] + [library_outlines(seam)]),
        np.concatenate([part.border for part in parts] + [np.ones(len(seam), np.bool_)]),
        np.concatenate([part.crossings + np.array([row, 0]) for part, row in zip(parts, first, strict=False)]),
        np.arange(drawn + len(seam)) >= drawn,
    )


def _border_samples(head: Floats, tail: Floats, resolution: int) -> _Samples:
    """Points so dense that every point of an edge is within half a step of a sample of the same edge."""
    widest = np.cos(np.radians(np.minimum(np.abs(head[:, 1]), np.abs(tail[:, 1]))))
    length = np.radians(np.hypot((tail[:, 0] - head[:, 0]) * widest, tail[:, 1] - head[:, 1]))
    spacing = face_lattice(0, resolution).spacing
    count = np.maximum(np.ceil(length * _MOST_STRETCH / (_STEP * spacing)).astype(np.int64), 1)
    edge = np.repeat(np.arange(len(head)), count)
    share = (np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[edge]
    return _Samples(directions(head[edge] + share[:, None] * (tail - head)[edge]), edge)


def _near_faces(samples: Floats, lonlat: Floats, resolution: int) -> list[int]:
    corners, centres = faces()
    first = face_lattice(int(face_of(samples[:1])[0]), resolution)
    if (samples @ first.edges.T).min() > 4 * first.spacing:
        return [first.face]
    nearness = samples @ centres.T
    best = nearness.max(axis=1)
    # Faces tie along their common edge; within three cells of it both may own cells of the area.
    near = (nearness >= (best - 3 * first.spacing)[:, None]).any(axis=0)
    around = lonlat_of(corners.reshape(-1, 3)).reshape(20, 3, 2)
    low, high = lonlat.min(axis=0), lonlat.max(axis=0)
    near |= ((around >= low) & (around <= high)).all(axis=2).any(axis=1)
    return [int(face) for face in np.flatnonzero(near)]


@dataclass(frozen=True, slots=True)
class _FaceCover:
    """What one face contributes: cells wholly on it, and the indices of those its edges may bend."""

    cells: Cells
    outlines: Outlines
    border: NDArray[np.bool_]
    crossings: Indices
    seam: Cells


def _cover_on_face(lattice: FaceLattice, samples: _Samples, polygon: shapely.Geometry) -> _FaceCover:
    facing = samples.take(samples.directions @ lattice.origin > 0.5)
    room = (facing.directions @ lattice.edges.T).min(axis=1) / lattice.spacing
    facing = facing.take(room > -3)
    exact = lattice.axial(facing.directions)
    corners = lattice.axial(faces()[0][lattice.face])
    extent = np.concatenate([exact, corners[_inside_box(corners, lattice, polygon)]])
    if not len(extent):
        none = np.empty(0, np.uint64)
        empty = Outlines(np.empty((0, 2)), np.zeros(1, np.int64))
        return _FaceCover(none, empty, np.empty(0, np.bool_), np.empty((0, 2), np.int64), none)
    low = np.floor(extent.min(axis=0)).astype(np.int64) - 2
    shape = np.ceil(extent.max(axis=0)).astype(np.int64) + 3 - low
    place, edge = _places_met(exact - low, facing.edge, int(shape[1]), _grow_share(lattice, polygon))
    crossed = np.zeros(shape, np.bool_)
    crossed.ravel()[place] = True
    ours, seam = _regular_and_seam(lattice, low, crossed.shape)
    chosen = np.flatnonzero(_inside(lattice, low, ours & ~crossed, polygon) | (crossed & ours))
    row_of_place = np.full(crossed.size, -1)
    row_of_place[chosen] = np.arange(len(chosen))
    ab = np.stack(np.unravel_index(chosen, crossed.shape), axis=1) + low
    cells = lattice_cells(lattice, ab)
    return _FaceCover(
        cells,
        lattice_outlines(lattice, ab, cells),
        crossed.ravel()[chosen],
        _distinct_pairs(row_of_place[place], edge),
        named_cells(lattice, np.argwhere(seam) + low),
    )


def _distinct_pairs(row: Indices, edge: Indices) -> Indices:
    kept = row >= 0
    key = distinct((row[kept] << 32) | edge[kept])
    return np.stack([key >> 32, key & 0xFFFFFFFF], axis=1)


def _inside_box(corners: Floats, lattice: FaceLattice, polygon: shapely.Geometry) -> NDArray[np.bool_]:
    """Corners of the face within the bounding box of the area, (3,) bool: the area may reach that far."""
    box = to_degrees(np.asarray(shapely.bounds(polygon)))
    lonlat = lattice.lonlat(corners[:, 0], corners[:, 1])
    return np.asarray(((lonlat >= box[:2]) & (lonlat <= box[2:])).all(axis=1))


def _grow_share(lattice: FaceLattice, polygon: shapely.Geometry) -> float:
    """How near to a cell the border counts as crossing it, cell spacings.

    Two lattice units, because corners are rounded and a border that near must be noded into the cell; and what the
    side of a cell, straight in longitude and latitude, bends away from the straight line of the plane: an arc of
    length e leaves its chord by e² tan(latitude) / 8.
    """
    _, south, _, north = to_degrees(np.asarray(shapely.bounds(polygon)))
    steepest = np.tan(np.radians(min(max(abs(south), abs(north)), 89.9)))
    rounding = 2 * np.radians(1e-7) * _MOST_STRETCH / lattice.spacing
    bend = lattice.spacing / 3 * steepest / 8
    return float(min(rounding + 2 * bend, 1.0))


def _places_met(exact: Floats, edge: Indices, width: int, grow: float) -> tuple[Indices, Indices]:
    """Flat places of cells that the border meets, each with the row of the border edge; pairs may stand twice.

    A sample meets the cell that holds it, and a neighbour so near that its edge may touch it between samples.
    """
    q, r = exact[:, 0], -exact[:, 1]
    cube = np.stack([q, r, -q - r], axis=1)
    rounded = np.rint(cube)
    worst = np.abs(rounded - cube).argmax(axis=1)
    rows = np.arange(len(cube))
    rounded[rows, worst] -= rounded.sum(axis=1)
    a, b = rounded[:, 0].astype(np.int64), -rounded[:, 1].astype(np.int64)
    da, db = exact[:, 0] - a, exact[:, 1] - b
    here = a * width + b
    towards = (da - db / 2, (da + db) / 2, db - da / 2)
    reach = 0.5 - (_STEP / 2 * 1.05 + grow)
    places, edges = [here], [edge]
    for (step_a, step_b), along in zip(_ACROSS, towards, strict=True):
        for sign in (1, -1):
            near = np.flatnonzero(sign * along > reach)
            places.append(here[near] + sign * (step_a * width + step_b))
            edges.append(edge[near])
    return np.concatenate(places), np.concatenate(edges)


def _regular_and_seam(
    lattice: FaceLattice, low: Indices, shape: tuple[int, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which lattice places belong to cells wholly on the face, and which to cells its edges may bend."""
    a = (low[0] + np.arange(shape[0]))[:, None]
    b = (low[1] + np.arange(shape[1]))[None, :]
    room = np.full(shape, np.inf)
    for normal in lattice.edges:
        plane = lattice.origin @ normal + a * (lattice.axis_a @ normal) + b * (lattice.axis_b @ normal)
        np.minimum(room, plane / lattice.spacing, out=room)
    return room > _SEAM, (room <= _SEAM) & (room > -0.01)


def _inside(
    lattice: FaceLattice, low: Indices, free: NDArray[np.bool_], polygon: shapely.Geometry
) -> NDArray[np.bool_]:
    """Places of ``free`` that lie inside the area: one point of each connected stretch decides."""
    stretch, count = ndimage.label(free, structure=_CONNECTED)
    if not count:
        return np.zeros_like(free)
    flat = stretch.ravel()
    first = np.zeros(count + 1, np.int64)
    first[flat[::-1]] = np.arange(flat.size)[::-1]
    a, b = np.unravel_index(first[1:], free.shape)
    units = to_units(lattice.lonlat((a + low[0]).astype(float), (b + low[1]).astype(float)))
    verdict = np.append(False, shapely.contains_xy(polygon, units[:, 0], units[:, 1]))
    return np.asarray(verdict[stretch])
