r"""The best division of a small graph, proved: an integer programme over all connected sets of units.

Every set of units that holds together and whose demand comes near enough to a target is a column; a division is a
choice of columns that covers each unit once (Garfinkel and Nemhauser, *Optimal political districting by implicit
enumeration techniques*, Management Science 16, 1970). With all sets listed the programme has no weak spot left: HiGHS
proves the optimum at once where a formulation by flows takes minutes. Sets are listed by brute force, all :math:`2^n`
of them, so that nothing of the solver that is compared with this is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from gridmap.planning.districting.task import Task, UnitGraph

MOST_UNITS = 25
_BLOCK_BITS = 20
#: Deviations that differ by less are equal: demand is in whole people, this is rounding.
_ROUNDING = 1e-12

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Optimum:
    """What no division of a task can undercut.

    Attributes
    ----------
    deviation : least possible largest deviation from a target, as a share of it
    border_m : shortest total border between districts at that deviation
    tolerated_m : shortest total border between districts when all keep the tolerance, or the least deviation where it
        lies above
    label : (n,) a division with the least deviation and the shortest border
    """

    deviation: float
    border_m: float
    tolerated_m: float
    label: Rows


@dataclass(frozen=True)
class _Class:
    """Districts that nothing tells apart: one with an anchor, or all free ones with the same target."""

    districts: tuple[int, ...]
    target: float
    anchor: int


@dataclass(frozen=True)
class _Columns:
    units: Rows  # (c,) bit i set: unit i is in
    of: Rows  # (c,) row of the class
    deviation: Floats  # (c,)
    outline_m: Floats  # (c,)

    def where(self, kept: NDArray[np.bool_]) -> _Columns:
        return _Columns(self.units[kept], self.of[kept], self.deviation[kept], self.outline_m[kept])


def optimum(task: Task) -> Optimum | None:
    """Solve a task of at most 25 units to the optimum; None where no division into connected districts exists."""
    if len(task.graph) > MOST_UNITS:
        raise ValueError(f"{len(task.graph)} units: the sets of more than {MOST_UNITS} are not listed")
    classes = _classes(task)
    within = 0.01
    while _cover(task, classes, columns := _columns(task, classes, within)) is None:
        if within > len(task.graph) * task.graph.demand.max() / task.target.min():
            return None
        within *= 2
    deviation = _least(task, classes, columns)
    best = columns.where(columns.deviation <= deviation + _ROUNDING)
    balanced = _division(task, classes, best)
    compact = _division(task, classes, _columns(task, classes, max(deviation, task.tolerance) + _ROUNDING))
    return Optimum(deviation, between_m(task.graph, balanced), between_m(task.graph, compact), balanced)


def between_m(graph: UnitGraph, label: Rows) -> float:
    """Length of all borders between districts, metres."""
    return float(graph.border_m[label[graph.links[:, 0]] != label[graph.links[:, 1]]].sum())


def connected_sets(graph: UnitGraph, least: float, most: float) -> Rows:
    """All non-empty sets of units that hold together and whose demand lies in a range, as bits."""
    count = len(graph)
    low = min(count, _BLOCK_BITS)
    sums = np.zeros(1)
    for unit in range(low):
        sums = np.concatenate([sums, sums + graph.demand[unit]])
    found = []
    for high in range(1 << (count - low)):
        above = sum(graph.demand[low + bit] for bit in range(count - low) if high >> bit & 1)
        inside = np.flatnonzero((sums + above >= least) & (sums + above <= most)) + (high << low)
        found.append(_connected(graph, inside[inside > 0]))
    return np.concatenate(found)


def _connected(graph: UnitGraph, sets: Rows) -> Rows:
    near = np.zeros(len(graph), dtype=np.int64)
    for a, b in graph.links.tolist():
        near[a] |= 1 << b
        near[b] |= 1 << a
    reached, row = sets & -sets, np.arange(len(sets))
    whole = np.zeros(len(sets), dtype=np.bool_)
    while len(row):
        grown = reached.copy()
        for unit in range(len(graph)):
            grown |= np.where(reached >> unit & 1, near[unit], 0)
        grown &= sets[row]
        full = grown == sets[row]
        whole[row[full]] = True
        going = ~full & (grown != reached)
        row, reached = row[going], grown[going]
    return sets[whole]


def _classes(task: Task) -> list[_Class]:
    pairs = list(zip(task.target.tolist(), task.anchor.tolist(), strict=True))
    made = [_Class((district,), target, anchor) for district, (target, anchor) in enumerate(pairs) if anchor >= 0]
    for wanted in sorted({target for target, anchor in pairs if anchor < 0}):
        same = tuple(district for district, pair in enumerate(pairs) if pair == (wanted, -1))
        made.append(_Class(same, wanted, -1))
    return made


def _columns(task: Task, classes: list[_Class], within: float) -> _Columns:
    graph = task.graph
    anchors = sum(1 << one.anchor for one in classes if one.anchor >= 0)
    parts = []
    for row, one in enumerate(classes):
        sets = connected_sets(graph, one.target * (1 - within), one.target * (1 + within))
        own = 1 << one.anchor if one.anchor >= 0 else 0
        sets = sets[(sets & anchors) == own]
        demand = sum((sets >> unit & 1) * graph.demand[unit] for unit in range(len(graph)))
        outline = sum((sets >> unit & 1) * graph.outline_m[unit] for unit in range(len(graph)))
        for (a, b), length in zip(graph.links.tolist(), graph.border_m.tolist(), strict=True):
            outline = outline - 2 * length * (sets >> a & sets >> b & 1)
        parts.append(_Columns(sets, np.full(len(sets), row), np.abs(demand / one.target - 1), outline))
    names = ("units", "of", "deviation", "outline_m")
    return _Columns(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _least(task: Task, classes: list[_Class], columns: _Columns) -> float:
    """Least deviation at which the columns still cover all units: a bisection over the deviations there are."""
    steps = np.unique(columns.deviation)
    first, last = 0, len(steps) - 1
    while first < last:
        middle = (first + last) // 2
        kept = columns.where(columns.deviation <= steps[middle] + _ROUNDING)
        if _cover(task, classes, kept) is None:
            first = middle + 1
        else:
            last = middle
    return float(steps[first])


def _cover(task: Task, classes: list[_Class], columns: _Columns, *, shortest: bool = False) -> Rows | None:
    """Columns that cover each unit once, if asked for with the least outline in all; None where none do."""
    if not len(columns.units):
        return None
    if len(task.target) == 2:
        return _shortest_pair(task, classes, columns)
    count = len(task.graph)
    unit = np.arange(count)
    member, column = np.nonzero(columns.units[None, :] >> unit[:, None] & 1)
    rows = np.concatenate([member, count + columns.of])
    ones = np.ones(len(rows))
    cover = coo_array((ones, (rows, np.concatenate([column, np.arange(len(columns.of))]))))
    wanted = np.concatenate([np.ones(count), [len(one.districts) for one in classes]])
    if cover.shape[0] < len(wanted):
        return None
    solved = milp(
        columns.outline_m / task.graph.outline_m.mean() * shortest,
        constraints=LinearConstraint(cover.tocsr(), wanted, wanted),
        integrality=np.ones(len(columns.units)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    return np.flatnonzero(solved.x > 0.5) if solved.success else None


def _shortest_pair(task: Task, classes: list[_Class], columns: _Columns) -> Rows | None:
    """Two districts are a set and its complement: the columns are looked up, however many there are."""
    first = np.flatnonzero(columns.of == 0)
    second = np.flatnonzero(columns.of == len(classes) - 1)
    second = second[np.argsort(columns.units[second])]
    other = (1 << len(task.graph)) - 1 - columns.units[first]
    place = np.minimum(np.searchsorted(columns.units[second], other), max(len(second) - 1, 0))
    if not len(first) or not len(second):
        return None
    met = columns.units[second][place] == other
    if not met.any():
        return None
    # Both sides have the same border between them; the outline of the whole adds the same to every pair.
    first, second = first[met], second[place[met]]
    best = np.argmin(columns.outline_m[first] + columns.outline_m[second])
    return np.asarray([first[best], second[best]])


def _division(task: Task, classes: list[_Class], columns: _Columns) -> Rows:
    chosen = _cover(task, classes, columns, shortest=True)
    if chosen is None:
        raise RuntimeError("columns that hold a division hold none")
    label = np.full(len(task.graph), -1, dtype=np.int64)
    waiting = [list(one.districts) for one in classes]
    for column in chosen.tolist():
        members = columns.units[column] >> np.arange(len(label)) & 1
        label[members > 0] = waiting[columns.of[column]].pop(0)
    return label
