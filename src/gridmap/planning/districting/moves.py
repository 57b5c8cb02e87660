"""What would come of it if one unit went to another district: for those who ask why it lies where it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.districting.check import measured, scale_of
from gridmap.planning.districting.task import Task
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import Rows


@dataclass(frozen=True)
class Move:
    """Consequences of a unit's move; deviations are shares of the target, with their sign.

    Attributes
    ----------
    source, district : district the unit leaves, and the one it goes to
    source_before, source_after : deviation of the district it leaves
    district_before, district_after : deviation of the district it goes to
    source_whole : whether the district it leaves still holds together as well as before
    district_whole : whether it adjoins the district it goes to
    takes_anchor : whether the district it leaves would lose its anchor
    border_change_m : change of the length of all borders between districts, metres
    """

    source: int
    district: int
    source_before: float
    source_after: float
    district_before: float
    district_after: float
    source_whole: bool
    district_whole: bool
    takes_anchor: bool
    border_change_m: float


def what_if_moved(task: Task, label: Rows, unit: int, district: int) -> Move:
    """Tell what would change if a unit went to another district, all others staying where they are.

    Parameters
    ----------
    label : (n,) int64, district of each unit
    """
    graph, source = task.graph, int(label[unit])
    measure, target = measured(task)
    values = np.array(measure)
    load = np.bincount(label, values, len(target))

    def deviation(number: int, held: float) -> float:
        return (held - target[number]) / max(scale_of(target, number), 1e-300)

    moved = label.copy()
    moved[unit] = district
    change = 0.0
    adjoins = False
    here = np.any(graph.links == unit, axis=1)
    for (one, two), border in zip(graph.links[here].tolist(), graph.border_m[here].tolist(), strict=True):
        other = int(label[two if one == unit else one])
        change += border * (int(other == source) - int(other == district))
        adjoins |= other == district
    stays = district == source
    shift = 0.0 if stays else float(values[unit])
    return Move(
        source=source,
        district=district,
        source_before=deviation(source, float(load[source])),
        source_after=deviation(source, float(load[source]) - shift),
        district_before=deviation(district, float(load[district])),
        district_after=deviation(district, float(load[district]) + shift),
        source_whole=_parts(task, moved, source) <= _parts(task, label, source) and bool((moved == source).any()),
        district_whole=adjoins or stays,
        takes_anchor=not stays and int(task.anchor[source]) == unit,
        border_change_m=0.0 if stays else change,
    )


def _parts(task: Task, label: Rows, district: int) -> int:
    return len(np.unique(connected_stretches(label, task.graph.links)[label == district]))
