"""The sample county with other settings: what moved adds up, however it is compared."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.inputs import read_plan_inputs
from gridmap.planning.differences.compare import difference_of
from gridmap.planning.differences.difference import Way
from gridmap.planning.pipeline import build_plan

SAMPLES = Path(__file__).parents[4] / "data" / "samples"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def county() -> Callable[..., Plan]:
    """Make the county's plan with other settings of grids or of the partition."""
    given = tomllib.loads((SAMPLES / "plan.toml").read_text(encoding="utf-8"))

    def make(resolution: int = 7, **grids: Any) -> Plan:
        changed = {**given, "partition": {"resolution": resolution}, "grids": {**given["grids"], **grids}}
        settings = PlanSettings.model_validate(changed)
        return build_plan(settings, read_plan_inputs(settings, SAMPLES))

    return make


@pytest.fixture(scope="module")
def base(county: Callable[..., Plan]) -> Plan:
    return county()


def test_what_moved_adds_up_cell_by_cell(county: Callable[..., Plan], base: Plan):
    after = county(target_demand=5000)
    told = difference_of(base, after)
    gone = sum(one.demand or 0.0 for one in told.grids_removed) + sum(one.lost_demand for one in told.grids_changed)
    new = sum(one.demand or 0.0 for one in told.grids_added) + sum(one.gained_demand for one in told.grids_changed)

    assert told.way is Way.CELLS
    assert [one.field for one in told.settings] == ["grids.target_demand"]
    assert told.totals.moved_demand == pytest.approx(gone)
    assert told.totals.moved_demand == pytest.approx(new)
    assert told.totals.moved_demand == pytest.approx(sum(one.demand for one in told.moves))
    assert 0 < told.totals.moved_demand_share < 1
    for one in told.grids_changed:
        area = {change.field: (change.before, change.after) for change in one.changes}.get("area_m2")
        if area:
            assert area[1] - area[0] == pytest.approx(one.gained_m2 - one.lost_m2, abs=1)
    # Nothing else moved: every cell outside the moves lies in the grid that its earlier one matches.
    earlier = {one.code: one.code_before for one in told.grids_changed}
    pairs = {(one.code_from, one.code_to) for one in told.moves}
    for old, new_code in zip(base.cells["grid_code"], after.cells["grid_code"], strict=True):
        assert (old, new_code) in pairs or earlier.get(new_code, new_code) == old


def test_a_finer_partition_alone_moves_no_ground(county: Callable[..., Plan], base: Plan):
    told = difference_of(base, county(resolution=8))

    assert told.way is Way.OVERLAY
    assert told.moves == told.grids_added == told.grids_removed == told.units_moved == ()
    assert told.totals.ground_added_m2 == told.totals.ground_removed_m2 == 0


def test_both_ways_agree_on_the_same_change(county: Callable[..., Plan], base: Plan):
    by_cells = difference_of(base, county(target_demand=5000))
    laid_over = difference_of(base, county(resolution=8, target_demand=5000))

    assert laid_over.way is Way.OVERLAY
    assert {one.unit_code for one in laid_over.units_moved} == {one.unit_code for one in by_cells.units_moved}
    assert {(one.code_from, one.code_to) for one in laid_over.moves} == {
        (one.code_from, one.code_to) for one in by_cells.moves
    }
    assert np.isclose(laid_over.totals.moved_area_m2, by_cells.totals.moved_area_m2, rtol=1e-5)
    assert np.isclose(laid_over.totals.moved_demand, by_cells.totals.moved_demand, rtol=0.02)
