"""A small plan made by hand: three villages, three grids, two sub-grids, one super-grid, six people."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan import Plan, RuleResult
from gridmap.domain.plan_settings import DEFAULT_RADIUS_M, PlanSettings
from made_grid_frames import SUPER_CODE, UNIT_CODES, made_levels, made_organisation, made_staff, made_units, sub_codes
from made_indicators import made_indicators

CENTRE = (30.8, 111.3)
VILLAGES = ("东塆村", "西漷社区", "北墘村")


def made_plan(rings: int = 3, resolution: int = 8, names: dict[str, str] | None = None, gaps: bool = True) -> Plan:
    """Make the plan on the ``rings`` rings of cells around one cell; ``names`` rename things."""
    called = names or {}
    ids = sorted(h3.grid_disk(h3.latlng_to_cell(*CENTRE, resolution), rings))
    hexagons = np.array([_hexagon(cell) for cell in ids], dtype=object)
    centre_x = shapely.get_x(shapely.centroid(hexagons))
    centre_y = shapely.get_y(shapely.centroid(hexagons))
    village = np.where(centre_y > np.quantile(centre_y, 0.7), 2, (centre_x < np.quantile(centre_x, 0.5)).astype(int))
    codes = np.array(["990101001001", "990101001002", "990101002001"])
    grid_codes = np.array(["990101001001001", "990101001002601", "990101002001001"])
    uncovered = (village == 2) & (centre_y > np.quantile(centre_y, 0.85))
    facilities = _facilities(called)
    cells = _cells(ids, hexagons, codes[village], grid_codes[village], uncovered, village)
    cells.insert(cells.columns.get_loc("geometry"), "unit_code", np.array(UNIT_CODES)[village])
    cells.insert(cells.columns.get_loc("geometry"), "sub_code", sub_codes(village, centre_y))
    outlines = np.array([_union(hexagons[village == row]) for row in range(3)], dtype=object)
    areas = _areas(outlines, codes, cells, called)
    grids = _grids(outlines, grid_codes, codes, cells, called)
    return Plan(
        settings=PlanSettings.model_validate(
            {
                "plan": {"name": called.get("plan", "示例网格方案"), "institution": called.get("bank", "示例银行")},
                "areas": {"county": {"path": "county.geojson"}, "village": {"path": "villages.geojson"}},
                "partition": {"resolution": resolution},
            }
        ),
        areas=areas,
        cells=cells,
        grids=grids,
        facilities=facilities,
        assignments=pd.DataFrame(
            {
                "grid_code": [*grid_codes, grid_codes[0]],
                "outlet_id": ["A1", "A;2", "A;2", "A;2"],
                "role": ["primary", "primary", "primary", "cooperating"],
                "distance_m": [812.25, 640.5, 4210.125, 2950.0],
                "demand_in_reach": [400.0, 300.5, 120.0, 77.0],
            }
        ),
        gaps=_gaps(hexagons[uncovered], cells[uncovered]) if gaps else _gaps(hexagons[:0], cells[:0]),
        jurisdictions=gpd.GeoDataFrame(
            {
                "outlet_id": ["A1", "A;2"],
                "name": facilities["name"].iloc[:2].to_list(),
                "grids": [1, 2],
                "area_m2": [grids["area_m2"].iloc[0], grids["area_m2"].iloc[1:].sum()],
                "demand": [grids["demand"].iloc[0], grids["demand"].iloc[1:].sum()],
                "capacity": [500.0, np.nan],
            },
            geometry=[outlines[0], shapely.multipolygons([outlines[1], _nudged(outlines[2])])],
            crs=4326,
        ),
        units=made_units(outlines, codes, cells),
        levels=made_levels(areas, grids, cells),
        organisation=made_organisation(grids, outlines),
        staff=made_staff(grid_codes),
        indicators=made_indicators(cells, grids, 1 if gaps else 0),
        rules=(
            RuleResult("grids_do_not_overlap", True, len(cells), ()),
            RuleResult("rural_cash_point_per_village", False, 2, ("990101002001",)),
            RuleResult("capacity_not_exceeded", False, 2, ("A1",)),
            RuleResult("no_cash_point_in_urban", False, 1, ("D3",), severity="warning"),
        ),
        certificate={
            "version": 1,
            "areas": [{"area_code": code, "pieces": 1, "twice_area": 123456789012345} for code in codes],
            "lattice_deg": 1e-7,
            "resolution": resolution,
            "digest": "5f1c0a9be2d34477",
            "verdict": "exact",
        },
        report={
            "warnings": [called.get("warning", "devices.csv: 2 devices lie outside every area")],
            "timings_s": {"partition": 0.25, "coverage": 0.5},
            "versions": {"gridmap": "0.1.0", "shapely": shapely.__version__},
            "demand": {"unit": "people", "total": 5000.0, "source": "population.csv", "stands_in": False},
            "shortfalls": [
                {
                    "reason": "heavy_unit",
                    "grid_code": grid_codes[2],
                    "unit_code": codes[2],
                    "wanted": 100.0,
                    "got": float(grids["demand"].iloc[2]),
                    "measure": "demand",
                    "message": "北墘村: a village alone is more than that",
                }
            ],
            "bound": 0.25,
            "retired_codes": ["990101001001009"],
        },
    )


def _hexagon(cell: str) -> shapely.Polygon:
    ring = np.array(h3.cell_to_boundary(cell))[:, ::-1]
    return shapely.Polygon(np.rint(ring * 1e7) / 1e7)


def _union(polygons: Any) -> Any:
    whole = shapely.union_all(shapely.transform(polygons, lambda xy: np.rint(xy * 1e7)), grid_size=1)
    return shapely.transform(whole, lambda xy: xy / 1e7)


def _nudged(polygon: Any) -> Any:
    """Shift by 0.05 degrees, so that it touches nothing."""
    return shapely.transform(polygon, lambda xy: np.rint((xy + 0.05) * 1e7) / 1e7)


def _cells(ids: list[str], hexagons: Any, codes: Any, grids: Any, uncovered: Any, village: Any) -> gpd.GeoDataFrame:
    count = len(ids)
    rows = np.arange(count)
    columns: dict[str, Any] = {
        "cell_id": ids,
        "area_code": codes,
        "grid_code": grids,
        "demand": 10.0 + rows % 7,
        "area_m2": 737_327.25 + rows,
        "settlement": np.where(village == 1, "urban", "rural").astype(object),
        "primary_outlet_id": np.where(village == 0, "A1", "A;2").astype(object),
        "distance_m": 150.5 + 100 * (rows % 60),
        "covered_share": np.where(uncovered, 0.125, 1.0),
        "covered": ~uncovered,
        "crossing_degree": np.where(uncovered, 0, 1 + rows % 4),
    }
    for kind in FacilityKind:
        columns[f"covered_by_{kind}"] = ~uncovered & (len(kind) + rows % 3 > 5)
    near = {FacilityKind.BRANCH: ("A1", 900.0 + rows), FacilityKind.ATM: ("D1", np.where(rows % 2, 400.0, 1200.0))}
    for kind in FacilityKind:
        nearest, distance_m = near.get(kind, (None, np.nan))
        columns[f"nearest_{kind}_id"] = np.full(count, nearest, dtype=object)
        columns[f"nearest_{kind}_m"] = np.broadcast_to(np.float64(distance_m), count)
    return gpd.GeoDataFrame(columns, geometry=hexagons, crs=4326)


def _areas(outlines: Any, codes: Any, cells: gpd.GeoDataFrame, called: dict[str, str]) -> gpd.GeoDataFrame:
    sums = cells.groupby("area_code")[["area_m2", "demand"]].sum().loc[codes]
    return gpd.GeoDataFrame(
        {
            "area_code": ["990101", *codes],
            "name": [called.get("county", "虚构县"), called.get("village", VILLAGES[0]), *VILLAGES[1:]],
            "level": ["county", "village", "village", "village"],
            "parent_code": np.array([None, "990101", "990101", "990101"], dtype=object),
            "settlement": np.array([None, "rural", "urban", "rural"], dtype=object),
            "area_m2": [sums["area_m2"].sum(), *sums["area_m2"]],
            "demand": [sums["demand"].sum(), *sums["demand"]],
            "covered_share": [0.9, 1.0, 1.0, 0.6],
        },
        geometry=[_union(outlines), *outlines],
        crs=4326,
    )


def _grids(outlines: Any, codes: Any, areas: Any, cells: gpd.GeoDataFrame, called: dict[str, str]) -> gpd.GeoDataFrame:
    sums = cells.groupby("grid_code").agg(
        area_m2=("area_m2", "sum"), demand=("demand", "sum"), cells=("demand", "size")
    )
    return gpd.GeoDataFrame(
        {
            "grid_code": codes,
            "name": [called.get("grid", VILLAGES[0]), *VILLAGES[1:]],
            "level": ["village"] * 3,
            "area_code": areas,
            "parent_code": [SUPER_CODE, SUPER_CODE, "990101"],
            "kind": ["ordinary", "dedicated", "ordinary"],
            "settlement": ["rural", "urban", "rural"],
            "area_m2": sums["area_m2"].to_numpy(),
            "demand": sums["demand"].to_numpy(),
            "cells": sums["cells"].to_numpy(),
            "primary_outlet_id": np.array(["A1", "A;2", "A;2"], dtype=object),
            "cooperating_outlet_ids": [["A;2"], [], []],
            "manager_id": np.array(["M;1", "M2", None], dtype=object),
            "officer_ids": [["O1"], [], []],
            "covered_share": [1.0, 1.0, 0.6],
            "has_outlet": [True, True, False],
            "rural_cash_points": [1, 1, 0],
            "compactness": [0.61, 0.55, 0.48],
            "super_code": np.array([SUPER_CODE, SUPER_CODE, None], dtype=object),
            "target_demand": [sums["demand"].iloc[0] / 1.04, np.nan, 100.0],
            "deviation": [0.04, np.nan, sums["demand"].iloc[2] / 100 - 1],
            "parts": [1, 1, 1],
            "holes": [0, 0, 0],
            "radius_m": [3120.125, 2870.5, 3333.25],
            "locked": [False, False, True],
            "managers_missing": [False, False, True],
            "officers_missing": [0, 0, 2],
        },
        geometry=outlines,
        crs=4326,
    )


def _facilities(called: dict[str, str]) -> gpd.GeoDataFrame:
    lon = np.array([111.315, 111.28, 111.30, 111.31, 111.29])
    lat = np.array([30.79, 30.79, 30.80, 30.795, 30.785])
    kinds = ["branch", "self_service", "atm", "rural_cash_point", "pos"]
    return gpd.GeoDataFrame(
        {
            "facility_id": ["A1", "A;2", "D1", "D2", "D3"],
            "name": [called.get("facility", "中心支行"), "城西自助银行", "=1+1", "李家助农点", "百货 POS"],
            "kind": kinds,
            "lon": lon,
            "lat": lat,
            "service_radius_m": [np.nan, 1200.0, np.nan, np.nan, np.nan],
            "capacity": [500.0, np.nan, np.nan, np.nan, np.nan],
            "institution": np.array(["示例银行", "示例银行", None, None, None], dtype=object),
            "branch": np.array(["城区管辖行", "城区管辖行", None, None, None], dtype=object),
            "line_number": np.array(["402526000012", None, None, None, None], dtype=object),
            "lon_given": lon + 0.006,
            "lat_given": lat + 0.002,
            "datum": ["bd09", "bd09", "gcj02", "gcj02", "gcj02"],
            "area_code": np.array(["990101001001", "990101001002", "990101001002", "990101001001", None], dtype=object),
            "radius_urban_m": [DEFAULT_RADIUS_M[FacilityKind(kind)][0] for kind in kinds],
            "radius_rural_m": [DEFAULT_RADIUS_M[FacilityKind(kind)][1] for kind in kinds],
            "cells_in_reach": [20, 8, 6, 9, 4],
            "demand_in_reach": [260.0, 100.0, 66.0, 120.0, 44.5],
        },
        geometry=shapely.points(lon, lat),
        crs=4326,
    )


def _gaps(hexagons: Any, cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    some = len(hexagons) > 0
    return gpd.GeoDataFrame(
        {
            "gap_id": pd.Series(["G001"] if some else [], dtype="str"),
            "area_code": pd.Series(["990101002001"] if some else [], dtype="str"),
            "settlement": pd.Series(["rural"] if some else [], dtype="str"),
            "kind_missing": pd.Series(["branch"] if some else [], dtype="str"),
            "area_m2": pd.Series([cells["area_m2"].sum()] if some else [], dtype="float64"),
            "demand": pd.Series([cells["demand"].sum()] if some else [], dtype="float64"),
            "nearest_facility_id": pd.Series(["D1"] if some else [], dtype="str"),
            "nearest_distance_m": pd.Series([3120.5] if some else [], dtype="float64"),
            "rank": pd.Series([1] if some else [], dtype="int64"),
        },
        geometry=[_union(hexagons)] if some else [],
        crs=4326,
    )
