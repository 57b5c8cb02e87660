"""Why districts are not what was asked for: every shortfall, with the unit that stands in the way."""

from __future__ import annotations

import numpy as np

from gridmap.planning.districting.apportion import Apportioned
from gridmap.planning.districting.check import Fault, Violation, violations
from gridmap.planning.districting.forced import shut_in
from gridmap.planning.districting.network import Network
from gridmap.planning.districting.task import Districts, Reason, Shortfall, Task
from gridmap.planning.groups import sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import Floats, Rows


def shortfalls(task: Task, ground: Apportioned, measure: Floats, target: Floats, label: Rows) -> tuple[Shortfall, ...]:
    """Find what could not be met, by district.

    Parameters
    ----------
    measure, target : what was balanced, and how much of it each district was to hold
    """
    faults = _faults(task, measure, target, label)
    if not faults:
        return ()
    net = Network(task.graph)
    forced = _forced(task, measure, target, label)
    found = []
    for violation in faults:
        found.extend(_explained(violation, task, ground, net, forced, measure, target, label))
    order = {reason: place for place, reason in enumerate(Reason)}
    return tuple(sorted(found, key=lambda one: (one.district, order[one.reason], one.unit)))


def _faults(task: Task, measure: Floats, target: Floats, label: Rows) -> tuple[Violation, ...]:
    """Find what the verifier would find; where all is well, without its flooding unit by unit."""
    count, limits = len(target), task.limits
    load, area, demand = (sums(label, value, count) for value in (measure, task.graph.area_m2, task.graph.demand))
    scale = np.where(target > 0, target, max(float(target.mean()), 1e-300))
    held = np.flatnonzero(task.anchor >= 0)
    sound = (
        int(connected_stretches(label, task.graph.links).max()) + 1 == count == len(np.unique(label))
        and bool((label[task.anchor[held]] == held).all())
        and bool((np.abs(load - target) <= task.tolerance * scale).all())
        and bool(((demand >= limits.min_demand) & (demand <= limits.max_demand)).all())
        and bool(((area >= limits.min_area_m2) & (area <= limits.max_area_m2)).all())
    )
    return () if sound else violations(task, Districts(label, ()))


def _explained(
    violation: Violation,
    task: Task,
    ground: Apportioned,
    net: Network,
    forced: dict[int, tuple[Reason, int]],
    measure: Floats,
    target: Floats,
    label: Rows,
) -> list[Shortfall]:
    number = violation.district
    mine = np.flatnonzero(label == number)
    load, wanted = float(measure[mine].sum()), float(target[number])
    match violation.fault:
        case Fault.EMPTY:
            crowded = number in ground.crowded.tolist()
            reason = Reason.ANCHORS_TOGETHER if crowded else Reason.TOO_FEW_UNITS
            return [Shortfall(reason, number, int(task.anchor[number]), wanted, 0.0)]
        case Fault.ANCHOR_OUTSIDE:
            return [Shortfall(Reason.ANCHORS_TOGETHER, number, violation.unit, wanted, load)]
        case Fault.BROKEN:
            return [_broken(task, number, measure, label)]
        case Fault.OUT_OF_LIMITS:
            return [_limited(task, number, mine)]
        case Fault.OUT_OF_TOLERANCE if len(mine):
            reason, unit = _unbalanced(task, ground, net, forced, measure, target, label, number)
            return [Shortfall(reason, number, unit, wanted, load)]
    return []


def _broken(task: Task, number: int, measure: Floats, label: Rows) -> Shortfall:
    mine = np.flatnonzero(label == number)
    stretch = connected_stretches(label, task.graph.links)[mine]
    _, part = np.unique(stretch, return_inverse=True)
    weight = np.bincount(part, task.graph.area_m2[mine])
    main = int(np.argmax(weight))
    away = mine[part != main]
    held = measure[mine[part == main]].sum()
    return Shortfall(Reason.NOT_CONTIGUOUS, number, int(away[0]), float(measure[mine].sum()), float(held))


