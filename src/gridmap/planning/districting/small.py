"""Divide few units as well as they can be: every connected set within the bounds, and the best of them that fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridmap.planning.districting.task import Limits, UnitGraph
from gridmap.planning.service.reach import Floats, Rows

Masks = NDArray[np.int64]

#: More units than that are not tried.
MOST_UNITS = 26
_MOST_SETS = 600_000
_MOST_STATES = 3_000_000
_MOST_PAIRS = 300_000_000
_AT_A_TIME = 4_000_000


@dataclass(frozen=True)
class Exact:
    """The best division.

    Attributes
    ----------
    label : (n,) int64
    deviation : its largest deviation: none is less, where that is above the tolerance
    """

    label: Rows
    deviation: float


def divide_exactly(
    graph: UnitGraph, target: Floats, scale: Floats, anchor: Rows, limits: Limits, tolerance: float, within: float
) -> Exact | None:
    """Find the division of least largest deviation, and among all within the tolerance that of shortest borders.

    Connected sets of units are bit masks, grown unit by unit; a division is built district by district, always round
    the lowest unit that has none, so that equal unions of districts are looked at once.

    Parameters
    ----------
    limits : bounds that every district keeps
    tolerance : deviation below which only borders count
    within : largest deviation looked at

    Returns
    -------
    ``None`` where there are too many sets to look at, free districts with different targets, or no division
    ``within``.
    """
    free = np.flatnonzero(anchor < 0)
    if len(graph) > MOST_UNITS or (len(free) and np.ptp(target[free]) > 1e-9 * scale.mean()):
        return None
    masks = _connected_sets(graph, float((target + within * scale).max()), anchor, rooted=len(target) == 2)
    if masks is None:
        return None
    sets = _suited(graph, masks, target, scale, anchor, limits, within)
    if len(sets.mask) == 0:
        return None
    wide = _cover(len(graph), len(target), sets, sets.deviation, np.maximum)
    if wide is None:
        return None
    deviation = float(wide[1])
    near = sets.deviation <= max(deviation, tolerance) + 1e-12
    chosen = _cover(len(graph), len(target), sets.take(near), sets.take(near).rim, np.add)
    rows = chosen[0] if chosen is not None else wide[0]
    picked = sets.take(near) if chosen is not None else sets
    label = np.zeros(len(graph), dtype=np.int64)
    spare = iter(free.tolist())
    for row in sorted(rows, key=lambda row: int(picked.mask[row] & -picked.mask[row])):
        members = (picked.mask[row] >> np.arange(len(graph))) & 1 == 1
        district = int(picked.district[row])
        label[members] = district if district >= 0 else next(spare)
    return Exact(label, float(picked.deviation[rows].max()))


@dataclass(frozen=True)
class _Sets:
    """Connected sets: mask, district whose anchor each holds (-1: none), deviation from its target, outline."""

    mask: Masks
    district: Rows
    deviation: Floats
    rim: Floats

    def take(self, rows: NDArray[np.bool_]) -> _Sets:
        return _Sets(self.mask[rows], self.district[rows], self.deviation[rows], self.rim[rows])


def _connected_sets(graph: UnitGraph, most: float, anchor: Rows, *, rooted: bool) -> Masks | None:
    """List connected sets of at most so much demand and one anchor; ``None`` where there are too many.

    Parameters
    ----------
    rooted : list only sets with the first anchor or the lowest unit, and their complements where these are connected
    """
    count = len(graph)
    others = np.zeros(count, dtype=np.int64)
    anchors = anchor[anchor >= 0]
    for unit in anchors.tolist():
        others[unit] = sum(1 << other for other in anchors.tolist() if other != unit)
    near = np.zeros(count, dtype=np.int64)
    for one, two in graph.links.tolist():
        near[one] |= 1 << two
        near[two] |= 1 << one
    front = 1 << np.arange(count, dtype=np.int64)
    around, held = near.copy(), graph.demand.copy()
    fits = held <= most
    if rooted:
        fits &= np.arange(count) == (anchors[0] if len(anchors) else 0)
    front, around, held = front[fits], around[fits], held[fits]
    found, total = [front], len(front)
    while len(front):
        masks, arounds, helds = [], [], []
        for unit in range(count):
            bit = 1 << unit
            grows = ((around & ~front & bit) != 0) & (held + graph.demand[unit] <= most)
            grows &= (front & others[unit]) == 0
            masks.append(front[grows] | bit)
            arounds.append(around[grows] | near[unit])
            helds.append(held[grows] + graph.demand[unit])
        front, first = np.unique(np.concatenate(masks), return_index=True)
        around, held = np.concatenate(arounds)[first], np.concatenate(helds)[first]
        total += len(front)
        if total > _MOST_SETS:
            return None
        found.append(front)
    listed = np.concatenate(found)
    if not rooted:
        return listed
    rest = ((1 << count) - 1) ^ listed
    rest = rest[_connected(near, rest)]
    return np.concatenate([listed, rest])


def _connected(near: Masks, mask: Masks) -> NDArray[np.bool_]:
    """Whether each set is connected and holds a unit."""
    reached = mask & -mask
    while True:
        around = reached.copy()
        for unit in range(len(near)):
            around |= np.where((reached >> unit) & 1 == 1, near[unit], 0)
        around &= mask
        if np.array_equal(around, reached):
            return np.asarray((reached == mask) & (mask != 0))
        reached = around


def _suited(
    graph: UnitGraph, mask: Masks, target: Floats, scale: Floats, anchor: Rows, limits: Limits, within: float
) -> _Sets:
    """Keep sets that can be districts: at most one anchor, demand near the target."""
    held = np.zeros(len(mask))
    rim = np.zeros(len(mask))
    ground = np.zeros(len(mask))
    for unit in range(len(graph)):
        inside = (mask >> unit) & 1 == 1
        held[inside] += graph.demand[unit]
        rim[inside] += graph.outline_m[unit]
        ground[inside] += graph.area_m2[unit]
    for (one, two), border in zip(graph.links.tolist(), graph.border_m.tolist(), strict=True):
        rim[((mask >> one) & (mask >> two) & 1) == 1] -= 2 * border
    district = np.full(len(mask), -1, dtype=np.int64)
    anchors = np.zeros(len(mask), dtype=np.int64)
    for number, unit in enumerate(anchor.tolist()):
        if unit >= 0:
            inside = (mask >> unit) & 1 == 1
            district[inside] = number
            anchors += inside
    free = np.flatnonzero(anchor < 0)
    which = np.where(district >= 0, district, free[0] if len(free) else 0)
    deviation = np.abs(held - target[which]) / scale[which]
    good = (anchors <= 1) & (deviation <= within)
    good &= (held >= limits.min_demand) & (held <= limits.max_demand)
    good &= (ground >= limits.min_area_m2) & (ground <= limits.max_area_m2)
    if len(free) == 0:
        good &= anchors == 1
    return _Sets(mask[good], district[good], deviation[good], rim[good])


def _cover(units: int, districts: int, sets: _Sets, cost: Floats, join: np.ufunc) -> tuple[Rows, float] | None:
    """Choose disjoint sets, one a district, that hold every unit at the least joint cost; tell that cost too."""
    whole = (1 << units) - 1
    of_unit = [np.flatnonzero((sets.mask >> unit) & 1 == 1) for unit in range(units)]
    by_mask = np.argsort(sets.mask)
    known = sets.mask[by_mask]
    state, value = np.zeros(1, dtype=np.int64), np.zeros(1)
    layers: list[tuple[Rows, Rows]] = []
    for turn in range(districts - 1):
        lowest = _lowest_clear(state)
        if int(np.array([len(rows) for rows in of_unit])[lowest].sum()) > _MOST_PAIRS:
            return None
        parts = []
        for unit in np.unique(lowest).tolist():
            here, there = np.flatnonzero(lowest == unit), of_unit[unit]
            step = max(_AT_A_TIME // max(len(there), 1), 1)
            for begin in range(0, len(here), step):
                some = here[begin : begin + step]
                first, second = np.nonzero((state[some][:, None] & sets.mask[there][None, :]) == 0)
                origin, row = some[first], there[second]
                joined = state[origin] | sets.mask[row]
                # Of the last set but one only those are kept that leave a set over.
                keep = np.isin(whole ^ joined, known) if turn == districts - 2 else joined != whole
                parts.append((joined[keep], origin[keep], row[keep]))
        joined, origin, row = (np.concatenate(column) for column in zip(*parts, strict=True))
        if not 0 < len(joined) <= _MOST_STATES:
            return None
        worth = join(value[origin], cost[row])
        order = np.lexsort((row, worth, joined))
        state, first_of = np.unique(joined[order], return_index=True)
        chosen = order[first_of]
        value = worth[chosen]
        layers.append((origin[chosen], row[chosen]))
    last = by_mask[np.minimum(np.searchsorted(known, whole ^ state), len(known) - 1)]
    total = np.where(sets.mask[last] == whole ^ state, join(value, cost[last]), np.inf)
    at = int(np.argmin(total))
    if not np.isfinite(total[at]):
        return None
    picked, worth_of_all = [int(last[at])], float(total[at])
    for origin, row in reversed(layers):
        picked.append(int(row[at]))
        at = int(origin[at])
    return np.array(picked, dtype=np.int64), worth_of_all


def _lowest_clear(mask: Masks) -> Rows:
    """Find the lowest bit that is not set."""
    bit = ~mask & (mask + 1)
    return np.asarray(np.rint(np.log2(bit.astype(np.float64))), dtype=np.int64)
