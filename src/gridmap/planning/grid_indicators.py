"""Figures of the grids themselves: how well they balance, who holds them, how the levels add up.

Their keys stand at the top of ``indicators``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gridmap.domain.kinds import Employment, StaffRole
from gridmap.planning.decisions import Decisions
from gridmap.planning.level_frame import grids_within
from gridmap.planning.nesting import LevelSet, level_sets
from gridmap.planning.reach import Floats

Figures = dict[str, Any]

#: Deviations are exact to this much; a grid at the very edge of the tolerance keeps it.
_ROUNDING = 1e-9


def balance(decisions: Decisions) -> Figures:
    """Deviation of the grids that were drawn to a target."""
    grids, tolerance = decisions.grids, decisions.settings.grids.tolerance
    asked = np.isfinite(decisions.deviation)
    parents = np.array(list(_parents(decisions)), dtype=object)
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


def _parents(decisions: Decisions) -> Iterator[str]:
    """Code of the area to whose other grids each grid is compared: the lowest that holds it, above the lowest level.

    "" where no area holds it.
    """
    levels, last = decisions.hierarchy.levels, len(decisions.hierarchy.levels) - 1
    for number, row in zip(decisions.grids.level.tolist(), decisions.grids.home.tolist(), strict=True):
        if number < 0:
            yield ""
            continue
        above = int(levels[number].parent[row])
        lifted = number == last and above >= 0
        yield levels[number - 1].codes[above] if lifted else levels[number].codes[row]


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
