"""Base units, people and levels of the plan made by hand."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

SUPER_CODE = "990101000000001"
SUB_CODES = ("990101001001002", "990101001001003")
UNIT_CODES = ("990101001001", "990101001002-D001", "990101002001-C001")


def sub_codes(village: Any, northing: Any) -> Any:
    """Halve the first grid, south and north."""
    middle = np.median(northing[village == 0])
    codes = np.array([*SUB_CODES, None], dtype=object)
    return codes[np.where(village == 0, (northing > middle).astype(int), 2)]


def made_units(outlines: Any, codes: Any, cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Units of each sort, one a village; the last is shared by grids, so it names none."""
    sums = cells.groupby("unit_code").agg(
        grid_code=("grid_code", "first"), area_m2=("area_m2", "sum"), demand=("demand", "sum"), cells=("demand", "size")
    )
    sums = sums.loc[list(UNIT_CODES)]
    return gpd.GeoDataFrame(
        {
            "unit_code": list(UNIT_CODES),
            "area_code": codes,
            "kind": ["village", "dedicated", "cells"],
            "grid_code": np.array([*sums["grid_code"].iloc[:2], None], dtype=object),
            "area_m2": sums["area_m2"].to_numpy(),
            "demand": sums["demand"].to_numpy(),
            "cells": sums["cells"].to_numpy(),
            "settlement": ["rural", "urban", "rural"],
        },
        geometry=outlines,
        crs=4326,
    )


def made_staff(grids: Any) -> pd.DataFrame:
    """Two managers and an officer in grids, one officer without, one of an unknown outlet, three who are missing."""
    rows: list[tuple[str | None, ...]] = [
        ("M2", "=李四", "manager", "full_time", "A;2", grids[1], "placed"),
        ("M;1", "王塆", "manager", "full_time", "A1", grids[0], "placed"),
        ("O1", "赵漷", "officer", "part_time", "A1", grids[0], "placed"),
        ("O2", "钱墘", "officer", "part_time", "A1", None, "unplaced"),
        ("X9", None, "officer", "full_time", "Z9", None, "misplaced"),
        (None, None, "manager", None, "A;2", grids[2], "suggested"),
        (None, None, "officer", None, "A;2", grids[2], "suggested"),
        (None, None, "officer", None, "A;2", grids[2], "suggested"),
    ]
    names = ("person_id", "name", "role", "employment", "outlet_id", "grid_code", "status")
    return pd.DataFrame({name: [row[at] for row in rows] for at, name in enumerate(names)}, dtype=object)
