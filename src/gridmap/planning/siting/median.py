r"""p-median: candidates with the least weighted distance of all demand to the nearest of them, with a bound.

With :math:`d_1, d_2` the distances to the nearest and next-nearest chosen candidate, taking :math:`j` for :math:`q`
changes the sum by

.. math:: \sum_i w_i (\min(d_{ij}, d_{1i}) - d_{1i}) + \sum_{i: q} w_i (\min(d_{ij}, d_{2i}) - \min(d_{ij}, d_{1i}))

where the second sum runs over the demand that :math:`q` is nearest to (Teitz and Bart, *Heuristic methods for
estimating the generalized vertex median of a weighted graph*, 1968; Whitaker's fast interchange, 1983). The bound
relaxes that each demand is served once (Cornuéjols, Fisher and Nemhauser, *Location of bank accounts to optimize
float*, 1977):

.. math:: L(u) = \sum_i u_i + \sum_{p\ \mathrm{least}} \sum_i \min(0, w_i d_{ij} - u_i)
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from gridmap.planning.service.reach import Flags, Floats, Rows
from gridmap.planning.siting.bounds import silent_solver
from gridmap.planning.siting.maximal import Told

_KICKS, _STEPS = 200, 2000
#: Numbers of a table of distances above which kicks are fewer, so that the work stays the same.
_TABLE = 1_000_000
_PATIENCE, _SHORTEST = 15, 1e-6
_ROUNDING = 1e-9
#: Pairs that branch and bound is tried with, and branches it may look at.
_SMALL_PAIRS, _BRANCHES = 60_000, 2000


@dataclass(frozen=True, slots=True)
class Median:
    """Chosen candidates, the sum of weighted distances, and what no choice of as many falls below.

    Attributes
    ----------
    rows : (p,) int64, ascending
    cost, bound : demand times distance, in the units they were given in
    """

    rows: Rows
    cost: float
    bound: float

    @property
    def gap(self) -> float:
        """Distance to the bound, as a share of the cost: at most so much could be saved."""
        return max(self.cost - self.bound, 0.0) / self.cost if self.cost > 0 else 0.0


def least_mean(
    distance: Floats, weight: Floats, size: int, seed: int = 0, told: Told | None = None, existing: Floats | None = None
) -> Median:
    """Choose candidates with the least weighted distance to the nearest.

    Parameters
    ----------
    distance : (m, n) float64, from each demand to each candidate, finite
    weight : (m,) float64, not negative
    size : how many are to be chosen, at most n
    seed : equal ones give equal answers
    told : called with the share of the work that is done, 0 to 1; what it raises ends the work
    existing : (m,) float64, distance to what is there already, which goes on serving
    """
    tell = told or (lambda _share: None)
    served = weight > 0
    if not served.any():
        return Median(np.arange(min(size, distance.shape[1])), 0.0, 0.0)
    costs = distance[served] * weight[served, None]
    near = np.full(len(costs), np.inf) if existing is None else existing[served] * weight[served]
    # A demand is never farther than from what is there.
    costs = np.minimum(costs, near[:, None])
    size = min(size, costs.shape[1])
    chosen = _greedy(costs, near, size)
    if size < costs.shape[1]:
        chosen = _kicked(costs, near, chosen, seed, lambda share: tell(0.6 * share))
    cost = _cost(costs, near, chosen)
    bound, price = _lagrangian(costs, near, size, cost, lambda share: tell(0.6 + 0.3 * share))
    if cost - bound > cost * _ROUNDING:
        chosen, bound = _searched(costs, near, chosen, bound, price)
        cost = _cost(costs, near, chosen)
    tell(1.0)
    return Median(np.sort(chosen), cost, min(bound, cost))


def _cost(costs: Floats, near: Floats, chosen: Rows) -> float:
    return float(np.minimum(costs[:, chosen].min(axis=1), near).sum())


def _greedy(costs: Floats, near: Floats, size: int) -> Rows:
    nearest = np.where(np.isfinite(near), near, costs.max(axis=1, initial=0.0))
    chosen: list[int] = []
    for _ in range(size):
        saved = (nearest[:, None] - np.minimum(costs, nearest[:, None])).sum(axis=0)
        saved[chosen] = -1.0
        chosen.append(int(saved.argmax()))
        nearest = np.minimum(nearest, costs[:, chosen[-1]])
    return np.array(chosen, dtype=np.int64)


def _kicked(costs: Floats, near: Floats, start: Rows, seed: int, tell: Told) -> Rows:
    random = np.random.default_rng(seed)
    kicks = max(int(_KICKS * min(1.0, _TABLE / costs.size)), 3)
    best = last = _interchanged(costs, near, start)
    best_cost = last_cost = _cost(costs, near, best)
    for kick in range(kicks):
        tell(kick / kicks)
        tried = last.copy()
        count = min(int(random.integers(1, 5)), len(tried), costs.shape[1] - len(tried))
        others = np.setdiff1d(np.arange(costs.shape[1]), tried)
        tried[random.choice(len(tried), count, replace=False)] = random.choice(others, count, replace=False)
        tried = _interchanged(costs, near, tried)
        cost = _cost(costs, near, tried)
        if cost <= last_cost * (1 + 1e-4):
            last, last_cost = tried, cost
        if cost < best_cost * (1 - _ROUNDING):
            best, best_cost = tried, cost
        elif cost > best_cost * 1.01:
            last, last_cost = best, best_cost
    return best


def _interchanged(costs: Floats, near: Floats, chosen: Rows) -> Rows:
    """Exchange one for one as long as that saves anything, what saves most first."""
    chosen = chosen.copy()
    rows = np.arange(len(costs))
    while True:
        own = costs[:, chosen]
        place = own.argmin(axis=1)
        first = own[rows, place]
        own[rows, place] = np.inf
        second = np.minimum(own.min(axis=1), near)
        by_existing = near < first
        first = np.minimum(first, near)
        with_new = np.minimum(costs, first[:, None])
        change = (with_new - first[:, None]).sum(axis=0)
        missed = np.minimum(costs, np.where(np.isfinite(second), second, costs.max(axis=1))[:, None]) - with_new
        # What the existing ones serve misses nobody.
        missed[by_existing] = 0.0
        order = np.argsort(place, kind="stable")
        starts = np.searchsorted(place[order], np.arange(len(chosen)))
        swap = change + _sums(missed[order], starts)
        swap[:, chosen] = 0.0
        out, into = divmod(int(swap.argmin()), swap.shape[1])
        if swap[out, into] >= -_ROUNDING * max(first.sum(), 1.0):
            return chosen
        chosen[out] = into


def _sums(values: Floats, starts: Rows) -> Floats:
    """Sum rows from each start to the next; zero where there are none."""
    ends = np.append(starts[1:], len(values))
    found = np.zeros((len(starts), values.shape[1]))
    filled = np.flatnonzero(ends > starts)
    if len(filled):
        found[filled] = np.add.reduceat(values, starts[filled], axis=0)
    return found


def _lagrangian(costs: Floats, near: Floats, size: int, known: float, tell: Told) -> tuple[float, Floats]:
    """Raise the bound by subgradient steps; returns it with its prices."""
    second = np.partition(costs, min(1, costs.shape[1] - 1), axis=1)[:, min(1, costs.shape[1] - 1)]
    price = best_price = np.minimum(second, near)
    best, scale, since = -np.inf, 2.0, 0
    rows = costs.shape[1]
    steps = max(int(_STEPS * min(1.0, 4 * _TABLE / costs.size)), 100)
    for step in range(steps):
        if step % 50 == 0:
            tell(step / steps)
        saved = np.minimum(costs - price[:, None], 0.0)
        worth = saved.sum(axis=0)
        chosen = np.argpartition(worth, size - 1)[:size] if size < rows else np.arange(rows)
        value = float(price.sum() + worth[chosen].sum())
        if value > best:
            best, best_price, since = value, price, 0
        else:
            since += 1
            if since >= _PATIENCE:
                scale, since, price = scale / 1.5, 0, best_price
                if scale < _SHORTEST:
                    break
                continue
        direction = 1.0 - (saved[:, chosen] < 0).sum(axis=1)
        length = float((direction**2).sum())
        if length == 0 or best >= known * (1 - _ROUNDING):
            break
        # Beyond what is there already a demand costs nothing more.
        price = np.minimum(price + scale * (known - value) / length * direction, near)
    return min(best, known), best_price


def _searched(costs: Floats, near: Floats, chosen: Rows, bound: float, price: Floats) -> tuple[Rows, float]:
    """Search the choices that the bound leaves open by branch and bound, where they are few enough."""
    known, size = _cost(costs, near, chosen), len(chosen)
    worth = np.minimum(costs - price[:, None], 0.0).sum(axis=0)
    ordered = np.sort(worth)
    if size >= len(worth):
        return chosen, known
    room = known - bound
    open_ = worth - ordered[size - 1] <= room * (1 + _ROUNDING)
    open_[chosen] = True
    kept = np.flatnonzero(open_)
    # A demand goes to a candidate only where that is not dearer than its price by more than the room.
    pairs = costs[:, kept] - price[:, None] <= room * (1 + _ROUNDING)
    pairs[:, np.isin(kept, chosen)] = True
    if pairs.sum() > _SMALL_PAIRS:
        return chosen, bound
    found, proved = _branched(costs[:, kept], near, pairs, np.isin(kept, chosen), size)
    better = kept[found]
    if len(better) == size and _cost(costs, near, better) < known:
        chosen = better
    return chosen, max(bound, min(proved, _cost(costs, near, chosen)))


def _branched(costs: Floats, near: Floats, pairs: Flags, start: Flags, size: int) -> tuple[Rows, float]:
    """Solve what is left: each demand goes to one open candidate, or to what is there already."""
    demand, candidate = np.nonzero(pairs)
    demands, candidates = pairs.shape
    stays = np.flatnonzero(np.isfinite(near))
    columns = candidates + len(demand) + len(stays)
    own = candidates + np.arange(len(demand))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, demands + len(demand) + 1
    model.col_cost_ = np.concatenate([np.zeros(candidates), costs[demand, candidate], near[stays]])
    model.col_lower_, model.col_upper_ = np.zeros(columns), np.ones(columns)
    # Each demand once; to a candidate only where it is open; so many are open.
    row = np.concatenate(
        [demand, stays, demands + np.repeat(np.arange(len(demand)), 2), np.full(candidates, demands + len(demand))]
    )
    column = np.concatenate(
        [
            own,
            candidates + len(demand) + np.arange(len(stays)),
            np.column_stack([own, candidate]).ravel(),
            np.arange(candidates),
        ]
    )
    value = np.concatenate([np.ones(len(demand) + len(stays)), np.tile([1.0, -1.0], len(demand)), np.ones(candidates)])
    order = np.lexsort((column, row))
    model.row_lower_ = np.concatenate([np.ones(demands), np.full(len(demand), -highspy.kHighsInf), [float(size)]])
    model.row_upper_ = np.concatenate([np.ones(demands), np.zeros(len(demand)), [float(size)]])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.searchsorted(row[order], np.arange(model.num_row_ + 1))
    model.a_matrix_.index_, model.a_matrix_.value_ = column[order], value[order]
    model.integrality_ = [highspy.HighsVarType.kInteger] * candidates + [highspy.HighsVarType.kContinuous] * (
        columns - candidates
    )
    solver = silent_solver()
    solver.setOptionValue("mip_max_nodes", _BRANCHES)
    solver.setOptionValue("mip_rel_gap", 1e-9)
    solver.passModel(model)
    solver.run()
    opened = np.array(solver.getSolution().col_value[:candidates]) > 0.5
    return np.flatnonzero(opened if opened.sum() == size else start), float(solver.getInfo().mip_dual_bound)
