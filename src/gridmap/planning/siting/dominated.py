"""Leave out candidates that serve nobody whom some other does not serve too: no answer is the worse for it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from gridmap.planning.service.reach import Flags, Rows
from gridmap.planning.siting.covers import Covers

_ROWS_AT_A_TIME = 512


def undominated(covers: Covers) -> Rows:
    """Rows of the candidates that are left: of those that serve the same the first.

    Returns
    -------
    (k,) int64, ascending
    """
    serves = csr_array(covers.by_demand.T.astype(np.int32))
    demand_by = csr_array(covers.by_demand.astype(np.int32))
    size = np.diff(serves.indptr)
    kept: Flags = size > 0
    for first in range(0, covers.candidates, _ROWS_AT_A_TIME):
        shared = (serves[first : first + _ROWS_AT_A_TIME] @ demand_by).tocoo()
        one, other = shared.coords[0] + first, shared.coords[1]
        whole = (shared.data == size[one]) & (one != other)
        one, other = one[whole], other[whole]
        kept[one[(size[other] > size[one]) | (other < one)]] = False
    return np.flatnonzero(kept)
