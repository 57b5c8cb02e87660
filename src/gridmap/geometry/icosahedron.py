r"""The twenty faces on which H3 lays its hexagons, each a plane with a regular lattice.

On one face, H3 is a regular hexagonal lattice in the gnomonic plane: a point with axial coordinates :math:`(a, b)`
lies on the sphere in the direction

.. math:: O + a\,U + b\,V

with :math:`O` the centre of the face and :math:`U, V` two vectors of its tangent plane 120 degrees apart, whose length
shrinks by :math:`\sqrt 7` a resolution and which odd resolutions turn by :math:`\arcsin\sqrt{3/28}`. So cells, corners
and the cell under a point are a few array operations for all at once, and nothing here comes from a table: the faces
follow from the twelve pentagons that the ``h3`` library names. (Sahr, White, Kimerling, *Geodesic Discrete Global Grid
Systems*, 2003; H3 documentation, "Coordinate systems used by the H3 core library".)

Cells near a face's edge are bent across it; those are left to the ``h3`` library (see ``hexes``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RES0_UNIT = (3 - np.sqrt(5)) / 2
_CLASS_III_TURN = np.arcsin(np.sqrt(3 / 28))
_FACES = 20


def directions(lonlat: Floats) -> Floats:
    """(n, 2) degrees to (n, 3) unit vectors on the sphere H3 works on (latitude taken as spherical)."""
    lon, lat = np.radians(lonlat).T
    flat = np.cos(lat)
    return np.column_stack([flat * np.cos(lon), flat * np.sin(lon), np.sin(lat)])


def lonlat_of(vectors: Floats) -> Floats:
    """(n, 3) vectors of any length to (n, 2) degrees."""
    x, y, z = vectors.T
    radians = np.column_stack([np.arctan2(y, x), np.arctan2(z, np.sqrt(x * x + y * y))])
    return np.asarray(np.degrees(radians))


@dataclass(frozen=True)
class FaceLattice:
    """Lattice of one resolution on one face.

    Attributes
    ----------
    face : 0 to 19, by the order of ``faces()`` (not H3's own numbers)
    resolution : 0 to 15
    origin, axis_a, axis_b : (3,) float64, see the module
    edges : (3, 3) float64, inward unit normals of the planes through the face's edges
    """

    face: int
    resolution: int
    origin: Floats
    axis_a: Floats
    axis_b: Floats
    edges: Floats

    @property
    def spacing(self) -> float:
        """Distance between neighbouring cells in the tangent plane, sphere radius 1."""
        return float(np.linalg.norm(self.axis_a))

    def lonlat(self, a: Floats, b: Floats) -> Floats:
        """Degrees of axial coordinates, (n, 2). Equal coordinates give equal bits."""
        return lonlat_of(self.vectors(a, b))

    def vectors(self, a: Floats, b: Floats) -> Floats:
        """Directions of axial coordinates, (n, 3), not normed."""
        found = np.empty((len(a), 3))
        for axis in range(3):
            # One coordinate at a time, so that no (n, 3) array stands between.
            np.multiply(a, self.axis_a[axis], out=found[:, axis])
            found[:, axis] += b * self.axis_b[axis] + self.origin[axis]
        return found

    def axial(self, vectors: Floats) -> Floats:
        """Axial coordinates of unit vectors on this side of the sphere, (n, 2)."""
        plane = vectors / (vectors @ self.origin)[:, None]
        dual = np.linalg.pinv(np.stack([self.axis_a, self.axis_b], axis=1))
        return np.asarray(plane @ dual.T)

    def room(self, a: Floats, b: Floats) -> Floats:
        """Distance to the nearest edge of the face in cell spacings, negative outside, (n,)."""
        return np.asarray((self.vectors(a, b) @ self.edges.T).min(axis=1) / self.spacing)


@cache
def faces() -> tuple[Floats, Floats]:
    """Corners (20, 3, 3), counter-clockwise from outside, and centres (20, 3) of the faces, unit vectors."""
    pentagons = np.array([h3.cell_to_latlng(cell) for cell in sorted(h3.get_pentagons(0))])
    vertices = directions(pentagons[:, ::-1])
    corners = []
    for triple in combinations(range(12), 3):
        a, b, c = vertices[list(triple)]
        if min(a @ b, b @ c, a @ c) > 0:
            corners.append([a, b, c] if np.cross(a, b) @ c > 0 else [a, c, b])
    assert len(corners) == _FACES, "an icosahedron has twenty faces"  # noqa: S101 - a fact of geometry
    stacked = np.array(corners)
    centres = stacked.sum(axis=1)
    return stacked, centres / np.linalg.norm(centres, axis=1)[:, None]


@cache
def face_lattice(face: int, resolution: int) -> FaceLattice:
    """Lattice of ``resolution`` on ``face``."""
    corners, centres = faces()
    origin = centres[face]
    towards = corners[face, 0] - (corners[face, 0] @ origin) * origin
    towards /= np.linalg.norm(towards)
    left = np.cross(origin, towards)
    length = _RES0_UNIT / np.sqrt(7.0) ** resolution
    turn = _CLASS_III_TURN if resolution % 2 else 0.0

    def axis(angle: float) -> Floats:
        return np.asarray(length * (np.cos(angle) * towards + np.sin(angle) * left))

    normals = np.cross(corners[face], np.roll(corners[face], -1, axis=0))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    return FaceLattice(face, resolution, origin, axis(turn), axis(turn + 2 * np.pi / 3), normals)


def face_of(vectors: Floats) -> NDArray[np.int64]:
    """Face whose centre is nearest, (n,) int64."""
    return np.asarray((vectors @ faces()[1].T).argmax(axis=1), dtype=np.int64)
