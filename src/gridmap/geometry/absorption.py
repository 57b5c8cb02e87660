"""Join what is too small to the neighbour it shares most border with, smallest first, until nothing more can be."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from gridmap.geometry.chain import Indices

Floats = NDArray[np.float64]


def absorb(size: Floats, least: Floats, pairs: Indices, length: Floats) -> Indices:
    """Join things smaller than their least size to neighbours.

    Parameters
    ----------
    size : (n,) float64
    least : (n,) float64, least size each may have; what two are joined to need only be as large as the less exacting
    pairs : (m, 2) int64, those that may be joined, distinct
    length : (m,) float64, border they share

    Returns
    -------
    (n,) int64
        For each the row of the largest that it was joined with, its own where it was joined with none.
    """
    across: list[dict[int, float]] = [{} for _ in size]
    for (one, other), border in zip(pairs.tolist(), length.tolist(), strict=True):
        across[one][other] = across[other][one] = border
    whole, wanted = size.astype(np.float64).tolist(), least.astype(np.float64).tolist()
    joined = np.arange(len(size))
    largest = list(range(len(size)))
    waiting = [(whole[row], row) for row in range(len(size)) if whole[row] < wanted[row]]
    heapq.heapify(waiting)
    while waiting:
        held, row = heapq.heappop(waiting)
        if joined[row] != row or held != whole[row] or held >= wanted[row] or not across[row]:
            continue
        into = min(across[row], key=lambda other: (-across[row][other], -whole[other], other))
        joined[row] = into
        largest[into] = min(largest[row], largest[into], key=lambda member: (-size[member], member))
        whole[into] += whole[row]
        wanted[into] = min(wanted[into], wanted[row])
        for other, border in across[row].items():
            del across[other][row]
            if other != into:
                across[into][other] = across[other][into] = across[into].get(other, 0.0) + border
        across[row] = {}
        heapq.heappush(waiting, (whole[into], into))
    for row in range(len(joined)):
        while joined[row] != joined[joined[row]]:
            joined[row] = joined[joined[row]]
    return np.array([largest[row] for row in joined.tolist()], np.int64)
