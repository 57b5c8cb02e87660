"""Districts that can hold but one amount, whatever is tried: shut in by others, or round a unit too heavy for any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.service.reach import Flags, Floats, Rows


@dataclass(frozen=True)
class Forced:
    """What is settled before the search.

    Attributes
    ----------
    anchor : (k,) int64, anchors, with a free district tied to each unit that is too heavy for any
    target : (k,) float64, as asked for; what forced districts must hold, and what is left shared by the others
    forced : (k,) bool
    """

    anchor: Rows
    target: Floats
    forced: Flags


def force(graph: UnitGraph, target: Floats, most: Floats, anchor: Rows) -> Forced:
    """Settle districts that have no choice.

    Parameters
    ----------
    target, most : (k,) float64, demand each district should hold, and may hold at most
    anchor : (k,) int64, distinct; -1 where free
    """
    anchor, load = anchor.copy(), np.full(len(target), np.nan)
    for district in shut_in(graph, anchor):
        load[district] = graph.demand[anchor[district]]
    for unit in np.flatnonzero(graph.demand > float(most.max())).tolist():
        district = _holder(graph, anchor, target, load, unit)
        own = anchor[district]
        load[district] = graph.demand[unit] + (graph.demand[own] if own not in (-1, unit) else 0.0)
        if own < 0:
            anchor[district] = unit
    forced = ~np.isnan(load)
    if forced.all() or not forced.any():
        return Forced(anchor, target if not forced.any() else load, forced)
    left, asked = float(graph.demand.sum() - load[forced].sum()), float(target[~forced].sum())
    share = max(left, 0.0) / asked if asked > 0 else 0.0
    return Forced(anchor, np.where(forced, load, target * share), forced)


def shut_in(graph: UnitGraph, anchor: Rows) -> list[int]:
    """Districts whose anchor adjoins nothing but anchors of others."""
    held = np.zeros(len(graph), dtype=np.bool_)
    held[anchor[anchor >= 0]] = True
    open_side = np.zeros(len(graph), dtype=np.bool_)
    one, two = graph.links.T
    open_side[one[~held[two]]] = True
    open_side[two[~held[one]]] = True
    return [district for district, unit in enumerate(anchor.tolist()) if unit >= 0 and not open_side[unit]]


def _holder(graph: UnitGraph, anchor: Rows, target: Floats, load: Floats, unit: int) -> int:
    """District that is to hold a unit too heavy for any: its own, a free one, or that of the nearest anchor."""
    own = np.flatnonzero(anchor == unit)
    if len(own):
        return int(own[0])
    free = np.flatnonzero(anchor < 0)
    if len(free):
        return int(free[np.argmax(target[free])])
    away = np.hypot(*(graph.xy_m[anchor] - graph.xy_m[unit]).T)
    return int(np.argmin(np.where(np.isnan(load), away, away + 1e12)))
