"""Units that hold more than a grid should are grids of their own; only what is left can be balanced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.groups import first_of_each, sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import Flags, Rows

#: Ground shut in by heavy units joins one of them where it holds less than this share of what a grid should.
_TOO_LITTLE = 0.5


@dataclass(frozen=True)
class HeavyUnits:
    """Units set apart from a parent's ground, and what is left to divide.

    Attributes
    ----------
    grid : (n,) int64, number of the heavy grid each unit belongs to, -1 for what is left
    unit : (h,) int64, heavy unit of each of these grids, ascending
    count : grids for what is left
    mean : demand that a heavy unit passes: the target, or the mean of what is left
    """

    grid: Rows
    unit: Rows
    count: int
    mean: float


def set_apart(graph: UnitGraph, count: int, target: float | None, tolerance: float) -> HeavyUnits:
    """Set apart every unit that alone passes the mean, or the target where one is given, by more than the tolerance.

    Parameters
    ----------
    count : grids of the parent; where a target is given, it is found anew for what is left
    target : demand a grid should hold, None where only their number is asked
    """
    heavy = np.zeros(len(graph), dtype=np.bool_)
    while True:
        rest = ~heavy
        left = count - int(heavy.sum())
        mean = target if target is not None else float(graph.demand[rest].sum()) / max(left, 1)
        more = rest & (graph.demand > mean * (1 + tolerance)) if mean > 0 else np.zeros_like(heavy)
        # The heaviest first: what is left is a lower mean, which can make others heavy too.
        room = left - (0 if (rest & ~more).sum() == 0 else 1)
        if target is None and int(more.sum()) > room:
            break
        if not more.any():
            break
        heavy |= more
    grid = np.full(len(graph), -1, dtype=np.int64)
    unit = np.flatnonzero(heavy)
    grid[unit] = np.arange(len(unit))
    _join_shut_in(graph, heavy, grid, mean)
    rest = grid < 0
    size, demand = int(rest.sum()), float(graph.demand[rest].sum())
    if target is not None:
        left = int(np.floor(demand / target + 0.5))
    return HeavyUnits(grid, unit, min(max(left, 1), size) if size else 0, mean)


def _join_shut_in(graph: UnitGraph, heavy: Flags, grid: Rows, mean: float) -> None:
    """Let ground of little demand that heavy units cut off join the one it shares the longest border with, in place."""
    if not heavy.any() or not len(graph.links):
        return
    both = np.concatenate([graph.links, graph.links[:, ::-1]])
    border_m = np.concatenate([graph.border_m, graph.border_m])
    stretch = connected_stretches(heavy.astype(np.int64), graph.links)
    held = sums(stretch, np.where(heavy, 0.0, graph.demand), int(stretch.max()) + 1)
    whole = connected_stretches(np.zeros(len(graph), dtype=np.int64), graph.links)
    # Of the stretches of one connected part the largest is what is divided; the others may be shut in.
    rows = np.flatnonzero(~heavy)
    if not len(rows):
        return
    largest = rows[first_of_each(whole[rows], -held[stretch[rows]])]
    little = ~heavy & (held[stretch] < _TOO_LITTLE * mean) & ~np.isin(stretch, stretch[largest])
    meets = little[both[:, 0]] & heavy[both[:, 1]]
    pair = np.column_stack([stretch[both[meets, 0]], both[meets, 1]])
    shared, inverse = np.unique(pair, axis=0, return_inverse=True)
    length_m = sums(inverse.reshape(-1), border_m[meets], len(shared))
    chosen = first_of_each(shared[:, 0], shared[:, 1], -length_m)
    joins = dict(zip(shared[chosen, 0].tolist(), shared[chosen, 1].tolist(), strict=True))
    for row in np.flatnonzero(little).tolist():
        grid[row] = grid[joins[int(stretch[row])]]
