"""Where points stand beside the roads: the nearest spot of a road, and how far off it they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.geometry.measure import LocalPlane
from gridmap.planning.network.graph import RoadGraph
from gridmap.planning.service.reach import GEOD, ROUNDING_M, EarthPoints, Flags, Floats, Rows

_POINTS_AT_A_TIME = 50_000


@dataclass(frozen=True, slots=True)
class Spots:
    """Spots of roads that stand for points.

    Attributes
    ----------
    edge : (n,) int64, -1 where no road lies near enough
    along : (n,) float64, share of the edge before the spot, 0 to 1
    off_m : (n,) float64, geodesic metres from the point to the spot; infinite where there is none
    """

    edge: Rows
    along: Floats
    off_m: Floats

    def __len__(self) -> int:
        """Count of the points."""
        return len(self.edge)

    @property
    def is_placed(self) -> Flags:
        """(n,) a road lies near enough."""
        return np.asarray(self.edge >= 0)

    def take(self, rows: Rows) -> Spots:
        """Return the spots of some points."""
        return Spots(self.edge[rows], self.along[rows], self.off_m[rows])


class Snapping:
    """Segments of a graph, ready to find the nearest.

    Nearest is judged in an equal-area plane around the roads; the distance that is stated is geodesic.
    """

    def __init__(self, graph: RoadGraph) -> None:
        self._graph = graph
        if not len(graph.segment_edge):
            return
        box = graph.segment_points.reshape(-1, 2)
        middle = (box.min(axis=0) + box.max(axis=0)) / 2
        self._plane = LocalPlane(float(middle[0]), float(middle[1]))
        ends = self._plane.from_degrees(box).reshape(-1, 2, 2)
        self._lines = shapely.linestrings(ends)
        self._tree = shapely.STRtree(self._lines)

    def spots(self, points: EarthPoints, most_m: float) -> Spots:
        """Nearest spot of a road of each point, at most ``most_m`` metres off."""
        count = len(points)
        found = Spots(np.full(count, -1), np.zeros(count), np.full(count, np.inf))
        if not len(self._graph.segment_edge):
            return found
        for first in range(0, count, _POINTS_AT_A_TIME):
            rows = np.arange(first, min(first + _POINTS_AT_A_TIME, count))
            self._place(points, rows, most_m, found)
        return found

    def _place(self, points: EarthPoints, rows: Rows, most_m: float, found: Spots) -> None:
        graph = self._graph
        lonlat = np.column_stack([points.lon[rows], points.lat[rows]])
        here = shapely.points(self._plane.from_degrees(lonlat))
        # Of equally near segments the lowest row: a corner belongs to two.
        point, segment = self._tree.query_nearest(here, max_distance=most_m * 1.01 + 1, all_matches=True)
        order = np.lexsort((segment, point))
        point, segment = point[order], segment[order]
        lowest = np.append(True, point[1:] != point[:-1])[: len(point)]
        point, segment = point[lowest], segment[lowest]
        share = shapely.line_locate_point(self._lines[segment], here[point], normalized=True)
        share = np.where(np.isfinite(share), share, 0.0)
        ends = graph.segment_points[segment]
        spot = ends[:, 0] + (ends[:, 1] - ends[:, 0]) * share[:, None]
        _, _, off_m = GEOD.inv(lonlat[point, 0], lonlat[point, 1], spot[:, 0], spot[:, 1])
        off_m = np.asarray(off_m, dtype=np.float64)
        near = off_m <= most_m
        edge = graph.segment_edge[segment]
        along_m = graph.segment_from_m[segment] + share * graph.segment_m[segment]
        row = rows[point[near]]
        found.edge[row] = edge[near]
        found.along[row] = _share_of(along_m[near], graph.length_m[edge[near]])
        found.off_m[row] = off_m[near]


def _share_of(along_m: Floats, length_m: Floats) -> Floats:
    """Share of edges before spots; a spot within rounding of an end is that end, where other roads begin."""
    share = along_m / length_m
    share[along_m <= ROUNDING_M] = 0.0
    share[along_m >= length_m - ROUNDING_M] = 1.0
    return np.asarray(share)
