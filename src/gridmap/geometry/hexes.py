"""H3 cells in bulk: their indices and their corners on the lattice, for whole counties at once.

Corners must come out the same for every cell that shares them, in this run and any other. Cells that lie wholly within
one face of the icosahedron are drawn by array arithmetic, the others by the ``h3`` library; both agree to about 1e-13
degree, six orders below the lattice, so rounding unites them except where a corner falls on a rounding tie. There the
canonical H3 vertex decides. (``cell_to_boundary`` alone is not edge-matched across faces.)
"""

from __future__ import annotations

from dataclasses import dataclass

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from gridmap.geometry.icosahedron import FaceLattice
from gridmap.geometry.lattice import UNITS_PER_DEGREE, to_units

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Cells = NDArray[np.uint64]

#: The two corners that belong to a cell, in thirds of the axial unit vectors.
_OWN_CORNERS = np.array([(2, 1), (1, 2)])
#: Corners of a cell, counter-clockwise: which of the two, of the neighbour at which step.
_KINDS = np.array([0, 1, 0, 1, 0, 1])
_STEPS = np.array([(0, 0), (0, 0), (-1, 0), (-1, -1), (-1, -1), (0, -1)])
#: Above this many places for each that is taken, a table of all places would cost more than sorting.
_SPARSE = 8
#: A corner this near a rounding tie, lattice units, takes the canonical vertex; the two ways differ by less than 1e-6.
_TIE = 1e-5

_DIGIT_OF_STEP = np.full((3, 3), -1)
for _digit, _step in enumerate([(0, 0), (-1, -1), (0, 1), (-1, 0), (1, 0), (0, -1), (1, 1)]):
    _DIGIT_OF_STEP[_step[0] + 1, _step[1] + 1] = _digit
_TURNED = np.array([0, 5, 3, 1, 6, 4, 2])


@dataclass(frozen=True, slots=True)
class Outlines:
    """Corners of cells, ragged.

    Attributes
    ----------
    points : (p, 2) float64, whole lattice units, counter-clockwise, not closed
    offset : (n + 1,) int64, where each cell begins
    """

    points: Floats
    offset: Indices

    @staticmethod
    def join(parts: list[Outlines]) -> Outlines:
        """Outlines of several sets one after the other."""
        ends = np.cumsum([0] + [len(part.points) for part in parts])
        offsets = [part.offset[1:] + end for part, end in zip(parts, ends[:-1], strict=True)]
        return Outlines(
            np.concatenate([part.points for part in parts]), np.concatenate([np.zeros(1, np.int64), *offsets])
        )


def lattice_outlines(lattice: FaceLattice, ab: Indices, cells: Cells) -> Outlines:
    """Outlines of cells that lie wholly within a face.

    Parameters
    ----------
    ab : (n, 2) int64 axial coordinates
    cells : (n,) uint64, the same cells
    """
    if not len(ab):
        return Outlines(np.empty((0, 2)), np.zeros(1, np.int64))
    low = ab.min(axis=0) - 1
    height, width = ab.max(axis=0) - low + 1
    # Each corner is one of two that belong to a cell of the lattice: three cells share it, and it is drawn once.
    step = np.stack([_KINDS * height + _STEPS[:, 0], _STEPS[:, 1]], axis=1)
    place = (ab - low)[:, None, :] + step
    flat = place[..., 0] * width + place[..., 1]
    drawn, number = _numbered(flat.ravel(), 2 * int(height) * int(width))
    row, column = np.divmod(drawn, width)
    kind, row = np.divmod(row, height)
    thirds = 3 * (np.stack([row, column], axis=1) + low) + _OWN_CORNERS[kind]
    exact = lattice.lonlat(thirds[:, 0] / 3.0, thirds[:, 1] / 3.0) * UNITS_PER_DEGREE
    holder = np.empty(len(drawn), np.int64)
    holder[number] = np.repeat(np.arange(len(ab)), 6)
    points = _settle_ties(exact, holder, cells)
    return Outlines(points[number], np.arange(0, 6 * len(cells) + 1, 6))


def _numbered(places: Indices, size: int) -> tuple[Indices, Indices]:
    """Distinct places, ascending, and the number of each place among them; places lie below ``size``."""
    if size > _SPARSE * len(places):
        return np.unique(places, return_inverse=True)
    number = np.zeros(size, np.int64)
    number[places] = 1
    drawn = np.flatnonzero(number)
    number[drawn] = np.arange(len(drawn))
    return drawn, number[places]


