"""Columns of frames: text with missing values, lists, looked-up codes, distances as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap.geometry.lattice import Geometries, geometries_to_degrees
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.reach import Floats, Rows

CRS = "EPSG:4326"


def geographic(shapes: Geometries, **columns: object) -> gpd.GeoDataFrame:
    """Frame of lattice-frame shapes, in WGS 84 degrees."""
    return gpd.GeoDataFrame(columns, geometry=geometries_to_degrees(shapes), crs=CRS)


def text(values: Iterable[str | None]) -> pd.Series[str]:
    """Column of text, missing where a value is None."""
    return pd.Series(list(values), dtype="str")


def lists(values: Iterable[list[str]]) -> pd.Series[list[str]]:
    """Column of lists of text."""
    return pd.Series(list(values), dtype="object")


def looked_up(values: Sequence[str] | NDArray[np.object_], row: Rows) -> pd.Series[str]:
    """Text of each row, missing where the row is -1."""
    known = [*values, None]
    return text([known[place] for place in row.tolist()])


def settlement_names(number: Rows) -> pd.Series[str]:
    """Names of settlement classes, missing where the number is -1."""
    return looked_up([settlement.value for settlement in CLASSES], number)


def to_millimetre(distance_m: Floats) -> Floats:
    """Distances as they are shown: to the millimetre, missing where there is nothing to measure to."""
    return np.asarray(np.round(np.where(np.isfinite(distance_m), distance_m, np.nan), 3), dtype=np.float64)
