"""Levels nest cell for cell, and their figures agree bit for bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gridmap.geometry.chain import cancel, edges_of
from gridmap.geometry.lattice import geometries_to_units
from gridmap.planning.decisions import Decisions
from gridmap.planning.tables.level_frame import level_frame
from gridmap.planning.territory.grids import SubGrids, SuperGrids
from gridmap.planning.territory.nesting import NestingFault, nesting_faults
from made_decisions import Made

# Eight by four squares: two townships of two villages each, a grid of two columns each.
MADE = Made(
    8,
    4,
    village=lambda x, y: x // 2,
    township=lambda x, y: x // 4,
    grid=lambda x, y: x // 2,
    demand=lambda x, y: float(np.rint(1000 * math.exp(math.sin(37 * x + 11 * y)) * 2**20) / 2**20),
    outlets=[(0.5, 0.5)],
)


def joined(decisions: Decisions, labels: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    shapes = [shapely.union_all(decisions.ground.geometry[labels == row]) for row in range(count)]
    return np.array(shapes, dtype=object)


def with_levels(decisions: Decisions, of_grid: Sequence[int], divided: Sequence[int]) -> Decisions:
    """Super-grids over the grids, and the grids ``divided`` cut into a southern and a northern half."""
    grids, hierarchy = decisions.grids, decisions.hierarchy
    gathered = np.array(of_grid)
    held = int(gathered.max()) + 1
    home = np.array([0] * held) if held == 1 else np.arange(held)
    level = np.full(held, 0 if held == 1 else 1)
    above = SuperGrids(
        gathered,
        tuple(f"{hierarchy.levels[level[0]].codes[row].ljust(12, '0')}00{row + 5}" for row in home),
        level,
        home,
        joined(decisions, gathered[grids.of_cell], held),
    )
    north = np.array([shapely.centroid(shape).y > 300_200_000 for shape in decisions.ground.geometry])
    of_cell = np.full(len(decisions.ground), -1)
    codes, grid_of = [], []
    for grid in divided:
        for half in (False, True):
            of_cell[(grids.of_cell == grid) & (north == half)] = len(codes)
            codes.append(f"{grids.codes[grid][:12]}{900 + len(codes):03d}")
            grid_of.append(grid)
    sub = SubGrids(of_cell, tuple(codes), np.array(grid_of), joined(decisions, of_cell, len(codes)))
    return replace(decisions, grids=replace(grids, above=above, sub=sub))


@pytest.fixture(scope="module")
def nested() -> Decisions:
    return with_levels(MADE.decisions(), [0, 0, 1, 1], [0, 2])


@pytest.fixture(scope="module")
def frame(nested: Decisions) -> gpd.GeoDataFrame:
    return level_frame(nested)


def test_every_level_stands_in_the_frame_widest_first(frame: gpd.GeoDataFrame) -> None:
    counted = frame.groupby("level", sort=False).size()
    assert counted.to_dict() == {"county": 1, "township": 2, "village": 4, "super": 2, "grid": 4, "sub": 4}
    assert frame["code"].is_unique
    for _, of_level in frame.groupby("level"):
        assert of_level["code"].is_monotonic_increasing


def test_the_parent_is_the_next_wider_set(frame: gpd.GeoDataFrame) -> None:
    level_of = dict(zip(frame["code"], frame["level"], strict=True))
    parents = {
        (level, level_of.get(parent)) for level, parent in zip(frame["level"], frame["parent_code"], strict=True)
    }
    assert parents == {
        ("county", None),
        ("township", "county"),
        ("village", "township"),
        ("super", "township"),
        ("grid", "super"),
        ("sub", "grid"),
    }


def test_without_super_grids_a_grid_lies_in_the_lowest_area_that_holds_it() -> None:
    wide = level_frame(replace(MADE, grid=lambda x, y: (x + 2) // 4).decisions()).set_index("code")
    grids = wide[wide["level"] == "grid"]
    assert grids["parent_code"].tolist() == ["990101", "990101001001", "990101002004"]
    # The middle grid lies in two townships: neither holds it, the county holds all three.
    assert wide.loc[["990101", "990101001", "990101002"], "grids"].tolist() == [3, 1, 1]


@pytest.mark.parametrize("figure", ["area_m2", "demand", "cells"])
def test_figures_agree_bit_for_bit_between_levels_in_any_order(
    nested: Decisions, frame: gpd.GeoDataFrame, figure: str
) -> None:
    ground = nested.ground
    of_cells = {"area_m2": ground.area_m2, "demand": nested.demand.value, "cells": np.ones(len(ground))}[figure]
    total = math.fsum(of_cells)
    rng = np.random.default_rng(3)
    by_level = frame.groupby("level", sort=False)[figure]
    for level in ("county", "township", "village", "super", "grid"):
        for _ in range(5):
            running = 0.0
            for value in rng.permutation(by_level.get_group(level)).tolist():
                running += value
            assert running == total
    by_parent = frame.groupby("parent_code")
    own = frame.set_index("code")
    for parent, members in by_parent:
        for level, of_level in members.groupby("level"):
            if level in {"village", "township", "grid", "sub"}:
                assert of_level[figure].sum() == own.loc[parent, figure], (parent, level)
    by_unit = np.bincount(ground.unit, weights=of_cells)
    assert by_unit.tolist() == by_level.get_group("village").tolist()


def test_borders_of_every_level_cancel_to_one_and_the_same_outline(frame: gpd.GeoDataFrame) -> None:
    # Drawn from the cells, areas of all levels have the points of the cells on their borders: one edge a square.
    for level in ("county", "township", "village"):
        shapes = geometries_to_units(frame[frame["level"] == level].geometry.to_numpy())
        left = cancel(edges_of(shapes))
        assert len(left) == 2 * (MADE.columns + MADE.rows)


def test_parts_and_holes_are_counted() -> None:
    ring = Made(3, 3, grid=lambda x, y: 1 if (x, y) == (1, 1) else 0)
    rows = level_frame(ring.decisions()).set_index("code")
    assert rows.loc[rows["level"] == "grid", ["parts", "holes"]].to_numpy().tolist() == [[1, 1], [1, 0]]
    apart = Made(3, 1, grid=lambda x, y: x % 2)
    rows = level_frame(apart.decisions())
    assert rows.loc[rows["level"] == "grid", "parts"].tolist() == [2, 1]


def test_nested_levels_have_no_fault(nested: Decisions) -> None:
    assert nesting_faults(nested) == []
    assert nesting_faults(MADE.decisions()) == []


def test_a_cell_astray_at_any_level_is_found_with_the_set_that_should_hold_it(nested: Decisions) -> None:
    grids = nested.grids
    assert grids.sub is not None
    assert grids.above is not None
    moved = grids.of_cell.copy()
    moved[0] = 3
    faults = nesting_faults(replace(nested, grids=replace(grids, of_cell=moved)))
    # The cell's sub-grid is no longer in its grid, and the grid it went to no longer in its super-grid's township.
    assert NestingFault("sub", grids.sub.codes[0], grids.codes[0], 1) in faults
    assert NestingFault("super", grids.above.codes[1], "990101002", 1) in faults

    swapped = np.where(grids.sub.of_cell == 0, 2, grids.sub.of_cell)
    faults = nesting_faults(replace(nested, grids=replace(grids, sub=replace(grids.sub, of_cell=swapped))))
    assert {(fault.level, fault.code) for fault in faults} == {("sub", grids.sub.codes[0]), ("sub", grids.sub.codes[2])}

    left_out = np.where(grids.sub.of_cell == 0, -1, grids.sub.of_cell)
    faults = nesting_faults(replace(nested, grids=replace(grids, sub=replace(grids.sub, of_cell=left_out))))
    assert NestingFault("grid", grids.codes[0], None, 4) in faults


def test_a_cell_of_no_grid_is_found(nested: Decisions) -> None:
    plain = MADE.decisions()
    moved = plain.grids.of_cell.copy()
    moved[5] = -1
    faults = nesting_faults(replace(plain, grids=replace(plain.grids, of_cell=moved)))
    assert faults == [NestingFault("grid", "", None, 1)]


def test_an_area_below_another_that_does_not_hold_it_is_found(nested: Decisions) -> None:
    hierarchy = nested.hierarchy
    misled = replace(hierarchy.levels[1], parent=np.array([-1, -1]))
    assert (
        nesting_faults(
            replace(nested, hierarchy=replace(hierarchy, levels=(hierarchy.levels[0], misled, hierarchy.lowest)))
        )
        != []
    )
