"""A graph of roads: lines meet where they share a vertex, and nowhere else, so that a bridge joins nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gridmap.domain.roads import Measure, RoadLines
from gridmap.geometry.lattice import Geometries, pack, to_units
from gridmap.planning.service.reach import GEOD, Flags, Floats, Rows


@dataclass(frozen=True)
class RoadGraph:
    """Nodes, and the edges between them with the segments that they are drawn by.

    An edge is a stretch of a road between two places where roads meet or end. ``segment`` arrays are ordered by edge
    and along it.

    Attributes
    ----------
    measure : what ``cost`` counts
    nodes : (k, 2) float64, longitude and latitude, degrees
    start, end : (m,) int64, nodes of each edge
    length_m : (m,) float64, geodesic metres
    cost : (m,) float64, metres or minutes from end to end
    forward, backward : (m,) bool
    component : (k,) int64, nodes with the same number are joined by roads, whichever way they may be travelled
    segment_edge : (s,) int64
    segment_from_m : (s,) float64, metres along the edge where each segment begins
    segment_m : (s,) float64, its length, metres
    segment_points : (s, 2, 2) float64, its ends, degrees
    """

    measure: Measure
    nodes: Floats
    start: Rows
    end: Rows
    length_m: Floats
    cost: Floats
    forward: Flags
    backward: Flags
    component: Rows
    segment_edge: Rows
    segment_from_m: Floats
    segment_m: Floats
    segment_points: Floats

    @property
    def components(self) -> int:
        """Parts of the network that no road joins."""
        return int(self.component.max(initial=-1)) + 1

    def arcs(self) -> tuple[Rows, Rows, Floats]:
        """Tail, head and cost of every way from node to node; a road for both directions gives two."""
        tail = np.concatenate([self.start[self.forward], self.end[self.backward]])
        head = np.concatenate([self.end[self.forward], self.start[self.backward]])
        return tail, head, np.concatenate([self.cost[self.forward], self.cost[self.backward]])


def road_graph(roads: RoadLines, measure: Measure) -> RoadGraph:
    """Make the graph of roads.

    Lines are joined at vertices that lie in the same unit of the lattice (1e-7 degrees). Segments without length, and
    lines that may be travelled in no direction, are left out.
    """
    usable = np.flatnonzero(
        (roads.forward | roads.backward) & ~shapely.is_missing(roads.shapes) & ~shapely.is_empty(roads.shapes)
    )
    points, line = _distinct_vertices(roads.shapes[usable])
    place, vertex = np.unique(pack(to_units(points)), return_inverse=True)
    begins = np.append(True, line[1:] != line[:-1])[: len(line)]
    ends = np.append(begins[1:], True)[: len(line)]
    # A vertex that lines meet in, that a line meets itself in, or where one ends.
    is_node = (np.bincount(vertex, minlength=len(place)) > 1)[vertex] | begins | ends
    segment = np.flatnonzero(~ends)
    here, there = points[segment], points[segment + 1]
    _, _, metres = GEOD.inv(here[:, 0], here[:, 1], there[:, 0], there[:, 1])
    segment_m = np.asarray(metres, dtype=np.float64)
    first = np.flatnonzero(is_node[segment])
    edge = np.cumsum(is_node[segment]) - 1
    length_m = np.add.reduceat(segment_m, first) if len(first) else np.empty(0)
    last = np.append(first[1:], len(segment))[: len(first)] - 1
    source = usable[line[segment[first]]]
    node_of = np.unique(vertex[is_node])
    start = np.searchsorted(node_of, vertex[segment[first]])
    end = np.searchsorted(node_of, vertex[segment[last] + 1])
    along = np.cumsum(segment_m) - segment_m
    cost = length_m if measure is Measure.METRES else length_m / (roads.speed_kmh[source] * 1000 / 60)
    nodes = np.empty((len(node_of), 2))
    nodes[np.searchsorted(node_of, vertex[is_node])] = points[is_node]
    joined = csr_array((np.ones(len(start), np.int8), (start, end)), shape=(len(node_of), len(node_of)))
    return RoadGraph(
        measure,
        nodes,
        start,
        end,
        length_m,
        cost,
        roads.forward[source],
        roads.backward[source],
        connected_components(joined, directed=False)[1].astype(np.int64),
        edge,
        along - along[first][edge] if len(first) else along,
        segment_m,
        np.stack([here, there], axis=1),
    )


def _distinct_vertices(shapes: Geometries) -> tuple[Floats, NDArray[np.int64]]:
    """Vertices of lines with the row of each line; of two in a row at one place the first, lines of one place none."""
    points, line = shapely.get_coordinates(shapes, return_index=True)
    units = to_units(points)
    repeated = np.zeros(len(points), np.bool_)
    repeated[1:] = (line[1:] == line[:-1]) & (units[1:] == units[:-1]).all(axis=1)
    points, line = points[~repeated], line[~repeated]
    kept = np.bincount(line, minlength=len(shapes))[line] > 1
    return points[kept], line[kept].astype(np.int64)
