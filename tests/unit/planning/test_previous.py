"""A plan after another: equal ground keeps its code, and no code is ever given to other ground."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest

from gridmap.domain.inputs import Demand, PlanInputs, PreviousGrids
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import GridSection, PlanSettings
from gridmap.planning.pipeline import build_plan

Settings = Callable[..., PlanSettings]
ASKED = {"base": "cell", "mode": "free", "count": 8, "sub_demand": 60.0, "super_demand": 700.0}


def precedent(plan: Plan) -> PreviousGrids:
    """Return what the next plan is told of this one."""
    drawn = plan.levels[plan.levels["level"].isin(["super", "sub"])]
    nested = PreviousGrids(tuple(drawn["code"]), drawn.geometry.to_numpy(), (), "plan")
    codes, retired = tuple(plan.grids["grid_code"]), tuple(plan.report["retired_codes"])
    return PreviousGrids(codes, plan.grids.geometry.to_numpy(), retired, "plan", nested)


@pytest.fixture
def inputs(two_villages: PlanInputs) -> PlanInputs:
    rng = np.random.default_rng(5)
    west, south, east, north = two_villages.areas["village"].total_bounds
    points = gpd.points_from_xy(rng.uniform(west, east, 300), rng.uniform(south, north, 300))
    people = Demand(np.asarray(points), rng.integers(1, 9, 300).astype(float), "people", "people.csv")
    return replace(two_villages, demand=people)


def planned(plan_settings: Settings, inputs: PlanInputs, **asked: object) -> Plan:
    return build_plan(plan_settings(9, grids=GridSection.model_validate({**ASKED, **asked})), inputs)


def every_code(plan: Plan) -> set[str]:
    return set(plan.levels.loc[plan.levels["level"].isin(["super", "grid", "sub"]), "code"])


def test_planned_again_everything_keeps_its_code(plan_settings: Settings, inputs: PlanInputs) -> None:
    first = planned(plan_settings, inputs)
    again = planned(plan_settings, replace(inputs, previous=precedent(first)))
    assert again.grids["grid_code"].tolist() == first.grids["grid_code"].tolist()
    assert again.levels["code"].tolist() == first.levels["code"].tolist()
    assert again.report["retired_codes"] == []


def test_ground_drawn_anew_is_never_given_a_code_that_other_ground_had(
    plan_settings: Settings, inputs: PlanInputs
) -> None:
    ever: dict[str, bytes] = {}
    before: PreviousGrids | None = None
    for count in (8, 5, 8, 11):
        plan = planned(plan_settings, replace(inputs, previous=before), count=count)
        drawn = plan.levels[plan.levels["level"].isin(["super", "grid", "sub"])]
        for code, ground in zip(drawn["code"], drawn.geometry.normalize().to_wkb(), strict=True):
            assert ever.setdefault(code, ground) == ground
        assert not every_code(plan) & set(plan.report["retired_codes"])
        assert set(ever) == every_code(plan) | set(plan.report["retired_codes"])
        before = precedent(plan)
