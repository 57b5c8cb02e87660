"""Which grids of two plans are the same one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridmap.domain.plan import Plan
from gridmap.planning.differences.ground import NO_GRID, Rows, SharedGround


def matched(before: Plan, after: Plan, shared: SharedGround) -> Rows:
    """Row of the earlier grid for each later one, -1 where there is none.

    The same are, first, grids of which each holds more than half of the other's ground, whatever their codes; then of
    those that are left such as share their code and some ground.

    Returns
    -------
    (m,) int64
    """
    found = np.full(len(after.grids), NO_GRID, dtype=np.int64)
    both = (shared.before != NO_GRID) & (shared.after != NO_GRID)
    first, second, area = shared.before[both], shared.after[both], shared.area_m2[both]
    whole_before = np.bincount(first, weights=area, minlength=len(before.grids)) + shared.alone_before_m2
    whole_after = np.bincount(second, weights=area, minlength=len(after.grids)) + shared.alone_after_m2
    mostly: NDArray[np.bool_] = (area > whole_before[first] / 2) & (area > whole_after[second] / 2)
    found[second[mostly]] = first[mostly]
    taken = set(found.tolist())
    codes_before, codes_after = before.grids["grid_code"].tolist(), after.grids["grid_code"].tolist()
    for old, new in zip(first.tolist(), second.tolist(), strict=True):
        if found[new] == NO_GRID and old not in taken and codes_before[old] == codes_after[new]:
            found[new] = old
            taken.add(old)
    return found
