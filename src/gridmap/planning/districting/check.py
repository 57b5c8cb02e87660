"""Verify a division from scratch, with nothing the solver keeps: complete, contiguous, anchors inside, balanced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gridmap.planning.districting.task import Districts, Task


class Fault(StrEnum):
    """What a division breaks."""

    INCOMPLETE = "incomplete"
    """A unit has no district, or one that was not asked for."""
    EMPTY = "empty"
    """A district has no unit."""
    BROKEN = "broken"
    """A district has parts that do not adjoin."""
    ANCHOR_OUTSIDE = "anchor_outside"
    """A district does not hold its anchor."""
    OUT_OF_TOLERANCE = "out_of_tolerance"
    """A district's demand is further from its target than allowed."""
    OUT_OF_LIMITS = "out_of_limits"
    """A district's demand or area is out of its bounds."""


@dataclass(frozen=True)
class Violation:
    """One thing a division breaks.

    Attributes
    ----------
    district : the district, -1 where it is none
    unit : the unit, -1 where it is no single one
    size : how far: share out of tolerance, parts too many, or demand or m² out of bounds
    """

    fault: Fault
    district: int
    unit: int
    size: float


def violations(task: Task, districts: Districts) -> tuple[Violation, ...]:
    """Everything the division breaks, explained or not, by district."""
    graph, count = task.graph, len(task.target)
    label = districts.label.tolist()
    found = [Violation(Fault.INCOMPLETE, -1, unit, 1.0) for unit, number in enumerate(label) if not 0 <= number < count]
    if len(label) != len(graph):
        found.append(Violation(Fault.INCOMPLETE, -1, -1, float(abs(len(graph) - len(label)))))
    members: list[list[int]] = [[] for _ in range(count)]
    for unit, number in enumerate(label):
        if 0 <= number < count:
            members[number].append(unit)
    near: dict[int, list[int]] = {unit: [] for unit in range(len(graph))}
    for one, two in graph.links.tolist():
        if label[one] == label[two]:
            near[one].append(two)
            near[two].append(one)
    measure, target = measured(task)
    for number, units in enumerate(members):
        if not units:
            found.append(Violation(Fault.EMPTY, number, -1, 1.0))
        parts = _parts(units, near)
        if parts > 1:
            found.append(Violation(Fault.BROKEN, number, -1, float(parts - 1)))
        anchor = int(task.anchor[number])
        if anchor >= 0 and label[anchor] != number:
            found.append(Violation(Fault.ANCHOR_OUTSIDE, number, anchor, 1.0))
        found.extend(_out_of_bounds(task, number, units, measure, target))
    return tuple(found)


def measured(task: Task) -> tuple[list[float], list[float]]:
    """Tell what is balanced, by unit and as target by district: demand, or area where there is no demand at all."""
    demand = task.graph.demand.tolist()
    if sum(demand) > 0:
        return demand, task.target.tolist()
    area = task.graph.area_m2.tolist()
    return area, [sum(area) / max(len(task.target), 1)] * len(task.target)


def scale_of(target: list[float], number: int) -> float:
    """Tell what the deviation of a district is a share of: its target, or the mean of all where it has none."""
    return target[number] if target[number] > 0 else sum(target) / len(target)


def _parts(units: list[int], near: dict[int, list[int]]) -> int:
    seen: set[int] = set()
    parts = 0
    for unit in units:
        if unit in seen:
            continue
        parts += 1
        seen.add(unit)
        queue = [unit]
        while queue:
            for other in near[queue.pop()]:
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
    return parts


def _out_of_bounds(
    task: Task, number: int, units: list[int], measure: list[float], target: list[float]
) -> list[Violation]:
    found = []
    load = sum(measure[unit] for unit in units)
    deviation = abs(load - target[number]) / max(scale_of(target, number), 1e-300)
    if deviation > task.tolerance + 1e-9:
        found.append(Violation(Fault.OUT_OF_TOLERANCE, number, -1, deviation - task.tolerance))
    demand = sum(float(task.graph.demand[unit]) for unit in units)
    area = sum(float(task.graph.area_m2[unit]) for unit in units)
    limits = task.limits
    for value, least, most in (
        (demand, limits.min_demand, limits.max_demand),
        (area, limits.min_area_m2, limits.max_area_m2),
    ):
        out = max(least - value, value - most)
        if out > 1e-9 * max(abs(value), 1.0):
            found.append(Violation(Fault.OUT_OF_LIMITS, number, -1, out))
    return found
