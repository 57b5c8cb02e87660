"""Which districts go to which ground: anchors made distinct, islands joined or given districts of their own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from gridmap.planning.components import connected_stretches
from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.groups import counts, sums
from gridmap.planning.reach import Floats, Rows


@dataclass(frozen=True)
class Apportioned:
    """Ground and its districts.

    Attributes
    ----------
    graph : the graph with a link of no length from every island without a district to the nearest unit elsewhere
    group : (n,) int64, connected ground (bridges counted) each unit is on
    group_of_district : (k,) int64, ground of each district, -1 for those that get no unit
    anchor : (k,) int64, distinct; -1 where free
    crowded : (c,) int64, districts whose anchor belongs to another
    """

    graph: UnitGraph
    group: Rows
    group_of_district: Rows
    anchor: Rows
    crowded: Rows


def apportion(graph: UnitGraph, measure: Floats, target: Floats, anchor: Rows) -> Apportioned:
    """Place every district on one connected ground.

    Anchored districts lie on the ground of their anchor. Free ones go, the largest first, each to the ground that has
    most left over (for equal targets: largest remainders). Ground that gets none is joined to the nearest that has.

    Parameters
    ----------
    measure : (n,) float64, what is balanced
    """
    stretch = connected_stretches(np.zeros(len(graph), dtype=np.int64), graph.links)
    anchor, crowded = distinct_anchors(graph, anchor)
    group = stretch
    bridges: list[tuple[int, int]] = []
    while True:
        placed = _placed(group, measure, target, anchor)
        orphan = counts(placed[placed >= 0], int(group.max()) + 1) == 0
        if not orphan.any():
            break
        group, bridges = _joined(graph, group, orphan, bridges)
    if bridges:
        graph = _bridged(graph, bridges)
    return Apportioned(graph, group, placed, np.where(placed >= 0, anchor, -1), crowded)


def distinct_anchors(graph: UnitGraph, anchor: Rows) -> tuple[Rows, Rows]:
    """Anchors no two of which are one unit: of several on one unit the first keeps it, others get the nearest free one.

    Returns
    -------
    anchor : (k,) int64, -1 too where no unit is left for a district
    crowded : districts whose anchor was taken
    """
    anchor = anchor.copy()
    held = np.flatnonzero(anchor >= 0)
    _, first = np.unique(anchor[held], return_index=True)
    crowded = np.setdiff1d(held, held[first])
    if len(crowded) == 0:
        return anchor, crowded
    taken = set(anchor[held].tolist())
    near: list[list[int]] = [[] for _ in range(len(graph))]
    for one, two in graph.links.tolist():
        near[one].append(two)
        near[two].append(one)
    for district in crowded.tolist():
        unit = _nearest_free(near, int(anchor[district]), taken)
        anchor[district] = unit
        if unit >= 0:
            taken.add(unit)
    return anchor, crowded


def _nearest_free(near: list[list[int]], start: int, taken: set[int]) -> int:
    seen, queue = {start}, deque([start])
    while queue:
        unit = queue.popleft()
        if unit not in taken:
            return unit
        for other in sorted(near[unit]):
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return -1


def _placed(group: Rows, measure: Floats, target: Floats, anchor: Rows) -> Rows:
    """Ground of each district."""
    count = int(group.max()) + 1
    held = anchor >= 0
    placed = np.where(held, group[anchor], -1)
    left = sums(group, measure, count) - sums(placed[held], target[held], count)
    room = counts(group, count) - counts(placed[held], count)
    free = np.flatnonzero(~held)
    for district in free[np.argsort(-target[free], kind="stable")].tolist():
        open_ground = np.flatnonzero(room > 0)
        if len(open_ground) == 0:
            break
        chosen = int(open_ground[np.argmax(left[open_ground])])
        placed[district] = chosen
        left[chosen] -= target[district]
        room[chosen] -= 1
    return np.asarray(placed, dtype=np.int64)


def _joined(
    graph: UnitGraph, group: Rows, orphan: np.ndarray, bridges: list[tuple[int, int]]
) -> tuple[Rows, list[tuple[int, int]]]:
    home = np.flatnonzero(~orphan[group])
    tree = cKDTree(graph.xy_m[home])
    renamed = np.arange(len(orphan))
    bridges = list(bridges)
    for island in np.flatnonzero(orphan).tolist():
        units = np.flatnonzero(group == island)
        distance, nearest = tree.query(graph.xy_m[units])
        row = int(np.argmin(np.asarray(distance)))
        one, two = int(units[row]), int(home[np.asarray(nearest)[row]])
        bridges.append((min(one, two), max(one, two)))
        renamed[island] = group[two]
    _, dense = np.unique(renamed[group], return_inverse=True)
    return np.asarray(dense, dtype=np.int64), bridges


def _bridged(graph: UnitGraph, bridges: list[tuple[int, int]]) -> UnitGraph:
    links = np.concatenate([graph.links, np.array(bridges, dtype=np.int64)])
    border = np.concatenate([graph.border_m, np.zeros(len(bridges))])
    order = np.lexsort((links[:, 1], links[:, 0]))
    return UnitGraph(graph.demand, graph.area_m2, graph.xy_m, links[order], border[order], graph.outline_m)
