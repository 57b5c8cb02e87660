"""Fewer, larger units for a first draft: connected pieces of about equal ground and demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pymetis

from gridmap.planning.districting.network import Network
from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.groups import sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import Floats, Rows


@dataclass(frozen=True)
class Coarse:
    """Pieces of a graph.

    Attributes
    ----------
    piece : (n,) int64, piece of each unit
    graph : the pieces as units
    """

    piece: Rows
    graph: UnitGraph


def coarsen(net: Network, apart: Rows, weight: Floats, most: float) -> Coarse:
    """Merge units into connected pieces: squares of ground, halved until each holds little enough.

    Parameters
    ----------
    apart : units no two of which share a piece
    weight : (n,) float64, what no piece is to hold much of
    most : of ``weight`` in one piece, where a unit alone does not hold more
    """
    graph = net.graph
    corner = graph.xy_m.min(axis=0)
    side = float((graph.xy_m.max(axis=0) - corner).max()) * (1 + 1e-9) + 1e-9
    piece = np.full(len(net), -1, dtype=np.int64)
    left, made = np.arange(len(net)), 0
    alone = np.bincount(apart, minlength=len(net)).astype(np.float64)
    for level in range(1, 24):
        tile = np.floor((graph.xy_m[left] - corner) * (2**level / side)).astype(np.int64)
        _, at = np.unique(tile[:, 0] << 32 | tile[:, 1], return_inverse=True)
        count = int(at.max()) + 1
        small = (sums(at, weight[left], count) <= most) & (sums(at, alone[left], count) <= 1)
        done = small[at]
        piece[left[done]] = made + at[done]
        made += count
        left = left[~done]
        if len(left) == 0:
            break
    piece[left] = made + np.arange(len(left))
    piece = connected_stretches(piece, graph.links)
    return Coarse(piece, merged(graph, piece))


def metis(net: Network, weight: Floats, parts: int, seed: int, shares: Floats | None = None, slack: int = 50) -> Rows:
    """Parts of about equal weight with short borders (METIS k-way); not always connected.

    Parameters
    ----------
    shares : (parts,) float64, of the weight for each part; default: equal
    slack : thousandths by which a part may outweigh its share
    """
    if parts <= 1:
        return np.zeros(len(net), dtype=np.int64)
    options = pymetis.Options()
    options.seed = seed
    options.ufactor = slack
    options.contig = 1
    total = max(float(weight.sum()), 1e-300)
    whole = np.maximum(np.rint(weight * (2**24 / total)), 0).astype(np.int64)
    border = np.maximum(np.rint(net.border_m), 1).astype(np.int64)
    _, label = pymetis.part_graph(
        parts,
        pymetis.CSRAdjacency(net.start_rows, net.to_rows),
        vweights=whole,
        eweights=border,
        tpwgts=None if shares is None or np.ptp(shares) == 0 else (shares / shares.sum()).tolist(),
        recursive=False,
        options=options,
    )
    return np.asarray(label, dtype=np.int64)


def merged(graph: UnitGraph, piece: Rows) -> UnitGraph:
    """Pieces as units: sums of demand and area, borders between them, mean points."""
    count = int(piece.max()) + 1
    ends = np.sort(piece[graph.links], axis=1)
    across = ends[:, 0] != ends[:, 1]
    links, at = np.unique(ends[across], axis=0, return_inverse=True)
    ground = sums(piece, graph.area_m2, count)
    weight = np.where(ground[piece] > 0, graph.area_m2, 1.0)
    whole = sums(piece, weight, count)
    inner = sums(piece[graph.links[~across, 0]], graph.border_m[~across], count)
    return UnitGraph(
        sums(piece, graph.demand, count),
        ground,
        np.column_stack([sums(piece, weight * graph.xy_m[:, axis], count) / whole for axis in (0, 1)]),
        links.astype(np.int64).reshape(-1, 2),
        sums(at.reshape(-1), graph.border_m[across], len(links)),
        sums(piece, graph.outline_m, count) - 2 * inner,
    )
