"""What a division is worth, counted from the units' own borders and areas; shares no code with gridmap's own checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching

from gridmap.planning.districting.task import Task, UnitGraph

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Score:
    r"""Figures of one division.

    Attributes
    ----------
    districts : with at least one unit
    deviation : largest deviation of a district's demand from its target, as a share of it; an empty one deviates by 1
    outside : districts beyond the task's tolerance
    broken : districts in more pieces than they must be: the pieces of ground they lie on
    inside : outlets inside a district of their own; districts without a given outlet are matched to as many as possible
    mean_compact, least_compact : Polsby-Popper, :math:`4 \pi A / P^2` with the true areas and outlines
    border_m : length of all borders between districts, metres
    """

    districts: int
    deviation: float
    outside: int
    broken: int
    inside: int
    mean_compact: float
    least_compact: float
    border_m: float


def score(task: Task, label: Rows, *, knows_outlets: bool) -> Score:
    """Count what a division is worth.

    Parameters
    ----------
    label : (n,) district of each unit, 0 and up; a district's number is that of its target
    knows_outlets : whether district ``i`` was asked to hold outlet ``i``; else they are matched
    """
    graph = task.graph
    if label.shape != (len(graph),) or label.min() < 0:
        raise ValueError("a division gives every unit one district")
    count = max(int(label.max()) + 1, len(task.target))
    held = np.bincount(label, minlength=count) > 0
    load = np.bincount(label, weights=graph.demand, minlength=count)
    target = np.full(count, graph.demand.sum() / held.sum())
    if count == len(task.target):
        target = task.target
    off = np.abs(load - target) / target
    joined = label[graph.links[:, 0]] == label[graph.links[:, 1]]
    within_m = np.bincount(label[graph.links[joined, 0]], weights=graph.border_m[joined], minlength=count)
    outline_m = np.bincount(label, weights=graph.outline_m, minlength=count) - 2 * within_m
    area_m2 = np.bincount(label, weights=graph.area_m2, minlength=count)
    compact = 4 * np.pi * area_m2[held] / outline_m[held] ** 2
    ground = _pieces(graph, np.ones(len(graph.links), dtype=np.bool_))
    return Score(
        districts=int(held.sum()),
        deviation=float(off.max()),
        outside=int(np.count_nonzero(off > task.tolerance + 1e-9)),
        broken=int(np.count_nonzero(_distinct(label, _pieces(graph, joined)) > _distinct(label, ground))),
        inside=_inside(task, label, knows_outlets),
        mean_compact=float(compact.mean()),
        least_compact=float(compact.min()),
        border_m=float(graph.border_m[~joined].sum()),
    )


def _pieces(graph: UnitGraph, links: NDArray[np.bool_]) -> Rows:
    ends = graph.links[links]
    near = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (len(graph), len(graph)))
    return np.asarray(connected_components(near, directed=False)[1], dtype=np.int64)


def _distinct(label: Rows, piece: Rows) -> Rows:
    pairs = np.unique(np.column_stack([label, piece]), axis=0)
    return np.bincount(pairs[:, 0])


def _inside(task: Task, label: Rows, knows_outlets: bool) -> int:
    owner = np.flatnonzero(task.anchor >= 0)
    holder = label[task.anchor[owner]]
    if knows_outlets:
        return int(np.count_nonzero(holder == owner))
    if not len(owner):
        return 0
    holds = csr_array((np.ones(len(owner)), (np.arange(len(owner)), holder)))
    return int(np.count_nonzero(maximum_bipartite_matching(holds, perm_type="column") >= 0))
