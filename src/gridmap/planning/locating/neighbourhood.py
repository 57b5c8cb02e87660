"""The nearest facility of each kind, for any place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridmap.planning.service.reach import EarthPoints, Floats, Rows, nearest


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest facility of one kind to each of n places.

    Attributes
    ----------
    row : (n,) int64, of all facilities
    distance_m : (n,) float64, geodesic metres
    """

    row: Rows
    distance_m: Floats


class Neighbourhood:
    """Facilities by kind, searched through trees that are made once.

    Parameters
    ----------
    lon, lat : (m,) float64, WGS 84 degrees
    kind : (m,) of each
    """

    def __init__(self, lon: Floats, lat: Floats, kind: NDArray[np.object_]) -> None:
        placed = np.isfinite(lon) & np.isfinite(lat)
        self._rows = {str(one): np.flatnonzero(placed & (kind == one)) for one in sorted(set(kind[placed].tolist()))}
        self._points = {one: EarthPoints(lon[rows], lat[rows]) for one, rows in self._rows.items()}

    def nearest_to(self, lonlat: Floats) -> Mapping[str, Nearest]:
        """Find the nearest facility of each kind there is; of equally near ones the first.

        Parameters
        ----------
        lonlat : (n, 2) float64, WGS 84 degrees
        """
        places = EarthPoints(lonlat[:, 0], lonlat[:, 1])
        found = {}
        for kind, rows in self._rows.items():
            row, distance_m = nearest(places, self._points[kind])
            found[kind] = Nearest(rows[row].astype(np.int64), distance_m)
        return found
