"""Coordinates as they are written: in the system asked for, rounded to its decimals, its first axis first."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from gridmap.domain.crs import OutputCrs
from gridmap.store.models import SRID

#: A product with a power of ten is off by less than this, in units of the last decimal.
_DOUBT = 1e-4


@cache
def _transformer(srid: int) -> Transformer:
    return Transformer.from_crs(SRID, srid, always_xy=True)


def written_coordinates(shapes: NDArray[np.object_], crs: OutputCrs) -> NDArray[np.object_]:
    """Bring geometries from WGS 84 degrees to a system.

    Parameters
    ----------
    shapes : (n,) geometries, changed in place
    crs : that they are written in
    """
    lonlat = shapely.get_coordinates(shapes)
    x, y = lonlat.T if crs.is_degrees else _transformer(crs.srid).transform(*lonlat.T)
    axes = (y, x) if crs.is_flipped else (x, y)
    return np.asarray(shapely.set_coordinates(shapes, rounded(np.column_stack(axes), crs.decimals)))


def rounded(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    """Round to decimals as writing them out does: what lies halfway goes to the even side."""
    scale = 10.0**decimals
    scaled = values * scale
    found = np.rint(scaled) / scale
    doubtful = np.flatnonzero((np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) < _DOUBT).ravel())
    if len(doubtful):
        flat = values.ravel()
        found.ravel()[doubtful] = [round(float(flat[place]), decimals) for place in doubtful]
    return np.asarray(found)


def geometry_texts(wkb: list[bytes | None], crs: OutputCrs) -> list[Any]:
    """GeoJSON of geometries as text, None where there is none or nothing in it."""
    shapes = shapely.from_wkb(np.array(wkb, dtype=object))
    empty = shapely.is_empty(shapes) | shapely.is_missing(shapes)
    texts = shapely.to_geojson(written_coordinates(shapes, crs))
    texts[empty] = None
    return list(texts.tolist())
