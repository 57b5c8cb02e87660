"""Cut hexagons by an area with GEOS in fixed precision, for whatever the array clipper leaves."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.geometry.chain import Indices
from gridmap.geometry.lattice import Geometries

_POLYGON = 3


def overlay(hexagons: Geometries, polygon: shapely.Geometry) -> tuple[Geometries, Indices]:
    """Polygon parts of each hexagon inside the area, noded and rounded to the lattice.

    Returns
    -------
    parts : (m,) polygons, lattice frame
    row : (m,) int64, row of the hexagon
    """
    met = shapely.intersection(hexagons, polygon, grid_size=1)
    # Where a border touches a cell the result mixes lines and points among its polygons.
    parts, row = shapely.get_parts(met, return_index=True)
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        row = row[inner]
    kept = (shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)
    return np.asarray(parts[kept]), np.asarray(row[kept], dtype=np.int64)
