"""Indicators of the plan made by hand, in the shape that ``gridmap.planning.findings.indicators`` fixes."""

from __future__ import annotations

from typing import Any

import geopandas as gpd

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import DEFAULT_RADIUS_M

CLASSES = ("all", "urban", "fringe", "rural")


def made_indicators(cells: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, gaps: int) -> dict[str, Any]:
    """Figures in keeping with the frames, where that is easy."""

    def ground(rows: gpd.GeoDataFrame) -> dict[str, Any]:
        area, demand = float(rows["area_m2"].sum()), float(rows["demand"].sum())
        covered = rows[rows["covered"]]
        some = len(rows) > 0
        return {
            "area_m2": area,
            "demand": demand,
            "cells": len(rows),
            "covered_area_share": float((rows["area_m2"] * rows["covered_share"]).sum()) / area if some else None,
            "covered_demand_share": float(covered["demand"].sum()) / demand if some else None,
            "covered_cells_share": len(covered) / len(rows) if some else None,
            "mean_distance_m": float(rows["distance_m"].mean()) if some else None,
            "p95_distance_m": float(rows["distance_m"].quantile(0.95)) if some else None,
        }

    def classes(rows: gpd.GeoDataFrame) -> dict[str, Any]:
        named = {name: ground(rows[rows["settlement"] == name]) for name in ("urban", "fringe", "rural")}
        return {"all": ground(rows), **named}

    villages = {
        "total": 3,
        "fully_covered": 2,
        "partly_covered": 1,
        "not_covered": 0,
        "with_outlet": 2,
        "with_branch": 1,
        "with_cash_point": 1,
        "with_basic_service": 2,
        "fully_covered_share": 2 / 3,
        "with_outlet_share": 2 / 3,
        "with_branch_share": 1 / 3,
        "with_cash_point_share": 1 / 3,
        "with_basic_service_share": 2 / 3,
        "basic_service_demand_share": 0.7,
        "full_service_demand_share": 0.4,
    }
    nothing = {key: 0 if isinstance(value, int) else None for key, value in villages.items()}
    of_grids = {
        "total": 3,
        "fully_covered": 2,
        "partly_covered": 1,
        "not_covered": 0,
        "with_outlet": 2,
        "fully_covered_share": 2 / 3,
        "with_outlet_share": 2 / 3,
    }
    crossing = {
        "mean": 1.5,
        "max": 4,
        "over_ceiling_demand_share": 0.1,
        "over_ceiling_cells": 2,
        "under_floor_demand_share": 0.05,
        "under_floor_cells": 5,
    }
    return {
        "counts": {
            "areas": {"county": 1, "village": 3},
            "lowest_level": "village",
            "cells": len(cells),
            "grids": len(grids),
            "facilities": 5,
            "outlets": 2,
            "devices": 3,
            "gaps": gaps,
            "facilities_by_kind": dict.fromkeys(map(str, FacilityKind), 1) | {"self_service_terminal": 0},
            "facilities_outside": 1,
        },
        "area_m2": float(cells["area_m2"].sum()),
        "demand": {
            "total": float(cells["demand"].sum()),
            "given": float(cells["demand"].sum()) + 12,
            "outside": 12.0,
            "outside_places": 1,
            "moved_in": 0.0,
            "unit": "people",
            "source": "population.csv",
            "stands_in": False,
        },
        "coverage": classes(cells),
        "coverage_by_kind": {
            str(kind): {
                "facilities": 1,
                "radius_urban_m": DEFAULT_RADIUS_M[kind][0],
                "radius_rural_m": DEFAULT_RADIUS_M[kind][1],
                **classes(cells.assign(covered=cells[f"covered_by_{kind}"])),
            }
            for kind in FacilityKind
        },
        "villages": {"all": villages, "urban": nothing, "fringe": nothing, "rural": villages},
        "townships": dict.fromkeys(CLASSES, nothing),
        "grids": {
            **dict.fromkeys(CLASSES, of_grids),
            "entry_rate": 0.99,
            "demand_mean": float(grids["demand"].mean()),
            "demand_min": float(grids["demand"].min()),
            "demand_max": float(grids["demand"].max()),
            "area_mean_m2": float(grids["area_m2"].mean()),
            "outlet_mean_distance_m": 1250.0,
            "outlet_p95_distance_m": 4100.0,
        },
        "density": {
            "outlets_per_1000_km2": 73.3,
            "branches_per_1000_km2": 36.6,
            "atms_per_1000_km2": 36.6,
            "cash_points_per_1000_km2": 36.6,
            "devices_per_1000_km2": 110.0,
            "outlets_per_10000_people": 4.1,
            "outlets_per_100000_people": 41.0,
            "branches_per_100000_people": 20.5,
            "atms_per_100000_people": 20.5,
            "cash_points_per_100000_people": None,
        },
        "crossing": {
            "mean": 1.5,
            "max": 4,
            "ceiling_urban": 3,
            "floor_rural": 1,
            **dict.fromkeys(CLASSES, crossing),
            "cells_by_degree": {"0": 5, "1": 10, "2": 10, "3": 8, "4": 4, "10+": 0},
        },
        "load": {
            "outlets": 2,
            "outlets_with_grids": 2,
            "outlets_with_capacity": 1,
            "over_capacity": 1,
            "excess_demand": 60.0,
            "beyond_capacity": [{"outlet_id": "A;2", "demand": 560.0, "capacity": 500.0, "excess": 60.0}],
            "grids_yielded": 0,
            "capacity_total": 500.0,
            "demand_assigned": float(grids["demand"].sum()),
            "demand_mean": 250.0,
            "demand_max": 560.0,
            "utilisation_mean": 1.12,
            "utilisation_max": 1.12,
        },
        "balance": {
            "tolerance": 0.05,
            "grids": 2,
            "max": float(grids["deviation"].abs().max()),
            "mean": float(grids["deviation"].abs().mean()),
            "within_tolerance": 1,
            "within_tolerance_share": 0.5,
            "bound": 0.25,
            "shortfalls": 1,
            "by_parent": [
                {
                    "code": "990101",
                    "grids": 2,
                    "max": float(grids["deviation"].abs().max()),
                    "mean": float(grids["deviation"].abs().mean()),
                    "within_tolerance": 1,
                    "within_tolerance_share": 0.5,
                }
            ],
        },
        "staffing": {
            "people": 5,
            "managers": 2,
            "officers": 3,
            "part_time": 2,
            "placed": 3,
            "unplaced": 2,
            "misplaced": 1,
            "grids_without_manager": 1,
            "grids_short_of_officers": 1,
            "officers_missing": 2,
        },
        "levels": {
            level: {
                "members": members,
                "area_m2": float(held["area_m2"].sum()),
                "demand": float(held["demand"].sum()),
                "cells": len(held),
                "grids": count,
            }
            for level, members, count, held in (
                ("county", 1, 3, cells),
                ("village", 3, 3, cells),
                ("super", 1, 2, cells[cells["grid_code"].isin(grids["grid_code"].iloc[:2])]),
                ("grid", 3, 3, cells),
                ("sub", 2, 0, cells[cells["sub_code"].notna()]),
            )
        },
        "gaps": {"count": gaps, "area_m2": 4.4e6, "demand": 65.0, "largest_demand": 65.0, "without_facility": False},
    }
