"""The sample county with what makes scopes hard, and who may see what of it, told plainly and slowly."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.inputs import read_plan_inputs
from gridmap.planning.pipeline import build_plan

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
BANK, OTHER = "云泊农商银行", "泊州村镇银行"
Rows = list[dict[str, Any]]


@cache
def sample_county() -> Plan:
    """Plan the sample county with coarse cells; give it a super-grid and people over two towns, branches, own columns.

    Its two towns 990101001 and 990101100 share the super-grid ``990101000000001``, and the person ``P0001``.
    """
    given = tomllib.loads((SAMPLES / "plan.toml").read_text(encoding="utf-8"))
    settings = PlanSettings.model_validate({**given, "partition": {"resolution": 7}})
    plan = build_plan(settings, read_plan_inputs(settings, SAMPLES))
    return replace(plan, **_shared_super_grid(plan), **_shared_person(plan), **_own_columns(plan))


def _shared_super_grid(plan: Plan) -> dict[str, Any]:
    grids, levels = plan.grids.copy(), plan.levels.copy()
    some = [grids.index[grids["area_code"].str.startswith(town)][0] for town in ("990101001", "990101100")]
    gone = grids.loc[some, "super_code"].dropna().tolist()
    grids.loc[some, ["super_code", "parent_code"]] = "990101000000001"
    row = levels.index[levels["code"].isin(gone) & (levels["level"] == "super")][0]
    levels.loc[row, ["code", "parent_code"]] = ["990101000000001", "990101"]
    of_grids = levels["code"].isin(grids.loc[some, "grid_code"]) & (levels["level"] == "grid")
    levels.loc[of_grids, "parent_code"] = "990101000000001"
    return {"grids": grids.assign(note=[f"网格 {row}" for row in range(len(grids))]), "levels": levels}


def _shared_person(plan: Plan) -> dict[str, Any]:
    staff = plan.staff.copy()
    elsewhere = plan.grids.loc[plan.grids["area_code"].str.startswith("990101100"), "grid_code"].iloc[0]
    more = staff[staff["person_id"] == "P0001"].assign(grid_code=elsewhere)
    return {"staff": pd.concat([staff, more], ignore_index=True)}


def _own_columns(plan: Plan) -> dict[str, Any]:
    facilities, cells = plan.facilities.copy(), plan.cells.copy()
    town = facilities["area_code"].str.slice(0, 9)
    facilities["branch"] = np.where(town == "990101001", "城关支行", None)
    facilities.loc[facilities["facility_id"].isin(["W001", "W002"]), "branch"] = "W003"
    facilities.loc[facilities["facility_id"].isin(["D0001", "D0150"]), "branch"] = "两地支行"
    facilities.insert(0, 'it\'s "100%" :own', np.arange(len(facilities)) * 0.1)
    return {"facilities": facilities, "cells": cells.assign(batch=np.arange(len(cells)))}


def rows_of(frame: pd.DataFrame) -> Rows:
    """Rows of a frame as plain values, None where one is missing; geometries as text."""
    plain = pd.DataFrame(frame).copy()
    if "geometry" in plain:
        plain["geometry"] = [None if shape is None else shapely.to_wkt(shape) for shape in frame["geometry"]]
    return [{name: _plain(value) for name, value in row.items()} for row in plain.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return value
    return None if value is None or value is pd.NA or value != value else value


class InReach:
    """What of a plan somebody may see: every row looked at, no index, no database."""

    def __init__(self, plan: Plan, prefixes: tuple[str, ...], institutions: tuple[str, ...]) -> None:
        layers = {name: rows_of(getattr(plan, name)) for name in (*GEOGRAPHIC_FRAMES, *TABLES)}
        stated = {row["institution"] for row in layers["facilities"]} - {None, ""}
        if all(row["area_code"].startswith(prefixes) for row in layers["areas"]):
            prefixes = ()
        if stated <= set(institutions):
            institutions = ()
        self.is_whole = not prefixes and not institutions
        self.all, self.prefixes, self.institutions = layers, prefixes, institutions
        self.facilities = {
            row["facility_id"]
            for row in layers["facilities"]
            if self.is_area(row["area_code"]) and (not institutions or row["institution"] in {None, "", *institutions})
        }
        self.grids = {row["grid_code"] for row in layers["grids"] if self.is_area(row["area_code"])}
        self.units = {row["unit_code"] for row in layers["units"] if self.is_area(row["area_code"])}
        supers: dict[str, list[str]] = {}
        for row in layers["grids"]:
            if row["super_code"]:
                supers.setdefault(row["super_code"], []).append(row["grid_code"])
        self.supers = {code for code, held in supers.items() if set(held) <= self.grids}
        self.areas = {row["area_code"] for row in layers["areas"] if self.is_area(row["area_code"])}
        self.staff = [
            row for row in layers["staff"] if row["grid_code"] in self.grids or row["outlet_id"] in self.facilities
        ]
        self.nodes = self._nodes()
        self.gaps = self._gaps(plan)

    def is_area(self, code: str | None) -> bool:
        return not self.prefixes or (code is not None and code.startswith(self.prefixes))

    def holds(self, outlet: str) -> bool:
        """Whether an outlet is in reach with all its grids."""
        primary = {row["grid_code"] for row in self.all["grids"] if row["primary_outlet_id"] == outlet}
        return outlet in self.facilities and primary <= self.grids

    def _nodes(self) -> set[str]:
        found = set()
        people = {row["person_id"] for row in self.staff}
        for row in self.all["organisation"]:
            kind, _, name = row["node_id"].partition("/")
            elsewhere = [
                one
                for one in self.all["staff"]
                if one["person_id"] == name and one["grid_code"] and one["grid_code"] not in self.grids
            ]
            if (
                kind == "branch"
                or (kind == "outlet" and self.holds(name))
                or (kind == "person" and name in people and not elsewhere)
                or (kind == "head_office" and (not self.institutions or name in self.institutions))
            ):
                found.add(row["node_id"])
        for _ in range(4):
            lost = {row["parent_id"] for row in self.all["organisation"] if row["node_id"] not in found}
            found -= lost
        return found

    def _gaps(self, plan: Plan) -> list[str]:
        foreign = plan.cells[[not self.is_area(code) for code in plan.cells["area_code"]]]
        foreign = foreign[~foreign["covered"].astype(bool)]
        found = []
        for row, shape in zip(self.all["gaps"], plan.gaps.geometry, strict=True):
            overlap = [shapely.area(shapely.intersection(shape, cell)) for cell in foreign.geometry]
            if self.is_area(row["area_code"]) and not any(part > 1e-12 for part in overlap):
                found.append(row["gap_id"])
        return found

    def _is_level(self, code: str | None) -> bool:
        return code in self.areas or code in self.grids or code in self.supers

    def rows(self, layer: str) -> Rows:
        """Rows of a layer in reach, as they may be seen."""
        if self.is_whole:
            return self.all[layer]
        return [masked for row in self.all[layer] if (masked := getattr(self, f"_of_{layer}")(dict(row))) is not None]

    def _hide(self, row: dict[str, Any], in_reach: bool, *names: str) -> None:
        if not in_reach:
            row.update(dict.fromkeys(names))

    def _of_areas(self, row: dict[str, Any]) -> dict[str, Any] | None:
        self._hide(row, row["parent_code"] is not None and self.is_area(row["parent_code"]), "parent_code")
        return row if row["area_code"] in self.areas else None

    def _of_cells(self, row: dict[str, Any]) -> dict[str, Any] | None:
        self._hide(row, row["primary_outlet_id"] in self.facilities, "primary_outlet_id", "distance_m")
        for kind in FacilityKind:
            self._hide(row, row[f"nearest_{kind}_id"] in self.facilities, f"nearest_{kind}_id", f"nearest_{kind}_m")
        reaching = row["facility_ids_in_reach"].split(";")
        row["facility_ids_in_reach"] = ";".join(one for one in reaching if one in self.facilities)
        self._hide(row, row["grid_code"] in self.grids, "grid_code", "sub_code")
        self._hide(row, row["unit_code"] in self.units, "unit_code")
        return row if self.is_area(row["area_code"]) else None

    def _of_grids(self, row: dict[str, Any]) -> dict[str, Any] | None:
        self._hide(row, self._is_level(row["parent_code"]), "parent_code")
        self._hide(row, row["super_code"] in self.supers, "super_code")
        self._hide(row, row["primary_outlet_id"] in self.facilities, "primary_outlet_id")
        row["cooperating_outlet_ids"] = [one for one in row["cooperating_outlet_ids"] if one in self.facilities]
        return row if row["grid_code"] in self.grids else None

    def _of_facilities(self, row: dict[str, Any]) -> dict[str, Any] | None:
        others = [one for one in self.all["facilities"] if one["facility_id"] not in self.facilities]
        told = {one[name] for one in others for name in ("branch", "facility_id", "name")}
        self._hide(row, row["branch"] not in told, "branch")
        self._hide(row, not self.prefixes, "cells_in_reach", "demand_in_reach")
        return row if row["facility_id"] in self.facilities else None

    def _of_gaps(self, row: dict[str, Any]) -> dict[str, Any] | None:
        self._hide(row, row["nearest_facility_id"] in self.facilities, "nearest_facility_id", "nearest_distance_m")
        if row["gap_id"] not in self.gaps:
            return None
        return {**row, "rank": self.gaps.index(row["gap_id"]) + 1}

    def _of_jurisdictions(self, row: dict[str, Any]) -> dict[str, Any] | None:
        return row if self.holds(row["outlet_id"]) else None

    def _of_units(self, row: dict[str, Any]) -> dict[str, Any] | None:
        self._hide(row, row["grid_code"] in self.grids, "grid_code")
        return row if row["unit_code"] in self.units else None

    def _of_levels(self, row: dict[str, Any]) -> dict[str, Any] | None:
        held = {"grid": self.grids, "super": self.supers}.get(row["level"], self.areas)
        is_there = row["parent_code"] in self.grids if row["level"] == "sub" else row["code"] in held
        self._hide(row, self._is_level(row["parent_code"]), "parent_code")
        return row if is_there else None

    def _of_organisation(self, row: dict[str, Any]) -> dict[str, Any] | None:
        self._hide(row, row["parent_id"] in self.nodes, "parent_id")
        return row if row["node_id"] in self.nodes else None

    def _of_assignments(self, row: dict[str, Any]) -> dict[str, Any] | None:
        self._hide(row, row["outlet_id"] in self.facilities, "outlet_id", "distance_m")
        return row if row["grid_code"] in self.grids else None

    def _of_staff(self, row: dict[str, Any]) -> dict[str, Any] | None:
        if row not in self.staff:
            return None
        self._hide(row, row["grid_code"] in self.grids, "grid_code")
        self._hide(row, row["outlet_id"] in self.facilities, "outlet_id")
        return row
