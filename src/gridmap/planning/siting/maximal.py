"""Maximal covering (MCLP): a number of candidates that together serve most demand, with a bound on any better choice.

Church and ReVelle, *The maximal covering location problem*, 1974. The choice is found by exchanges and kicks, the bound
by prices; between the two, what is left of the problem is searched by branch and bound where it is small enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridmap.planning.service.reach import Floats, Rows
from gridmap.planning.siting.bounds import Bound, lagrangian_bound, proved_choice, relaxed_bound, settled
from gridmap.planning.siting.covers import Covers
from gridmap.planning.siting.exchange import greedy_choice, improved_choice

Told = Callable[[float], None]

#: Gap, as a share of the bound, that is not worth more work.
_GOOD_ENOUGH = 1e-6
#: Gap below which the linear relaxation, which takes much longer, is not asked.
_CLOSE = 0.002
_FIRST_KICKS, _KICKS = 30, 2000
#: Pairs of a demand and a candidate left, up to which branch and bound is tried, and branches it may look at.
_SMALL_PAIRS, _BRANCHES = 60_000, 2000


@dataclass(frozen=True, slots=True)
class Choice:
    """Candidates that were chosen, and how good they are at worst.

    Attributes
    ----------
    rows : (k,) int64, candidates in the order in which each adds most to those before it
    added : (k,) float64, what each adds, in the unit of demand
    bound : what no choice of as many could serve more than
    """

    rows: Rows
    added: Floats
    bound: float

    @property
    def value(self) -> float:
        """What all of them serve together."""
        return float(self.added.sum())

    @property
    def gap(self) -> float:
        """Distance to the bound, as a share of it: at most so much more could be served."""
        return max(self.bound - self.value, 0.0) / self.bound if self.bound > 0 else 0.0


def most_served(covers: Covers, size: int, seed: int = 0, told: Told | None = None) -> Choice:
    """Choose candidates that serve most demand together.

    Parameters
    ----------
    covers : which candidates serve which demand
    size : how many are to be chosen; fewer are where nothing more can be served
    seed : equal ones give equal answers
    told : called with the share of the work that is done, 0 to 1; what it raises ends the work
    """
    tell = told or (lambda _share: None)
    if not len(covers) or size < 1:
        return Choice(np.empty(0, np.int64), np.empty(0), 0.0)
    greedy = greedy_choice(covers, size)
    if len(greedy) < size:
        # Everything that can be served is.
        return _ordered(covers, greedy, covers.total)
    chosen = improved_choice(covers, greedy, size, _FIRST_KICKS, seed)
    bound = lagrangian_bound(covers, size, covers.value(chosen))
    tell(0.1)
    if _gap(covers, chosen, bound) > _GOOD_ENOUGH and covers.by_demand.nnz <= _SMALL_PAIRS:
        bound = _lower(bound, relaxed_bound(covers, size))
        chosen, bound = _searched(covers, size, chosen, bound)
    if _gap(covers, chosen, bound) > _GOOD_ENOUGH:
        chosen = improved_choice(covers, chosen, size, _KICKS, seed, lambda share: tell(0.1 + 0.6 * share))
        if _gap(covers, chosen, bound) > _CLOSE:
            bound = _lower(bound, relaxed_bound(covers, size))
        tell(0.9)
        chosen, bound = _searched(covers, size, chosen, bound)
    tell(1.0)
    return _ordered(covers, chosen, bound.value)


def _lower(one: Bound, other: Bound) -> Bound:
    return min(one, other, key=lambda bound: bound.value)


def _gap(covers: Covers, chosen: Rows, bound: Bound) -> float:
    return (bound.value - covers.value(chosen)) / bound.value


def _searched(covers: Covers, size: int, chosen: Rows, bound: Bound) -> tuple[Rows, Bound]:
    """Search what the bound leaves open, where that is little enough."""
    known = covers.value(chosen)
    within, without = settled(covers, bound, size, known)
    # Pairs of candidates that are out are out with them.
    left = int(np.diff(covers.by_candidate.indptr)[~without].sum())
    if left > _SMALL_PAIRS:
        return chosen, bound
    start = np.zeros(covers.candidates)
    start[chosen] = 1.0
    found, proved = proved_choice(covers, size, within, without, start, _BRANCHES)
    rows = np.flatnonzero(found)
    better = rows if len(rows) <= size and covers.value(rows) > known else chosen
    # What is settled is settled for choices better than the one known: it may be the best itself.
    return better, Bound(min(bound.value, max(proved, covers.value(better))), bound.price)


def _ordered(covers: Covers, chosen: Rows, bound: float) -> Choice:
    """Put chosen candidates in the order in which each adds most."""
    own = Covers(covers.by_demand[:, chosen].tocsr(), covers.weight)
    order = greedy_choice(own, len(chosen))
    order = np.concatenate([order, np.setdiff1d(np.arange(len(chosen)), order)])
    rows = chosen[order]
    served = np.zeros(len(covers), np.bool_)
    added = np.zeros(len(rows))
    by_candidate = covers.by_candidate
    for place, row in enumerate(rows.tolist()):
        demands = by_candidate.indices[by_candidate.indptr[row] : by_candidate.indptr[row + 1]]
        added[place] = covers.weight[demands[~served[demands]]].sum()
        served[demands] = True
    return Choice(rows, added, max(bound, float(added.sum())))
