"""Divide one connected ground: a coarse draft, the least flow that balances it, short borders, then the same finely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.districting.balance import balance
from gridmap.planning.districting.coarse import coarsen
from gridmap.planning.districting.division import Division
from gridmap.planning.districting.network import Network
from gridmap.planning.districting.smooth import smooth
from gridmap.planning.districting.starts import connected, lloyd
from gridmap.planning.districting.task import Limits, UnitGraph
from gridmap.planning.reach import Floats, Rows

#: Units of mean size, and parts of a district's demand, that one piece of a draft holds at most half of each.
_UNITS_A_PIECE = 25
_PIECES_A_DISTRICT = 40


@dataclass(frozen=True)
class Part:
    """Connected ground to be divided.

    Attributes
    ----------
    graph : its ``demand`` is what is balanced
    target : (k,) float64, as asked for; here they need not sum to the demand
    scale : (k,) float64, positive: what the deviation of each district is a share of
    anchor : (k,) int64, distinct; -1 where free
    by_demand : whether what is balanced is demand, so that bounds of demand apply
    """

    graph: UnitGraph
    target: Floats
    scale: Floats
    anchor: Rows
    tolerance: float
    compactness: float
    limits: Limits
    by_demand: bool
    seed: int

    def fitted(self) -> Floats:
        """(k,) float64: the targets, scaled to the demand there is."""
        asked, there = float(self.target.sum()), float(self.graph.demand.sum())
        return self.target * (there / asked) if asked > 0 else np.full(len(self.target), there / len(self.target))

    def bounds(self) -> tuple[Floats, Floats]:
        """(k,) float64 each: least and most demand, as asked for where the ground allows it, else about the fitted."""
        fitted = self.fitted()
        room = self.tolerance * self.scale
        centre, reach = self.target, room
        if float(np.abs(fitted - self.target).max()) > 0.6 * float(room.min()):
            centre, reach = fitted, 0.5 * room
        low, high = centre - reach, centre + reach
        if self.by_demand:
            low = np.clip(low, self.limits.min_demand, self.limits.max_demand)
            high = np.clip(high, self.limits.min_demand, self.limits.max_demand)
        return np.maximum(low, 0.0), high


def solve(part: Part) -> Rows:
    """District of each unit, 0 to k-1; none is empty, every one is connected and holds its anchor."""
    count = len(part.target)
    graph = part.graph
    if count == 1:
        return np.zeros(len(graph), dtype=np.int64)
    net = Network(graph)
    rng = np.random.default_rng(part.seed)
    target = part.fitted()
    low, high = part.bounds()
    held = part.anchor[part.anchor >= 0]
    weight = graph.area_m2 / max(float(graph.area_m2.sum()), 1e-300) * (len(net) / _UNITS_A_PIECE)
    weight = weight + graph.demand / max(float(target.mean()), 1e-300) * _PIECES_A_DISTRICT
    weight[near_units(graph, held, 4)] = 2.0
    coarse = coarsen(net, held, weight, 2.0)
    if len(coarse.graph) < 8 * count:
        coarse = coarsen(net, held, weight, 0.0)
    small = Network(coarse.graph)
    anchor = np.where(part.anchor >= 0, coarse.piece[part.anchor], -1)
    label, _ = lloyd(
        small, anchor, target, _first_centres(graph, part.anchor, rng), 20 if (anchor < 0).any() else 0, 0.0
    )
    draft = Division(small, connected(small, label, anchor), low, high, anchor)
    balance(draft, 60, rng)
    smooth(draft, 30, 0.02, rng)
    division = Division(net, draft.rows()[coarse.piece], low, high, part.anchor)
    balance(division, 60, rng)
    smooth(division, 30, 0.005, rng)
    return division.rows()


def near_units(graph: UnitGraph, units: Rows, steps: int) -> Rows:
    """Units at most so many steps away from one of ``units``, ascending."""
    inside = np.zeros(len(graph), dtype=np.bool_)
    inside[units] = True
    for _ in range(steps):
        reached = inside[graph.links]
        inside[graph.links[reached.any(axis=1)].ravel()] = True
    return np.flatnonzero(inside)


def _first_centres(graph: UnitGraph, anchor: Rows, rng: np.random.Generator) -> Floats:
    """(k, 2) float64: the points of the anchors; free districts start at units drawn by demand."""
    centre = graph.xy_m[anchor].copy()
    free = np.flatnonzero(anchor < 0)
    chance = graph.demand / max(float(graph.demand.sum()), 1e-300) + 1e-6 / len(graph)
    drawn = rng.choice(len(graph), len(free), replace=False, p=chance / chance.sum())
    centre[free] = graph.xy_m[drawn]
    return centre
