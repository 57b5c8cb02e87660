"""Figures by group: sums, weighted means and first members, for rows that carry the number of their group."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridmap.planning.service.reach import Floats, Rows


def sums(group: Rows, value: ArrayLike, count: int) -> Floats:
    """(count,) float64: sum of ``value`` over the rows of each group."""
    return np.asarray(np.bincount(group, weights=np.asarray(value), minlength=count), dtype=np.float64)


def counts(group: Rows, count: int) -> Rows:
    """(count,) int64: rows of each group."""
    return np.asarray(np.bincount(group, minlength=count), dtype=np.int64)


def weighted_means(group: Rows, value: Floats, weight: Floats, stand_in: Floats, count: int) -> Floats:
    """Mean of ``value`` by ``weight`` in each group, by ``stand_in`` where the group's weights are zero.

    Returns
    -------
    (count,) float64, NaN where the group has no rows
    """
    used = np.where((sums(group, weight, count) > 0)[group], weight, stand_in)
    whole = sums(group, used, count)
    return np.asarray(np.divide(sums(group, value * used, count), whole, out=np.full(count, np.nan), where=whole > 0))


def first_of_each(group: Rows, *keys: NDArray[np.generic]) -> Rows:
    """Row of each group, in ascending order of the groups, that comes first.

    Parameters
    ----------
    keys : (n,) arrays, smallest first; the last key counts most, rows break what ties are left
    """
    order = np.lexsort((np.arange(len(group)), *keys, group))
    return np.asarray(order[np.unique(group[order], return_index=True)[1]], dtype=np.int64)
