"""Cut hexagons by the border of an area with array arithmetic, all cells of an area at once.

Every cut point is a function of one border edge and one hexagon edge, taken in a fixed order, so cells and areas on
both sides compute the same one. A cell where a corner, a cut or a vertex of the border lies within two lattice units of
a side or of another cut, or where rings touch, is not decided here but handed back for ``snap_overlay``. What is
decided is still checked with everything else: validity of each piece, and the chain test of the area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import Edges, Indices
from gridmap.geometry.crossing import cross, crossing_points
from gridmap.geometry.lattice import Geometries, Packed, pack, unpack
from gridmap.geometry.rings import assemble_rings

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Points nearer than this to a side or to each other, lattice units, may fold when rounded.
_TOO_NEAR = 2.0
#: Pairs of cells and border edges looked at together, so that the work stays in the processor's cache.
_BLOCK = 8192


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


def clip(
    corners: Indices, border: Edges, crossings: Indices, polygon: shapely.Geometry, carriers: Edges | None = None
) -> Clipped:
    """Cut cells of one number of corners by an area.

    Parameters
    ----------
    corners : (n, k, 2) int64, lattice units, counter-clockwise
    border : directed edges of the area, interior on the left
    crossings : (m, 2) int64, sorted: row of a cell, row of a border edge that may cross it; every crossing is listed
    polygon : the area, prepared
    carriers : (as ``border``) longer edges that those of the border were bent from, on which cut points are taken
    """
    odd = _bent_inwards(corners)
    cell, edge = crossings[:, 0], crossings[:, 1]
    start, end = unpack(border.start)[edge], unpack(border.end)[edge]
    head_in, tail_in, crossed, entering = _classify(corners, cell, start, end, odd)
    cuts = _cut(corners, border, carriers, cell, edge, crossed, entering, odd)
    _hand_back_unstable(corners, cuts, odd)
    border_parts = _border_parts(border, cell, edge, head_in, tail_in, cuts, odd)
    side_parts = _side_parts(corners, cuts, polygon, odd)
    return _polygons(Edges.join([border_parts, side_parts]), len(corners), odd)


def _bent_inwards(corners: Indices) -> Bools:
    side = np.roll(corners, -1, axis=1) - corners
    return np.asarray((cross(side, np.roll(side, -1, axis=1)) < 0).any(axis=1))


def _classify(
    corners: Indices, cell: Indices, start: Indices, end: Indices, odd: Bools
) -> tuple[Bools, Bools, Bools, Bools]:
    """Tell of each (cell, edge) if its start and end lie inside, and which sides it crosses and enters by, (m, k)."""
    sides = corners.shape[1]
    found = np.empty(len(cell), np.bool_), np.empty(len(cell), np.bool_)
    crossed, entering = np.empty((len(cell), sides), np.bool_), np.empty((len(cell), sides), np.bool_)
    for first in range(0, len(cell), _BLOCK):
        rows = slice(first, first + _BLOCK)
        found[0][rows], found[1][rows], crossed[rows], entering[rows] = _classify_block(
            corners, cell[rows], start[rows], end[rows], odd
        )
    return *found, crossed, entering


def _classify_block(
    corners: Indices, cell: Indices, start: Indices, end: Indices, odd: Bools
) -> tuple[Bools, Bools, Bools, Bools]:
    hexagon = corners[cell]
    side = np.roll(hexagon, -1, axis=1) - hexagon
    along = (end - start)[:, None]
    of_start, of_end = cross(side, start[:, None] - hexagon), cross(side, end[:, None] - hexagon)
    of_corner = cross(along, hexagon - start[:, None])
    side_length = np.hypot(side[..., 0], side[..., 1])
    edge_length = np.hypot(along[..., 0], along[..., 1])
    near_side = _within(hexagon, side, side_length, start, of_start) | _within(hexagon, side, side_length, end, of_end)
    corner_along = ((hexagon - start[:, None]).astype(float) * along).sum(axis=2) / edge_length
    near_edge = (np.abs(of_corner) < _TOO_NEAR * edge_length) & (corner_along > -_TOO_NEAR)
    near_edge &= corner_along < edge_length + _TOO_NEAR
    odd[cell[(near_side | near_edge).any(axis=1)]] = True
    next_corner = np.roll(of_corner, -1, axis=1)
    crossed = ((of_start > 0) != (of_end > 0)) & ((of_corner > 0) != (next_corner > 0))
    head_in, tail_in = np.asarray((of_start > 0).all(axis=1)), np.asarray((of_end > 0).all(axis=1))
    return head_in, tail_in, crossed, np.asarray(crossed & (of_end > 0))


def _within(hexagon: Indices, side: Indices, length: Floats, point: Indices, turn: Indices) -> Bools:
    """Whether points lie within two units of sides, (m, k)."""
    along = ((point[:, None] - hexagon).astype(float) * side).sum(axis=2) / length
    return np.asarray((np.abs(turn) < _TOO_NEAR * length) & (along > -_TOO_NEAR) & (along < length + _TOO_NEAR))


def _cut(
    corners: Indices,
    border: Edges,
    carriers: Edges | None,
    cell: Indices,
    edge: Indices,
    crossed: Bools,
    entering: Bools,
    odd: Bools,
) -> _Cuts:
    pair, side = np.nonzero(crossed)
    count = crossed.sum(axis=1)
    enters = entering.sum(axis=1)
    odd[cell[(count > 2) | (enters > 1) | (count - enters > 1)]] = True
    of_cell, of_edge = cell[pair], edge[pair]
    first, second = corners[of_cell, side], corners[of_cell, (side + 1) % corners.shape[1]]
    point = crossing_points(border.start[of_edge], border.end[of_edge], pack(first), pack(second))
    if carriers is not None:
        point = _on_carriers(point, carriers.take(of_edge), first, second, of_cell, odd)
    return _Cuts(of_cell, of_edge, side, entering[pair, side], point)


def _on_carriers(point: Packed, carriers: Edges, first: Indices, second: Indices, cell: Indices, odd: Bools) -> Packed:
    """Cut points on the edges that the border was bent from; marks cells where these cross the side elsewhere."""
    slanted = cross(unpack(carriers.end) - unpack(carriers.start), second - first) != 0
    found = point.copy()
    carried = carriers.take(slanted)
    found[slanted] = crossing_points(carried.start, carried.end, pack(first[slanted]), pack(second[slanted]))
    astray = np.abs(unpack(found) - unpack(point)).max(axis=1) > _TOO_NEAR
    odd[cell[~slanted | astray]] = True
    return found


def _hand_back_unstable(corners: Indices, cuts: _Cuts, odd: Bools) -> None:
    """Mark cells with a cut so near a corner or another cut of the same side that rounding may fold them."""
    point = unpack(cuts.point)
    for turn in (0, 1):
        corner = corners[cuts.cell, (cuts.side + turn) % corners.shape[1]]
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
    sides = corners.shape[1]
    packed = pack(corners.reshape(-1, 2)).reshape(-1, sides)
    first, second = corners[cuts.cell, cuts.side], corners[cuts.cell, (cuts.side + 1) % sides]
    along = ((unpack(cuts.point) - first).astype(float) * (second - first)).sum(axis=1)
    order = np.lexsort((along, cuts.side, cuts.cell))
    cell, side, entering, point = cuts.cell[order], cuts.side[order], cuts.entering[order], cuts.point[order]
    place = cell * sides + side
    last_of_side = np.append(np.diff(place) != 0, True)[: len(place)]
    first_of_side = np.append(True, np.diff(place) != 0)[: len(place)]
    state_after = np.full(len(corners) * sides, -1)
    state_after[place[last_of_side]] = ~entering[last_of_side]
    inside_at_end = _carry_forward(state_after.reshape(-1, sides), corners, polygon)
    inside_at_start = np.roll(inside_at_end, 1, axis=1).astype(bool)
    before = np.where(first_of_side, inside_at_start.ravel()[place], ~np.append(True, entering[:-1])[: len(place)])
    odd[cell[before != entering]] = True
    ends = np.roll(packed, -1, axis=1)
    opening = np.where(first_of_side, packed.ravel()[place], np.append(0, point[:-1])[: len(point)])
    plain = np.ones(len(corners) * sides, np.bool_)
    plain[place] = False
    plain &= inside_at_start.ravel()
    closing = last_of_side & ~entering
    return Edges(
        np.concatenate([packed.ravel()[plain], opening[entering], point[closing]]),
        np.concatenate([ends.ravel()[plain], point[entering], ends.ravel()[place[closing]]]),
        np.concatenate([np.flatnonzero(plain) // sides, cell[entering], cell[closing]]),
    )


def _carry_forward(state: Indices, corners: Indices, polygon: shapely.Geometry) -> Bools:
    """Fill sides of unknown state (-1) with the state of the side before, round the cell; wholly unknown cells ask."""
    untouched = (state < 0).all(axis=1)
    corner = corners[untouched, 0].astype(float)
    state[untouched, 0] = shapely.contains_xy(polygon, corner[:, 0], corner[:, 1])
    for step in range(1, 2 * corners.shape[1]):
        side = step % corners.shape[1]
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
    filled = rings.polygons()
    kept = ~odd[rings.owner]
    plain = kept & ~holed[rings.owner]
    shelled = np.flatnonzero(holed & ~odd)
    pierced = np.empty(len(shelled), dtype=object)
    for number, cell in enumerate(shelled):
        of_cell = rings.owner == cell
        inner = shapely.get_exterior_ring(filled[of_cell & holes])
        pierced[number] = shapely.polygons(shapely.get_exterior_ring(filled[of_cell & ~holes][0]), inner)
    made, rows = np.concatenate([filled[plain], pierced]), np.concatenate([rings.owner[plain], shelled])
    odd[rows[~shapely.is_valid(made)]] = True
    sound = ~odd[rows]
    return Clipped(made[sound], rows[sound], np.flatnonzero(odd))
