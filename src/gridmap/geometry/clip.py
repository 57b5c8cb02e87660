"""Cut hexagons by the border of an area with array arithmetic, all cells of an area at once.

Every cut point is a function of one border edge and one hexagon edge, taken in a fixed order, so cells and areas on
both sides compute the same one. A cell whose border has anything unusual (a corner on the border, two cuts within two
lattice units, a ring that touches itself) is not decided here but handed back for the overlay. What is
decided is still checked with everything else: validity of each piece, and the chain test of the area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import Edges, Indices
from gridmap.geometry.lattice import Geometries, pack, unpack
from gridmap.geometry.rings import assemble_rings

Bools = NDArray[np.bool_]

#: Two points of one edge nearer than this, lattice units, are left to the overlay, which rounds them together.
_TOO_NEAR = 2


@dataclass(frozen=True, slots=True)
class Clipped:
    """Result of ``clip``.

    Attributes
    ----------
    parts : (m,) polygons, lattice frame
    row : (m,) int64, row of the hexagon of each part
    undecided : (k,) int64, rows of hexagons handed back
    """

    parts: Geometries
    row: Indices
    undecided: Indices


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Where border edges cross sides of hexagons: one row a (hexagon, border edge, side)."""

    cell: Indices
    edge: Indices
    side: Indices
    entering: Bools
    point: NDArray[np.int64]


def clip(corners: Indices, border: Edges, crossings: Indices, polygon: shapely.Geometry) -> Clipped:
    """Cut six-cornered cells by an area.

    Parameters
    ----------
    corners : (n, 6, 2) int64, lattice units, counter-clockwise
    border : directed edges of the area, interior on the left
    crossings : (m, 2) int64, sorted: row of a cell, row of a border edge that may cross it; every crossing is listed
    polygon : the area, prepared
    """
    odd = np.zeros(len(corners), np.bool_)
    cell, edge = crossings[:, 0], crossings[:, 1]
    start, end = unpack(border.start)[edge], unpack(border.end)[edge]
    head_in, tail_in, crossed, entering = _classify(corners, cell, start, end, odd)
    cuts = _cut(corners, border, cell, edge, crossed, entering, odd)
    _hand_back_unstable(corners, cuts, odd)
    border_parts = _border_parts(border, cell, edge, head_in, tail_in, cuts, odd)
    side_parts = _side_parts(corners, cuts, polygon, odd)
    return _polygons(Edges.join([border_parts, side_parts]), len(corners), odd)


def _classify(
    corners: Indices, cell: Indices, start: Indices, end: Indices, odd: Bools
) -> tuple[Bools, Bools, Bools, Bools]:
    """Tell of each (cell, edge) if its start and end lie inside, and which sides it crosses and enters by, (m, 6)."""
    hexagon = corners[cell]
    side = np.roll(hexagon, -1, axis=1) - hexagon
    of_start = _cross(side, start[:, None] - hexagon)
    of_end = _cross(side, end[:, None] - hexagon)
    of_corner = _cross((end - start)[:, None], hexagon - start[:, None])
    touching = (of_start == 0) & (of_end == 0)
    split = (of_start > 0) != (of_end > 0)
    across = (of_corner > 0) != (np.roll(of_corner, -1, axis=1) > 0)
    # A zero matters only where the edge could cross the side: elsewhere the point lies on a side's far extension.
    flat = (of_corner == 0) | (np.roll(of_corner, -1, axis=1) == 0)
    doubtful = touching | (split & flat) | (((of_start == 0) | (of_end == 0)) & (across | flat))
    odd[cell[doubtful.any(axis=1)]] = True
    crossed = split & across
    head_in, tail_in = np.asarray((of_start > 0).all(axis=1)), np.asarray((of_end > 0).all(axis=1))
    return head_in, tail_in, crossed, np.asarray(crossed & (of_end > 0))


def _cross(a: Indices, b: Indices) -> Indices:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _cut(
    corners: Indices, border: Edges, cell: Indices, edge: Indices, crossed: Bools, entering: Bools, odd: Bools
) -> _Cuts:
    pair, side = np.nonzero(crossed)
    count = crossed.sum(axis=1)
    enters = entering.sum(axis=1)
    odd[cell[(count > 2) | (enters > 1) | (count - enters > 1)]] = True
    of_cell, of_edge = cell[pair], edge[pair]
    first, second = corners[of_cell, side], corners[of_cell, (side + 1) % 6]
    point = _cut_point(border.start[of_edge], border.end[of_edge], pack(first), pack(second))
    return _Cuts(of_cell, of_edge, side, entering[pair, side], point)


def _cut_point(start: Indices, end: Indices, first: Indices, second: Indices) -> NDArray[np.int64]:
    """Packed lattice point nearest to where two edges cross; the direction of either changes nothing."""
    a, b = unpack(np.minimum(start, end)), unpack(np.maximum(start, end))
    c, d = unpack(np.minimum(first, second)), unpack(np.maximum(first, second))
    along, side = b - a, d - c
    share = _cross(c - a, side) / _cross(along, side)
    # Rounded as an offset: at full magnitude float64 would keep too few digits of the fraction.
    return pack(a + np.floor(share[:, None] * along + 0.5).astype(np.int64))


def _hand_back_unstable(corners: Indices, cuts: _Cuts, odd: Bools) -> None:
    """Mark cells with a cut so near a corner or another cut of the same side that rounding may fold them."""
    point = unpack(cuts.point)
    for turn in (0, 1):
        corner = corners[cuts.cell, (cuts.side + turn) % 6]
        odd[cuts.cell[np.abs(point - corner).max(axis=1) < _TOO_NEAR]] = True
    order = np.lexsort((cuts.point, cuts.side, cuts.cell))
    same = (np.diff(cuts.cell[order]) == 0) & (np.diff(cuts.side[order]) == 0)
    near = np.abs(np.diff(point[order], axis=0)).max(axis=1) < _TOO_NEAR
    odd[cuts.cell[order][1:][same & near]] = True


