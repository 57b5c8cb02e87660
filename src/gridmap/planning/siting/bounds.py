r"""What no choice of candidates can serve more than: a Lagrangian bound, then that of the linear relaxation.

With a price :math:`0 \le \lambda_i \le w_i` on serving demand :math:`i`, and :math:`c_j(\lambda) = \sum_{i \in j}
\lambda_i` for the demands that candidate :math:`j` serves,

.. math:: L(\lambda) = \sum_i (w_i - \lambda_i) + \sum_{p\ \mathrm{largest}} c_j(\lambda)

is at least what any :math:`p` candidates serve, whatever the prices. Subgradient steps lower it (Galvão and ReVelle, *A
Lagrangean heuristic for the maximal covering location problem*, 1996); duals of the linear relaxation, clipped into
their range, give its least value up to the accuracy that the solver stopped at. Where :math:`L` minus the change that
taking a candidate in, or leaving it out, brings falls short of what is known to be possible, the candidate is settled.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import csr_array, hstack, identity

from gridmap.planning.service.reach import Flags, Floats
from gridmap.planning.siting.covers import Covers

_STEPS = 1500
#: Steps without a lower bound after which they become shorter.
_PATIENCE = 20
_SHORTEST = 1e-4


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound and the prices that prove it.

    Attributes
    ----------
    value : demand that no choice serves more than
    price : (m,) float64, in the unit of demand
    """

    value: float
    price: Floats


def bound_at(covers: Covers, price: Floats, size: int) -> Bound:
    """Bound that some prices prove; they are clipped into their range."""
    clipped = np.clip(price, 0.0, covers.weight)
    worth = np.asarray(covers.by_demand.T @ clipped)
    return Bound(float((covers.weight - clipped).sum() + _largest(worth, size).sum()), clipped)


def lagrangian_bound(covers: Covers, size: int, known: float) -> Bound:
    """Lower the bound by subgradient steps.

    Parameters
    ----------
    known : demand that some choice serves; steps aim at it
    """
    price = covers.weight / np.maximum(np.diff(covers.by_demand.indptr), 1)
    best = bound_at(covers, price, size)
    scale, since = 1.0, 0
    for _ in range(_STEPS):
        worth = np.asarray(covers.by_demand.T @ price)
        top = np.argpartition(-worth, size - 1)[:size] if size < len(worth) else np.arange(len(worth))
        value = float((covers.weight - price).sum() + worth[top].sum())
        if value < best.value:
            best, since = Bound(value, price), 0
        else:
            since += 1
            if since >= _PATIENCE:
                scale, since, price = scale / 1.5, 0, best.price
                if scale < _SHORTEST:
                    break
        chosen = np.zeros(covers.candidates)
        chosen[top] = 1.0
        direction = 1.0 - np.asarray(covers.by_demand @ chosen)
        length = float((direction**2).sum())
        if length == 0 or best.value <= known:
            break
        price = np.clip(price + scale * (value - known) / length * direction, 0.0, covers.weight)
    return best


def relaxed_bound(covers: Covers, size: int) -> Bound:
    """Bound of the linear relaxation, by an interior-point method."""
    solver = silent_solver()
    solver.setOptionValue("solver", "ipm")
    solver.setOptionValue("run_crossover", "off")
    # The duals are clipped and priced anew: a rough optimum proves a bound that is worse by as little.
    solver.setOptionValue("ipm_optimality_tolerance", 1e-5)
    solver.passModel(_model(covers, size))
    solver.run()
    dual = np.array(solver.getSolution().row_dual[: len(covers)])
    return min((bound_at(covers, sign * dual, size) for sign in (1.0, -1.0)), key=lambda bound: bound.value)


def settled(covers: Covers, bound: Bound, size: int, known: float) -> tuple[Flags, Flags]:
    """Candidates that every choice which serves more than ``known`` has, and that none has.

    Returns
    -------
    within, without : (n,) bool
    """
    worth = np.asarray(covers.by_demand.T @ bound.price)
    if size >= len(worth):
        return np.ones(len(worth), np.bool_), np.zeros(len(worth), np.bool_)
    ordered = np.sort(worth)[::-1]
    last_in, first_out = ordered[size - 1], ordered[size]
    room = bound.value - known
    return worth - first_out > room, last_in - worth > room


def proved_choice(
    covers: Covers, size: int, within: Flags, without: Flags, start: Floats, nodes: int
) -> tuple[Floats, float]:
    """Search the choices that are left by branch and bound.

    Parameters
    ----------
    within, without : candidates that are settled
    start : (n,) 0 or 1, the best choice known
    nodes : most branches that are looked at; not a time, so that equal questions have equal answers

    Returns
    -------
    chosen : (n,) 0 or 1
    bound : demand that no choice serves more than
    """
    solver = silent_solver()
    model = _model(covers, size)
    lower, upper = np.zeros(model.num_col_), np.ones(model.num_col_)
    lower[: covers.candidates][within] = 1.0
    upper[: covers.candidates][without] = 0.0
    model.col_lower_, model.col_upper_ = lower, upper
    model.integrality_ = [highspy.HighsVarType.kInteger] * covers.candidates + [highspy.HighsVarType.kContinuous] * len(
        covers
    )
    solver.setOptionValue("mip_max_nodes", nodes)
    solver.setOptionValue("mip_rel_gap", 1e-7)
    solver.passModel(model)
    solution = highspy.HighsSolution()
    served = np.minimum(np.asarray(covers.by_demand @ start), 1.0)
    solution.col_value = np.concatenate([start, served]).tolist()
    solver.setSolution(solution)
    solver.run()
    info = solver.getInfo()
    found = np.array(solver.getSolution().col_value[: covers.candidates])
    chosen = np.rint(found) if len(found) and info.objective_function_value > 0 else start
    return chosen, float(info.mip_dual_bound)


def _largest(values: Floats, count: int) -> Floats:
    return values if count >= len(values) else np.partition(values, len(values) - count)[len(values) - count :]


def silent_solver() -> highspy.Highs:
    """Make a solver that says nothing and gives equal answers to equal questions."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 0)
    return solver


def _model(covers: Covers, size: int) -> highspy.HighsLp:
    """Serve most: a demand is served no more than the candidates chosen for it, ``size`` of which there are."""
    demands, candidates = len(covers), covers.candidates
    each = hstack([-covers.by_demand.astype(np.float64), identity(demands, format="csr")], format="csr")
    rows = csr_array(each)
    chosen = np.arange(candidates)
    model = highspy.HighsLp()
    model.sense_ = highspy.ObjSense.kMaximize
    model.num_col_, model.num_row_ = candidates + demands, demands + 1
    model.col_cost_ = np.concatenate([np.zeros(candidates), covers.weight])
    model.col_lower_, model.col_upper_ = np.zeros(model.num_col_), np.ones(model.num_col_)
    model.row_lower_ = np.append(np.full(demands, -highspy.kHighsInf), 0.0)
    model.row_upper_ = np.append(np.zeros(demands), float(size))
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.append(rows.indptr, rows.indptr[-1] + candidates)
    model.a_matrix_.index_ = np.concatenate([rows.indices, chosen])
    model.a_matrix_.value_ = np.concatenate([rows.data, np.ones(candidates)])
    return model
