"""Divide units into contiguous districts of balanced demand, each round its anchor or as compact as can be."""

from __future__ import annotations

import numpy as np

from gridmap.planning.districting.apportion import Apportioned, apportion
from gridmap.planning.districting.check import measured
from gridmap.planning.districting.network import sub_graph
from gridmap.planning.districting.reasons import shortfalls
from gridmap.planning.districting.solve import Part, solve
from gridmap.planning.districting.task import Districts, Task, UnitGraph
from gridmap.planning.service.reach import Floats, Rows


def draw(task: Task) -> Districts:
    """Divide the units of a task.

    Districts with an anchor hold it; those without lie anywhere; both may occur in one task. Equal tasks give equal
    districts. What cannot be met is said, with the unit that stands in the way.

    Returns
    -------
    Every unit in one district; every district connected, but for ground that is not.
    """
    graph, count = task.graph, len(task.target)
    if count == 0 or len(graph) == 0:
        return Districts(np.zeros(len(graph), dtype=np.int64), ())
    of_unit, of_district = measured(task)
    measure, target = np.array(of_unit), np.array(of_district)
    ground = apportion(graph, measure, target, task.anchor)
    label, bound = np.zeros(len(graph), dtype=np.int64), 0.0
    for group in range(int(ground.group.max()) + 1):
        units = np.flatnonzero(ground.group == group)
        districts = np.flatnonzero(ground.group_of_district == group)
        local, proved = solve(_part(task, ground, measure, target, units, districts))
        label[units] = districts[local]
        bound = max(bound, proved)
    return Districts(label, shortfalls(task, ground, measure, target, label), bound)


def _part(task: Task, ground: Apportioned, measure: Floats, target: Floats, units: Rows, districts: Rows) -> Part:
    """State the districts of one connected ground, with bounds that can be met there."""
    place = np.full(len(ground.group), -1, dtype=np.int64)
    place[units] = np.arange(len(units))
    anchor, beside = ground.anchor[districts], ground.beside[districts]
    graph = sub_graph(ground.graph, units)
    graph = UnitGraph(measure[units], graph.area_m2, graph.xy_m, graph.links, graph.border_m, graph.outline_m)
    return Part(
        graph=graph,
        target=target[districts],
        wanted=target[districts],
        scale=np.where(target[districts] > 0, target[districts], target.mean()),
        anchor=np.where(anchor >= 0, place[anchor], -1),
        beside=np.where(beside >= 0, place[beside], -1),
        tolerance=task.tolerance,
        compactness=task.compactness,
        limits=task.limits,
        by_demand=bool(task.graph.demand.sum() > 0),
        seed=task.seed,
    )
