"""Join lines where they meet: a vertex that lies on another line becomes a vertex of that line too.

A road that ends on another one without sharing a vertex with it leaves it when both are moved vertex by vertex, to
another datum or to the lattice, and the block between them opens. Joined first, it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.lattice import Geometries

Points = NDArray[np.float64]
Rows = NDArray[np.intp]


def join_lines(lines: Geometries, tolerance: float, reach: float) -> Geometries:
    """Node lines at the vertices that lie on them, and lead loose ends on to what they all but touch.

    No vertex moves: an edge bends by at most the tolerance (the reach, at a loose end), and a loose end beside a vertex
    of another line gets a last edge to it, of at most the reach. The order of the lines decides nothing.

    Parameters
    ----------
    lines : (n,) LineStrings, finite, any unit
    tolerance : distance from an edge up to which a vertex lies on it, same unit
    reach : the same for the ends of lines that meet no other vertex; not less than ``tolerance``

    Returns
    -------
    (n,) LineStrings
    """
    if not len(lines):
        return lines
    trace = _Trace.of(lines)
    loose = trace.loose_ends()
    led = trace.nearest_vertices(loose, reach)
    led_on, stays = loose[led >= 0], loose[led < 0]
    edge, joint = trace.joints(stays, tolerance, reach)
    xy, owner = trace.xy, trace.owner
    at = np.r_[edge + 1, np.where(trace.is_first(led_on), led_on, led_on + 1)]
    added = np.concatenate([joint, xy[led[led >= 0]]])
    along = np.r_[((joint - xy[edge]) ** 2).sum(axis=1), np.zeros(len(led_on))]
    order = np.lexsort((along, at))
    owner_of_added = np.r_[owner[edge], owner[led_on]]
    drawn = shapely.linestrings(
        np.insert(xy, at[order], added[order], axis=0),
        indices=np.insert(owner, at[order], owner_of_added[order]),
    )
    return np.asarray(drawn)


@dataclass(frozen=True)
class _Trace:
    """All vertices of some lines, line by line.

    Attributes
    ----------
    xy : (v, 2) float64
    owner : (v,) line of each
    number : (v,) number of the point each stands at, points ordered by x, then y
    along : (v,) float64, length of the line up to it
    """

    xy: Points
    owner: Rows
    number: Rows
    along: NDArray[np.float64]

    @classmethod
    def of(cls, lines: Geometries) -> _Trace:
        xy, owner = shapely.get_coordinates(lines, return_index=True)
        # Complex numbers let np.unique see a point as one value.
        number = np.unique(xy[:, 0] + 1j * xy[:, 1], return_inverse=True)[1]
        return cls(xy, owner, number, np.r_[0.0, np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])

    def is_first(self, row: Rows) -> NDArray[np.bool_]:
        return np.asarray((row == 0) | (self.owner[row - 1] != self.owner[row]))

    def loose_ends(self) -> Rows:
        """Rows of first and last vertices where no other vertex stands."""
        turns = self.owner[1:] != self.owner[:-1]
        end = np.r_[True, turns] | np.r_[turns, True]
        return np.flatnonzero(end & (np.bincount(self.number)[self.number] == 1))

    def nearest_vertices(self, asked: Rows, reach: float) -> Rows:
        """Nearest vertex within reach of each row asked for, -1 where there is none; of equals the westernmost."""
        found = np.full(len(asked), -1, dtype=np.intp)
        if not len(asked):
            return found
        one, other = shapely.STRtree(shapely.points(self.xy)).query(_boxes(self.xy[asked], np.full(len(asked), reach)))
        apart = np.hypot(*(self.xy[asked[one]] - self.xy[other]).T)
        near = (apart <= reach) & ~self._within_own_stretch(asked[one], other, reach)
        one, other, apart = one[near], other[near], apart[near]
        order = np.lexsort((self.number[other], apart, one))[::-1]
        found[one[order]] = other[order]
        return found

    def joints(self, stays: Rows, tolerance: float, reach: float) -> tuple[Rows, Points]:
        """Rows of the first vertices of edges, and the points on those edges that are vertices of other edges."""
        points, row = np.unique(self.number, return_index=True)
        reaches = np.full(len(points), tolerance)
        reaches[self.number[stays]] = reach
        start = np.flatnonzero(self.owner[1:] == self.owner[:-1])
        segments = shapely.linestrings(np.stack([self.xy[start], self.xy[start + 1]], axis=1))
        point, segment = shapely.STRtree(segments).query(_boxes(self.xy[row], reaches))
        edge, vertex = start[segment], row[point]
        direction, offset = self.xy[edge + 1] - self.xy[edge], self.xy[vertex] - self.xy[edge]
        length = np.hypot(*direction.T)
        stretch = np.where(length > 0, length, 1.0)
        foot = (offset * direction).sum(axis=1) / stretch
        off = np.abs(direction[:, 0] * offset[:, 1] - direction[:, 1] * offset[:, 0]) / stretch
        on = (off <= reaches[point]) & (foot > tolerance) & (foot < length - tolerance)
        own = self._within_own_stretch(vertex, edge, reach) | self._within_own_stretch(vertex, edge + 1, reach)
        on &= (off <= tolerance) | ~own
        return edge[on], self.xy[vertex[on]]

    def _within_own_stretch(self, vertex: Rows, other: Rows, reach: float) -> NDArray[np.bool_]:
        # The last steps of a line lie near its own end without being anything to be joined to.
        near = np.abs(self.along[vertex] - self.along[other]) <= 2 * reach
        return np.asarray((self.owner[vertex] == self.owner[other]) & near)


def _boxes(xy: Points, reach: NDArray[np.float64]) -> Geometries:
    x, y = xy.T
    return np.asarray(shapely.box(x - reach, y - reach, x + reach, y + reach))
