"""A plan on a board of equal squares, made of nothing but the labels of its squares: what moves are judged on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import PlanSettings
from made_plan import made_plan

WEST, SOUTH, SIDE = 111.0, 30.0, 0.01
COUNTY, TOWNSHIPS = "990101", ("990101001", "990101002")
KINDS = {"C": "cells", "V": "village", "B": "block", "D": "dedicated", "L": "locked"}

Board = NDArray[Any]


def squares(board: Board) -> NDArray[np.object_]:
    """Squares of a board, row by row from the south, on the lattice."""
    row, column = np.indices(board.shape)
    edges = lambda at, start: np.rint((start + at * SIDE) * 1e7) / 1e7  # noqa: E731 - one line, twice
    return shapely.box(edges(column, WEST), edges(row, SOUTH), edges(column + 1, WEST), edges(row + 1, SOUTH)).reshape(
        -1
    )


def middle(row: int, column: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a square."""
    return WEST + (column + 0.5) * SIDE, SOUTH + (row + 0.5) * SIDE


def board_plan(
    grid: Board,
    unit: Board | None = None,
    *,
    demand: Board | None = None,
    target: float | None = None,
    outlets: dict[str, tuple[int, int]] | None = None,
    capacity: dict[str, float] | None = None,
    split: int | None = None,
    asked: dict[str, Any] | None = None,
    kind: dict[str, str] | None = None,
    locked: tuple[str, ...] = (),
    unit_of_demand: str = "people",
) -> Plan:
    """Make a plan of a board.

    Parameters
    ----------
    grid : (h, w) str
        Grid of each square.
    unit : (h, w) str
        Base unit of each square, its kind by the first letter as in ``KINDS``; all squares open ground where None.
    demand : (h, w) float
        One each where None.
    target
        Of every grid.
    outlets
        Square of the primary outlet of each grid; grids that name none have none.
    split
        Column from which squares lie in the second township.
    asked
        The table ``[grids]``.
    """
    base, held = _base(), np.full(grid.shape, "C1", dtype=object) if unit is None else unit
    shapes, label, units = squares(grid), grid.reshape(-1).astype(object), held.reshape(-1).astype(object)
    weight = (np.ones(grid.shape) if demand is None else demand).reshape(-1).astype(np.float64)
    column = np.indices(grid.shape)[1].reshape(-1)
    area = np.array(TOWNSHIPS, dtype=object)[(column >= (grid.shape[1] if split is None else split)).astype(int)]
    stands = {code: shapely.Point(*middle(*at)) for code, at in (outlets or {}).items()}
    names = {code: f"O{code}" for code in stands}
    cells = gpd.GeoDataFrame(
        {
            "cell_id": [f"8940a1353{number:06x}" for number in range(len(label))],
            "area_code": area,
            "grid_code": label,
            "demand": weight,
            "area_m2": np.full(len(label), 1e6),
            "settlement": "rural",
            "primary_outlet_id": [names.get(code) for code in label],
            "distance_m": [_metres(shape, stands.get(code)) for shape, code in zip(shapes, label, strict=True)],
            "covered_share": 1.0,
            "covered": True,
            "crossing_degree": 1,
            "facility_ids_in_reach": [names.get(code, "") for code in label],
            "unit_code": units,
        },
        geometry=shapes,
        crs=4326,
    )
    codes = sorted(set(label))
    sums = cells.groupby("grid_code").agg(demand=("demand", "sum"), area_m2=("area_m2", "sum")).loc[codes]
    wanted = np.nan if target is None else target
    grids = gpd.GeoDataFrame(
        {
            "grid_code": codes,
            "name": [f"grid {code}" for code in codes],
            "kind": [(kind or {}).get(code, "ordinary") for code in codes],
            "locked": [code in locked for code in codes],
            "target_demand": wanted,
            "demand": sums["demand"].to_numpy(),
            "area_m2": sums["area_m2"].to_numpy(),
            "primary_outlet_id": [names.get(code) for code in codes],
            "manager_id": pd.Series([None] * len(codes), dtype="str"),
            "officer_ids": [[] for _ in codes],
        },
        geometry=[shapely.union_all(shapes[label == code]) for code in codes],
        crs=4326,
    )
    used = [code for code in TOWNSHIPS if code in set(area)]
    areas = gpd.GeoDataFrame(
        {
            "area_code": [COUNTY, *used],
            "name": ["虚构县", *(f"township {number + 1}" for number in range(len(used)))],
            "level": ["county", *["township"] * len(used)],
            "parent_code": pd.Series([None, *[COUNTY] * len(used)], dtype="str"),
        },
        geometry=[shapely.union_all(shapes), *(shapely.union_all(shapes[area == code]) for code in used)],
        crs=4326,
    )
    facilities = gpd.GeoDataFrame(
        {
            "facility_id": [names[code] for code in stands],
            "name": [f"outlet {code}" for code in stands],
            "kind": "branch",
            "capacity": [(capacity or {}).get(code, np.nan) for code in stands],
        },
        geometry=list(stands.values()),
        crs=4326,
    )
    frame = gpd.GeoDataFrame({"unit_code": sorted(set(units))}, geometry=[None] * len(set(units)), crs=4326)
    settings = {**base.settings.model_dump(), "grids": asked or {}}
    return replace(
        base,
        settings=PlanSettings.model_validate(settings),
        areas=areas,
        cells=cells,
        grids=grids,
        facilities=facilities,
        units=frame.assign(kind=[KINDS[code[0]] for code in frame["unit_code"]]),
        indicators={**base.indicators, "demand": {"unit": unit_of_demand, "stands_in": unit_of_demand == "m2"}},
        report={**base.report, "shortfalls": []},
    )


@cache
def _base() -> Plan:
    """Whatever a board does not say."""
    return made_plan(rings=1)


def _metres(shape: shapely.Polygon, outlet: shapely.Point | None) -> float:
    from pyproj import Geod

    if outlet is None:
        return float("nan")
    at = shapely.centroid(shape)
    return float(Geod(ellps="WGS84").inv(at.x, at.y, outlet.x, outlet.y)[2])
