"""First drafts of a division: power diagrams and growth from anchors; every district connected, none balanced yet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from gridmap.planning.districting.network import Network
from gridmap.planning.groups import sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import Floats, Rows

#: From this many centres on a tree finds the nearest faster than a table of all distances.
_MANY = 150


def grown(net: Network, label: Rows, offset: Floats | None = None) -> Rows:
    """Give every unit without a label that of the nearest labelled unit, measured along neighbours.

    Districts stay connected where they are: whatever lies on a shortest path takes the same label.

    Parameters
    ----------
    label : (n,) int64, -1 where none
    offset : (k,) float64, head start of each district, metres; default: none
    """
    sources = np.flatnonzero(label >= 0)
    if len(sources) == len(label):
        return label
    count = int(label.max()) + 1
    lead = np.ones(len(sources)) if offset is None else 1.0 + offset[label[sources]] - offset.min()
    begin = np.repeat(np.arange(len(net)), np.diff(net.start_rows))
    ways: csr_array[np.float64] = csr_array(
        (
            np.concatenate([net.length_m, lead]),
            (np.concatenate([begin, len(net) + label[sources]]), np.concatenate([net.to_rows, sources])),
        ),
        shape=(len(net) + count, len(net) + count),
    )
    _, _, origin = dijkstra(
        ways, indices=len(net) + np.arange(count), unweighted=False, return_predecessors=True, min_only=True
    )
    answer = np.where(label >= 0, label, origin[: len(net)] - len(net))
    return np.asarray(answer, dtype=np.int64)


def power_diagram(
    xy: Floats, weight: Floats, centre: Floats, target: Floats, power: Floats, rounds: int, close: float = 0.02
) -> tuple[Rows, Floats]:
    r"""Nearest centre by :math:`|x - c_i|^2 - p_i`, with powers that bring each district near its target.

    Damped dual ascent: a district that holds too little gains power, at a pace of its own that grows while the sign
    stays and halves when it turns (Riedmiller and Braun, *RPROP*, 1993). After Aurenhammer, Hoffmann and Aronov,
    *Minkowski-type theorems and least-squares clustering* (1998), such powers exist for any targets.

    Returns
    -------
    label : (n,) int64
    power : (k,) float64, m²
    """
    count = len(centre)
    spread = float(((xy - xy.mean(axis=0)) ** 2).sum(axis=1).mean()) * 4 / count
    nearest = _nearest_of_few(xy, centre) if count < _MANY else _nearest_of_many(xy, centre)
    wanted = np.where(target > 0, target, max(float(target.mean()), 1e-300))
    pace = np.full(count, spread * 0.25)
    before = np.zeros(count)
    best, kept, powers = np.inf, np.zeros(len(xy), dtype=np.int64), power
    for _ in range(rounds):
        label = nearest(power)
        lack = (target - np.bincount(label, weight, count)) / wanted
        off = float(np.abs(lack).sum())
        if off < best:
            best, kept, powers = off, label, power
        if float(np.abs(lack).max()) < close:
            break
        sign = np.sign(lack)
        pace = np.clip(np.where(sign == before, pace * 1.15, pace * 0.5), spread * 1e-6, spread * 4)
        before = sign
        power = power + pace * np.clip(lack, -1, 1)
    return np.asarray(kept, dtype=np.int64), powers


def _nearest_of_few(xy: Floats, centre: Floats) -> Callable[[Floats], Rows]:
    distance = (centre**2).sum(axis=1)[None, :] - 2 * xy @ centre.T
    return lambda power: np.asarray(np.argmin(distance - power[None, :], axis=1), dtype=np.int64)


def _nearest_of_many(xy: Floats, centre: Floats) -> Callable[[Floats], Rows]:
    # A third coordinate of the root of what each power lacks to the largest makes them plain nearest neighbours.
    flat = np.column_stack([xy, np.zeros(len(xy))])

    def nearest(power: Floats) -> Rows:
        tree = cKDTree(np.column_stack([centre, np.sqrt(power.max() - power)]))
        return np.asarray(tree.query(flat)[1], dtype=np.int64)

    return nearest


def lloyd(net: Network, anchor: Rows, target: Floats, first: Floats, rounds: int, pull: float) -> tuple[Rows, Floats]:
    """Power diagram whose centres move to the middle of their districts; anchored ones by ``pull`` of the way only."""
    graph = net.graph
    ground = graph.area_m2 + graph.area_m2.mean() * 1e-3
    centre, power = first.copy(), np.zeros(len(target))
    label, power = power_diagram(graph.xy_m, graph.demand, centre, target, power, 300 if rounds == 0 else 60)
    share = np.where(anchor >= 0, pull, 1.0)[:, None]
    for turn in range(rounds):
        weight = sums(label, ground, len(target))
        filled = weight > 0
        middle = centre.copy()
        for axis in (0, 1):
            moment = sums(label, ground * graph.xy_m[:, axis], len(target))
            middle[filled, axis] = moment[filled] / weight[filled]
        centre = (1 - share) * first + share * middle
        last = turn == rounds - 1
        label, power = power_diagram(graph.xy_m, graph.demand, centre, target, power, 80 if last else 15)
    return label, centre


def connected(net: Network, label: Rows, anchor: Rows) -> Rows:
    """Labels with every district in one piece and holding its anchor.

    Each district keeps its heaviest piece. An anchor outside of it is joined by a shortest path that crosses no other
    anchor and no other such path; where there is none, the district grows from its anchor alone. What is left over
    goes to the nearest district.
    """
    count = len(anchor)
    graph = net.graph
    label = label.copy()
    owner = np.full(len(net), -1, dtype=np.int64)
    held = np.flatnonzero(anchor >= 0)
    owner[anchor[held]] = held
    weight = graph.demand / max(float(graph.demand.sum()), 1e-300) + graph.area_m2 / max(
        float(graph.area_m2.sum()), 1e-300
    )
    label[anchor[held]] = held
    heavy = _heaviest(label, graph.links, weight, count)
    far = held[heavy[anchor[held]] != held]
    reach = np.hypot(*(graph.xy_m[anchor[far]] - _middles(net, heavy, far)).T)
    length = net.length_m
    rows = np.repeat(np.arange(len(net)), np.diff(net.start_rows))
    for district in far[np.lexsort((far, reach))].tolist():
        goal = heavy == district
        free = (owner < 0) | (owner == district)
        if not np.any(goal & free):
            continue
        open_way = free[rows] & free[net.to_rows]
        ways: csr_array[np.float64] = csr_array(
            (length[open_way], (rows[open_way], net.to_rows[open_way])), shape=(len(net), len(net))
        )
        distance, before = dijkstra(ways, indices=anchor[district], return_predecessors=True)
        distance = np.where(goal & free, distance, np.inf)
        unit = int(np.argmin(distance))
        if not np.isfinite(distance[unit]):
            continue
        while unit >= 0 and unit != anchor[district]:
            owner[unit] = district
            unit = int(before[unit])
    kept = np.where(owner >= 0, owner, heavy)
    stretch = connected_stretches(kept, graph.links)
    good = np.zeros(int(stretch.max()) + 1, dtype=np.bool_)
    good[stretch[anchor[held]]] = True
    loose = np.flatnonzero(anchor < 0)
    for district in loose.tolist():
        mine = np.flatnonzero(kept == district)
        if len(mine):
            size = np.bincount(stretch[mine], weight[mine], len(good))
            good[int(np.argmax(size))] = True
    kept = np.where(good[stretch] & (kept >= 0), kept, -1)
    kept = _seeded(net, kept, anchor, count)
    return grown(net, kept)


def _heaviest(label: Rows, links: Rows, weight: Floats, count: int) -> Rows:
    stretch = connected_stretches(label, links)
    total = np.bincount(stretch, weight)
    of = np.zeros(len(total), dtype=np.int64)
    of[stretch] = label
    order = np.lexsort((np.arange(len(total)), -total, of))
    best = order[np.unique(of[order], return_index=True)[1]]
    keep = np.zeros(len(total), dtype=np.bool_)
    keep[best] = True
    return np.where(keep[stretch], label, -1)


def _middles(net: Network, label: Rows, districts: Rows) -> Floats:
    points = [net.graph.xy_m[label == district] for district in districts.tolist()]
    return np.array([p.mean(axis=0) if len(p) else (0.0, 0.0) for p in points]).reshape(-1, 2)


def _seeded(net: Network, label: Rows, anchor: Rows, count: int) -> Rows:
    """Every district without a unit gets one that no district needs: the free unit furthest from all others' points."""
    label = label.copy()
    missing = np.setdiff1d(np.arange(count), label[label >= 0])
    for district in missing.tolist():
        if anchor[district] >= 0:
            label[anchor[district]] = district
            continue
        spare = np.flatnonzero(label < 0)
        if len(spare) == 0:
            spare = _leaves(net, label, anchor)
            if len(spare) == 0:
                continue
        label[spare[int(np.argmax(net.graph.demand[spare]))]] = district
    return label


def _leaves(net: Network, label: Rows, anchor: Rows) -> Rows:
    """Units that can leave their district without breaking or emptying it."""
    labels = label.tolist()
    free = []
    held = set(anchor[anchor >= 0].tolist())
    for unit in range(len(net)):
        mask = sum(bit for other, _, bit in net.near(unit) if labels[other] == labels[unit])
        if unit not in held and net.stays_whole(labels, unit, mask, len(net)):
            free.append(unit)
    return np.array(free, dtype=np.int64)
