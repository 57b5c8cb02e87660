"""The whole way from inputs to a plan, on ground small enough to count by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.domain.inputs import Demand, PlanInputs
from gridmap.domain.kinds import AreaLevel, FacilityKind
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan
from gridmap.domain.plan_settings import CoverageSection, GridSection, PlanSettings
from gridmap.errors import BadValue, DuplicateId, InvalidGeometry, MissingColumn, OutOfPlace
from gridmap.geometry.lattice import geometries_to_units
from gridmap.geometry.measure import area_m2
from gridmap.planning.pipeline import build_plan

Settings = Callable[..., PlanSettings]
Frame = Callable[..., gpd.GeoDataFrame]

CELL_COLUMNS = [
    "cell_id", "area_code", "grid_code", "demand", "area_m2", "settlement", "primary_outlet_id", "distance_m",
    "covered_share", "covered", "crossing_degree", *(f"covered_by_{kind}" for kind in FacilityKind),
]  # fmt: skip
GRID_COLUMNS = [
    "grid_code", "name", "level", "parent_code", "kind", "settlement", "area_m2", "demand", "cells",
    "primary_outlet_id", "cooperating_outlet_ids", "manager_id", "officer_ids", "covered_share", "has_outlet",
    "rural_cash_points", "compactness",
]  # fmt: skip
GAP_COLUMNS = [
    "gap_id", "area_code", "settlement", "kind_missing", "area_m2", "demand", "nearest_facility_id",
    "nearest_distance_m", "rank",
]  # fmt: skip
BOW_TIE = shapely.Polygon([(111, 30), (111.01, 30.01), (111.01, 30), (111, 30.01)])
FRAMES = (*GEOGRAPHIC_FRAMES, *TABLES)


@pytest.fixture(scope="module")
def plan(plan_settings: Settings, two_villages: PlanInputs) -> Plan:
    return build_plan(plan_settings(), two_villages)


def rows_of(frame: gpd.GeoDataFrame) -> list[list[Any]]:
    """Frame as plain values, geometry as bytes, missing as None."""
    plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore")).astype(object)
    if "geometry" in frame:
        plain["geometry"] = shapely.to_wkb(frame.geometry.to_numpy())
    return [[None if value is None or value != value else value for value in row] for row in plain.to_numpy().tolist()]


def assert_same_plan(one: Plan, other: Plan) -> None:
    for name in FRAMES:
        assert rows_of(getattr(one, name)) == rows_of(getattr(other, name)), name
    assert one.indicators == other.indicators
    assert one.rules == other.rules
    assert one.certificate == other.certificate


def test_frames_have_the_columns_of_the_output_reference(plan: Plan) -> None:
    assert list(plan.cells.columns)[: len(CELL_COLUMNS)] == CELL_COLUMNS
    assert list(plan.grids.columns)[: len(GRID_COLUMNS)] == GRID_COLUMNS
    assert [column for column in plan.gaps.columns if column != "geometry"] == GAP_COLUMNS
    for name in FRAMES:
        if name in GEOGRAPHIC_FRAMES:
            assert getattr(plan, name).crs == "EPSG:4326"


def test_cells_grids_and_areas_add_up_to_the_same_demand_and_ground(plan: Plan) -> None:
    villages = plan.areas[plan.areas["level"] == "village"]
    for frame in (plan.cells, plan.grids, villages):
        assert frame["demand"].sum() == 900
        np.testing.assert_allclose(frame["area_m2"].sum(), plan.indicators["area_m2"], rtol=1e-9)
    assert plan.grids["demand"].tolist() == [600, 300]
    by_grid = plan.cells.groupby("grid_code")["area_m2"].agg(["sum", "size"])
    np.testing.assert_allclose(by_grid["sum"], plan.grids["area_m2"])
    assert by_grid["size"].tolist() == plan.grids["cells"].tolist()


def test_cells_tile_their_grids_and_grids_their_villages(plan: Plan, two_villages: PlanInputs) -> None:
    cells = geometries_to_units(plan.cells.geometry.to_numpy())
    villages = geometries_to_units(two_villages.areas[AreaLevel.VILLAGE].geometry.to_numpy())
    grids = geometries_to_units(plan.grids.geometry.to_numpy())
    for row, code in enumerate(plan.grids["grid_code"]):
        assert shapely.equals(shapely.coverage_union_all(cells[plan.cells["grid_code"] == code]), grids[row])
        # But for the border points, which lie a centimetre aside at most.
        assert area_m2(np.array([shapely.symmetric_difference(grids[row], villages[row])]))[0] < 100
    assert shapely.is_valid(plan.grids.geometry.to_numpy()).all()
    assert plan.certificate["verdict"] == "exact"


def test_the_only_branch_is_responsible_everywhere(plan: Plan) -> None:
    assert plan.grids["primary_outlet_id"].tolist() == ["B1", "B1"]
    assert plan.grids["has_outlet"].tolist() == [True, False]
    assert plan.assignments["role"].tolist() == ["primary", "primary"]
    assert plan.jurisdictions[["outlet_id", "grids", "demand", "capacity"]].to_numpy().tolist() == [["B1", 2, 900, 500]]
    assert plan.facilities["area_code"].tolist() == ["990101001001"]
    assert plan.facilities["demand_in_reach"].tolist() == [600]


def test_the_far_end_is_one_gap_with_its_300_people(plan: Plan) -> None:
    assert plan.gaps["gap_id"].tolist() == ["G001"]
    gap = plan.gaps.iloc[0]
    assert (gap["area_code"], gap["demand"], gap["kind_missing"]) == ("990101001002", 300, "branch")
    assert gap["nearest_facility_id"] == "B1"
    uncovered = plan.cells[~plan.cells["covered"]]
    np.testing.assert_allclose(gap["area_m2"], uncovered["area_m2"].sum())
    assert shapely.equals(
        geometries_to_units(plan.gaps.geometry.to_numpy())[0],
        shapely.coverage_union_all(geometries_to_units(uncovered.geometry.to_numpy())),
    )


def test_indicators_and_rules_say_what_was_planted(plan: Plan) -> None:
    figures = plan.indicators
    assert figures["coverage"]["all"]["covered_demand_share"] == pytest.approx(600 / 900)
    assert figures["coverage"]["rural"] == figures["coverage"]["all"]
    assert figures["coverage"]["urban"]["covered_demand_share"] is None
    assert figures["coverage_by_kind"]["branch"]["all"]["covered_demand_share"] == pytest.approx(600 / 900)
    assert figures["coverage_by_kind"]["atm"]["all"]["mean_distance_m"] is None
    assert figures["villages"]["all"]["with_outlet_share"] == 0.5
    assert figures["grids"]["entry_rate"] == 1.0
    assert figures["load"]["over_capacity"] == 1
    assert figures["load"]["excess_demand"] == 400
    broken = {rule.rule: rule.broken_by for rule in plan.rules if not rule.holds}
    assert broken == {
        # Villages of 600 and 300 people: nothing was asked, so this is only for a look.
        "balance_within_tolerance": ("990101001002001", "990101001001001"),
        "rural_cash_point_per_village": ("990101001001", "990101001002"),
        "capacity_not_exceeded": ("B1",),
        "crossing_degree_rural_floor": ("990101001002001",),
        "basic_service_in_village": ("990101001002",),
    }


def test_the_order_of_the_input_rows_does_not_matter(
    plan: Plan, plan_settings: Settings, two_villages: PlanInputs, facilities_frame: Frame
) -> None:
    demand = two_villages.demand
    assert demand is not None
    turned = PlanInputs(
        {level: frame.iloc[::-1] for level, frame in two_villages.areas.items()},
        two_villages.facilities.iloc[::-1],
        replace(demand, geometry=demand.geometry[::-1], value=demand.value[::-1]),
    )
    assert_same_plan(build_plan(plan_settings(), turned), plan)


def test_without_facilities_the_plan_says_so(
    plan_settings: Settings, two_villages: PlanInputs, facilities_frame: Frame
) -> None:
    plan = build_plan(plan_settings(), replace(two_villages, facilities=facilities_frame()))
    assert not plan.cells["covered"].any()
    assert plan.cells["primary_outlet_id"].isna().all()
    assert plan.grids["primary_outlet_id"].isna().all()
    assert plan.gaps["kind_missing"].tolist() == ["any"]
    assert plan.gaps["nearest_distance_m"].isna().all()
    assert (len(plan.assignments), len(plan.jurisdictions), len(plan.facilities)) == (0, 0, 0)
    assert any("no facility" in warning or "没有任何服务点" in warning for warning in plan.report["warnings"])
    assert not next(rule for rule in plan.rules if rule.rule == "one_primary_outlet").holds


def test_devices_alone_cover_but_are_not_responsible(
    plan_settings: Settings, two_villages: PlanInputs, facilities_frame: Frame
) -> None:
    plan = build_plan(plan_settings(), replace(two_villages, facilities=facilities_frame(("A", "atm", 111.02, 30.02))))
    assert plan.cells["covered"].any()
    assert plan.grids["primary_outlet_id"].isna().all()
    assert plan.indicators["grids"]["outlet_mean_distance_m"] is None


@pytest.mark.parametrize("people", [None, 0.0])
def test_area_stands_in_only_where_no_demand_was_given(
    plan_settings: Settings, two_villages: PlanInputs, people: float | None
) -> None:
    demand = (
        None if people is None else Demand(np.array([shapely.Point(111.02, 30.02)]), np.zeros(1), "people", "p.csv")
    )
    plan = build_plan(plan_settings(), replace(two_villages, demand=demand))
    figures = plan.indicators["demand"]
    if people is None:
        assert figures["stands_in"]
        np.testing.assert_allclose(plan.cells["demand"], plan.cells["area_m2"])
        assert figures["unit"] == "m2"
        assert plan.indicators["load"]["over_capacity"] is None
        capacity = next(rule for rule in plan.rules if rule.rule == "capacity_not_exceeded")
        assert (capacity.holds, capacity.checked) == (True, 0)
    else:
        assert (figures["total"], figures["stands_in"]) == (0, False)
        assert plan.indicators["coverage"]["all"]["covered_demand_share"] is None
        assert plan.indicators["coverage"]["all"]["mean_distance_m"] > 0
        assert plan.indicators["grids"]["entry_rate"] is None


def test_one_cell_is_enough(plan_settings: Settings, areas_frame: Frame, facilities_frame: Frame) -> None:
    tiny = areas_frame(AreaLevel.VILLAGE, {"1": shapely.box(111.0, 30.0, 111.0001, 30.0001)})
    plan = build_plan(plan_settings(resolution=3), PlanInputs({AreaLevel.VILLAGE: tiny}, facilities_frame()))
    assert (len(plan.cells), len(plan.grids), len(plan.gaps)) == (1, 1, 1)
    assert plan.grids["grid_code"].tolist() == ["1-001"]
    assert plan.grids["settlement"].tolist() == ["rural"]
    assert len(plan.report["warnings"]) == 4


def test_a_township_is_split_among_its_outlets_and_its_islands_keep_whole(
    plan_settings: Settings, areas_frame: Frame, facilities_frame: Frame
) -> None:
    main, island = shapely.box(111.0, 30.0, 111.2, 30.1), shapely.box(111.3, 30.0, 111.32, 30.02)
    townships = areas_frame(AreaLevel.TOWNSHIP, {"990101001": shapely.MultiPolygon([main, island])})
    outlets = facilities_frame(("W", "branch", 111.05, 30.05), ("E", "branch", 111.15, 30.05))
    plan = build_plan(plan_settings(), PlanInputs({AreaLevel.TOWNSHIP: townships}, outlets))
    assert plan.grids["grid_code"].tolist() == ["990101001000001", "990101001000002"]
    assert plan.grids["primary_outlet_id"].tolist() == ["W", "E"]
    assert plan.grids["name"].tolist() == ["name of 990101001 1", "name of 990101001 2"]
    assert [len(shapely.get_parts(shape)) for shape in plan.grids.geometry] == [1, 2]
    assert plan.indicators["villages"]["all"]["total"] == 0
    assert plan.indicators["villages"]["all"]["with_outlet_share"] is None


def test_levels_are_linked_and_a_level_that_is_not_filled_is_remarked(
    plan_settings: Settings, two_villages: PlanInputs, areas_frame: Frame
) -> None:
    county = areas_frame(AreaLevel.COUNTY, {"990101": shapely.box(111.0, 30.0, 111.2, 30.05)})
    plan = build_plan(plan_settings(), replace(two_villages, areas={**two_villages.areas, AreaLevel.COUNTY: county}))
    assert plan.areas["level"].tolist() == ["county", "village", "village"]
    assert plan.areas["parent_code"].isna().tolist() == [True, False, False]
    assert plan.areas["demand"].tolist() == [900, 600, 300]
    assert plan.grids["parent_code"].tolist() == ["990101", "990101"]
    assert any("990101 (" in warning for warning in plan.report["warnings"])


def test_a_facility_outside_every_area_serves_all_the_same_and_is_counted(
    plan_settings: Settings, two_villages: PlanInputs, facilities_frame: Frame
) -> None:
    outside = facilities_frame(("OUT", "branch", 111.16, 30.02))
    plan = build_plan(plan_settings(), replace(two_villages, facilities=outside))
    assert plan.facilities["area_code"].isna().all()
    assert plan.grids["primary_outlet_id"].tolist() == ["OUT", "OUT"]
    assert plan.indicators["counts"]["facilities_outside"] == 1
    assert plan.indicators["density"]["outlets_per_1000_km2"] == 0


def test_cells_list_all_facilities_in_reach_nearest_first(
    plan_settings: Settings, two_villages: PlanInputs, facilities_frame: Frame
) -> None:
    facilities = facilities_frame(
        ("A", "branch", 111.04, 30.02), ("B", "atm", 111.01, 30.02), ("C", "pos", 112.0, 30.0)
    )
    cells = build_plan(plan_settings(), replace(two_villages, facilities=facilities)).cells
    both = cells[cells["covered_by_branch"] & cells["covered_by_atm"]]
    assert set(both["facility_ids_in_reach"]) == {"A;B", "B;A"}
    first = np.where(both["nearest_branch_m"] < both["nearest_atm_m"], "A;B", "B;A")
    assert both["facility_ids_in_reach"].tolist() == first.tolist()
    assert set(cells.loc[~cells["covered"], "facility_ids_in_reach"]) == {""}


def test_distance_along_roads_needs_roads(plan_settings: Settings, two_villages: PlanInputs) -> None:
    settings = plan_settings(grids=GridSection(base="village"), coverage=CoverageSection(distance="network"))
    with pytest.raises(BadValue) as refused:
        build_plan(settings, two_villages)
    assert (refused.value.key, refused.value.place.field) == ("roads.no_roads", "coverage.distance")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_remarks_are_worded_in_the_language_of_the_process(
    plan_settings: Settings,
    areas_frame: Frame,
    facilities_frame: Frame,
    monkeypatch: pytest.MonkeyPatch,
    lang: str,
) -> None:
    monkeypatch.setenv("GRIDMAP_LANGUAGE", lang)
    villages = areas_frame(AreaLevel.VILLAGE, {f"V{x}": shapely.box(111 + x, 30, 111.01 + x, 30.01) for x in range(7)})
    county = areas_frame(AreaLevel.COUNTY, {"C": shapely.box(111, 30, 111.5, 30.01)})
    places = shapely.points([[111.005, 30.005], [111.005, 30.012], [150.0, 30.0]])
    people = Demand(np.array(places), np.array([1000.0, 20.0, 3.5]), "people", "people.csv")
    areas = {AreaLevel.VILLAGE: villages, AreaLevel.COUNTY: county}
    plan = build_plan(plan_settings(), PlanInputs(areas, facilities_frame(("A", "atm", 111, 30)), people))
    if lang == "en":
        assert plan.report["warnings"] == [
            "3.5 of 1,024 people lie outside every area and are left out. "
            "Places: 1, most at 150.00000, 30.00000 (3.5).",
            "20 people lie outside the areas by at most 500 m and count for the nearest cell.",
            "The plan has no outlet: no grid can have a primary outlet.",
            "Area codes that are not 6, 9 or 12 digits: 7 (V0, V1, V2, V3, V4 and 2 more); "
            "their grids are numbered CODE-001.",
            "Areas without a settlement class, counted as rural: 7.",
            "Areas that lie in no area of the level above: 6 (V1, V2, V3, V4, V5 and 1 more).",
            "Areas whose ground is not that of the areas one level below: 1 "
            "(code and ground in one only: C (52,406,537 m²)).",
        ]
    else:
        assert len(plan.report["warnings"]) == 7
        assert all(re.search("[\u4e00-\u9fff]", warning) for warning in plan.report["warnings"])


def test_progress_names_every_stage_and_ends_at_one(plan_settings: Settings, two_villages: PlanInputs) -> None:
    told: list[tuple[str, float]] = []
    plan = build_plan(plan_settings(), two_villages, lambda stage, share: told.append((stage, share)))
    stages = list(dict.fromkeys(stage for stage, _ in told))
    assert stages == list(plan.report["timings_s"])
    for stage in stages:
        shares = [share for name, share in told if name == stage]
        assert (shares[0], shares[-1]) == (0.0, 1.0)
        assert shares == sorted(shares)


def with_facility(inputs: PlanInputs, **values: Any) -> PlanInputs:
    return replace(inputs, facilities=inputs.facilities.assign(**values))


def test_unusable_inputs_are_refused_with_one_message(plan_settings: Settings, two_villages: PlanInputs) -> None:
    village = two_villages.areas[AreaLevel.VILLAGE]
    twice = pd.concat([two_villages.facilities, two_villages.facilities])
    demand = two_villages.demand
    assert demand is not None
    refusals = [
        (MissingColumn, replace(two_villages, areas={})),
        (MissingColumn, replace(two_villages, areas={AreaLevel.VILLAGE: village.iloc[:0]})),
        (DuplicateId, replace(two_villages, areas={AreaLevel.VILLAGE: village.assign(area_code="990101001001")})),
        (DuplicateId, replace(two_villages, facilities=twice)),
        (MissingColumn, replace(two_villages, facilities=two_villages.facilities.drop(columns="kind"))),
        (MissingColumn, replace(two_villages, areas={AreaLevel.VILLAGE: village.drop(columns="settlement")})),
        (BadValue, replace(two_villages, areas={AreaLevel.VILLAGE: village.assign(settlement="wild")})),
        (InvalidGeometry, replace(two_villages, areas={AreaLevel.VILLAGE: village.set_geometry([BOW_TIE, BOW_TIE])})),
        (InvalidGeometry, replace(two_villages, areas={AreaLevel.VILLAGE: village.set_geometry([None, None])})),
        (BadValue, with_facility(two_villages, kind="kiosk")),
        (BadValue, with_facility(two_villages, capacity=-1.0)),
        (OutOfPlace, with_facility(two_villages, lon=np.nan)),
        (OutOfPlace, with_facility(two_villages, lat=1e308)),
        (BadValue, with_facility(two_villages, service_radius_m=-5.0)),
        (BadValue, with_facility(two_villages, service_radius_m=np.inf)),
        (BadValue, replace(two_villages, demand=replace(demand, value=np.array([1.0, -1.0, 2.0])))),
        (BadValue, replace(two_villages, demand=replace(demand, value=np.array([1.0, np.nan, 2.0])))),
    ]
    for error, inputs in refusals:
        with pytest.raises(error) as refused:
            build_plan(plan_settings(), inputs)
        for lang in ("en", "zh"):
            assert refused.value.message(lang)
            assert refused.value.mend(lang)
