"""Indicators recomputed plainly from the frames of a plan."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gridmap.domain.inputs import Demand, PlanInputs
from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.planning.findings import indicators as module
from gridmap.planning.findings.indicators import share, weighted_mean, weighted_percentile
from gridmap.planning.pipeline import build_plan

CLASSES = ("all", *(settlement.value for settlement in SettlementClass))


@pytest.fixture(scope="module")
def inputs(
    areas_frame: Callable[..., gpd.GeoDataFrame], facilities_frame: Callable[..., gpd.GeoDataFrame]
) -> PlanInputs:
    """Twelve villages in three townships, of all classes, with 30 facilities and 300 points of people."""
    rng = np.random.default_rng(5)
    villages = {
        f"99010100{x // 2 + 1}{x % 2 * 2 + y + 1:03d}": shapely.box(
            111 + x / 20, 30 + y / 20, 111.05 + x / 20, 30.05 + y / 20
        )
        for x in range(6)
        for y in range(2)
    }
    townships = {f"99010100{x + 1}": shapely.box(111 + x / 10, 30, 111.1 + x / 10, 30.1) for x in range(3)}
    frame = areas_frame(AreaLevel.VILLAGE, villages)
    frame["settlement"] = ["urban", "fringe", "rural"] * 4
    kinds = [list(FacilityKind)[number % 5] for number in range(30)]
    places = rng.uniform([111, 30], [111.4, 30.1], (30, 2)).tolist()
    facilities = facilities_frame(
        *(
            (f"F{row:02d}", kind, lon, lat, 400.0)
            for row, (kind, (lon, lat)) in enumerate(zip(kinds, places, strict=True))
        )
    )
    people = rng.uniform([110.9, 30], [111.3, 30.1], (300, 2))
    return PlanInputs(
        {AreaLevel.TOWNSHIP: areas_frame(AreaLevel.TOWNSHIP, townships), AreaLevel.VILLAGE: frame},
        facilities,
        Demand(np.array(shapely.points(people)), rng.integers(0, 30, 300).astype(float), "people", "people.csv"),
    )


@pytest.fixture(scope="module")
def plan(plan_settings: Callable[..., PlanSettings], inputs: PlanInputs) -> Plan:
    return build_plan(plan_settings(), inputs)


def of_class(frame: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    return frame if name == "all" else frame[frame["settlement"] == name]


def keys_of(figures: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in figures.items():
        if isinstance(value, dict):
            yield from keys_of(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def test_every_figure_is_named_in_the_head_of_the_module_and_is_plain(plan: Plan) -> None:
    assert module.__doc__ is not None
    named = set(re.findall(r"[a-z0-9_+]+", module.__doc__))
    for path in keys_of(dict(plan.indicators)):
        known = {*CLASSES, *map(str, FacilityKind), *map(str, AreaLevel), *map(str, range(10)), "10+"}
        assert [key for key in path.split(".") if key not in named | known] == [], path
    assert json.loads(json.dumps(plan.indicators, allow_nan=False)) == plan.indicators


def test_coverage_by_class_equals_sums_over_the_cells(plan: Plan) -> None:
    for name in CLASSES:
        cells, figures = of_class(plan.cells, name), plan.indicators["coverage"][name]
        covered = cells[cells["covered"]]
        assert figures["cells"] == len(cells) > 0
        assert figures["demand"] == cells["demand"].sum()
        assert figures["covered_demand_share"] == pytest.approx(covered["demand"].sum() / cells["demand"].sum())
        assert figures["covered_cells_share"] == pytest.approx(len(covered) / len(cells))
        ground = (cells["area_m2"] * cells["covered_share"]).sum() / cells["area_m2"].sum()
        assert figures["covered_area_share"] == pytest.approx(ground)
        nearest = cells[[f"nearest_{kind}_m" for kind in FacilityKind]].min(axis=1)
        assert figures["mean_distance_m"] == pytest.approx(np.average(nearest, weights=cells["demand"]))
        one_each = np.sort(np.repeat(nearest.to_numpy(), cells["demand"].to_numpy().astype(int)))
        p95 = one_each[int(np.ceil(len(one_each) * 0.95)) - 1]
        assert figures["p95_distance_m"] == pytest.approx(p95, abs=1e-3)


def test_coverage_by_kind_looks_at_that_kind_alone(plan: Plan) -> None:
    for kind in FacilityKind:
        figures = plan.indicators["coverage_by_kind"][kind.value]
        covered = plan.cells[plan.cells[f"covered_by_{kind}"]]
        assert figures["all"]["covered_cells_share"] == pytest.approx(len(covered) / len(plan.cells))
        assert figures["facilities"] == (plan.facilities["kind"] == kind.value).sum()
        assert figures["all"]["covered_area_share"] <= plan.indicators["coverage"]["all"]["covered_area_share"]


@pytest.mark.parametrize(("level", "key"), [("village", "villages"), ("township", "townships")])
def test_areas_count_by_what_stands_in_them_and_what_reaches_them(plan: Plan, level: str, key: str) -> None:
    digits = AreaLevel(level).digits
    areas = plan.areas[plan.areas["level"] == level]
    places = plan.facilities.dropna(subset="area_code")
    for name in CLASSES:
        codes = set(of_class(areas, name)["area_code"])
        figures = plan.indicators[key][name]

        def holding(*kinds: str, codes: set[str] = codes) -> set[str]:
            return set(places[places["kind"].isin(kinds)]["area_code"].str[:digits]) & codes

        assert figures["total"] == len(codes)
        assert figures["with_outlet"] == len(holding("branch", "self_service"))
        assert figures["with_branch"] == len(holding("branch"))
        assert figures["with_cash_point"] == len(holding("rural_cash_point"))
        basic = holding("branch", "self_service", "atm", "rural_cash_point", "self_service_terminal")
        assert figures["with_basic_service"] == len(basic)
        demand = of_class(areas, name).set_index("area_code")["demand"]
        if len(codes):
            assert figures["with_basic_service_share"] == pytest.approx(len(basic) / len(codes))
            assert figures["basic_service_demand_share"] == pytest.approx(demand[list(basic)].sum() / demand.sum())
        cells = plan.cells[plan.cells["demand"] > 0].assign(code=plan.cells["area_code"].str[:digits])
        states = cells[cells["code"].isin(codes)].groupby("code")["covered"].agg(["all", "any"])
        assert figures["fully_covered"] == states["all"].sum()
        assert figures["not_covered"] == (~states["any"]).sum()
        assert figures["partly_covered"] == len(states) - states["all"].sum() - (~states["any"]).sum()


def test_a_township_is_of_the_class_of_most_of_its_people(plan: Plan) -> None:
    for township in plan.areas[plan.areas["level"] == "township"].itertuples():
        cells = plan.cells[plan.cells["area_code"].str.startswith(township.area_code)]
        assert township.settlement == cells.groupby("settlement")["demand"].sum().idxmax()


def test_entry_rate_counts_people_outside_every_area(plan: Plan, inputs: PlanInputs) -> None:
    assert inputs.demand is not None
    figures = plan.indicators["demand"]
    assert figures["given"] == inputs.demand.value.sum()
    assert 0 < figures["outside"] == figures["given"] - figures["total"]
    assert plan.indicators["grids"]["entry_rate"] == pytest.approx(figures["total"] / figures["given"])
    assert any(
        warning.startswith(f"{figures['outside']:,.0f} ") or f" {figures['outside']:,.0f} " in warning
        for warning in plan.report["warnings"]
    )


def test_density_counts_facilities_inside_per_ground_and_people(plan: Plan) -> None:
    inside = plan.facilities.dropna(subset="area_code")
    outlets = inside["kind"].isin(["branch", "self_service"]).sum()
    km2 = plan.cells["area_m2"].sum() / 1e6
    density = plan.indicators["density"]
    assert len(inside) < 30
    assert density["outlets_per_1000_km2"] == pytest.approx(outlets / km2 * 1000)
    assert density["devices_per_1000_km2"] == pytest.approx((len(inside) - outlets) / km2 * 1000)
    people = plan.cells["demand"].sum()
    assert density["outlets_per_10000_people"] == pytest.approx(outlets / people * 1e4)
    assert density["outlets_per_100000_people"] == pytest.approx(outlets / people * 1e5)


def test_crossing_degree_is_told_by_class(plan: Plan) -> None:
    crossing = plan.indicators["crossing"]
    for name in CLASSES:
        cells = of_class(plan.cells, name)
        assert crossing[name]["mean"] == pytest.approx(np.average(cells["crossing_degree"], weights=cells["demand"]))
        assert crossing[name]["max"] == cells["crossing_degree"].max()
        under = cells[cells["crossing_degree"] < 1]
        assert crossing[name]["under_floor_cells"] == len(under)
        assert crossing[name]["under_floor_demand_share"] == pytest.approx(
            under["demand"].sum() / cells["demand"].sum()
        )
    assert sum(crossing["cells_by_degree"].values()) == len(plan.cells)
    assert crossing["cells_by_degree"]["0"] == (plan.cells["crossing_degree"] == 0).sum()


def test_load_is_the_demand_of_the_grids_an_outlet_leads(plan: Plan) -> None:
    load = plan.grids.groupby("primary_outlet_id")["demand"].sum()
    figures = plan.indicators["load"]
    assert figures["outlets_with_grids"] == len(load)
    assert figures["demand_assigned"] == load.sum() == plan.cells["demand"].sum()
    assert figures["demand_max"] == load.max()
    assert figures["over_capacity"] == (load > 400).sum()
    assert figures["excess_demand"] == (load - 400).clip(lower=0).sum()
    beyond = load[load > 400].sort_index().sort_values(ascending=False, kind="stable")
    assert figures["beyond_capacity"] == [
        {"outlet_id": outlet, "demand": demand, "capacity": 400.0, "excess": demand - 400}
        for outlet, demand in beyond.items()
    ]
    assert 0 <= figures["grids_yielded"] <= len(plan.grids)
    assert figures["utilisation_max"] == pytest.approx(load.max() / 400)


def test_per_people_figures_stay_empty_where_demand_does_not_count_people(
    plan_settings: Callable[..., PlanSettings], inputs: PlanInputs
) -> None:
    assert inputs.demand is not None
    yuan = replace(inputs, demand=replace(inputs.demand, unit="yuan"))
    density = build_plan(plan_settings(), yuan).indicators["density"]
    assert density["outlets_per_10000_people"] is None
    assert density["outlets_per_1000_km2"] > 0


def test_statistics_are_empty_rather_than_invented() -> None:
    none, one = np.zeros(0), np.ones(1)
    assert share(1, 0) is None
    assert weighted_mean(none, none, none) is None
    assert weighted_percentile(none, none, none, 95) is None
    assert weighted_mean(np.array([np.inf]), one, one) is None
    assert weighted_percentile(np.array([np.inf]), one, one, 95) is None
    # What weighs nothing may be unknown.
    assert weighted_mean(np.array([np.nan, 4.0]), np.array([0.0, 2.0]), np.ones(2)) == 4.0
    assert weighted_mean(np.array([2.0, 4.0]), np.zeros(2), np.array([3.0, 1.0])) == 2.5
    assert weighted_percentile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 18.0, 1.0]), np.ones(3), 95) == 2.0
