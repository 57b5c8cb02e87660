"""What others offer for dividing ground into balanced districts, each called as its documentation advises."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.planning.districting.task import Task
from territory_score import score

Rows = NDArray[np.int64]
METIS_SEEDS = 20
RECOM_STEPS = 300


@dataclass(frozen=True)
class Method:
    """A way to divide.

    Attributes
    ----------
    run : from the task to the district of each unit
    needs : module without which it cannot run
    knows_outlets : whether it can be told which district holds which outlet
    """

    run: Callable[[Task], Rows]
    needs: str
    knows_outlets: bool = False


def gridmap(task: Task) -> Rows:
    """Divide with gridmap's own solver: anchored where the task has anchors, else free."""
    from gridmap.planning.districting.draw import draw

    return draw(task).label


def metis_once(task: Task) -> Rows:
    """Divide with METIS, k-way, contiguous, weighted by demand, border lengths and targets, with its first seed."""
    return _metis(task, 1)


def metis_best(task: Task) -> Rows:
    """Take the best of several seeds: fewest broken, then fewest beyond the tolerance, then the most compact."""
    found = [_metis(task, seed) for seed in range(1, METIS_SEEDS + 1)]
    figures = [score(task, label, knows_outlets=False) for label in found]
    order = [(one.broken, one.outside, -one.mean_compact) for one in figures]
    return found[order.index(min(order))]


def _metis(task: Task, seed: int) -> Rows:
    import pymetis

    graph = task.graph
    ends = np.concatenate([graph.links, graph.links[:, ::-1]])
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    weight = np.maximum(1, np.rint(np.tile(graph.border_m, 2)[order])).astype(np.int64)
    # ufactor is in thousandths above the target; METIS has no lower bound.
    options = pymetis.Options(seed=seed, ufactor=max(1, round(1000 * task.tolerance)), contig=1)
    cut = pymetis.part_graph(
        len(task.target),
        xadj=np.concatenate([[0], np.cumsum(np.bincount(ends[:, 0], minlength=len(graph)))]),
        adjncy=ends[order, 1],
        vweights=graph.demand.astype(np.int64),
        eweights=weight,
        tpwgts=(task.target / task.target.sum()).tolist(),
        options=options,
    )
    return np.asarray(cut.vertex_part, dtype=np.int64)


def gerrychain_tree(task: Task) -> Rows:
    """Divide by GerryChain's recursive bipartition of random spanning trees; it has one target for all."""
    return _assigned(_gerrychain_graph(task), _tree_part(task))


def gerrychain_recom(task: Task) -> Rows:
    """Walk from the tree's division by ReCom and keep the one with the shortest border."""
    from functools import partial

    from gerrychain import MarkovChain, Partition
    from gerrychain.accept import always_accept
    from gerrychain.proposals import recom

    graph = _gerrychain_graph(task)
    start = Partition(graph, assignment=_tree_part(task), updaters={})
    wanted = float(task.target.mean())
    propose = partial(recom, pop_col="people", pop_target=wanted, epsilon=task.tolerance)
    chain = MarkovChain(propose, [], always_accept, start, total_steps=RECOM_STEPS, rng=1)
    best, least = np.empty(0, dtype=np.int64), np.inf
    for plan in chain:
        label = _assigned(graph, plan.assignment)
        border = task.graph.border_m[label[task.graph.links[:, 0]] != label[task.graph.links[:, 1]]].sum()
        if border < least:
            best, least = label, border
    return best


def _gerrychain_graph(task: Task) -> Any:
    import networkx as nx
    from gerrychain import Graph

    near = nx.Graph()
    for unit, people in enumerate(task.graph.demand.astype(np.int64).tolist()):
        near.add_node(unit, people=people)
    near.add_edges_from(task.graph.links.tolist())
    return Graph.from_networkx(near)


def _tree_part(task: Task) -> Any:
    from gerrychain.partition import recursive_tree_part

    parts = range(len(task.target))
    return recursive_tree_part(
        _gerrychain_graph(task), parts, float(task.target.mean()), "people", task.tolerance, rng=1
    )


def _assigned(graph: Any, assignment: Any) -> Rows:
    return np.asarray([assignment[unit] for unit in range(len(graph.node_indices))], dtype=np.int64)


def spopt_maxp(task: Task) -> Rows:
    """MaxP: as many districts as hold at least the target less the tolerance; no upper bound exists."""
    from spopt.region import MaxPHeuristic

    least = float(task.target.min()) * (1 - task.tolerance)
    frame, near = _frame(task), _weights(task)
    # Its random choices come from numpy's and Python's global generators.
    np.random.seed(1)
    random.seed(1)
    model = MaxPHeuristic(frame, near, ["x", "y"], "people", least, top_n=2, max_iterations_construction=10)
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64) - int(np.min(model.labels_))


def spopt_skater(task: Task) -> Rows:
    """SKATER: cuts the minimum spanning tree of the places; knows no demand."""
    from spopt.region import Skater

    model = Skater(_frame(task), _weights(task), ["x", "y"], n_clusters=len(task.target))
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


def spopt_ward(task: Task) -> Rows:
    """Ward's clustering along borders; knows no demand."""
    from spopt.region import WardSpatial

    model = WardSpatial(_frame(task), _weights(task), ["x", "y"], n_clusters=len(task.target))
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


def spopt_azp(task: Task) -> Rows:
    """Openshaw's automatic zoning procedure on the places; knows no demand."""
    from spopt.region import AZP

    model = AZP(_frame(task), _weights(task), ["x", "y"], n_clusters=len(task.target), random_state=1)
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


def spopt_kmeans(task: Task) -> Rows:
    """k-means that keeps its clusters connected; knows no demand."""
    from spopt.region import RegionKMeansHeuristic

    model = RegionKMeansHeuristic(task.graph.xy_m, len(task.target), _weights(task), seed=1)
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


def spopt_spenc(task: Task) -> Rows:
    """Spectral clustering along borders; knows no demand."""
    from spopt.region import Spenc

    model = Spenc(_frame(task), _weights(task), ["x", "y"], n_clusters=len(task.target), random_state=1)
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


def _frame(task: Task) -> Any:
    import geopandas as gpd

    places = task.graph.xy_m / task.graph.xy_m.std()
    columns = {"x": places[:, 0], "y": places[:, 1], "people": task.graph.demand}
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(*task.graph.xy_m.T))


def _weights(task: Task) -> Any:
    from libpysal.weights import W

    near: dict[int, list[int]] = {unit: [] for unit in range(len(task.graph))}
    for a, b in task.graph.links.tolist():
        near[a].append(b)
        near[b].append(a)
    return W(near, silence_warnings=True)


METHODS: dict[str, Method] = {
    "gridmap": Method(gridmap, "gridmap.planning.districting.draw", knows_outlets=True),
    "METIS, one seed": Method(metis_once, "pymetis"),
    f"METIS, best of {METIS_SEEDS} seeds": Method(metis_best, "pymetis"),
    "GerryChain, tree": Method(gerrychain_tree, "gerrychain"),
    "GerryChain, ReCom": Method(gerrychain_recom, "gerrychain"),
    "spopt MaxP": Method(spopt_maxp, "spopt"),
    "spopt SKATER": Method(spopt_skater, "spopt"),
    "spopt Ward": Method(spopt_ward, "spopt"),
    "spopt AZP": Method(spopt_azp, "spopt"),
    "spopt region k-means": Method(spopt_kmeans, "spopt"),
    "spopt SPENC": Method(spopt_spenc, "spopt"),
}
