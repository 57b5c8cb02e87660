"""Which districts go to which ground: outlets that share a unit told apart, islands joined or given their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.groups import counts, sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import Floats, Rows


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
    beside : (k,) int64, the anchor that belongs to another, near which the district should lie; -1 for others
    """

    graph: UnitGraph
    group: Rows
    group_of_district: Rows
    anchor: Rows
    crowded: Rows
    beside: Rows


def apportion(graph: UnitGraph, measure: Floats, target: Floats, anchor: Rows) -> Apportioned:
    """Place every district on one connected ground.

    Anchored districts lie on the ground of their anchor. Of several with one anchor the first keeps it, the others lie
    free near it. Free ones go, the largest first, each to the ground that has
    most left over (for equal targets: largest remainders). Ground that gets none is joined to the nearest that has.

    Parameters
    ----------
    measure : (n,) float64, what is balanced
    """
    stretch = connected_stretches(np.zeros(len(graph), dtype=np.int64), graph.links)
    held = np.flatnonzero(anchor >= 0)
    crowded = np.setdiff1d(held, held[np.unique(anchor[held], return_index=True)[1]])
    beside = np.full(len(anchor), -1, dtype=np.int64)
    beside[crowded] = anchor[crowded]
    anchor = np.where(beside >= 0, -1, anchor)
    group = stretch
    bridges: list[tuple[int, int]] = []
    while True:
        placed = _placed(group, measure, target, anchor, beside)
        orphan = counts(placed[placed >= 0], int(group.max()) + 1) == 0
        if not orphan.any():
            break
        group, bridges = _joined(graph, group, orphan, bridges)
    if bridges:
        graph = _bridged(graph, bridges)
    return Apportioned(graph, group, placed, anchor, crowded, beside)


def _placed(group: Rows, measure: Floats, target: Floats, anchor: Rows, beside: Rows) -> Rows:
    """Ground of each district."""
    count = int(group.max()) + 1
    held = anchor >= 0
    placed = np.where(held, group[anchor], -1)
    left = sums(group, measure, count) - sums(placed[held], target[held], count)
    room = counts(group, count) - counts(placed[held], count)
    for district in np.flatnonzero(beside >= 0).tolist():
        chosen = int(group[beside[district]])
        if room[chosen] > 0:
            placed[district] = chosen
            left[chosen] -= target[district]
            room[chosen] -= 1
    free = np.flatnonzero(placed < 0)
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
