"""The plan: the one thing everything after planning reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from gridmap.domain.plan_settings import PlanSettings

#: Frames of a plan in the order in which files list them.
GEOGRAPHIC_FRAMES = (
    "areas",
    "cells",
    "grids",
    "facilities",
    "gaps",
    "jurisdictions",
    "units",
    "levels",
    "organisation",
)
#: Frames without geometry.
TABLES = ("assignments", "staff")


@dataclass(frozen=True)
class RuleResult:
    """One rule of the field, evaluated.

    ``rule`` is its identifier (``rural_cash_point_per_village``); ``broken_by`` the codes of what breaks it, most
    serious first; ``severity`` is ``rule`` or, for what only deserves a look, ``warning``.
    """

    rule: str
    holds: bool
    checked: int
    broken_by: tuple[str, ...]
    severity: str = "rule"


@dataclass(frozen=True)
class Plan:
    """Frames, settings, indicators, rules and certificate of one plan. Frames are WGS 84, columns as the docs list.

    Attributes
    ----------
    areas : ``area_code``, ``name``, ``level``, ``parent_code``, ``settlement``, ``area_m2``, ``demand``,
        ``covered_share``
    cells, grids, gaps : as in ``docs/reference/output.md``
    facilities : the input's columns and ``area_code`` (lowest level, None outside), ``radius_urban_m``,
        ``radius_rural_m``, ``cells_in_reach``, ``demand_in_reach``
    assignments : ``grid_code``, ``outlet_id``, ``role``, ``distance_m``, ``demand_in_reach``; no geometry
    jurisdictions : ``outlet_id``, ``name``, ``grids``, ``area_m2``, ``demand``, ``capacity``
    units : base units: ``unit_code``, ``area_code``, ``kind``, ``grid_code`` (None where several grids share it),
        ``area_m2``, ``demand``, ``cells``, ``settlement``
    levels : areas, super-grids, grids and sub-grids: ``code``, ``name``, ``level``, ``parent_code``, ``area_m2``,
        ``demand``, ``cells``, ``grids``, ``parts``, ``holes``
    organisation : head offices, branches, outlets, people: ``node_id``, ``kind``, ``name``, ``parent_id``, ``grids``,
        ``area_m2``, ``demand``, ``capacity``; an empty geometry for who holds no grid
    staff : ``person_id``, ``name``, ``role``, ``employment``, ``outlet_id``, ``grid_code``, ``status``; no geometry
    indicators : nested dictionary of plain numbers and strings
    certificate : the partition certificate, as ``certificate.json`` holds it
    report : ``warnings`` (list of str), ``timings_s``, ``versions``, ``demand`` (unit, total, source, stands_in),
        ``shortfalls`` (what was asked of the grids and cannot be, see ``gridmap.planning.findings.shortfalls``),
        ``bound`` (least possible largest deviation that was proved), ``retired_codes`` (never to be given again)
    """

    settings: PlanSettings
    areas: gpd.GeoDataFrame
    cells: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    assignments: pd.DataFrame
    gaps: gpd.GeoDataFrame
    jurisdictions: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    levels: gpd.GeoDataFrame
    organisation: gpd.GeoDataFrame
    staff: pd.DataFrame
    indicators: Mapping[str, Any]
    rules: tuple[RuleResult, ...]
    certificate: Mapping[str, Any]
    report: Mapping[str, Any]
