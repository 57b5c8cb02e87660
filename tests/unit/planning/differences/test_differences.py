"""What changed between two plans is told by the ground, whatever the codes and cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from gridmap.domain.plan import Plan, RuleResult
from gridmap.domain.plan_settings import PlanSettings
from gridmap.exports.differences import difference_lines
from gridmap.planning.differences.compare import difference_of
from gridmap.planning.differences.difference import Way


def with_grids(plan: Plan, moved: np.ndarray, to: str) -> Plan:
    """Put some cells of a plan into another of its grids; outlines and sums of grids follow."""
    cells = plan.cells.copy()
    cells.loc[moved, "grid_code"] = to
    sums = cells.groupby("grid_code").agg(
        area_m2=("area_m2", "sum"), demand=("demand", "sum"), cells=("demand", "size")
    )
    grids = plan.grids[plan.grids["grid_code"].isin(sums.index)].copy()
    grids[["area_m2", "demand", "cells"]] = sums.loc[grids["grid_code"]].to_numpy()
    grids["geometry"] = [_union(cells.geometry[cells["grid_code"] == code]) for code in grids["grid_code"]]
    return replace(plan, cells=cells, grids=grids.reset_index(drop=True))


def _union(shapes: Any) -> Any:
    whole = shapely.union_all(shapely.transform(np.asarray(shapes), lambda xy: np.rint(xy * 1e7)), grid_size=1)
    return shapely.transform(whole, lambda xy: xy / 1e7)


def in_halves(plan: Plan) -> Plan:
    """Cut every cell in two: the same grids of other cells."""
    cells = plan.cells.loc[plan.cells.index.repeat(2)].reset_index(drop=True)
    shapes = []
    for shape in plan.cells.geometry:
        west, south, east, north = shape.bounds
        middle = np.round((west + east) / 2, 7)
        shapes += [shape & shapely.box(*one) for one in ((west, south, middle, north), (middle, south, east, north))]
    cells["geometry"] = shapes
    cells[["area_m2", "demand"]] /= 2
    return replace(plan, cells=gpd.GeoDataFrame(cells, crs=4326))


@pytest.fixture(scope="module")
def codes(plan: Plan) -> list[str]:
    return plan.grids["grid_code"].tolist()


@pytest.fixture(scope="module")
def some(plan: Plan, codes: list[str]) -> np.ndarray:
    """Return the three southernmost cells of the last grid: those next to the others."""
    own = np.flatnonzero(plan.cells["grid_code"] == codes[2])
    return own[np.argsort(shapely.get_y(shapely.centroid(plan.cells.geometry.to_numpy()[own])))[:3]]


def test_a_plan_does_not_differ_from_itself(plan: Plan):
    told = difference_of(plan, plan)

    assert told.is_nothing
    assert told.way is Way.CELLS
    assert told.totals.moved_area_m2 == told.totals.moved_demand == 0
    assert difference_lines(told, plan, plan, "en")[1:] == ["nothing changed"]


def test_cells_that_moved_are_told_with_their_ground_and_demand(plan: Plan, codes: list[str], some: np.ndarray):
    after = with_grids(plan, some, codes[0])
    told = difference_of(plan, after)
    (move,) = told.moves

    assert (move.code_from, move.code_to, move.cells) == (codes[2], codes[0], 3)
    assert move.area_m2 == plan.cells["area_m2"].iloc[some].sum()
    assert move.demand == plan.cells["demand"].iloc[some].sum()
    assert told.totals.moved_demand_share == pytest.approx(move.demand / plan.cells["demand"].sum())
    assert told.totals.moved_cells == 3
    assert told.grids_added == told.grids_removed == ()
    assert {one.code: (one.gained_demand, one.lost_demand) for one in told.grids_changed} == {
        codes[0]: (move.demand, 0.0),
        codes[2]: (0.0, move.demand),
    }
    ground = shapely.transform(told.ground[0], lambda xy: xy / 1e7)
    assert shapely.equals(ground, _union(plan.cells.geometry.iloc[some]))


def test_with_other_cells_the_grids_are_laid_over_each_other(plan: Plan, codes: list[str], some: np.ndarray):
    by_cells = difference_of(plan, with_grids(plan, some, codes[0]))
    told = difference_of(plan, in_halves(with_grids(plan, some, codes[0])))
    (move,), (expected,) = told.moves, by_cells.moves

    assert told.way is Way.OVERLAY
    assert (move.code_from, move.code_to, move.cells) == (codes[2], codes[0], None)
    geod_m2 = _area_m2(shapely.transform(by_cells.ground[0], lambda xy: xy / 1e7))
    assert move.area_m2 == pytest.approx(geod_m2, rel=1e-6)
    assert move.demand == pytest.approx(expected.demand)
    assert told.totals.ground_added_m2 == told.totals.ground_removed_m2 == 0
    assert difference_of(plan, in_halves(plan)).moves == ()


def _area_m2(shape: Any) -> float:
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0])


@pytest.mark.parametrize("cut", [lambda plan: plan, in_halves], ids=["cells", "overlay"])
def test_a_grid_that_is_numbered_anew_is_the_same(plan: Plan, codes: list[str], cut: Callable[[Plan], Plan]):
    def renamed(frame: pd.DataFrame) -> pd.DataFrame:
        found = frame.copy()
        found["grid_code"] = found["grid_code"].replace({codes[0]: codes[1], codes[1]: codes[0], codes[2]: "9" * 15})
        return found

    frames = {name: renamed(getattr(plan, name)) for name in ("cells", "grids", "staff", "assignments", "units")}
    told = difference_of(plan, cut(replace(plan, **frames)))

    assert told.moves == told.grids_added == told.grids_removed == told.units_moved == ()
    assert {(one.code_before, one.code) for one in told.grids_changed} == {
        (codes[0], codes[1]),
        (codes[1], codes[0]),
        (codes[2], "9" * 15),
    }
    assert all([change.field for change in one.changes] == ["grid_code"] for one in told.grids_changed)
    assert told.staff_changed == ()


def test_a_grid_that_is_given_up_is_gone_and_its_ground_moved(plan: Plan, codes: list[str]):
    every = np.flatnonzero(plan.cells["grid_code"] == codes[1])
    told = difference_of(plan, with_grids(plan, every, codes[0]))
    back = difference_of(with_grids(plan, every, codes[0]), plan)

    assert [one.code for one in told.grids_removed] == [codes[1]]
    assert [(one.code_from, one.code_to) for one in told.moves] == [(codes[1], codes[0])]
    assert [one.code for one in back.grids_added] == [codes[1]]
    assert told.totals.moved_area_m2 == pytest.approx(back.totals.moved_area_m2)


def test_ground_of_one_plan_only_is_not_told_as_moved(plan: Plan, codes: list[str]):
    is_kept = (plan.cells["grid_code"] != codes[2]).to_numpy()
    smaller = replace(plan, cells=plan.cells[is_kept].reset_index(drop=True), grids=plan.grids.iloc[:2].copy())
    told, back = difference_of(plan, smaller), difference_of(smaller, plan)

    assert told.moves == back.moves == ()
    assert [one.code for one in told.grids_removed] == [one.code for one in back.grids_added] == [codes[2]]
    gone_m2 = _area_m2(plan.grids.geometry.iloc[2])
    assert told.totals.ground_removed_m2 == pytest.approx(gone_m2, rel=1e-6)
    assert back.totals.ground_added_m2 == pytest.approx(gone_m2, rel=1e-6)
    assert told.totals.ground_added_m2 == back.totals.ground_removed_m2 == 0


def test_base_units_that_changed_hands_are_told(plan: Plan, codes: list[str]):
    units = plan.units.copy()
    units["grid_code"] = units["grid_code"].replace({codes[0]: codes[1]})
    told = difference_of(plan, replace(plan, units=units))

    assert {(one.code_from, one.code_to) for one in told.units_moved} == {(codes[0], codes[1])}


def test_facilities_that_opened_closed_moved_or_changed_are_told(plan: Plan):
    facilities = plan.facilities.copy()
    facilities["facility_id"] = facilities["facility_id"].replace({"D1": "N1"})
    facilities.loc[0, "lat"] += 0.001
    facilities.loc[1, "capacity"] = 4321.0
    facilities.loc[2, "lon"] += 1e-8
    told = difference_of(plan, replace(plan, facilities=facilities))

    assert [one.code for one in told.facilities_opened] == ["N1"]
    assert [one.code for one in told.facilities_closed] == ["D1"]
    assert [(one.code, round(one.distance_m)) for one in told.facilities_moved] == [("A1", 111)]
    (changed,) = told.facilities_changed
    assert (changed.code, changed.changes[0].field, changed.changes[0].after) == ("A;2", "capacity", 4321.0)


def test_people_that_came_went_or_changed_are_told(plan: Plan):
    staff = plan.staff.copy()
    first, second, third = staff["person_id"].drop_duplicates()[:3]
    staff.loc[staff["person_id"] == second, "role"] = "other"
    staff.loc[staff["person_id"] == third, "grid_code"] = None
    staff["person_id"] = staff["person_id"].replace({first: "NEW"})
    told = difference_of(plan, replace(plan, staff=staff))

    assert [one.code for one in told.staff_joined] == ["NEW"]
    assert [one.code for one in told.staff_left] == [first]
    assert {one.code: [change.field for change in one.changes] for one in told.staff_changed} == {
        second: ["role"],
        third: ["grid_codes"],
    }


def test_gaps_are_told_by_their_ground(plan: Plan):
    without = replace(plan, gaps=plan.gaps.iloc[:0])
    beside = replace(plan, gaps=plan.gaps.set_geometry(plan.gaps.geometry.translate(0.5)))
    larger = replace(plan, gaps=plan.gaps.set_geometry(shapely.buffer(plan.gaps.geometry.to_numpy(), 0.001)))

    assert [one.code for one in difference_of(plan, without).gaps_gone] == plan.gaps["gap_id"].tolist()
    assert [one.code for one in difference_of(without, plan).gaps_new] == plan.gaps["gap_id"].tolist()
    told = difference_of(plan, beside)
    assert (len(told.gaps_new), len(told.gaps_gone)) == (1, 1)
    assert difference_of(plan, larger).gaps_new == ()


def test_rules_settings_and_indicators_are_told(plan: Plan):
    rules = (
        RuleResult("capacity_not_exceeded", True, 2, ()),
        RuleResult("no_cash_point_in_urban", False, 1, ("D3", "D4"), severity="warning"),
        *(one for one in plan.rules if one.rule not in ("capacity_not_exceeded", "no_cash_point_in_urban")),
    )
    given = plan.settings.model_dump(mode="json", exclude_none=True)
    settings = PlanSettings.model_validate({**given, "partition": {"resolution": 9}})
    indicators = {**plan.indicators, "counts": {**plan.indicators["counts"], "gaps": 7}}
    after = replace(plan, rules=rules, settings=settings, indicators=indicators)
    told = difference_of(plan, after)

    assert [(one.rule, one.held_before, one.holds, one.newly_broken_by, one.mended) for one in told.rules] == [
        ("capacity_not_exceeded", False, True, (), ("A1",)),
        ("no_cash_point_in_urban", False, False, ("D4",), ()),
    ]
    assert [(one.field, one.before, one.after) for one in told.settings] == [("partition.resolution", 8, 9)]
    assert [(one.field, one.after) for one in told.indicators] == [("counts.gaps", 7)]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sentences_name_what_moved_with_units(plan: Plan, codes: list[str], some: np.ndarray, lang: Any):
    after = with_grids(plan, some, codes[0])
    grids = after.grids.assign(manager_id=["P9", *after.grids["manager_id"].iloc[1:]])
    after = replace(after, grids=grids)
    said = "\n".join(difference_lines(difference_of(plan, after), plan, after, lang))

    for word in ("2.21 km²", "北墘村 (990101002001001) → 东塆村 (990101001001001)", "P9"):
        assert word in said
    assert {"en": "people", "zh": "人"}[lang] in said
    assert "{" not in said


def test_the_document_is_plain(plan: Plan, codes: list[str], some: np.ndarray):
    told = difference_of(plan, with_grids(plan, some, codes[0]))
    document = orjson.loads(orjson.dumps(told.document()))

    assert document["way"] == "cells"
    assert document["moves"][0]["code_to"] == codes[0]
    assert "ground" not in document
    assert set(document) == {name for name in told.__dataclass_fields__ if name != "ground"}