def _limited(task: Task, number: int, mine: Rows) -> Shortfall:
    limits = task.limits
    demand, area = float(task.graph.demand[mine].sum()), float(task.graph.area_m2[mine].sum())
    for value, least, most in (
        (demand, limits.min_demand, limits.max_demand),
        (area, limits.min_area_m2, limits.max_area_m2),
    ):
        if value < least:
            return Shortfall(Reason.LIMITS, number, -1, least, value)
        if value > most:
            return Shortfall(Reason.LIMITS, number, -1, most, value)
    return Shortfall(Reason.LIMITS, number, -1, demand, demand)


def _unbalanced(
    task: Task,
    ground: Apportioned,
    net: Network,
    forced: dict[int, tuple[Reason, int]],
    measure: Floats,
    target: Floats,
    label: Rows,
    number: int,
) -> tuple[Reason, int]:
    mine = np.flatnonzero(label == number)
    wanted = target[number] if target[number] > 0 else float(target.mean())
    load = float(measure[mine].sum())
    room = task.tolerance * wanted
    heaviest = int(mine[np.argmax(measure[mine])])
    if load > wanted and measure[heaviest] > wanted + room:
        return Reason.HEAVY_UNIT, heaviest
    if number in ground.crowded.tolist():
        return Reason.ANCHORS_TOGETHER, int(task.anchor[number])
    if not task.limits.min_demand <= wanted <= task.limits.max_demand:
        return Reason.LIMITS, -1
    group = int(ground.group_of_district[number])
    here = np.flatnonzero(ground.group == group)
    siblings = np.flatnonzero(ground.group_of_district == group)
    total = float(measure[here].sum())
    asked = float(target[siblings].sum())
    if total < asked * (1 - task.tolerance) or total > asked * (1 + task.tolerance):
        return Reason.ISLAND, int(here[np.argmax(measure[here])])
    loads = sums(label, measure, len(target))
    gap = loads - target
    for other in sorted(forced, key=lambda other: (-abs(gap[other]), other)):
        if other in siblings and gap[other] * (load - wanted) < 0:
            return forced[other]
    return _local(task, net, measure, label, number, load - wanted, room)


def _local(
    task: Task, net: Network, measure: Floats, label: Rows, number: int, excess: float, room: float
) -> tuple[Reason, int]:
    """Find what keeps units from crossing the border of a district that holds too much or too little."""
    links = task.graph.links
    ends = label[links]
    across = (ends[:, 0] == number) != (ends[:, 1] == number)
    beside = np.unique(links[across])
    candidates = beside[label[beside] == number] if excess > 0 else beside[label[beside] != number]
    if len(candidates) == 0:
        return Reason.ISLAND, int(np.flatnonzero(label == number)[0])
    held = np.isin(candidates, task.anchor[task.anchor >= 0])
    if held.all():
        return Reason.ENCLOSED, int(candidates[0])
    candidates = candidates[~held]
    labels = label.tolist()
    stuck, coarse = [], []
    for unit in candidates.tolist():
        mask = sum(bit for other, _, bit in net.near(unit) if labels[other] == labels[unit])
        if not net.stays_whole(labels, unit, mask, len(net)):
            stuck.append(unit)
        elif measure[unit] > 0:
            coarse.append(unit)
    if coarse and min(measure[unit] for unit in coarse) > abs(excess):
        return Reason.COARSE_UNITS, min(coarse, key=lambda unit: (measure[unit], unit))
    if stuck:
        return Reason.CHOKE_POINT, max(stuck, key=lambda unit: (measure[unit], -unit))
    return Reason.COARSE_UNITS, int(candidates[np.argmax(measure[candidates])])


def _forced(task: Task, measure: Floats, target: Floats, label: Rows) -> dict[int, tuple[Reason, int]]:
    """Find districts that have no choice but to hold too much or too little, so that others hold what is left."""
    shut = {number: (Reason.ENCLOSED, int(task.anchor[number])) for number in shut_in(task.graph, task.anchor)}
    heavy = np.flatnonzero(measure > target[label] * (1 + task.tolerance))
    heavy = heavy[np.lexsort((-heavy, measure[heavy]))]
    return shut | {int(label[unit]): (Reason.HEAVY_UNIT, unit) for unit in heavy.tolist()}