#: Marks of a border edge's end within a cell: none found, and one too many.
_NONE, _TOO_MANY = -1, -2


def _border_parts(
    border: Edges, cell: Indices, edge: Indices, head_in: Bools, tail_in: Bools, cuts: _Cuts, odd: Bools
) -> Edges:
    """Stretch of each border edge within each cell it meets; owners are cells."""
    key = (cell << 32) | edge
    head = np.where(head_in, border.start[edge], _NONE)
    tail = np.where(tail_in, border.end[edge], _NONE)
    row = np.searchsorted(key, (cuts.cell << 32) | cuts.edge)
    head[row[cuts.entering]] = np.where(head_in[row[cuts.entering]], _TOO_MANY, cuts.point[cuts.entering])
    leaving = ~cuts.entering
    tail[row[leaving]] = np.where(tail_in[row[leaving]], _TOO_MANY, cuts.point[leaving])
    known_head, known_tail = _known(head), _known(tail)
    odd[cell[(known_head != known_tail) | (head == _TOO_MANY) | (tail == _TOO_MANY)]] = True
    odd[cell[known_head & known_tail & (head == tail)]] = True
    kept = known_head & known_tail
    return Edges(head[kept], tail[kept], cell[kept])


def _known(packed: Indices) -> Bools:
    return np.asarray((packed != _NONE) & (packed != _TOO_MANY))


def _side_parts(corners: Indices, cuts: _Cuts, polygon: shapely.Geometry, odd: Bools) -> Edges:
    """Stretches of the sides of cells that lie inside the area, counter-clockwise; owners are cells.

    Along a side, the ground before a cut where the border enters the cell is inside, after it outside; where the
    border leaves the cell, the other way round. A side without cuts has the state of the side before it.
    """
    packed = pack(corners.reshape(-1, 2)).reshape(-1, 6)
    first, second = corners[cuts.cell, cuts.side], corners[cuts.cell, (cuts.side + 1) % 6]
    along = ((unpack(cuts.point) - first).astype(float) * (second - first)).sum(axis=1)
    order = np.lexsort((along, cuts.side, cuts.cell))
    cell, side, entering, point = cuts.cell[order], cuts.side[order], cuts.entering[order], cuts.point[order]
    place = cell * 6 + side
    last_of_side = np.append(np.diff(place) != 0, True)[: len(place)]
    first_of_side = np.append(True, np.diff(place) != 0)[: len(place)]
    state_after = np.full(len(corners) * 6, -1)
    state_after[place[last_of_side]] = ~entering[last_of_side]
    inside_at_end = _carry_forward(state_after.reshape(-1, 6), corners, polygon)
    inside_at_start = np.roll(inside_at_end, 1, axis=1).astype(bool)
    before = np.where(first_of_side, inside_at_start.ravel()[place], ~np.append(True, entering[:-1])[: len(place)])
    odd[cell[before != entering]] = True
    ends = np.roll(packed, -1, axis=1)
    opening = np.where(first_of_side, packed.ravel()[place], np.append(0, point[:-1])[: len(point)])
    plain = np.ones(len(corners) * 6, np.bool_)
    plain[place] = False
    plain &= inside_at_start.ravel()
    closing = last_of_side & ~entering
    return Edges(
        np.concatenate([packed.ravel()[plain], opening[entering], point[closing]]),
        np.concatenate([ends.ravel()[plain], point[entering], ends.ravel()[place[closing]]]),
        np.concatenate([np.flatnonzero(plain) // 6, cell[entering], cell[closing]]),
    )


def _carry_forward(state: Indices, corners: Indices, polygon: shapely.Geometry) -> Bools:
    """Fill sides of unknown state (-1) with the state of the side before, round the cell; wholly unknown cells ask."""
    untouched = (state < 0).all(axis=1)
    corner = corners[untouched, 0].astype(float)
    state[untouched, 0] = shapely.contains_xy(polygon, corner[:, 0], corner[:, 1])
    for step in range(1, 12):
        side = step % 6
        unknown = state[:, side] < 0
        state[unknown, side] = state[unknown, side - 1]
    return np.asarray(state > 0)


def _polygons(edges: Edges, cells: int, odd: Bools) -> Clipped:
    """Join edges to rings and rings to polygons; a cell where that is ambiguous or invalid is handed back."""
    edges = edges.take(~odd[edges.owner])
    rings = assemble_rings(edges)
    odd[rings.torn] = True
    holes = rings.twice_area < 0
    holed = np.zeros(cells, np.bool_)
    holed[rings.owner[holes]] = True
    shells = np.bincount(rings.owner[~holes], minlength=cells)
    odd |= holed & (shells != 1)
    odd[rings.owner[rings.twice_area == 0]] = True
    lines = rings.lines()
    kept = ~odd[rings.owner]
    plain = kept & ~holed[rings.owner]
    parts, row = list(shapely.polygons(lines[plain])), list(rings.owner[plain])
    for cell in np.flatnonzero(holed & ~odd):
        of_cell = rings.owner == cell
        parts.append(shapely.polygons(lines[of_cell & ~holes][0], lines[of_cell & holes]))
        row.append(cell)
    made, rows = np.array(parts, dtype=object), np.array(row, dtype=np.int64)
    odd[rows[~shapely.is_valid(made)]] = True
    sound = ~odd[rows]
    return Clipped(made[sound], rows[sound], np.flatnonzero(odd))
