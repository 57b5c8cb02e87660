"""What the page knows of a plan: polygons of six layers, columns of attributes, figures, and the words for them."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.domain.kinds import FacilityKind, SettlementClass
from gridmap.domain.plan import Plan
from gridmap.exports.columns import plain_values
from gridmap.exports.page.groups import (
    generated_sets,
    group_columns,
    has_units,
    people_columns,
    set_columns,
    shortfall_entries,
    unit_columns,
)
from gridmap.exports.page.packing import (
    column,
    differences,
    packed_rings,
    rings_of,
    shared_corners,
    varints,
    zigzag,
)
from gridmap.exports.sentences import gap_places, rule_result
from gridmap.exports.words import is_exact
from gridmap.geometry.lattice import to_units

SHARE_STEPS = 65_535
#: Shares are exact to this much.
SHARE_NOISE = 1e-9
_LAYERS = ("cells", "grids", "areas", "gaps", "units", "sets")


def page_payload(plan: Plan) -> dict[str, Any]:
    """Everything the page shows, as JSON takes it; frames with few rows as plain columns, cells as packed ones."""
    rows = {
        "area": _row_of(plan.areas["area_code"]),
        "grid": _row_of(plan.grids["grid_code"]),
        "facility": _row_of(plan.facilities["facility_id"]),
    }
    frames = {name: getattr(plan, name) for name in _LAYERS if name != "sets"} | {"sets": generated_sets(plan)}
    shapes = {name: frames[name].geometry.to_numpy() for name in _LAYERS}
    if not has_units(plan):
        shapes["units"] = shapes["units"][:0]
    corners, rings = shared_corners({name: rings_of(shapes[name]) for name in _LAYERS})
    origin = corners.min(axis=0) if len(corners) else np.zeros(2, dtype=np.int64)
    grid_of_cell = _rows(plan.cells["grid_code"], rows["grid"])
    outlet_of_grid = _rows(plan.grids["primary_outlet_id"], rows["facility"])
    return {
        "plan": {
            "name": plan.settings.plan.name,
            "institution": plan.settings.plan.institution,
            "resolution": plan.settings.partition.resolution,
            "digest": str(plan.certificate.get("digest", "")),
            "exact": is_exact(plan),
        },
        "origin": origin,
        "corners": {
            "x": varints(zigzag(differences(corners[:, 0] - origin[0]))),
            "y": varints(zigzag(differences(corners[:, 1] - origin[1]))),
            "count": len(corners),
        },
        "rings": {name: packed_rings(rings[name]) for name in _LAYERS},
        "cells": {**_cells(plan.cells, rows, grid_of_cell), "gap": column(_gap_of_cell(plan))},
        "areas": _areas(plan.areas, rows, origin),
        "grids": {
            **_grids(plan.grids, rows, origin),
            **people_columns(plan),
            **group_columns(plan, rings["cells"], grid_of_cell, outlet_of_grid),
        },
        "units": unit_columns(plan, rows),
        "sets": set_columns(plan, rows),
        "shortfalls": shortfall_entries(plan, rows),
        "tolerance": plan.settings.grids.tolerance,
        "gaps": _gaps(plan, rows),
        "facilities": _facilities(plan, rows, origin),
        "indicators": plan.indicators,
        "rules": [
            {"rule": rule.rule, "result": rule_result(rule), "checked": rule.checked, "broken_by": rule.broken_by}
            for rule in plan.rules
        ],
        "warnings": list(plan.report.get("warnings", ())),
        "kinds": [kind.value for kind in FacilityKind],
        "settlements": [settlement.value for settlement in SettlementClass],
        "texts": page_texts(),
    }  # fmt: skip


def page_texts() -> dict[str, dict[str, str]]:
    """Wordings of the page in each language: its own, the vocabulary, and the names of the rules."""
    rooms = ("page.", "exports.", "rules.")
    return {
        lang: {
            key.removeprefix("page."): entry[lang]
            for key, entry in catalogue.entries().items()
            if key.startswith(rooms)
        }
        for lang in catalogue.LANGUAGES
    }


def _cells(cells: gpd.GeoDataFrame, rows: dict[str, pd.Series[int]], grid: NDArray[np.int64]) -> dict[str, Any]:
    ids = np.array([int(cell, 16) for cell in cells["cell_id"]], dtype=np.uint64)
    served = np.zeros(len(cells), dtype=np.uint8)
    for bit, name in enumerate(["covered", *(f"covered_by_{kind}" for kind in FacilityKind)]):
        served |= cells[name].to_numpy(dtype=bool).astype(np.uint8) << np.uint8(bit)
    settlement = pd.Categorical(cells["settlement"], categories=list(map(str, SettlementClass))).codes
    crossing = cells["crossing_degree"].to_numpy(dtype=np.int64)
    return {
        "id_high": column((ids >> np.uint64(32)).astype(np.uint32)),
        "id_low": column((ids & np.uint64(0xFFFFFFFF)).astype(np.uint32)),
        "area": column(_rows(cells["area_code"], rows["area"]).astype(np.int32)),
        "grid": column(grid.astype(np.int32)),
        "outlet": column(_rows(cells["primary_outlet_id"], rows["facility"]).astype(np.int32)),
        "demand": column(_numbers(cells["demand"])),
        "area_m2": column(_numbers(cells["area_m2"])),
        "distance_m": column(_numbers(cells["distance_m"])),
        "covered_share": column(_steps(cells["covered_share"])),
        **_nearest(cells, rows["facility"]),
        "crossing": column(np.minimum(crossing, 255).astype(np.uint8)),
        "settlement": column(settlement.astype(np.int8)),
        "served": column(served),
    }


def _nearest(cells: gpd.GeoDataFrame, facility: pd.Series[int]) -> dict[str, Any]:
    """Nearest facility of any kind, and how far it is."""
    far = np.stack([cells[f"nearest_{kind}_m"].to_numpy(dtype=np.float64, na_value=np.nan) for kind in FacilityKind])
    found = np.stack([_rows(cells[f"nearest_{kind}_id"], facility) for kind in FacilityKind])
    kind = np.argmin(np.where(np.isnan(far), np.inf, far), axis=0)
    cell = np.arange(len(cells))
    return {
        "nearest": column(found[kind, cell].astype(np.int32)),
        "nearest_m": column(far[kind, cell].astype(np.float32)),
    }


def _gap_of_cell(plan: Plan) -> NDArray[np.int32]:
    """Gap that holds each cell, -1 where it is covered."""
    gap = np.full(len(plan.cells), -1, dtype=np.int32)
    uncovered = np.flatnonzero(~plan.cells["covered"].to_numpy(dtype=bool))
    inside = shapely.point_on_surface(plan.cells.geometry.to_numpy()[uncovered])
    cell, holder = shapely.STRtree(plan.gaps.geometry.to_numpy()).query(inside, predicate="intersects")
    gap[uncovered[cell]] = holder
    return gap


def _steps(share: pd.Series[float]) -> NDArray[np.uint16]:
    """Shares in steps of 1/65535; only nothing is 0 and only all is the last step, up to the rounding of areas."""
    values = np.nan_to_num(share.to_numpy(dtype=np.float64))
    lowest, highest = values > SHARE_NOISE, SHARE_STEPS - (values < 1 - SHARE_NOISE)
    steps = np.clip(np.rint(values * SHARE_STEPS), lowest, highest)
    return np.asarray(steps).astype(np.uint16)


def _areas(areas: gpd.GeoDataFrame, rows: dict[str, pd.Series[int]], origin: NDArray[np.int64]) -> dict[str, Any]:
    named = {"area_code": "code", "name": "name", "level": "level", "settlement": "settlement"}
    figures = {name: name for name in ("area_m2", "demand", "covered_share")}
    return {
        **_plain(areas, named | figures),
        "parent": _rows(areas["parent_code"], rows["area"]),
        "label": _labels(areas, origin),
    }


def _grids(grids: gpd.GeoDataFrame, rows: dict[str, pd.Series[int]], origin: NDArray[np.int64]) -> dict[str, Any]:
    known = rows["facility"]
    cooperating = [
        [int(known[outlet]) for outlet in outlets or () if outlet in known.index]
        for outlets in plain_values(grids["cooperating_outlet_ids"])
    ]
    names = ("name", "kind", "settlement", "area_m2", "demand", "cells", "covered_share", "has_outlet",
             "rural_cash_points", "compactness", "level", "target_demand", "deviation", "parts", "holes", "radius_m",
             "locked")  # fmt: skip
    return {
        **_plain(grids, {"grid_code": "code", **{name: name for name in names}}),
        "area": _rows(grids["area_code"], rows["area"]),
        "outlet": _rows(grids["primary_outlet_id"], known),
        "cooperating": cooperating,
        "label": _labels(grids, origin),
    }


def _gaps(plan: Plan, rows: dict[str, pd.Series[int]]) -> dict[str, Any]:
    names = ("settlement", "kind_missing", "area_m2", "demand", "nearest_distance_m", "rank")
    return {
        **_plain(plan.gaps, {"gap_id": "code", **{name: name for name in names}}),
        "area": _rows(plan.gaps["area_code"], rows["area"]),
        "nearest": _rows(plan.gaps["nearest_facility_id"], rows["facility"]),
        "place": {lang: gap_places(plan, plan.gaps, lang) for lang in catalogue.LANGUAGES},
    }


def _facilities(plan: Plan, rows: dict[str, pd.Series[int]], origin: NDArray[np.int64]) -> dict[str, Any]:
    facilities = plan.facilities
    held = plan.jurisdictions.set_index("outlet_id")[["grids", "demand"]].reindex(facilities["facility_id"])
    names = ("name", "kind", "institution", "service_radius_m", "radius_urban_m", "radius_rural_m", "capacity",
             "cells_in_reach", "demand_in_reach")  # fmt: skip
    points = to_units(shapely.get_coordinates(facilities.geometry.to_numpy())) - origin
    return {
        **_plain(facilities, {"facility_id": "code", **{name: name for name in names}}),
        "area": _rows(facilities["area_code"], rows["area"]),
        "grids_held": plain_values(held["grids"]),
        "demand_held": plain_values(held["demand"]),
        "x": points[:, 0].tolist(),
        "y": points[:, 1].tolist(),
    }


def _plain(frame: pd.DataFrame, names: dict[str, str]) -> dict[str, Any]:
    return {name: plain_values(frame[given]) for given, name in names.items()}


def _labels(frame: gpd.GeoDataFrame, origin: NDArray[np.int64]) -> NDArray[np.float64]:
    """Points inside, where names can stand: (n, 2) lattice units from the origin."""
    inside = shapely.point_on_surface(frame.geometry.to_numpy())
    points = np.stack([shapely.get_x(inside), shapely.get_y(inside)], axis=1)
    return np.asarray(to_units(points) - origin)


def _row_of(codes: pd.Series[Any]) -> pd.Series[int]:
    numbered = pd.Series(np.arange(len(codes)), index=codes.astype(object).to_numpy())
    # Lower levels stand last; where two levels share a code, the code means the lower one.
    return numbered[~numbered.index.duplicated(keep="last")]


def _rows(codes: pd.Series[Any], row_of: pd.Series[int]) -> NDArray[np.int64]:
    """Row of each code; -1 where it is missing or unknown."""
    return np.asarray(codes.astype(object).map(row_of).fillna(-1), dtype=np.int64)


def _numbers(values: pd.Series[float]) -> NDArray[np.float32]:
    return values.to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32)