def library_outlines(cells: Cells) -> Outlines:
    """Outlines of any cells, one by one through the ``h3`` library, bent edges and pentagons included."""
    drawn = [np.array(h3.cell_to_boundary(int(cell))) for cell in cells]
    offset = np.cumsum([0] + [len(corners) for corners in drawn], dtype=np.int64)
    if not drawn:
        return Outlines(np.empty((0, 2)), offset)
    exact = np.concatenate(drawn)[:, ::-1] * UNITS_PER_DEGREE
    return Outlines(_settle_ties(exact, np.repeat(np.arange(len(cells)), np.diff(offset)), cells), offset)


def _settle_ties(exact: Floats, owner: Indices, cells: Cells) -> Floats:
    """Round to whole units; a corner on a tie takes the rounding of its canonical vertex."""
    rounded = np.rint(exact)
    ties = np.flatnonzero((np.abs(np.abs(exact - rounded) - 0.5) < _TIE).any(axis=1))
    for corner in ties:
        vertices = [h3.vertex_to_latlng(vertex) for vertex in h3.cell_to_vertexes(int(cells[owner[corner]]))]
        canonical = np.array(vertices)[:, ::-1] * UNITS_PER_DEGREE
        nearest = np.abs(canonical - exact[corner]).sum(axis=1).argmin()
        if np.abs(canonical[nearest] - exact[corner]).max() < 1:
            rounded[corner] = to_units(np.array(vertices[nearest][::-1]))
    return rounded


def lattice_cells(lattice: FaceLattice, ab: Indices) -> Cells:
    """H3 indices of axial coordinates whose centres lie on the face.

    The digits of the hierarchy are found by dividing by seven, resolution by resolution; how the base cell is turned
    against the face is read off one of its cells, which the ``h3`` library names, and checked on others.
    """
    digits, base = _digits(lattice.resolution, ab)
    cells = np.zeros(len(ab), np.uint64)
    for place in np.unique(base):
        rows = np.flatnonzero(base == place)
        cells[rows] = _cells_of_base(lattice, ab[rows], digits[rows])
    return cells


def named_cells(lattice: FaceLattice, ab: Indices) -> Cells:
    """H3 indices of axial coordinates, each asked of the ``h3`` library."""
    resolution = lattice.resolution
    centres = lattice.lonlat(ab[:, 0].astype(float), ab[:, 1].astype(float))
    return np.array([h3.latlng_to_cell(lat, lon, resolution) for lon, lat in centres.tolist()], np.uint64)


def _cells_of_base(lattice: FaceLattice, ab: Indices, digits: Indices) -> Cells:
    """Name cells that share a base cell."""
    resolution = lattice.resolution
    # The cell with most non-zero digits tells the turn; first, middle and last check it.
    telling = int(np.count_nonzero(digits, axis=1).argmax())
    probes = np.unique([telling, 0, len(ab) // 2, len(ab) - 1])
    named = named_cells(lattice, ab[probes])
    base_cell = h3.get_base_cell_number(int(named[0]))
    if not h3.is_pentagon(h3.cell_to_parent(int(named[0]), 0)):
        turned = digits
        for _ in range(6):
            cells = _assemble(resolution, base_cell, turned)
            if (cells[probes] == named).all():
                return cells
            turned = _TURNED[turned]
    return named_cells(lattice, ab)


def _digits(resolution: int, ab: Indices) -> tuple[Indices, Indices]:
    """Digits (n, resolution), coarsest first, and a number for the place of the base cell (n,)."""
    a, b = ab[:, 0], ab[:, 1]
    digits = np.zeros((len(ab), resolution), np.int64)
    for level in range(resolution, 0, -1):
        if level % 2:
            up_a, up_b = _seventh(3 * a - b), _seventh(a + 2 * b)
            down_a, down_b = 2 * up_a + up_b, -up_a + 3 * up_b
        else:
            up_a, up_b = _seventh(2 * a + b), _seventh(3 * b - a)
            down_a, down_b = 3 * up_a - up_b, up_a + 2 * up_b
        digits[:, level - 1] = _DIGIT_OF_STEP[a - down_a + 1, b - down_b + 1]
        a, b = up_a, up_b
    return digits, 64 * a + b


def _seventh(numerator: Indices) -> Indices:
    """Nearest whole number to a seventh; sevenths never tie."""
    return (2 * numerator + 7) // 14


def _assemble(resolution: int, base_cell: int, digits: Indices) -> Cells:
    bits = np.full(len(digits), (1 << 59) | (resolution << 52) | (base_cell << 45), np.uint64)
    for level in range(1, 16):
        digit = digits[:, level - 1] if level <= resolution else np.full(len(digits), 7)
        bits |= digit.astype(np.uint64) << np.uint64(3 * (15 - level))
    return bits
