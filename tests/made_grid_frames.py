"""Base units, people and levels of the plan made by hand."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

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


def made_levels(areas: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Stack county, villages, the super-grid over the first two grids, grids, and the halves of the first."""
    gathered, first = grids.iloc[:2], cells[cells["sub_code"].notna()].dissolve("sub_code").geometry
    frames = [
        _level("county", areas.iloc[:1], "area_code", None),
        _level("village", areas.iloc[1:], "area_code", "990101"),
        _level("super", grids.iloc[:1].assign(grid_code=SUPER_CODE), "grid_code", "990101"),
        _level("grid", grids, "grid_code", None),
        _level("sub", grids.iloc[[0, 0]].assign(grid_code=list(SUB_CODES)), "grid_code", grids["grid_code"].iloc[0]),
    ]
    frames[3]["parent_code"] = [SUPER_CODE, SUPER_CODE, areas["area_code"].iloc[3]]
    whole = pd.concat(frames, ignore_index=True)
    shapes = [*areas.geometry, gathered.geometry.union_all(grid_size=1e-7), *grids.geometry, *first]
    held = [len(cells), *grids["cells"], gathered["cells"].sum(), *grids["cells"], *(5 for _ in first)]
    whole = whole.assign(cells=np.array(held, dtype=np.int64), grids=[3, 1, 1, 1, 2, 1, 1, 1, 0, 0], parts=1, holes=0)
    return gpd.GeoDataFrame(whole, geometry=[_on_lattice(shape) for shape in shapes], crs=4326)


def _level(level: str, frame: gpd.GeoDataFrame, code: str, parent: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "code": frame[code].to_numpy(dtype=object),
            "name": frame["name"].to_numpy(dtype=object),
            "level": [level] * len(frame),
            "parent_code": np.array([parent] * len(frame), dtype=object),
            "area_m2": frame["area_m2"].to_numpy(),
            "demand": frame["demand"].to_numpy(),
        }
    )


def _on_lattice(shape: Any) -> Any:
    return shapely.transform(shape, lambda xy: np.rint(xy * 1e7) / 1e7)


def made_organisation(grids: gpd.GeoDataFrame, outlines: Any) -> gpd.GeoDataFrame:
    """Stand a bank above a branch, the branch above both outlets, and these above four people, one without a grid."""
    nothing = shapely.MultiPolygon()
    apart = shapely.transform(outlines[2], lambda xy: np.rint((xy + 0.5) * 1e7) / 1e7)
    rest = shapely.multipolygons([outlines[1], apart])
    whole = shapely.multipolygons([outlines[0], *shapely.get_parts(rest)])
    nodes: list[tuple[str, str, str, str | None, list[int], float, Any]] = [
        ("head_office/示例银行", "head_office", "示例银行", None, [0, 1, 2], np.nan, whole),
        ("branch/示例银行/城区管辖行", "branch", "城区管辖行", "head_office/示例银行", [0, 1, 2], np.nan, whole),
        ("outlet/A1", "outlet", "中心支行", "branch/示例银行/城区管辖行", [0], 500.0, outlines[0]),
        ("outlet/A;2", "outlet", "城西自助银行", "branch/示例银行/城区管辖行", [1, 2], np.nan, rest),
        ("person/M2", "person", "=李四", "outlet/A;2", [1], np.nan, outlines[1]),
        ("person/M;1", "person", "王塆", "outlet/A1", [0], np.nan, outlines[0]),
        ("person/O1", "person", "赵漷", "outlet/A1", [0], np.nan, outlines[0]),
        ("person/O2", "person", "钱墘", "outlet/A1", [], np.nan, nothing),
    ]
    return gpd.GeoDataFrame(
        {
            "node_id": [node[0] for node in nodes],
            "kind": [node[1] for node in nodes],
            "name": [node[2] for node in nodes],
            "parent_id": np.array([node[3] for node in nodes], dtype=object),
            "grids": [len(node[4]) for node in nodes],
            "area_m2": [float(grids["area_m2"].iloc[node[4]].sum()) for node in nodes],
            "demand": [float(grids["demand"].iloc[node[4]].sum()) for node in nodes],
            "capacity": [node[5] for node in nodes],
        },
        geometry=[node[6] for node in nodes],
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
