r"""How far a place is from the ground of a plan.

Edges of the ground's border near a place are found in one plane for all places, in which longitudes are shrunk by the
cosine of the middle latitude. On each of those the nearest point is taken in the plane of the place itself, and its
geodesic distance is measured. So the distance is that of a point of the border, never too short, and too long by less
than :math:`d \tan(\varphi) / R` of itself where the ground is :math:`d` away: 0.1 % at 10 km.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.planning.service.reach import GEOD, Floats

#: Edges up to so much farther in the common plane may be nearer on the ellipsoid.
_DOUBT = 1.25
#: So that edges at distance zero are found too, degrees.
_LEAST_DEG = 1e-6


class Outline:
    """The border of the ground of a plan.

    Parameters
    ----------
    ground : (k,) polygons or multi-polygons, WGS 84 degrees
    """

    def __init__(self, ground: NDArray[np.object_]) -> None:
        coordinates, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(ground)), return_index=True)
        goes_on = ring[1:] == ring[:-1]
        self._start, self._end = coordinates[:-1][goes_on], coordinates[1:][goes_on]
        self._shrink = float(np.cos(np.radians(coordinates[:, 1].mean()))) if len(coordinates) else 1.0
        ends = np.stack([self._start, self._end], axis=1) * [self._shrink, 1.0]
        self._tree = shapely.STRtree(shapely.linestrings(ends))

    def nearest_to(self, lonlat: Floats) -> tuple[Floats, Floats]:
        """Nearest point of the border, and how far it is.

        Parameters
        ----------
        lonlat : (n, 2) float64, WGS 84 degrees

        Returns
        -------
        point : (n, 2) float64, degrees; NaN where there is no border
        distance_m : (n,) float64, geodesic metres; infinite where there is no border
        """
        count = len(lonlat)
        if not len(self._start) or not count:
            return np.full((count, 2), np.nan), np.full(count, np.inf)
        places = shapely.points(lonlat * [self._shrink, 1.0])
        (at, _), far = self._tree.query_nearest(places, return_distance=True, all_matches=False)
        reach = np.empty(count)
        reach[at] = far * _DOUBT + _LEAST_DEG
        place, edge = self._tree.query(places, predicate="dwithin", distance=reach)
        point = self._foot(lonlat[place], edge)
        distance_m = np.asarray(GEOD.inv(*lonlat[place].T, *point.T)[2])
        # The nearest of each place first; of equally near ones the first edge.
        order = np.lexsort((edge, distance_m, place))
        first = order[np.unique(place[order], return_index=True)[1]]
        return point[first], distance_m[first]

    def _foot(self, lonlat: Floats, edge: NDArray[np.int64]) -> Floats:
        """Nearest point of an edge, in the plane of each place."""
        shrink = np.column_stack([np.cos(np.radians(lonlat[:, 1])), np.ones(len(lonlat))])
        start, along = self._start[edge], self._end[edge] - self._start[edge]
        scaled = along * shrink
        length2 = np.maximum((scaled**2).sum(axis=1), np.finfo(np.float64).tiny)
        share = np.clip((((lonlat - start) * shrink) * scaled).sum(axis=1) / length2, 0.0, 1.0)
        return np.asarray(start + along * share[:, None])
