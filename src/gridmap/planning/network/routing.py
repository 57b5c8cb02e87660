r"""Nearest facility and all within reach along roads, as ``planning.service.reach`` has them as the crow flies.

The way leads from a point to the nearest spot of a road, along roads as they may be travelled, and from the spot
nearest the facility to it: :math:`d = a_p + \min_{\text{ways}} \sum_e c_e + a_f`, where the last steps beside the road
are walked. Between two spots of one edge the direct stretch counts too. Ways from all points to a facility are found at
once, from the facility backwards (Dijkstra, *A note on two problems in connexion with graphs*, 1959).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gridmap.domain.roads import Measure
from gridmap.planning.network.graph import RoadGraph
from gridmap.planning.network.snapping import Snapping, Spots
from gridmap.planning.service.reach import ROUNDING_M, EarthPoints, Floats, Pairs, Rows

#: Walking pace beside roads, metres a minute (5 km/h).
WALKING_M_PER_MIN = 5000 / 60
#: Numbers of one table of costs, facilities by nodes or points.
_MOST_NUMBERS = 20_000_000


@dataclass(frozen=True)
class NetworkReach:
    """Who is how far from whom along the roads of a graph.

    Attributes
    ----------
    graph : of the roads
    most_off_m : metres beyond which a point has no road
    """

    graph: RoadGraph
    most_off_m: float = 2000.0

    @cached_property
    def _snapping(self) -> Snapping:
        return Snapping(self.graph)

    def spots(self, points: EarthPoints) -> Spots:
        """Spots of roads that stand for points."""
        return self._snapping.spots(points, self.most_off_m)

    def nearest(self, points: EarthPoints, facilities: EarthPoints) -> tuple[Rows, Floats]:
        """Nearest facility of each point along roads.

        Returns
        -------
        index : (n,) int64, row of the facility, the lowest of equally near ones; -1 where none can be reached
        cost : (n,) float64, metres or minutes, infinite where none can be reached
        """
        places, sites = self.spots(points), self.spots(facilities)
        index, cost = np.full(len(points), -1), np.full(len(points), np.inf)
        for rows, table in _cost_tables(self, places, sites, np.full(len(sites), np.inf)):
            best = np.argmin(table, axis=0)
            least = table[best, np.arange(table.shape[1])]
            # Equally near ones: the lowest row, in whatever order they were looked at.
            better = (least < cost) | ((least == cost) & np.isfinite(least) & (rows[best] < index))
            index[better], cost[better] = rows[best[better]], least[better]
        return index, cost

    def within(
        self, points: EarthPoints, facilities: EarthPoints, most: Floats, point_class: Rows | None = None
    ) -> Pairs:
        """All pairs of a point and a facility that roads join at no more than the facility's reach, inclusive.

        Parameters
        ----------
        most : (m,) or, with ``point_class``, (m, classes) float64, metres or minutes
        point_class : (n,) int64, which column of ``most`` holds for each point

        Returns
        -------
        Pairs whose ``distance_m`` is the cost of the way
        """
        places, sites = self.spots(points), self.spots(facilities)
        farthest = most if most.ndim == 1 else most.max(axis=1)
        found: list[tuple[Rows, Rows, Floats]] = []
        for rows, table in _cost_tables(self, places, sites, farthest):
            limit = most[rows][:, None] if point_class is None else most[rows][:, point_class]
            facility, point = np.nonzero(table <= limit)
            found.append((point, rows[facility], table[facility, point]))
        point, facility, cost = (
            np.concatenate([part[column] for part in found]) if found else np.empty(0, np.int64) for column in range(3)
        )
        order = np.lexsort((facility, point))
        return Pairs(point[order].astype(np.int64), facility[order].astype(np.int64), cost[order].astype(np.float64))

    def tables(self, points: EarthPoints, facilities: EarthPoints) -> Iterator[tuple[Rows, Floats]]:
        """Yield some facilities at a time: their rows, and the cost from every point to each, (facilities, points).

        Facilities without a road near are in none. How many come at a time depends on the roads and the points only.
        """
        return self.tables_of_spots(self.spots(points), self.spots(facilities))

    def tables_of_spots(self, places: Spots, sites: Spots) -> Iterator[tuple[Rows, Floats]]:
        """``tables`` where the spots are known."""
        return _cost_tables(self, places, sites, np.full(len(sites), np.inf))

    def walk(self, metres: Floats) -> Floats:
        """Cost of steps beside a road."""
        return metres if self.graph.measure is Measure.METRES else metres / WALKING_M_PER_MIN


def _cost_tables(reach: NetworkReach, places: Spots, sites: Spots, farthest: Floats) -> Iterator[tuple[Rows, Floats]]:
    """Yield some facilities at a time: their rows, and the cost from every point to each, (facilities, points)."""
    placed = np.flatnonzero(sites.is_placed)
    size = max(len(reach.graph.nodes), len(places), 1)
    step = max(_MOST_NUMBERS // size, 1)
    # Facilities of like reach together: the search goes as far as the farthest of them.
    placed = placed[np.argsort(farthest[placed], kind="stable")]
    for first in range(0, len(placed), step):
        rows = np.sort(placed[first : first + step])
        yield rows, _costs(reach, places, sites.take(rows), float(farthest[rows].max()))


def _costs(reach: NetworkReach, places: Spots, sites: Spots, limit: float) -> Floats:
    graph = reach.graph
    to_nodes = _to_spots(graph, sites, limit)
    edge = np.maximum(places.edge, 0)
    whole, before = graph.cost[edge], graph.cost[edge] * places.along
    forward, backward = graph.forward[edge], graph.backward[edge]
    table = np.minimum(
        # Who stands at an end of a road is there, whichever way it may be travelled.
        to_nodes[:, graph.end[edge]] + np.where(forward | (places.along == 1), whole - before, np.inf),
        to_nodes[:, graph.start[edge]] + np.where(backward | (places.along == 0), before, np.inf),
    )
    _shorten_on_one_edge(graph, places, sites, table)
    table += reach.walk(places.off_m) + reach.walk(sites.off_m)[:, None]
    table[:, ~places.is_placed] = np.inf
    return table


def _to_spots(graph: RoadGraph, sites: Spots, limit: float) -> Floats:
    """(facilities, nodes) cost from each node to the spot of each facility, infinite beyond the limit."""
    nodes, count = len(graph.nodes), len(sites)
    tail, head, cost = graph.arcs()
    spot = nodes + np.arange(count)
    edge, along = sites.edge, sites.along
    forward, backward = graph.forward[edge] | (along == 0), graph.backward[edge] | (along == 1)
    tail = np.concatenate([tail, graph.start[edge][forward], graph.end[edge][backward]])
    head = np.concatenate([head, spot[forward], spot[backward]])
    last = np.concatenate([(graph.cost[edge] * along)[forward], (graph.cost[edge] * (1 - along))[backward]])
    cost = np.concatenate([cost, last])
    # Ways are searched from the facility, so every arc is turned round. Of parallel arcs the cheapest counts, and a
    # cost of zero must not read as no arc.
    order = np.lexsort((cost, tail, head))
    first = np.append(True, (np.diff(head[order]) != 0) | (np.diff(tail[order]) != 0))[: len(order)]
    chosen = order[first]
    least = np.maximum(cost[chosen], np.finfo(np.float64).tiny)
    turned = csr_array((least, (head[chosen], tail[chosen])), shape=(nodes + count, nodes + count))
    return np.asarray(dijkstra(turned, directed=True, indices=spot, limit=limit))[:, :nodes]


def _shorten_on_one_edge(graph: RoadGraph, places: Spots, sites: Spots, table: Floats) -> None:
    """Put in the direct stretch between points and facilities on the same edge, as it may be travelled."""
    order = np.argsort(places.edge, kind="stable")
    ordered = places.edge[order]
    low, high = np.searchsorted(ordered, sites.edge, "left"), np.searchsorted(ordered, sites.edge, "right")
    for site in np.flatnonzero(high > low).tolist():
        point = order[low[site] : high[site]]
        edge = int(sites.edge[site])
        ahead = (sites.along[site] - places.along[point]) * graph.cost[edge]
        direct = np.where(ahead >= 0, ahead if graph.forward[edge] else np.inf, np.inf)
        if graph.backward[edge]:
            direct = np.where(ahead <= 0, -ahead, direct)
        # Two at one spot have no way to go, whichever way the road leads.
        apart_m = np.abs(sites.along[site] - places.along[point]) * graph.length_m[edge]
        direct = np.where(apart_m <= ROUNDING_M, 0.0, direct)
        table[site, point] = np.minimum(table[site, point], direct)
