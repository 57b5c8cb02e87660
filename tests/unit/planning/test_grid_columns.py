"""Grids, base units and people as frames: what each column says of a plan small enough to know by heart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from gridmap.domain.inputs import PlanInputs
from gridmap.geometry.lattice import geometries_to_units
from gridmap.planning.decisions import Decisions
from gridmap.planning.tables.frames import cell_frame, facility_frame, grid_frame
from gridmap.planning.tables.shape_figures import hole_counts, part_counts, radius_m
from gridmap.planning.tables.staff_frame import staff_frame
from gridmap.planning.tables.unit_frame import unit_frame

FIRST, SECOND = "990101001001", "990101001002"


def values(column: pd.Series[str]) -> list[object]:
    return [None if value != value else value for value in column.astype(object)]


def test_cells_name_their_base_unit_and_their_sub_grid(rich: Decisions) -> None:
    cells = cell_frame(rich)
    assert rich.grids.sub is not None
    first = cells["area_code"] == FIRST
    assert set(cells["unit_code"][first]) == {FIRST}
    assert set(cells["unit_code"][~first]) == {f"{SECOND}-D001"}
    assert set(cells["sub_code"][first]) == set(rich.grids.sub.codes)
    assert cells["sub_code"][~first].isna().all()
    assert cell_frame(replace(rich, grids=replace(rich.grids, sub=None)))["sub_code"].isna().all()


def test_grids_say_what_was_asked_of_them_and_what_came_of_it(rich: Decisions) -> None:
    grids = grid_frame(rich)
    assert grids["kind"].tolist() == ["ordinary", "dedicated"]
    assert grids["locked"].tolist() == [False, True]
    assert grids["target_demand"].tolist()[0] == 625
    assert grids["deviation"].tolist()[0] == pytest.approx(600 / 625 - 1)
    assert grids["target_demand"].isna().tolist() == grids["deviation"].isna().tolist() == [False, True]
    assert grids["parts"].tolist() == [1, 1]
    assert grids["holes"].tolist() == [0, 0]


def test_a_grid_s_parent_is_its_super_grid_and_else_the_area_above(rich: Decisions) -> None:
    assert rich.grids.above is not None
    code = rich.grids.above.codes[0]
    assert values(grid_frame(rich)["super_code"]) == values(grid_frame(rich)["parent_code"]) == [code, code]
    only_first = replace(rich.grids.above, of_grid=np.array([0, -1]))
    grids = grid_frame(replace(rich, grids=replace(rich.grids, above=only_first)))
    assert values(grids["super_code"]) == values(grids["parent_code"]) == [code, None]
    alone = grid_frame(replace(rich, grids=replace(rich.grids, above=None)))
    assert values(alone["super_code"]) == values(alone["parent_code"]) == [None, None]


def test_grids_name_their_people_and_who_is_missing(rich: Decisions) -> None:
    grids = grid_frame(rich)
    assert values(grids["manager_id"]) == ["P1", None]
    assert grids["officer_ids"].tolist() == [["P2"], ["P2"]]
    assert grids["managers_missing"].tolist() == [False, True]
    assert grids["officers_missing"].tolist() == [0, 2]
    nobody = replace(
        rich.staffing, staff=None, manager=np.array([-1, -1]), officer=np.zeros(0, int), officer_grid=np.zeros(0, int)
    )
    grids = grid_frame(replace(rich, staffing=nobody))
    assert values(grids["manager_id"]) == [None, None]
    assert grids["officer_ids"].tolist() == [[], []]


def test_one_row_a_person_and_grid_then_one_for_each_who_is_missing(rich: Decisions) -> None:
    one, two = rich.grids.codes
    assert [[None if v != v else v for v in row] for row in staff_frame(rich).astype(object).to_numpy().tolist()] == [
        ["P1", "Wang", "manager", "full_time", "B1", one, "placed"],
        ["P2", "Li", "officer", "part_time", "B1", one, "placed"],
        ["P2", "Li", "officer", "part_time", "B1", two, "placed"],
        ["P3", None, "officer", "full_time", "B9", None, "misplaced"],
        ["P4", "Zhao", "officer", "full_time", None, None, "unplaced"],
        [None, None, "manager", None, "B1", two, "suggested"],
        [None, None, "officer", None, "B1", two, "suggested"],
        [None, None, "officer", None, "B1", two, "suggested"],
    ]


def test_base_units_carry_the_sums_of_their_cells_and_the_grid_that_holds_them_whole(rich: Decisions) -> None:
    units, cells = unit_frame(rich), cell_frame(rich)
    assert units["unit_code"].tolist() == [FIRST, f"{SECOND}-D001"]
    assert units["area_code"].tolist() == [FIRST, SECOND]
    assert units["kind"].tolist() == ["village", "dedicated"]
    assert values(units["grid_code"]) == list(rich.grids.codes)
    assert units["settlement"].tolist() == ["rural", "rural"]
    sums = cells.groupby("unit_code").agg({"area_m2": "sum", "demand": "sum", "cell_id": "size"})
    np.testing.assert_allclose(units[["area_m2", "demand", "cells"]].to_numpy(dtype=float), sums.to_numpy(dtype=float))
    shared = rich.grids.of_cell.copy()
    shared[0] = 1
    assert values(unit_frame(replace(rich, grids=replace(rich.grids, of_cell=shared)))["grid_code"])[0] is None


def test_facilities_keep_branch_and_line_number_and_have_them_empty_where_not_given(
    rich: Decisions, two_villages: PlanInputs
) -> None:
    given = two_villages.facilities.drop(columns=["branch", "line_number"], errors="ignore")
    assert facility_frame(rich, given)[["branch", "line_number"]].isna().all(axis=None)
    told = facility_frame(rich, given.assign(branch=["City"], line_number=["012345678903"]))
    assert told[["branch", "line_number"]].to_numpy().tolist() == [["City", "012345678903"]]


def test_the_radius_reaches_the_farthest_corner_of_any_part() -> None:
    shape = shapely.union_all([shapely.box(111.0, 30.0, 111.1, 30.1), shapely.box(111.3, 30.0, 111.31, 30.01)])
    hole = shapely.difference(shapely.box(112, 30, 112.3, 30.3), shapely.box(112.1, 30.1, 112.2, 30.2))
    shapes = geometries_to_units(np.array([shape, hole], dtype=object))
    assert part_counts(shapes).tolist() == [2, 1]
    assert hole_counts(shapes).tolist() == [0, 1]
    middles = [shapely.centroid(shape), shapely.point_on_surface(hole)]
    for found, outline, middle in zip(radius_m(shapes), (shape, hole), middles, strict=True):
        corners = shapely.get_coordinates(outline)
        far = Geod(ellps="WGS84").inv(*np.broadcast_to([[middle.x], [middle.y]], (2, len(corners))), *corners.T)[2]
        assert found == pytest.approx(far.max(), abs=0.02)
