"""What the page knows of grids and of what they are made of, gathered into, held by and short of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.domain.kinds import BaseUnitKind
from gridmap.domain.plan import Plan
from gridmap.exports.columns import plain_values
from gridmap.exports.page.packing import Rings, colours_apart, differences, neighbours, varints, zigzag
from gridmap.exports.words import names_by_code, unit_names
from gridmap.planning.findings.shortfalls import shortfall_message

#: Colours that the page has for telling neighbours apart.
GROUP_COLOURS = 8
#: Levels that the plan generates above and below its grids.
GENERATED = ("super", "sub")

Rows = NDArray[np.int64]


def has_units(plan: Plan) -> bool:
    """Whether base units are anything but villages, whose borders the areas show."""
    return bool((plan.units["kind"] != BaseUnitKind.VILLAGE).any())


def group_columns(plan: Plan, cells: Rings, grid_of_cell: Rows, outlet: Rows) -> dict[str, Any]:
    """Colours of grids, and of what they are gathered into: the set above them, and their outlet.

    ``colour`` is of the grid itself; ``parent`` numbers ``parents``, -1 for none; no two neighbours share a colour
    where the colours suffice.
    """
    parents = plan.grids["parent_code"].astype(object)
    codes = sorted({code for code in parents if isinstance(code, str)})
    parent = np.array([codes.index(code) if isinstance(code, str) else -1 for code in parents], dtype=np.int64)
    return {
        "colour": _colours(cells, grid_of_cell, np.arange(len(plan.grids)), len(plan.grids)),
        "parent": parent,
        "parents": {
            "code": codes,
            "colour": _colours(cells, grid_of_cell, parent, len(codes)),
        },
        "outlet_colour": _colours(cells, grid_of_cell, outlet, len(plan.facilities)),
    }


def _colours(cells: Rings, grid_of_cell: Rows, group_of_grid: Rows, count: int) -> list[int]:
    """Colour of each of ``count`` groups of grids, unlike its neighbours'."""
    of_cell = np.where(grid_of_cell >= 0, np.append(group_of_grid, -1)[grid_of_cell], -1)
    pairs = neighbours(cells, of_cell)
    return colours_apart(count, pairs[(pairs >= 0).all(axis=1)], GROUP_COLOURS)


def people_columns(plan: Plan) -> dict[str, Any]:
    """Name the manager and the officers of each grid, and say who is missing."""
    given = zip(plan.staff["person_id"], plan.staff["name"], strict=True)
    names = {key: name for key, name in given if isinstance(key, str) and isinstance(name, str) and name}
    officers = plain_values(plan.grids["officer_ids"])
    return {
        "manager": [names.get(one, one) for one in plain_values(plan.grids["manager_id"])],
        "officers": [[names.get(one, one) for one in ids or ()] for ids in officers],
        "manager_missing": plain_values(plan.grids["managers_missing"]),
        "officers_missing": plain_values(plan.grids["officers_missing"]),
    }


def unit_columns(plan: Plan, rows: dict[str, pd.Series[int]]) -> dict[str, Any]:
    """Give the base units, where they are anything but villages, and the one of each cell as packed differences."""
    units = plan.units if has_units(plan) else plan.units.iloc[:0]
    names = unit_names(plan)
    return {
        **{name: plain_values(units[name]) for name in ("kind", "settlement", "area_m2", "demand", "cells")},
        "code": plain_values(units["unit_code"]),
        "name": [names.get(code) for code in units["unit_code"]],
        "area": _rows(units["area_code"], rows["area"]),
        "grid": _rows(units["grid_code"], rows["grid"]),
        "of_cell": varints(zigzag(differences(_unit_of_cell(plan)))) if len(units) else "",
    }


def generated_sets(plan: Plan) -> gpd.GeoDataFrame:
    """Super-grids and sub-grids, as ``Plan.levels`` has them."""
    return plan.levels[plan.levels["level"].isin(GENERATED)]


def set_columns(plan: Plan, rows: dict[str, pd.Series[int]]) -> dict[str, Any]:
    """Give the super-grids and sub-grids, each sub-grid with the grid it divides."""
    sets = generated_sets(plan)
    names = ("code", "name", "level", "area_m2", "demand", "cells", "grids", "parent_code")
    return {**{name: plain_values(sets[name]) for name in names}, "grid": _rows(sets["parent_code"], rows["grid"])}


def _unit_of_cell(plan: Plan) -> Rows:
    row_of = {code: row for row, code in enumerate(plan.units["unit_code"])}
    return np.array([row_of[code] for code in plan.cells["unit_code"]], dtype=np.int64)


def shortfall_entries(plan: Plan, rows: dict[str, pd.Series[int]]) -> list[dict[str, Any]]:
    """Say what was asked of the grids and cannot be, in each language, with the grid and the base unit."""
    names, unit = {**unit_names(plan), **names_by_code(plan)}, plan.indicators["demand"]["unit"]
    return [
        {
            "text": {lang: shortfall_message(entry, names, unit, lang) for lang in catalogue.LANGUAGES},
            "grid": _row(entry["grid_code"], rows["grid"]),
            "unit": entry["unit_code"],
        }
        for entry in plan.report.get("shortfalls", ())
    ]


def _row(code: str | None, row_of: pd.Series[int]) -> int:
    return int(row_of.loc[code]) if code is not None and code in row_of.index else -1


def _rows(codes: Sequence[Any] | pd.Series[Any], row_of: pd.Series[int]) -> list[int]:
    return [_row(code, row_of) if isinstance(code, str) else -1 for code in codes]
