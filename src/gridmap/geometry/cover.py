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

from gridmap.geometry.chain import Rings
from gridmap.geometry.hexes import (
    Cells,
    Outlines,
    lattice_cells,
    lattice_outlines,
    library_outlines,
    named_cells,
)
from gridmap.geometry.icosahedron import FaceLattice, directions, face_lattice, faces, lonlat_of
from gridmap.geometry.lattice import to_degrees, to_units

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
    """

    cells: Cells
    outlines: Outlines
    border: NDArray[np.bool_]


def cover(polygon: shapely.Geometry, rings: Rings, resolution: int) -> Cover:
    """Cover one area.

    Parameters
    ----------
    polygon : polygon or multipolygon, lattice frame, valid
    rings : its rings
    resolution : H3 resolution, 0 to 15

    Returns
    -------
    Cover
        With every cell that has ground in common with the area, and some border cells that have none.
    """
    samples, near_faces = _border_samples(rings, resolution)
    shapely.prepare(polygon)
    parts = [_cover_on_face(face_lattice(face, resolution), samples, polygon) for face in near_faces]
    seam = np.unique(np.concatenate([seam for *_, seam in parts]))
    cells = [cells for cells, *_ in parts] + [seam]
    outlines = [outlines for _, outlines, *_ in parts] + [library_outlines(seam)]
    border = [border for _, _, border, _ in parts] + [np.ones(len(seam), np.bool_)]
    return Cover(np.concatenate(cells), Outlines.join(outlines), np.concatenate(border))


def _border_samples(rings: Rings, resolution: int) -> tuple[Floats, list[int]]:
    """Directions of points along the border, (n, 3), and the faces the area may touch."""
    lonlat = to_degrees(rings.points)
    within = np.delete(np.arange(len(lonlat)), rings.offset[1:] - 1)
    head, tail = lonlat[within], lonlat[within + 1]
    widest = np.cos(np.radians(np.minimum(np.abs(head[:, 1]), np.abs(tail[:, 1]))))
    length = np.radians(np.hypot((tail[:, 0] - head[:, 0]) * widest, tail[:, 1] - head[:, 1]))
    spacing = face_lattice(0, resolution).spacing
    count = np.maximum(np.ceil(length * _MOST_STRETCH / (_STEP * spacing)).astype(np.int64), 1)
    segment = np.repeat(np.arange(len(head)), count)
    share = (np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)) / count[segment]
    samples = directions(head[segment] + share[:, None] * (tail - head)[segment])
    return samples, _near_faces(samples, lonlat, spacing)


def _near_faces(samples: Floats, lonlat: Floats, spacing: float) -> list[int]:
    corners, centres = faces()
    nearness = samples @ centres.T
    best = nearness.max(axis=1)
    # Faces tie along their common edge; within three cells of it both may own cells of the area.
    near = (nearness >= (best - 3 * spacing)[:, None]).any(axis=0)
    around = lonlat_of(corners.reshape(-1, 3)).reshape(20, 3, 2)
    low, high = lonlat.min(axis=0), lonlat.max(axis=0)
    near |= ((around >= low) & (around <= high)).all(axis=2).any(axis=1)
    return [int(face) for face in np.flatnonzero(near)]


def _cover_on_face(
    lattice: FaceLattice, samples: Floats, polygon: shapely.Geometry
) -> tuple[Cells, Outlines, NDArray[np.bool_], Cells]:
    """Cells of one face: their indices, outlines, whether the border may cross them; and the seam's indices."""
    facing = samples[samples @ lattice.origin > 0.5]
    room = (facing @ lattice.edges.T).min(axis=1) / lattice.spacing
    exact = lattice.axial(facing[room > -3])
    corners = lattice.axial(faces()[0][lattice.face])
    extent = np.concatenate([exact, corners[_inside_box(corners, lattice, polygon)]])
    if not len(extent):
        return _nothing()
    low = np.floor(extent.min(axis=0)).astype(np.int64) - 2
    shape = np.ceil(extent.max(axis=0)).astype(np.int64) + 3 - low
    crossed = np.zeros(shape, np.bool_)
    _mark(crossed, exact - low, _grow_share(lattice, polygon))
    ours, seam = _regular_and_seam(lattice, low, crossed.shape)
    inside = _inside(lattice, low, ours & ~crossed, polygon)
    chosen = np.argwhere(inside | (crossed & ours))
    border = crossed[chosen[:, 0], chosen[:, 1]]
    ab = chosen + low
    cells = lattice_cells(lattice, ab)
    return cells, lattice_outlines(lattice, ab, cells), border, named_cells(lattice, np.argwhere(seam) + low)


def _nothing() -> tuple[Cells, Outlines, NDArray[np.bool_], Cells]:
    none = np.empty(0, np.uint64)
    return none, Outlines(np.empty((0, 2)), np.zeros(1, np.int64)), np.empty(0, np.bool_), none


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


def _mark(crossed: NDArray[np.bool_], exact: Floats, grow: float) -> None:
    """Mark the cells that hold a sample, and neighbours across an edge that the border may touch between samples."""
    q, r = exact[:, 0], -exact[:, 1]
    cube = np.stack([q, r, -q - r], axis=1)
    rounded = np.rint(cube)
    worst = np.abs(rounded - cube).argmax(axis=1)
    rows = np.arange(len(cube))
    rounded[rows, worst] -= rounded.sum(axis=1)
    a, b = rounded[:, 0].astype(np.int64), -rounded[:, 1].astype(np.int64)
    crossed[a, b] = True
    da, db = exact[:, 0] - a, exact[:, 1] - b
    towards = (da - db / 2, (da + db) / 2, db - da / 2)
    reach = 0.5 - (_STEP / 2 * 1.05 + grow)
    for (step_a, step_b), along in zip(_ACROSS, towards, strict=True):
        ahead, behind = along > reach, along < -reach
        crossed[a[ahead] + step_a, b[ahead] + step_b] = True
        crossed[a[behind] - step_a, b[behind] - step_b] = True


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
