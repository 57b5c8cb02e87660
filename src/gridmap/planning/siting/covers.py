"""Who is served from where: demand by candidate, with demand that is served by the same candidates counted as one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array, csr_array

from gridmap.planning.service.reach import Floats, Rows


@dataclass(frozen=True)
class Covers:
    """Which candidates serve which demand.

    Attributes
    ----------
    by_demand : (m, n) int8, 1 where a candidate serves a demand; indices sorted
    weight : (m,) float64, demand, positive
    """

    by_demand: csr_array
    weight: Floats

    @property
    def candidates(self) -> int:
        """Count of the candidates."""
        return int(self.by_demand.shape[1])

    def __len__(self) -> int:
        """Count of the demands."""
        return int(self.by_demand.shape[0])

    @cached_property
    def by_candidate(self) -> csc_array:
        """The same, to be read by candidate."""
        return csc_array(self.by_demand)

    @property
    def total(self) -> float:
        """Sum of all demand."""
        return float(self.weight.sum())

    def value(self, chosen: Rows) -> float:
        """Demand that some candidates serve together."""
        if not len(chosen):
            return 0.0
        served = np.asarray(self.by_demand[:, chosen].sum(axis=1)).ravel() > 0
        return float(self.weight[served].sum())


def covers_of(demand: Rows, candidate: Rows, weight: Floats, candidates: int) -> tuple[Covers, Rows]:
    """Gather pairs of a demand and a candidate that serves it.

    Demands without weight, and those that nobody serves, are left out; demands that the same candidates serve become
    one. Both change no answer.

    Parameters
    ----------
    demand, candidate : (k,) int64, rows of the pairs
    weight : (m,) float64, of the demands, not negative
    candidates : how many there are

    Returns
    -------
    covers : of the merged demands
    merged : (m,) int64, row of each demand among them, -1 where it was left out
    """
    kept = weight[demand] > 0
    pairs = csr_array(
        (np.ones(int(kept.sum()), np.int8), (demand[kept], candidate[kept])), shape=(len(weight), candidates)
    )
    pairs.sum_duplicates()
    pairs.data[:] = 1
    rows = np.flatnonzero(np.diff(pairs.indptr))
    merged = np.full(len(weight), -1)
    first: list[int] = []
    seen: dict[bytes, int] = {}
    for row in rows.tolist():
        served_by = pairs.indices[pairs.indptr[row] : pairs.indptr[row + 1]].tobytes()
        place = seen.setdefault(served_by, len(seen))
        if place == len(first):
            first.append(row)
        merged[row] = place
    total = np.bincount(merged[rows], weights=weight[rows], minlength=len(first)).astype(np.float64)
    return Covers(csr_array(pairs[np.array(first, np.int64)]), total), merged
