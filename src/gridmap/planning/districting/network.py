"""Units as lists: who adjoins whom along how much border, and which can leave a district without breaking it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.service.reach import Floats, Rows

#: Of one unit: its neighbours, the border with each, and the bit each has in a mask of neighbours.
Near = tuple[tuple[int, float, int], ...]


@dataclass(frozen=True)
class Arcs:
    """Which sets of neighbours of a unit hang together without it; equal for all units whose neighbours link alike.

    Attributes
    ----------
    mutual : for each neighbour the mask of the other neighbours it adjoins
    known : answers so far, by mask
    """

    mutual: tuple[int, ...]
    known: dict[int, bool] = field(default_factory=dict)

    def whole(self, mask: int) -> bool:
        """Whether the neighbours in ``mask`` are linked among themselves."""
        answer = self.known.get(mask)
        if answer is None:
            reached = front = mask & -mask
            while front:
                bit = front & -front
                front ^= bit
                more = self.mutual[bit.bit_length() - 1] & mask & ~reached
                reached |= more
                front |= more
            answer = self.known[mask] = reached == mask
        return answer


class Network:
    """A unit graph laid out for a search that moves one unit at a time.

    Attributes
    ----------
    graph : as given
    start, to : neighbours of unit ``u`` are ``to[start[u]:start[u + 1]]``, ascending
    border : border with each of them, metres, beside ``to``
    """

    def __init__(self, graph: UnitGraph) -> None:
        count = len(graph)
        self.graph = graph
        links = graph.links
        ends = np.concatenate([links, links[:, ::-1]])
        order = np.lexsort((ends[:, 1], ends[:, 0]))
        self.to_rows: Rows = ends[order, 1]
        self.start_rows: Rows = np.concatenate([[0], np.cumsum(np.bincount(ends[:, 0], minlength=count))]).astype(
            np.int64
        )
        self.border_m: Floats = np.concatenate([graph.border_m, graph.border_m])[order]
        self.start: list[int] = self.start_rows.tolist()
        self.to: list[int] = self.to_rows.tolist()
        self.border: list[float] = self.border_m.tolist()
        self.demand: list[float] = graph.demand.tolist()
        self.area: list[float] = graph.area_m2.tolist()
        self.outline: list[float] = graph.outline_m.tolist()
        self._near: list[Near | None] = [None] * count
        self._arcs: list[Arcs | None] = [None] * count
        self._kinds: dict[tuple[int, ...], Arcs] = {}

    def __len__(self) -> int:
        """Count of the units."""
        return len(self.graph)

    def matrix(self, value: NDArray[np.float64]) -> csr_array:
        """Symmetric sparse matrix with ``value`` (beside ``to``) at each pair of neighbours."""
        return csr_array((value, self.to_rows, self.start_rows), shape=(len(self), len(self)))

    @cached_property
    def length_m(self) -> Floats:
        """Distance between the points of each pair of neighbours, beside ``to``; never zero."""
        from_rows = np.repeat(np.arange(len(self)), np.diff(self.start_rows))
        step = self.graph.xy_m[from_rows] - self.graph.xy_m[self.to_rows]
        return np.asarray(np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-3))

    def near(self, unit: int) -> Near:
        """Neighbours of a unit."""
        answer = self._near[unit]
        if answer is None:
            low, high = self.start[unit], self.start[unit + 1]
            bits = [1 << place for place in range(high - low)]
            answer = self._near[unit] = tuple(zip(self.to[low:high], self.border[low:high], bits, strict=True))
        return answer

    def arcs(self, unit: int) -> Arcs:
        """How the neighbours of a unit are linked among themselves."""
        answer = self._arcs[unit]
        if answer is None:
            near = self.near(unit)
            place = {neighbour: bit for neighbour, _, bit in near}
            mutual = tuple(
                sum(place.get(other, 0) for other in self.to[self.start[neighbour] : self.start[neighbour + 1]])
                for neighbour, _, _ in near
            )
            answer = self._arcs[unit] = self._kinds.setdefault(mutual, Arcs(mutual))
        return answer

    def parts_without(self, label: list[int], unit: int) -> list[list[int]]:
        """Parts into which the district of ``unit`` falls when the unit leaves it."""
        start, to = self.start, self.to
        own = label[unit]
        seen = {unit}
        parts = []
        for first in to[start[unit] : start[unit + 1]]:
            if label[first] != own or first in seen:
                continue
            seen.add(first)
            part = [first]
            for member in part:
                for other in to[start[member] : start[member + 1]]:
                    if label[other] == own and other not in seen:
                        seen.add(other)
                        part.append(other)
            parts.append(part)
        return parts

    def stays_whole(self, label: list[int], unit: int, mask: int, limit: int) -> bool:
        """Whether the district of ``unit`` hangs together without it; ``False`` too where ``limit`` steps do not tell.

        Parameters
        ----------
        mask : neighbours of the same district
        limit : most units of the district that are looked at, where the neighbourhood alone does not tell
        """
        if mask == 0:
            return False
        if mask & (mask - 1) == 0 or self.arcs(unit).whole(mask):
            return True
        if limit == 0:
            return False
        start, to = self.start, self.to
        own = label[unit]
        wanted = {other for other, _, bit in self.near(unit) if mask & bit}
        first = min(wanted)
        wanted.discard(first)
        seen = {unit, first}
        queue = [first]
        for member in queue:
            for other in to[start[member] : start[member + 1]]:
                if label[other] == own and other not in seen:
                    seen.add(other)
                    queue.append(other)
                    wanted.discard(other)
            if not wanted:
                return True
            if len(queue) > limit:
                return False
        return False


def sub_graph(graph: UnitGraph, units: Rows) -> UnitGraph:
    """Take the part of a graph that the units span, renumbered in their order.

    Parameters
    ----------
    units : ascending, distinct
    """
    place = np.full(len(graph), -1, dtype=np.int64)
    place[units] = np.arange(len(units))
    links = place[graph.links]
    inside = np.all(links >= 0, axis=1)
    return UnitGraph(
        graph.demand[units],
        graph.area_m2[units],
        graph.xy_m[units],
        links[inside],
        graph.border_m[inside],
        graph.outline_m[units],
    )
