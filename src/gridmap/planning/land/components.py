"""Connected stretches of cells that carry the same label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.planning.service.reach import Rows


def connected_stretches(label: Rows, adjacency: Rows) -> Rows:
    """Stretch each cell belongs to: neighbours with the same label are in one stretch.

    Parameters
    ----------
    label : (n,) int64
    adjacency : (m, 2) int64, rows that share an edge

    Returns
    -------
    (n,) int64, numbered from 0 in the order of each stretch's first cell
    """
    count = len(label)
    same = adjacency[label[adjacency[:, 0]] == label[adjacency[:, 1]]]
    graph = coo_array((np.ones(len(same), dtype=np.int8), (same[:, 0], same[:, 1])), shape=(count, count))
    _, stretch = connected_components(graph, directed=False)
    return numbered_by_first(stretch)


def numbered_by_first(label: NDArray[np.integer]) -> Rows:
    """Labels renumbered from 0 in the order in which they first occur."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse])
