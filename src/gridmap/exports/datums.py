"""Copies of frames in the datums of Chinese web maps: every point moved, the same point everywhere to the same place.

Frames are noded on the lattice before. Each vertex is moved for itself and put on the lattice again, so that
neighbours go on sharing every vertex of their border. What a certificate says of the cells does not hold for the moved
ones: their borders have bent by centimetres. A copy says which datum it is in by the name of its CRS; these datums have
no code, and programs know no way from them to others.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gridmap.errors import UsageError
from gridmap.geometry.datum import LonLat, bd09_from_gcj02, gcj02_from_wgs84
from gridmap.geometry.lattice import to_degrees, to_units

WGS84, GCJ02, BD09 = "wgs84", "gcj02", "bd09"
#: Datums that plans are handed out in.
OUTPUT_DATUMS = (WGS84, GCJ02, BD09)
_NAMES = {GCJ02: "GCJ-02", BD09: "BD-09"}
_WKT = (
    'GEOGCRS["{name}",DATUM["{name}",ELLIPSOID["Krassowsky 1940",6378245,298.3]],CS[ellipsoidal,2],'
    'AXIS["longitude",east],AXIS["latitude",north],ANGLEUNIT["degree",0.0174532925199433]]'
)


@cache
def crs_of(datum: str) -> CRS:
    """CRS that a file in ``gcj02`` or ``bd09`` names."""
    return CRS.from_wkt(_WKT.format(name=_NAMES[datum]))


def moved_points(lonlat: LonLat, datum: str) -> LonLat:
    """Points of WGS 84 in another datum, on the lattice.

    Parameters
    ----------
    lonlat : (n, 2) float64, degrees
    datum : one of ``OUTPUT_DATUMS``

    Returns
    -------
    (n, 2) float64, degrees; in ``wgs84`` as they are

    Raises
    ------
    UsageError
        If there is no such datum.
    """
    if datum not in OUTPUT_DATUMS:
        raise UsageError("plans.no_datum", datum=datum[:40], known=", ".join(OUTPUT_DATUMS))
    if datum == WGS84:
        return lonlat
    moved = gcj02_from_wgs84(lonlat)
    return np.asarray(to_degrees(to_units(bd09_from_gcj02(moved) if datum == BD09 else moved)))


def in_datum(frame: pd.DataFrame, datum: str) -> pd.DataFrame:
    """Copy of a frame with its geometries, and the columns ``lon`` and ``lat``, in another datum.

    Parameters
    ----------
    frame : WGS 84; a table without geometry is returned as it is
    datum : one of ``OUTPUT_DATUMS``; ``wgs84`` returns the frame as it is

    Raises
    ------
    UsageError
        If there is no such datum.
    """
    if datum == WGS84 or "geometry" not in frame:
        return frame

    def move(points: Any) -> Any:
        return moved_points(np.asarray(points, dtype=np.float64), datum)

    shapes = shapely.transform(frame["geometry"].to_numpy(), move)
    copy = pd.DataFrame(frame).assign(geometry=gpd.GeoSeries(shapes, index=frame.index, crs=crs_of(datum)))
    if {"lon", "lat"} <= set(frame.columns):
        at = copy[["lon", "lat"]].to_numpy(dtype=np.float64, copy=True)
        known = np.isfinite(at).all(axis=1)
        at[known] = move(at[known])
        copy = copy.assign(lon=at[:, 0], lat=at[:, 1])
    moved: pd.DataFrame = gpd.GeoDataFrame(copy, geometry="geometry")
    return moved
