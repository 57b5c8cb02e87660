"""Figures of a whole plan agree between all its frames, bit for bit, whatever the order of adding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.domain.inputs import Carved, Demand, Lines, PlanInputs
from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import GridSection, PlanSettings
from gridmap.planning.pipeline import build_plan


@pytest.fixture(scope="module")
def plan(
    plan_settings: Callable[..., PlanSettings], two_villages: PlanInputs, areas_frame: Callable[..., gpd.GeoDataFrame]
) -> Plan:
    """Two villages, one cut by a road and holding a mall, with demand in fractions, and levels above and below."""
    township = areas_frame(AreaLevel.TOWNSHIP, {"990101001": shapely.box(111.0, 30.0, 111.15, 30.05)})
    rng = np.random.default_rng(7)
    hulls = [shapely.MultiPoint(rng.uniform([111, 30], [111.15, 30.05], (5, 2))).convex_hull for _ in range(12)]
    road = shapely.LineString([(111.0, 30.0131231), (111.15, 30.0371233)])
    mall = shapely.box(111.0201231, 30.0201237, 111.0301239, 30.0301231)
    inputs = replace(
        two_villages,
        areas={AreaLevel.TOWNSHIP: township, **two_villages.areas},
        demand=Demand(np.array(hulls), rng.lognormal(5, 1, 12), "people", "people.gpkg"),
        roads=Lines(np.array([road], dtype=object), np.array([""], dtype=object), "roads.geojson"),
        dedicated=Carved(np.array([mall], dtype=object), ("M",), ("mall",), "dedicated.geojson"),
    )
    asked = GridSection(base="block", count=3, within="township", sub_demand=200, super_demand=1500, mode="free")
    return build_plan(plan_settings(resolution=9, grids=asked), inputs)


def running(values: pd.Series, seed: int) -> float:
    """Sum one after the other, in an order of the seed."""
    total = 0.0
    for value in np.random.default_rng(seed).permutation(values.to_numpy()).tolist():
        total += value
    return total


@pytest.mark.parametrize("figure", ["area_m2", "demand"])
def test_every_frame_and_level_adds_up_to_the_same_total(plan: Plan, figure: str) -> None:
    total = float(plan.cells[figure].sum())
    parts = [plan.cells, plan.units, plan.grids]
    parts += [of_level for _, of_level in plan.areas.groupby("level")]
    parts += [of_level for level, of_level in plan.levels.groupby("level") if level != "sub"]
    assert len(parts) == 3 + 2 + 4
    assert {running(part[figure], seed) for part in parts for seed in range(5)} == {total}
    assert plan.indicators["demand"]["total"] == float(plan.cells["demand"].sum())


@pytest.mark.parametrize("figure", ["area_m2", "demand", "cells"])
def test_every_set_is_the_sum_of_the_sets_in_it(plan: Plan, figure: str) -> None:
    own = plan.levels.set_index("code")[figure]
    checked = 0
    for (parent, level), members in plan.levels.groupby(["parent_code", "level"]):
        if level in ("village", "township", "sub"):
            assert members[figure].sum() == own[parent]
            checked += 1
    assert checked >= 2
    by_grid = plan.cells.assign(cells=1).groupby("grid_code")[figure].sum()
    assert (by_grid == own[by_grid.index]).all()
    by_area = plan.cells.assign(cells=1).groupby("area_code")[figure].sum()
    assert (by_area == own[by_area.index]).all()


def test_rules_of_levels_and_units_hold_on_a_real_plan(plan: Plan) -> None:
    found = {rule.rule: rule for rule in plan.rules}
    for rule in ("grids_do_not_overlap", "levels_nested", "base_units_whole", "codes_unique_and_valid", "names_unique"):
        assert found[rule].holds, found[rule]
        assert found[rule].checked > 1
    assert {"super", "grid", "sub"} < set(plan.levels["level"])
