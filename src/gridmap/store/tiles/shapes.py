"""Geometries as they stand in a tile: cut off beyond its buffer, on whole units, none lost."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.store.tiles.scheme import BUFFER, EXTENT, Tile

Geometries = NDArray[np.object_]
_LOW, _HIGH = -BUFFER, EXTENT + BUFFER
_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def placed(shapes: Geometries, tile: Tile) -> Geometries:
    """Bring geometries from WGS 84 degrees to whole units of a tile that they meet.

    Parts below a unit vanish, as PostGIS has it; of a geometry that would vanish altogether a square of one unit
    stays where it lies, or a point where it was one.
    """
    moved = shapely.transform(shapes, tile.units)
    bounds = shapely.bounds(moved)
    beyond = (bounds[:, :2] < _LOW).any(axis=1) | (bounds[:, 2:] > _HIGH).any(axis=1)
    cut = moved.copy()
    cut[beyond] = shapely.clip_by_rect(moved[beyond], _LOW, _LOW, _HIGH, _HIGH)
    whole = shapely.transform(cut, np.rint)
    broken = np.flatnonzero(~shapely.is_valid(whole))
    if len(broken):
        # A second rounding: mending puts vertices where edges cross.
        mended = shapely.make_valid(whole[broken], method="structure", keep_collapsed=False)
        whole[broken] = shapely.transform(mended, np.rint)
    are_polygons = np.isin(shapely.get_type_id(shapes), _POLYGONS)
    for row in np.flatnonzero(shapely.is_empty(whole) | (are_polygons & (shapely.area(whole) == 0))).tolist():
        whole[row] = _least(moved[row], is_polygon=bool(are_polygons[row]))
    return np.asarray(whole)


def _least(shape: shapely.Geometry, *, is_polygon: bool) -> shapely.Geometry:
    """Return what stays of a geometry that is too small to be seen."""
    inside = shapely.intersection(shape, shapely.box(_LOW, _LOW, _HIGH, _HIGH))
    west, south, east, north = shapely.bounds(inside if not shapely.is_empty(inside) else shape)
    x, y = np.clip(np.floor([(west + east) / 2, (south + north) / 2]), _LOW, _HIGH - 1).tolist()
    return shapely.box(x, y, x + 1, y + 1) if is_polygon else shapely.Point(x, y)
