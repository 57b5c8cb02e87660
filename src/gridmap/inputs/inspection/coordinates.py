"""Columns of a table that hold coordinates: by their names, else by what is in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap.inputs.columns import FACILITY, first_column
from gridmap.inputs.folding import numbers_of
from gridmap.inputs.tables import Table

#: Longitudes and latitudes of China, widely; no range holds the other's values.
_LON, _LAT = (70.0, 140.0), (0.0, 60.0)
_MOSTLY = 0.9


@dataclass(frozen=True)
class TableCoordinates:
    """Coordinates of the rows of a table.

    Attributes
    ----------
    lon, lat : columns, None where there are none
    xy : (n, 2) float64, NaN where a row has none
    """

    lon: str | None
    lat: str | None
    xy: NDArray[np.float64]


def coordinates_of_table(table: Table) -> TableCoordinates:
    """Find the columns of coordinates of a table, and read them as far as they are numbers."""
    frame = table.frame
    lon, lat = (first_column(frame, FACILITY[ours]) for ours in ("lon", "lat"))
    if lon is None or lat is None:
        lon, lat = _by_name_within(frame, "经度|longitude|lng|lon"), _by_name_within(frame, "纬度|latitude|lat")
    if lon is None or lat is None or lon == lat:
        lon, lat = _by_content(frame)
    if lon is None or lat is None:
        return TableCoordinates(None, None, np.full((len(frame), 2), np.nan))
    return TableCoordinates(lon, lat, np.column_stack([numbers_of(frame[column])[0] for column in (lon, lat)]))


def _by_name_within(frame: pd.DataFrame, pattern: str) -> str | None:
    named = [str(name) for name in frame.columns if pd.Series([str(name).lower()]).str.contains(pattern).any()]
    return named[0] if len(named) == 1 else None


def _by_content(frame: pd.DataFrame) -> tuple[str | None, str | None]:
    """First column of longitudes with fractions, and the first of latitudes."""
    lon: str | None = None
    lat: str | None = None
    for name in map(str, frame.columns):
        values, _, _ = numbers_of(frame[name])
        fractional = np.isfinite(values) & (values != np.rint(values))
        if fractional.sum() < max(1.0, _MOSTLY * len(values) * 0.5):
            continue
        if lon is None and _mostly_within(values, _LON):
            lon = name
        elif lat is None and _mostly_within(values, _LAT):
            lat = name
    return (lon, lat) if lon and lat else (None, None)


def _mostly_within(values: NDArray[np.float64], bounds: tuple[float, float]) -> bool:
    return bool(np.mean((values > bounds[0]) & (values < bounds[1])) >= _MOSTLY)
