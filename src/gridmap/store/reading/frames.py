"""Rows of a layer as a frame, each column of its type whatever is missing in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.domain.layers import ColumnType, Layer
from gridmap.store.content import CRS


def frame_of(layer: Layer, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Frame of a layer.

    Parameters
    ----------
    rows : values of its columns in their order, then of layers with a geometry its WKB
    """
    width = len(layer.columns) + (layer.geometry is not None)
    values: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * width
    columns = {one.name: _column(held, one.type) for one, held in zip(layer.columns, values, strict=False)}
    frame = pd.DataFrame(columns, columns=[one.name for one in layer.columns])
    if layer.geometry is None:
        return frame
    shapes = shapely.from_wkb(np.array(values[-1], dtype=object))
    placed: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=gpd.array.from_shapely(shapes, crs=CRS))
    return placed


def _column(values: tuple[Any, ...], kind: ColumnType) -> pd.Series[Any]:
    lacks_some = None in values
    match kind:
        case ColumnType.NUMBER:
            return pd.Series(np.array(values, dtype=np.float64))
        case ColumnType.INTEGER:
            return pd.Series(list(values), dtype="Int64" if lacks_some else "int64")
        case ColumnType.BOOLEAN:
            return pd.Series(list(values), dtype="boolean" if lacks_some else "bool")
        case ColumnType.TEXT:
            return pd.Series(list(values), dtype="str")
        case ColumnType.TEXTS:
            return pd.Series(list(values), dtype="object")
