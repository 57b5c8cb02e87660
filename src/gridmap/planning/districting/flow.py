"""How much demand should cross which border between districts: the least that puts every district within its bounds."""

from __future__ import annotations

import highspy
import numpy as np
from scipy.sparse import coo_array, csc_array, hstack

from gridmap.planning.service.reach import Floats, Rows

#: Shares of its scale by which a district may leave its bounds, and what each costs: the further out, the dearer, so
#: that what nobody can hold is shared by all that can.
_STEPS = ((0.02, 300.0), (0.03, 400.0), (0.05, 500.0), (0.1, 700.0), (0.2, 1000.0), (0.4, 1400.0), (np.inf, 2000.0))


def least_flow(pairs: Rows, cost: Floats, load: Floats, low: Floats, high: Floats, scale: Floats) -> Floats:
    r"""Demand to be moved between neighbouring districts.

    .. math:: \min \sum_e c_e f_e + \sum_{i,t} m_t (s_{it} + u_{it}), \quad
              l_i - \sum_t s_{it} \le d_i + \sum_{e \in in(i)} f_e - \sum_{e \in out(i)} f_e \le h_i + \sum_t u_{it}

    A linear programme on the graph of the districts, solved by HiGHS (dual simplex, one thread).

    Parameters
    ----------
    pairs : (p, 2) int64, directed: from, to
    cost : (p,) float64, of a unit of demand across each pair
    load, low, high : (k,) float64
    scale : (k,) float64, positive: what being out of bounds is a share of

    Returns
    -------
    (p,) float64, not negative
    """
    districts, count, steps = len(load), len(pairs), len(_STEPS)
    unit = float(scale.mean())
    column = np.arange(count)
    into = coo_array(
        (np.r_[np.ones(count), -np.ones(count)], (np.r_[pairs[:, 1], pairs[:, 0]], np.r_[column, column])),
        shape=(districts, count),
    )
    row = np.repeat(np.arange(districts), steps)
    slack = coo_array((np.ones(len(row)), (row, np.arange(len(row)))), shape=(districts, len(row)))
    matrix = csc_array(hstack([into, slack, -slack]))
    width = (scale[:, None] / unit * np.array([step for step, _ in _STEPS])).ravel()
    price = np.tile([cost for _, cost in _STEPS], districts)
    columns = count + 2 * len(row)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, districts
    model.col_cost_ = np.concatenate([cost, price, price])
    model.col_lower_ = np.zeros(columns)
    model.col_upper_ = np.concatenate([np.full(count, np.inf), width, width])
    model.row_lower_ = (low - load) / unit
    model.row_upper_ = (high - load) / unit
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(model)
    solver.run()
    answer = np.array(solver.getSolution().col_value[:count])
    return np.asarray(np.maximum(answer, 0.0) * unit)
