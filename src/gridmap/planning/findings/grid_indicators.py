"""Figures of the grids themselves: how well they balance, who holds them, how the levels add up.

Their keys stand at the top of ``indicators``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridmap.domain.kinds import Employment, StaffRole
from gridmap.planning.decisions import Decisions
from gridmap.planning.service.reach import Floats
from gridmap.planning.tables.level_frame import grids_within
from gridmap.planning.territory.drawing import parent_level
from gridmap.planning.territory.nesting import LevelSet, level_sets

Figures = dict[str, Any]

#: Deviations are exact to this much; a grid at the very edge of the tolerance keeps it.
_ROUNDING = 1e-9


def balance(decisions: Decisions) -> Figures:
    """Deviation of the grids that were drawn to a target."""
    grids, tolerance = decisions.grids, decisions.settings.grids.tolerance
    asked = np.isfinite(decisions.deviation)
    parents = np.array(_parents(decisions), dtype=object)
    return {
        "tolerance": tolerance,
        **_spread(decisions.deviation[asked], tolerance),
        "bound": grids.bound,
        "shortfalls": len(grids.shortfalls),
        "by_parent": [
            {"code": code, **_spread(decisions.deviation[asked & (parents == code)], tolerance)}
            for code in sorted(set(parents[asked].tolist()))
        ],
    }


def _spread(deviation: Floats, tolerance: float) -> Figures:
    size = np.abs(deviation)
    within = int((size <= tolerance + _ROUNDING).sum())
    return {
        "grids": len(size),
        "max": float(size.max()) if len(size) else None,
        "mean": float(size.mean()) if len(size) else None,
        "within_tolerance": within,
        "within_tolerance_share": within / len(size) if len(size) else None,
    }


def _parents(decisions: Decisions) -> list[str]:
    """Code of the area inside whose borders each grid was drawn; "" where all areas together were one."""
    level = parent_level(decisions.settings.grids, decisions.hierarchy, decisions.units.kind)
    areas = decisions.hierarchy.at(level) if level else None
    if level is None or areas is None:
        return [""] * len(decisions.grids)
    cell = np.unique(decisions.grids.of_cell, return_index=True)[1]
    row = decisions.hierarchy.ancestors(level)[decisions.ground.area[cell]]
    codes = [*areas.codes, ""]
    return [codes[place] for place in row.tolist()]


def staffing(decisions: Decisions) -> Figures:
    """People, and what they are too few for."""
    people, staff = decisions.staffing, decisions.staffing.staff
    held = np.zeros(len(staff.ids) if staff else 0, dtype=np.bool_)
    held[people.manager[people.manager >= 0]] = True
    held[people.officer] = True
    return {
        "people": len(held),
        "managers": sum(role is StaffRole.MANAGER for role in staff.roles) if staff else 0,
        "officers": sum(role is StaffRole.OFFICER for role in staff.roles) if staff else 0,
        "part_time": sum(kind is Employment.PART_TIME for kind in staff.employment) if staff else 0,
        "placed": int(held.sum()),
        "unplaced": int((~held).sum()),
        "misplaced": len(people.misplaced),
        "grids_without_manager": int(people.managers_missing.sum()),
        "grids_short_of_officers": int((people.officers_missing > 0).sum()),
        "officers_missing": int(people.officers_missing.sum()),
    }


def levels(decisions: Decisions) -> dict[str, Figures]:
    """Members and sums of every level there is, widest first; what no member holds is in no sum."""
    return {sets.level: _sums(decisions, sets) for sets in level_sets(decisions)}


def _sums(decisions: Decisions, sets: LevelSet) -> Figures:
    held = sets.of_cell >= 0
    of_cell, grids = decisions.grids.of_cell, len(decisions.grids)
    return {
        "members": len(sets),
        "area_m2": float(decisions.ground.area_m2[held].sum()),
        "demand": float(decisions.demand.value[held].sum()),
        "cells": int(held.sum()),
        "grids": int(grids_within(sets.of_cell, len(sets), of_cell, grids).sum()),
    }
