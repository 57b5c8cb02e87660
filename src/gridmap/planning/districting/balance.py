"""Bring districts within their bounds: follow the least flow between neighbours, unit by unit, never breaking one."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush

import numpy as np

from gridmap.planning.districting.division import Division
from gridmap.planning.districting.flow import least_flow
from gridmap.planning.districting.recombine import recombine
from gridmap.planning.service.reach import Floats

#: A pair whose flow could not be followed costs so much more in the next round.
_STUCK = 2.0
#: Rounds without gain after which nothing more is tried.
_PATIENCE = 8
#: Most pairs of districts that are divided anew in one round.
_ANEW = 4
#: Most districts that are divided anew with all their neighbours in one round.
_SETTLED = 24


def balance(division: Division, rounds: int, rng: np.random.Generator) -> None:
    """Follow the least flow until every district is within its bounds, or nothing comes nearer to that any more.

    Keeps the best labels met: least sum of what is out of bounds.
    """
    low, high = np.array(division.low), np.array(division.high)
    scale = np.maximum((low + high) / 2, 1e-300)
    scale = np.maximum(scale, 1e-3 * scale.mean())
    cost: dict[tuple[int, int], float] = {}
    best, kept, stale = np.inf, division.rows(), 0
    for step in range(rounds):
        out = float(np.abs(division.excess() / scale).sum())
        if out < best * (1 - 1e-3):
            best, kept, stale = out, division.rows(), 0
        else:
            stale += 1
        if best <= 0 or stale > _PATIENCE:
            break
        front = fronts(division)
        if not front:
            break
        # Aim inside the bounds at first; where few are out of them or units too coarse for that, at the bounds.
        few = np.count_nonzero(division.excess()) <= 0.1 * len(low)
        narrow = (0.02 if few else (0.25, 0.25, 0.1, 0.02)[min(stale, 3)]) * (high - low)
        pairs = np.array(list(front), dtype=np.int64)
        price = np.array([cost.get(pair, 1.0) for pair in front])
        wanted = least_flow(pairs, price, np.array(division.load), low + narrow, high - narrow, scale)
        anew = _ANEW if step >= 2 else 0
        for row in np.argsort(-wanted, kind="stable").tolist():
            amount = float(wanted[row])
            if amount <= 0:
                break
            one, two = pairs[row].tolist()
            moved = follow(division, front[one, two], one, two, amount, cut_off=step >= 1)
            if moved < 0.8 * amount and anew:
                anew -= recombine(division, one, two, toward(division.load[one] - amount + moved), rng)
            if moved < 0.5 * amount:
                cost[one, two] = min(cost.get((one, two), 1.0) * _STUCK, 200.0)
        if stale > 3:
            settle(division, fronts(division), rng)
    division.take(kept)


def settle(division: Division, front: dict[tuple[int, int], list[int]], rng: np.random.Generator) -> None:
    """Divide the districts furthest out of bounds anew with a neighbour, wherever both come nearer to their bounds."""
    out = np.abs(division.excess())
    worst = np.argsort(-out, kind="stable")[:_SETTLED]
    for one in worst[out[worst] > 1e-9 * np.array(division.high)[worst]].tolist():
        for near, two in front:
            if near == one:
                total = division.load[one] + division.load[two]
                recombine(division, one, two, within(division, one, two, total), rng, tries=8)


def toward(wanted: float) -> Callable[[Floats], Floats]:
    """How far a district is from holding ``wanted``."""
    return lambda held: np.asarray(np.abs(held - wanted))


def within(division: Division, one: int, two: int, total: float) -> Callable[[Floats], Floats]:
    """How far two districts are out of their bounds if the first holds so much of the total."""
    low_1, high_1, low_2, high_2 = division.low[one], division.high[one], division.low[two], division.high[two]

    def out(held: Floats) -> Floats:
        rest = total - held
        return np.asarray(
            np.maximum(held - high_1, 0) / high_1
            + np.maximum(low_1 - held, 0) / high_1
            + np.maximum(rest - high_2, 0) / high_2
            + np.maximum(low_2 - rest, 0) / high_2
        )

    return out


def fronts(division: Division) -> dict[tuple[int, int], list[int]]:
    """Units of one district that adjoin another, ascending, by (district, other), in the order of these."""
    label, links, count = division.rows(), division.net.graph.links, len(division.low)
    across = links[label[links[:, 0]] != label[links[:, 1]]]
    unit, other = np.concatenate([across, across[:, ::-1]]).T
    pair = label[unit] * count + label[other]
    keys = np.unique(pair * len(label) + unit)
    pair, unit = keys // len(label), keys % len(label)
    found, first = np.unique(pair, return_index=True)
    return (
        {
            (key // count, key % count): units.tolist()
            for key, units in zip(found.tolist(), np.split(unit, first[1:]), strict=True)
        }
        if len(found)
        else {}
    )


def follow(division: Division, front: list[int], source: int, sink: int, amount: float, *, cut_off: bool) -> float:
    """Move units from one district to a neighbour until ``amount`` of demand has crossed.

    Parameters
    ----------
    front : units of the source that adjoin the sink
    cut_off : let a unit leave that others hang on, together with them

    Returns
    -------
    Demand moved.
    """
    net, label, held, near = division.net, division.label, division.held, division.net.near
    demand = net.demand
    heap = []
    for unit in front:
        if label[unit] != source or held[unit]:
            continue
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
        if not net.stays_whole(label, unit, mask, 0):
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


def _with_dependents(division: Division, unit: int, most: float) -> list[int]:
    """List a unit and all that it would cut off, in an order that keeps the receiver whole; nothing if too much."""
    net = division.net
    parts = net.parts_without(division.label, unit)
    if len(parts) == 1:
        return [unit]
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
