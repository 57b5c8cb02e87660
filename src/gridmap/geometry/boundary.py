"""Hold what is left over of the pieces against the border of their area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridmap.geometry.chain import Edges, Indices
from gridmap.geometry.lattice import Packed, unpack

_METRES_PER_UNIT = 6378137.0 * np.radians(1e-7)
#: A cut point may lie this far from the edge it cuts: rounding moves it by half a unit each way.
MOST_SHIFT_UNITS = 0.75


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An edge of the area that the left-over edges do not follow, or a left-over edge that follows none."""

    start: int
    end: int


def follow(border: Edges, left_over: Edges) -> tuple[float, list[Mismatch]]:
    """Check that ``left_over`` is ``border`` with points added, in order, along its edges, and nothing more.

    Every border edge is walked from its start to its end over left-over edges that each lie within 0.75 lattice
    units of it and lead forward; every left-over edge must be used once.

    Returns
    -------
    max_shift_m : how far the farthest added point lies from its edge, metres
    mismatches : empty if and only if the two agree
    """
    max_shift_m, mismatches, _ = _walk(border, left_over)
    return max_shift_m, mismatches


def edges_followed(border: Edges, noded: Edges) -> Edges:
    """Border edge along which each edge of a noded border was found, the edge itself where there is none.

    Parameters
    ----------
    border : (n,) directed edges
    noded : (m,) the same border with points added

    Returns
    -------
    (m,) Edges, with the owners of ``noded``
    """
    source = _walk(border, noded)[2]
    known = source >= 0
    start, end = noded.start.copy(), noded.end.copy()
    start[known], end[known] = border.start[source[known]], border.end[source[known]]
    return Edges(start, end, noded.owner)


def _walk(border: Edges, left_over: Edges) -> tuple[float, list[Mismatch], Indices]:
    """Shift and mismatches as of ``follow``, and the row of the border edge that each left-over edge was walked for."""
    same_border, same_left = _in_common(border, left_over)
    bent = np.flatnonzero(~same_border)
    border, left = border.take(bent), left_over.take(~same_left)
    order = np.argsort(left.start, kind="stable")
    left = left.take(order)
    walked = np.full(len(left), -1)
    used = np.zeros(len(left), np.bool_)
    at = border.start.copy()
    walking = np.arange(len(border))
    lost: list[Mismatch] = []
    max_shift_m = 0.0
    while len(walking):
        step, shift_m = _next_step(border.take(walking), at[walking], left, used)
        stuck = step < 0
        lost += _mismatches(border.take(walking[stuck]))
        walking, step = walking[~stuck], step[~stuck]
        used[step] = True
        walked[step] = bent[walking]
        at[walking] = left.end[step]
        max_shift_m = max(max_shift_m, float(shift_m[~stuck].max(initial=0.0)))
        walking = walking[at[walking] != border.end[walking]]
    source = np.full(len(left_over), -1)
    source[np.flatnonzero(~same_left)[order]] = walked
    return max_shift_m, lost + _mismatches(left.take(~used)), source


def _mismatches(edges: Edges) -> list[Mismatch]:
    return [Mismatch(int(start), int(end)) for start, end in zip(edges.start, edges.end, strict=True)]


def _in_common(one: Edges, other: Edges) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which edges stand in both, as many times as in the one that has fewer."""
    both = Edges.join([one, Edges(other.end, other.start, other.owner)])
    starts, ends = np.minimum(both.start, both.end), np.maximum(both.start, both.end)
    order = np.lexsort((both.start, ends, starts))
    source = order < len(one)
    key = np.stack([starts[order], ends[order]])
    forward = both.start[order] == starts[order]
    # An edge of one and the reverse of the same edge of the other stand side by side after the sort.
    pair = (key[:, 1:] == key[:, :-1]).all(axis=0) & (source[1:] != source[:-1]) & (forward[1:] != forward[:-1])
    pair[1:] &= ~pair[:-1]
    common = np.zeros(len(order), np.bool_)
    common[order[1:][pair]] = True
    common[order[:-1][pair]] = True
    return common[: len(one)], common[len(one) :]


def _next_step(border: Edges, at: Packed, left: Edges, used: NDArray[np.bool_]) -> tuple[Indices, NDArray[np.float64]]:
    """For each border edge, the unused left-over edge from ``at`` that leads forward along it; -1 where none does."""
    first = np.searchsorted(left.start, at, side="left")
    count = np.searchsorted(left.start, at, side="right") - first
    row = np.repeat(np.arange(len(border)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    origin, here, there = unpack(border.start)[row], unpack(at)[row], unpack(left.end[step])
    along = (unpack(border.end)[row] - origin).astype(np.float64)
    length = np.hypot(along[:, 0], along[:, 1])
    along /= length[:, None]
    offset = (there - origin).astype(np.float64)
    progress = (offset * along).sum(axis=1)
    behind = ((here - origin) * along).sum(axis=1)
    aside = np.abs(offset[:, 0] * along[:, 1] - offset[:, 1] * along[:, 0])
    fits = (aside <= MOST_SHIFT_UNITS) & (progress > behind) & (progress <= length + 1e-6) & ~used[step]
    row, step, aside, progress = row[fits], step[fits], aside[fits], progress[fits]
    nearest = np.lexsort((progress, row))
    row, step, aside = row[nearest], step[nearest], aside[nearest]
    leading = np.flatnonzero(np.diff(row, prepend=-1))
    chosen = np.full(len(border), -1)
    shift_m = np.zeros(len(border))
    chosen[row[leading]] = step[leading]
    shift_m[row[leading]] = aside[leading] * _METRES_PER_UNIT
    return chosen, shift_m
