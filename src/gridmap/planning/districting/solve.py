"""Divide one connected ground: a coarse draft, the least flow that balances it, short borders, then the same finely."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridmap.planning.districting.balance import balance
from gridmap.planning.districting.coarse import Coarse, coarsen, metis
from gridmap.planning.districting.division import Division
from gridmap.planning.districting.forced import force
from gridmap.planning.districting.mend import mend, regions
from gridmap.planning.districting.network import Network, sub_graph
from gridmap.planning.districting.small import MOST_UNITS, divide_exactly
from gridmap.planning.districting.smooth import smooth
from gridmap.planning.districting.starts import connected, lloyd
from gridmap.planning.districting.task import Limits, UnitGraph
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import Floats, Rows

#: A piece of a draft is full with two of: so many units of mean size, or the demand of a district over so many.
_UNITS_A_PIECE = 25
_PIECES_A_DISTRICT = 40
_FULL = 2.0
#: Pieces a district gets at least by its ground.
_PIECES_BY_GROUND = 24
#: Units so near an anchor are pieces of their own.
_STEPS_ROUND_ANCHORS = 4
#: METIS is asked where there are so many units with demand a district.
_UNITS_FOR_METIS = 12
_METIS_SEEDS = 6
#: Up to so many units several starts are balanced unit by unit.
_FEW_UNITS = 400
_STARTS = 5
#: Up to so many units every start is annealed; above only what balancing leaves out of bounds.
_TINY = 60
#: Sweeps of annealing that mends: at least, at most, and in between so many visits of units.
_MENDING, _MOST_SWEEPS, _VISITS = 120, 400, 40_000
#: What the square of a share out of bounds counts beside the share itself, where all districts are annealed.
_SPREAD = 2.0
#: With no more districts out of bounds than these, they are annealed with their neighbours only.
_FEW_OUT = 3
#: From this share of the districts out of bounds on all are annealed at once.
_MANY_OUT = 0.05
#: With a larger share out of bounds the units are too coarse for mending here and there.
_HOPELESS = 0.1
#: First heat where all districts of a draft are annealed: most are balanced and should stay so.
_MILD = 0.02
#: Visits of units that mending may take at a time, and the fewest sweeps worth making.
_MENDED_VISITS, _LEAST_SWEEPS = 250_000, 20
#: Most units that are annealed at once to balance them.
_MOST_MENDED = 12_000
#: Drafts made while more than this share of the districts is out of bounds.
_DRAFTS, _SPARED = 3, 0.02
#: Rounds of mending and smoothing at the end.
_LAST_TRIES = 3


@dataclass(frozen=True)
class Part:
    """Connected ground to be divided.

    Attributes
    ----------
    graph : its ``demand`` is what is balanced
    target : (k,) float64, as asked for; here they need not sum to the demand
    wanted : (k,) float64, what can be hoped for here; sums to the demand
    scale : (k,) float64, positive: what the deviation of each district is a share of
    anchor : (k,) int64, distinct; -1 where free
    beside : (k,) int64, unit near which a free district should lie, -1 where none
    by_demand : whether what is balanced is demand, so that bounds of demand apply
    """

    graph: UnitGraph
    target: Floats
    wanted: Floats
    scale: Floats
    anchor: Rows
    beside: Rows
    tolerance: float
    compactness: float
    limits: Limits
    by_demand: bool
    seed: int

    def settled(self) -> Part:
        """Make the same with what has no choice settled, and targets that sum to the demand there is."""
        forced = force(self.graph, self.target, self.target + self.tolerance * self.scale, self.anchor)
        asked, there = float(forced.target.sum()), float(self.graph.demand.sum())
        target = forced.target * (there / asked) if asked > 0 else np.full(len(self.target), there / len(self.target))
        return replace(self, anchor=forced.anchor, wanted=target)

    @property
    def room(self) -> float:
        """Share of the tolerance that short borders may use up: all of it from a compactness of one half."""
        return min(0.2 + 1.6 * self.compactness, 1.0)

    @property
    def areas_m2(self) -> tuple[float, float]:
        """Least and most area of a district, square metres."""
        return self.limits.min_area_m2, self.limits.max_area_m2

    def bounds(self) -> tuple[Floats, Floats]:
        """(k,) float64 each: least and most demand, as asked for where the ground allows it, else about the wanted."""
        room = self.tolerance * self.scale
        centre, reach = self.target, room
        if float((np.abs(self.wanted - self.target) - 0.6 * room).max()) > 0:
            centre, reach = self.wanted, 0.5 * room
        low, high = centre - reach, centre + reach
        if self.by_demand:
            low = np.clip(low, self.limits.min_demand, self.limits.max_demand)
            high = np.clip(high, self.limits.min_demand, self.limits.max_demand)
        return np.maximum(low, 0.0), high


def solve(part: Part) -> tuple[Rows, float]:
    """Divide connected ground.

    Returns
    -------
    label : (n,) int64, district of each unit, 0 to k-1; none is empty, every one is connected and holds its anchor
    bound : least possible largest deviation that was proved, 0 where nothing was
    """
    if len(part.target) == 1:
        return np.zeros(len(part.graph), dtype=np.int64), 0.0
    net = Network(part.graph)
    if len(net) <= _FEW_UNITS:
        return _of_few(part, net)
    return _of_many(part.settled(), net), 0.0


def _of_few(part: Part, net: Network) -> tuple[Rows, float]:
    """Try several starts; where the units are few enough, all divisions."""
    kept = _best_of_starts(part, net, 2 if len(net) <= MOST_UNITS else _STARTS)
    met = np.bincount(kept, part.graph.demand, len(part.target))
    within = max(float((np.abs(met - part.target) / part.scale).max()), part.tolerance) + 1e-9
    exact = divide_exactly(
        part.graph, part.target, part.scale, part.anchor, part.limits, part.room * part.tolerance, within
    )
    if exact is not None:
        return exact.label, exact.deviation if exact.deviation > part.tolerance else 0.0
    return (_best_of_starts(part, net, _STARTS) if len(net) <= MOST_UNITS else kept), 0.0


def _best_of_starts(part: Part, net: Network, starts: int) -> Rows:
    """Balance and smooth several starts, fewer where they meet the bounds; keep the best."""
    hoped = part.settled()
    low, high = hoped.bounds()
    best, kept = (np.inf, np.inf), np.zeros(len(net), dtype=np.int64)
    metis_labels = _by_metis(hoped, net) if np.all(hoped.anchor < 0) else []
    for turn in range(starts):
        rng = np.random.default_rng((part.seed, turn))
        label = metis_labels.pop() if metis_labels else _start(net, hoped, hoped.anchor, rng, turn)
        division = Division(net, label, low, high, hoped.anchor, part.areas_m2)
        balance(division, 20, rng)
        if len(net) > _TINY and np.count_nonzero(division.out()) <= _FEW_OUT:
            _mend_regions(division, rng, _MENDED_VISITS)
        if division.out().any() or len(net) <= _TINY:
            mend(division, min(_MOST_SWEEPS, max(_VISITS // len(net), _MENDING)), rng, _SPREAD)
        smooth(division, 120, 0.1, rng, part.room)
        worth = _worth(division)
        if worth < best:
            best, kept = worth, division.rows()
        if best[0] <= 0 and turn >= 2:
            break
    return kept


def _worth(division: Division) -> tuple[float, float]:
    """How far the districts are out of their bounds, and how rough their outlines are: smaller is better."""
    out = np.abs(division.excess()) / np.maximum(np.array(division.high), 1e-300)
    out += np.abs(division.area_excess()) / max(float(np.mean(division.area)), 1e-300)
    return round(float((out + _SPREAD * out**2).sum()), 9), float(
        np.sum(np.array(division.rim) / np.sqrt(np.array(division.area)))
    )


def _of_many(part: Part, net: Network) -> Rows:
    """Draft coarsely, then finely; where all districts are free, divide by METIS too and keep the better."""
    rng = np.random.default_rng(part.seed)
    low, high = part.bounds()
    coarse = _pieces(part, net)
    small = Network(coarse.graph)
    anchor = np.where(part.anchor >= 0, coarse.piece[part.anchor], -1)
    drafts: list[Division] = []
    # Where few units hold demand, other drafts fit them no better.
    drafts_made = _DRAFTS if np.count_nonzero(part.graph.demand) >= _UNITS_FOR_METIS * len(part.target) else 1
    for turn in range(drafts_made):
        draft = Division(small, _start(small, part, anchor, rng, turn), low, high, anchor, part.areas_m2)
        balance(draft, 60, rng)
        _mend_all(draft, rng)
        drafts.append(draft)
        if np.count_nonzero(draft.out()) <= _SPARED * len(part.target):
            break
    draft = min(drafts, key=_worth)
    smooth(draft, 60, 0.1, rng, part.room)
    found = [draft.rows()[coarse.piece]]
    if np.all(part.anchor < 0):
        found += _by_metis(part, net)
    divisions = []
    for label in found:
        division = Division(net, label, low, high, part.anchor, part.areas_m2)
        balance(division, 10, rng)
        divisions.append(division)
    division = min(divisions, key=_worth)
    _mend_regions(division, rng, _MENDED_VISITS // 2)
    balance(division, 20 if np.count_nonzero(division.out()) <= _HOPELESS * len(part.target) else 3, rng)
    visits = 380_000 if np.all(part.anchor < 0) else 300_000 + 20 * len(net)
    visits = int(visits * (0.5 + part.compactness))
    smooth(division, min(max(visits // max(len(division.border_units()), 1), 20), 120), 0.04, rng, part.room)
    for _ in range(_LAST_TRIES):
        if not 0 < np.count_nonzero(division.out()) <= _HOPELESS * len(part.target):
            break
        _mend_regions(division, rng, _MENDED_VISITS // 4)
        smooth(division, 20, 0.02, rng, part.room)
    return division.rows()


def _by_metis(part: Part, net: Network) -> list[Rows]:
    """Divide by METIS; keep connected divisions, the two smoothest of several seeds."""
    count, graph = len(part.wanted), part.graph
    # With fewer units or heavier ones METIS leaves parts empty, and says so on the standard output.
    held = np.count_nonzero(graph.demand)
    if held < _UNITS_FOR_METIS * count or not float(graph.demand.max()) < 0.5 * float(part.wanted.min()):
        return []
    found = []
    for seed in range(_METIS_SEEDS):
        label = metis(net, graph.demand, count, seed, part.wanted)
        pieces = int(connected_stretches(label, graph.links).max()) + 1
        if pieces == count and len(np.unique(label)) == count:
            inner = label[graph.links[:, 0]] == label[graph.links[:, 1]]
            off = np.abs(np.bincount(label, graph.demand, count) - part.wanted) / part.scale
            cut = float(graph.border_m[~inner].sum())
            found.append((cut * (1 + float(np.maximum(off - part.tolerance, 0).sum())), seed, label))
    return [label for _, _, label in sorted(found, key=lambda one: one[:2])[:2]]


def _pieces(part: Part, net: Network) -> Coarse:
    graph = part.graph
    held = part.anchor[part.anchor >= 0]
    pieces = max(len(net) / _UNITS_A_PIECE, _PIECES_BY_GROUND * len(part.target))
    weight = graph.area_m2 / max(float(graph.area_m2.sum()), 1e-300) * pieces
    weight = weight + graph.demand / max(float(part.wanted.mean()), 1e-300) * _PIECES_A_DISTRICT
    # Where outlets stand close together every unit is a way out for one of them.
    weight[near_units(graph, held, _STEPS_ROUND_ANCHORS)] = _FULL
    coarse = coarsen(net, held, weight, _FULL)
    return coarse if len(coarse.graph) >= 8 * len(part.target) else coarsen(net, held, weight, 0.0)


def _start(net: Network, part: Part, anchor: Rows, rng: np.random.Generator, turn: int) -> Rows:
    """First labels: a power diagram about the anchors; free districts start at units drawn by demand and move."""
    graph = net.graph
    near = np.where(anchor >= 0, part.anchor, part.beside)
    centre = part.graph.xy_m[near] + 1e-3 * np.arange(len(near))[:, None]
    free = np.flatnonzero(near < 0)
    chance = graph.demand / max(float(graph.demand.sum()), 1e-300) + 1e-6 / len(graph)
    chance[anchor[anchor >= 0]] = 0
    if len(free):
        drawn = rng.choice(len(graph), len(free), replace=False, p=chance / chance.sum())
        centre[free] = graph.xy_m[drawn]
    pull = (0.6, 0.0, 1.0)[turn % 3]
    label, _ = lloyd(net, near, part.wanted, centre, 12 if len(free) or pull else 0, pull)
    return connected(net, label, anchor)


def _mend_all(division: Division, rng: np.random.Generator) -> None:
    """Anneal all districts where many are out of bounds, then those that still are with those around them."""
    if np.count_nonzero(division.out()) > _MANY_OUT * len(division.low):
        sweeps = _MENDED_VISITS // max(len(division.border_units()), 1)
        mend(division, min(max(sweeps, _LEAST_SWEEPS), _MOST_SWEEPS), rng, heat=_MILD)
    _mend_regions(division, rng, _MENDED_VISITS)


def _mend_regions(division: Division, rng: np.random.Generator, visits: int) -> None:
    """Anneal districts that are out of bounds together with those around them."""
    left = visits
    if np.count_nonzero(division.out()) > _HOPELESS * len(division.low):
        return
    for steps in (1, 2, 2):
        for inside in regions(division, steps):
            label = division.rows()
            units = np.flatnonzero(np.isin(label, inside))
            if len(units) > _MOST_MENDED or not division.out()[inside].any():
                continue
            place = np.full(len(division.net), -1, dtype=np.int64)
            place[units] = np.arange(len(units))
            anchor = np.array(division.anchor)[inside]
            local = Division(
                Network(sub_graph(division.net.graph, units)),
                np.searchsorted(inside, label[units]),
                np.array(division.low)[inside],
                np.array(division.high)[inside],
                np.where(anchor >= 0, place[anchor], -1),
                (division.least_area, division.most_area),
            )
            left -= mend(local, _MENDING, rng)
            label[units] = inside[local.rows()]
            division.take(label)
            if left < 0:
                return


def near_units(graph: UnitGraph, units: Rows, steps: int) -> Rows:
    """Units at most so many steps away from one of ``units``, ascending."""
    inside = np.zeros(len(graph), dtype=np.bool_)
    inside[units] = True
    for _ in range(steps):
        reached = inside[graph.links]
        inside[graph.links[reached.any(axis=1)].ravel()] = True
    return np.flatnonzero(inside)
