"""Balance, staffing and levels in figures, recomputed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridmap.planning.decisions import Decisions
from gridmap.planning.findings.grid_indicators import balance, levels, staffing
from gridmap.planning.tables.frames import cell_frame, grid_frame


def test_balance_counts_only_grids_that_were_drawn_to_a_target(rich: Decisions) -> None:
    one = {"grids": 1, "max": pytest.approx(0.04), "mean": pytest.approx(0.04)}
    kept = {"within_tolerance": 1, "within_tolerance_share": 1.0}
    assert balance(rich) == {
        "tolerance": 0.05,
        **one,
        **kept,
        "bound": 0.25,
        "shortfalls": 2,
        "by_parent": [{"code": "", **one, **kept}],
    }
    unasked = balance(replace(rich, grids=replace(rich.grids, target=np.full(2, np.nan), shortfalls=())))
    assert unasked["grids"] == unasked["within_tolerance"] == unasked["shortfalls"] == 0
    assert unasked["max"] is unasked["mean"] is unasked["within_tolerance_share"] is None
    assert unasked["by_parent"] == []


@pytest.mark.parametrize(("target", "within"), [(600 / 1.05, 1), (600 / 1.0501, 0), (600 / 0.95, 1), (600 / 0.9499, 0)])
def test_a_grid_at_the_very_edge_of_the_tolerance_keeps_it(rich: Decisions, target: float, within: int) -> None:
    assert (
        balance(replace(rich, grids=replace(rich.grids, target=np.array([target, np.nan]))))["within_tolerance"]
        == within
    )


def test_staffing_counts_people_and_what_is_missing(rich: Decisions) -> None:
    figures = staffing(rich)
    assert figures == {
        "people": 4,
        "managers": 1,
        "officers": 3,
        "part_time": 1,
        "placed": 2,
        "unplaced": 2,
        "misplaced": 1,
        "grids_without_manager": 1,
        "grids_short_of_officers": 1,
        "officers_missing": 2,
    }


def test_the_sums_of_every_level_are_those_of_its_cells(rich: Decisions) -> None:
    cells, grids, figures = cell_frame(rich), grid_frame(rich), levels(rich)
    divided = cells[cells["sub_code"].notna()]
    held = {"village": (2, 2, cells), "super": (1, 2, cells), "grid": (2, 2, cells), "sub": (2, 0, divided)}
    assert list(figures) == list(held)
    for level, (members, count, rows) in held.items():
        assert figures[level] == {
            "members": members,
            "area_m2": pytest.approx(rows["area_m2"].sum(), rel=1e-12),
            "demand": rows["demand"].sum(),
            "cells": len(rows),
            "grids": count,
        }
    assert figures["grid"]["demand"] == grids["demand"].sum()
    bare = levels(replace(rich, grids=replace(rich.grids, sub=None, above=None)))
    assert list(bare) == ["village", "grid"]
