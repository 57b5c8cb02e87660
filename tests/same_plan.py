"""Whether two plans are the same, told without the code that stores them."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan


def assert_same_plan(found: Plan, expected: Plan) -> None:
    """Demand equal frames, types of columns included, equal coordinates bit for bit, and equal documents."""
    for name in ("settings", "indicators", "rules", "certificate", "report"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in (*GEOGRAPHIC_FRAMES, *TABLES):
        there, here = getattr(found, name), getattr(expected, name)
        assert list(there.columns) == list(here.columns), name
        attributes = [pd.DataFrame(frame).drop(columns="geometry", errors="ignore") for frame in (there, here)]
        pd.testing.assert_frame_equal(
            attributes[0], attributes[1].reset_index(drop=True), check_exact=True, check_column_type=False, obj=name
        )
        assert [list(map(missing, there[column])) for column in attributes[1]] == [
            list(map(missing, here[column])) for column in attributes[1]
        ], name
        if name in GEOGRAPHIC_FRAMES:
            assert there.crs == here.crs, name
            shapes = [np.asarray(frame.geometry) for frame in (there, here)]
            assert shapely.equals_identical(*shapes).all(), name
            assert shapely.to_wkb(shapes[0]).tolist() == shapely.to_wkb(shapes[1]).tolist(), name


def missing(value: Any) -> str:
    """Tell None, NaN and NA apart."""
    return type(value).__name__ if value is None or value is pd.NA or value != value else ""


def with_column(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Frame whose first row has another value in a column."""
    first = frame.index[0]
    if column == "geometry":
        shapes = frame.geometry.to_numpy().copy()
        shapes[0] = shapely.transform(shapes[0], lambda points: points + 1e-7)
        return frame.set_geometry(gpd.GeoSeries(shapes, crs=4326, index=frame.index))
    values = frame[column].tolist()
    value = values[0]
    if isinstance(value, (bool, np.bool_)):
        values[0] = not value
    elif isinstance(value, (int, float)) and value == value:
        values[0] = value + 1
    elif isinstance(value, list):
        values[0] = [*value, "more"]
    else:
        values[0] = 0.5 if frame[column].dtype == float else f"{value}!"
    return frame.assign(**{column: pd.Series(values, dtype=frame[column].dtype, index=frame.index)}).loc[first:]
