"""Set covering (LSCP): the fewest candidates that serve all demand, or a share of it, with a bound on any fewer.

Toregas, Swain, ReVelle and Bergman, *The location of emergency service facilities*, 1971. A number of candidates is
impossible where no choice of as many can serve enough, which is what the bounds of ``bounds`` say.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import csr_array, hstack, identity

from gridmap.planning.service.reach import Rows
from gridmap.planning.siting.bounds import lagrangian_bound, relaxed_bound, silent_solver
from gridmap.planning.siting.covers import Covers
from gridmap.planning.siting.exchange import greedy_choice, improved_choice
from gridmap.planning.siting.maximal import Told

_KICKS = 300
#: Pairs of a demand and a candidate up to which branch and bound is tried, and branches it may look at.
_SMALL_PAIRS, _BRANCHES = 200_000, 5000
#: Demands are sums of fractions: so little short of what is asked is enough, as a share of it.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Fewest:
    """Candidates that serve enough, and how many any choice that does must have at least.

    Attributes
    ----------
    rows : (k,) int64, candidates in the order in which each adds most; all that help where ``is_possible`` is false
    at_least : no fewer candidates serve enough
    is_possible : whether all candidates together serve enough
    """

    rows: Rows
    at_least: int
    is_possible: bool


def fewest_serving(covers: Covers, needed: float, seed: int = 0, told: Told | None = None) -> Fewest:
    """Choose as few candidates as serve a demand.

    Parameters
    ----------
    covers : which candidates serve which demand
    needed : demand that is to be served, in the unit of demand
    seed : equal ones give equal answers
    told : called with the share of the work that is done, 0 to 1; what it raises ends the work
    """
    tell = told or (lambda _share: None)
    enough = needed * (1 - _ROUNDING)
    if enough <= 0:
        return Fewest(np.empty(0, np.int64), 0, is_possible=True)
    everybody = greedy_choice(covers, covers.candidates)
    if covers.total < enough:
        return Fewest(everybody, len(everybody), is_possible=False)
    chosen = everybody[: _enough_of(covers, everybody, enough)]
    at_least = _least(covers, len(chosen), enough)
    tell(0.3)
    if at_least < len(chosen) and covers.by_demand.nnz <= _SMALL_PAIRS:
        chosen, at_least = _searched(covers, chosen, at_least, enough)
    tell(0.6)
    while at_least < len(chosen):
        fewer = improved_choice(covers, chosen[:-1], len(chosen) - 1, _KICKS, seed)
        if covers.value(fewer) < enough:
            break
        chosen = fewer
    if at_least < len(chosen):
        at_least = max(at_least, _least_relaxed(covers, at_least, len(chosen), enough))
    tell(1.0)
    return Fewest(_ordered(covers, chosen), at_least, is_possible=True)


def _enough_of(covers: Covers, ordered: Rows, enough: float) -> int:
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if covers.value(ordered[:middle]) >= enough else (middle + 1, high)
    return low


def _least(covers: Covers, most: int, enough: float) -> int:
    """Least number that prices do not rule out."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if lagrangian_bound(covers, middle, enough).value < enough:
            low = middle + 1
        else:
            high = middle
    return low


def _least_relaxed(covers: Covers, low: int, most: int, enough: float) -> int:
    """Least number that the linear relaxation does not rule out."""
    while low < most and relaxed_bound(covers, low).value < enough:
        low += 1
    return low


def _ordered(covers: Covers, chosen: Rows) -> Rows:
    own = Covers(csr_array(covers.by_demand[:, chosen]), covers.weight)
    order = greedy_choice(own, len(chosen))
    return np.asarray(chosen[order])


def _searched(covers: Covers, chosen: Rows, at_least: int, enough: float) -> tuple[Rows, int]:
    """Search by branch and bound; returns the best choice and how many any must have."""
    demands, candidates = len(covers), covers.candidates
    solver = silent_solver()
    each = csr_array(hstack([covers.by_demand.astype(np.float64), -identity(demands, format="csr")], format="csr"))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = candidates + demands, demands + 1
    model.col_cost_ = np.concatenate([np.ones(candidates), np.zeros(demands)])
    # Where not one demand may be left out, that is said of each: it makes the search much shorter.
    each_counts = covers.total - enough < covers.weight.min()
    model.col_lower_ = np.concatenate([np.zeros(candidates), np.full(demands, float(each_counts))])
    model.col_upper_ = np.ones(model.num_col_)
    model.row_lower_ = np.append(np.zeros(demands), enough / covers.total)
    model.row_upper_ = np.full(demands + 1, highspy.kHighsInf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.append(each.indptr, each.indptr[-1] + demands)
    model.a_matrix_.index_ = np.concatenate([each.indices, candidates + np.arange(demands)])
    model.a_matrix_.value_ = np.concatenate([each.data, covers.weight / covers.total])
    # Whether a demand counts as served is a choice of its own only where some may be left out.
    model.integrality_ = [highspy.HighsVarType.kInteger] * candidates + [highspy.HighsVarType.kContinuous] * demands
    solver.setOptionValue("mip_max_nodes", _BRANCHES)
    solver.passModel(model)
    solver.run()
    info = solver.getInfo()
    found = np.flatnonzero(np.array(solver.getSolution().col_value[:candidates]) > 0.5)
    if np.isfinite(info.mip_dual_bound):
        at_least = max(at_least, int(np.ceil(info.mip_dual_bound - 1e-6)))
    if len(found) < len(chosen) and covers.value(found) >= enough:
        chosen = found
    return chosen, min(at_least, len(chosen))
