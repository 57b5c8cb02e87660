"""Bring districts within their bounds: follow the least flow between neighbours, unit by unit, never breaking one."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np

from gridmap.planning.districting.division import Division
from gridmap.planning.districting.flow import least_flow
from gridmap.planning.reach import Rows

#: A pair whose flow could not be followed costs so much more in the next round.
_STUCK = 2.0
#: Most units looked at to find out whether a district stays whole.
_LOOK = 4000


def balance(division: Division, rounds: int, inner: float = 0.5) -> None:
    """Follow the least flow until every district is within its bounds, or nothing moves any more.

    Keeps the best labels met: least sum of what is out of bounds.

    Parameters
    ----------
    inner : share of the room between the bounds that is aimed at
    """
    low, high = np.array(division.low), np.array(division.high)
    narrow = (1 - inner) / 2 * (high - low)
    scale = np.maximum((low + high) / 2, 1e-300)
    scale = np.maximum(scale, 1e-3 * scale.mean())
    cost: dict[tuple[int, int], float] = {}
    best, kept, stale = np.inf, division.rows(), 0
    for step in range(rounds):
        out = float(np.abs(division.excess()).sum())
        if out < best * (1 - 1e-3):
            best, kept, stale = out, division.rows(), 0
        else:
            stale += 1
        if best <= 0 or stale > 12:
            break
        pairs = district_pairs(division)
        if len(pairs) == 0:
            break
        price = np.array([cost.get((one, two), 1.0) for one, two in pairs.tolist()])
        wanted = least_flow(pairs, price, np.array(division.load), low + narrow, high - narrow, scale)
        moved_any = False
        for row in np.argsort(-wanted, kind="stable").tolist():
            if wanted[row] <= 0:
                break
            one, two = pairs[row].tolist()
            moved = follow(division, one, two, float(wanted[row]), cut_off=step >= 1)
            moved_any |= moved > 0
            if moved < 0.5 * wanted[row]:
                cost[one, two] = min(cost.get((one, two), 1.0) * _STUCK, 200.0)
        if not moved_any:
            stale += 3
    division.take(kept)


def district_pairs(division: Division) -> Rows:
    """(p, 2) int64, ordered pairs of districts that adjoin."""
    label, links = division.rows(), division.net.graph.links
    pairs = label[links]
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.asarray(np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0))


def follow(division: Division, source: int, sink: int, amount: float, cut_off: bool) -> float:
    """Move units from one district to a neighbour until ``amount`` of demand has crossed.

    Parameters
    ----------
    cut_off : let a unit leave that others hang on, together with them

    Returns
    -------
    Demand moved.
    """
    net, label, held, near = division.net, division.label, division.held, division.net.near
    demand = net.demand
    heap = []
    for unit in _front(division, source, sink):
        _, shared = division.borders(unit)
        heap.append((division.roughness_change(unit, sink, shared), unit))
    heapify(heap)
    left, tries = amount, 12
    blocked: set[int] = set()
    while heap and left > 1e-9 * amount:
        key, unit = heappop(heap)
        if label[unit] != source or held[unit] or unit in blocked or demand[unit] > 2 * left:
            continue
        mask, shared = division.borders(unit)
        if sink not in shared:
            continue
        now = division.roughness_change(unit, sink, shared)
        if heap and now > heap[0][0] + 1e-12 and now > key + 1e-12:
            heappush(heap, (now, unit))
            continue
        moved = [unit]
        if not net.stays_whole(label, unit, mask, _LOOK):
            if not cut_off or tries == 0 or mask == 0:
                blocked.add(unit)
                continue
            tries -= 1
            moved = _with_dependents(division, unit, left)
            if not moved:
                blocked.add(unit)
                continue
        for member in moved:
            _, shared = division.borders(member)
            division.move(member, sink, shared)
            left -= demand[member]
        for member in moved:
            for other, _, _ in near(member):
                if label[other] == source and not held[other]:
                    blocked.discard(other)
                    heappush(heap, (division.roughness_change(other, sink, division.borders(other)[1]), other))
    return amount - left


def _front(division: Division, source: int, sink: int) -> list[int]:
    label, links = division.rows(), division.net.graph.links
    ends = label[links]
    out = links[(ends[:, 0] == source) & (ends[:, 1] == sink), 0]
    back = links[(ends[:, 1] == source) & (ends[:, 0] == sink), 1]
    return [int(unit) for unit in np.unique(np.concatenate([out, back])) if not division.held[unit]]


def _with_dependents(division: Division, unit: int, most: float) -> list[int]:
    """List a unit and all that it would cut off, in an order that keeps the receiver whole; nothing if too much."""
    net = division.net
    parts = net.parts_without(division.label, unit)
    anchor = division.anchor[division.label[unit]]
    if anchor >= 0:
        loose = [part for part in parts if anchor not in part]
        if len(loose) == len(parts):
            return []
    else:
        heaviest = max(range(len(parts)), key=lambda row: (sum(net.demand[u] for u in parts[row]), len(parts[row])))
        loose = parts[:heaviest] + parts[heaviest + 1 :]
    moved = [unit, *(member for part in loose for member in part)]
    return moved if sum(net.demand[member] for member in moved) <= 1.5 * most else []
