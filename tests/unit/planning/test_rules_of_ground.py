"""Rules of ground: each holds on a plan that keeps it and names what breaks it on one that does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from gridmap.domain.kinds import BaseUnitKind, GridKind
from gridmap.domain.plan import RuleResult
from gridmap.domain.plan_settings import GridSection, LineSource
from gridmap.planning.decisions import Decisions
from gridmap.planning.rules.ground import (
    barrier_not_crossed,
    base_units_whole,
    grids_contiguous,
    grids_do_not_overlap,
    grids_in_one_part,
    levels_nested,
    no_empty_grid,
    no_holes,
)
from made_decisions import Made

HALVES = Made(6, 2, village=lambda x, y: x // 3, grid=lambda x, y: x // 3)
WEST, EAST = "990101001001001", "990101001002001"
#: Open ground in one village, so that grids are made of cells.
OPEN = Made(6, 3, unit_kind=BaseUnitKind.CELLS)


def relabelled(decisions: Decisions, of_cell: np.ndarray) -> Decisions:
    return replace(decisions, grids=replace(decisions.grids, of_cell=of_cell))


def kinds(decisions: Decisions, *dedicated: int, locked: tuple[int, ...] = ()) -> Decisions:
    numbers = range(len(decisions.grids))
    kind = tuple(GridKind.DEDICATED if row in dedicated else GridKind.ORDINARY for row in numbers)
    return replace(decisions, grids=replace(decisions.grids, kind=kind, locked=np.isin(numbers, locked)))


def test_grids_do_not_overlap_where_every_cell_has_one_inside_its_area() -> None:
    decisions = HALVES.decisions()
    assert grids_do_not_overlap(decisions) == RuleResult("grids_do_not_overlap", True, 2, ())
    moved = decisions.grids.of_cell.copy()
    moved[0] = 1
    assert grids_do_not_overlap(relabelled(decisions, moved)).broken_by == ("990101001001",)
    moved[0] = -1
    assert grids_do_not_overlap(relabelled(decisions, moved)).broken_by == ("990101001001",)


def test_levels_are_nested_cell_for_cell_and_proved_by_the_certificate() -> None:
    decisions = HALVES.decisions()
    # One county, two villages, two grids.
    assert levels_nested(decisions) == RuleResult("levels_nested", True, 5, ())
    moved = decisions.grids.of_cell.copy()
    moved[0] = 1
    assert levels_nested(relabelled(decisions, moved)).broken_by == (EAST,)
    proof = [{"level": "grid", "verdict": "exact"}, {"level": "county", "verdict": "inexact"}]
    unproved = replace(decisions, certificate={"verdict": "exact", "levels": proof})
    assert levels_nested(unproved) == RuleResult("levels_nested", False, 5, ("county",))


def test_a_base_unit_in_two_grids_is_named_and_open_ground_may_be_divided() -> None:
    assert base_units_whole(HALVES.decisions()) == RuleResult("base_units_whole", True, 2, ())
    cut = replace(HALVES, grid=lambda x, y: x // 2)
    assert base_units_whole(cut.decisions()).broken_by == ("990101001001", "990101001002")
    heavier_east = replace(cut, demand=lambda x, y: float(x))
    assert base_units_whole(heavier_east.decisions()).broken_by == ("990101001002", "990101001001")
    assert base_units_whole(replace(cut, unit_kind=BaseUnitKind.CELLS).decisions()).checked == 0


def test_a_grid_without_a_cell_is_empty() -> None:
    decisions = HALVES.decisions()
    assert no_empty_grid(decisions).holds
    assert no_empty_grid(relabelled(decisions, np.zeros(12, dtype=np.int64))).broken_by == (EAST,)


def test_a_grid_in_two_places_of_one_stretch_of_ground_is_not_contiguous() -> None:
    whole = replace(OPEN, grid=lambda x, y: x // 2)
    assert grids_contiguous(whole.decisions()) == RuleResult("grids_contiguous", True, 3, ())
    torn = replace(OPEN, grid=lambda x, y: x // 2 % 2)
    assert grids_contiguous(torn.decisions()).broken_by == ("990101001001001",)
    # Corners do not hold ground together.
    checkered = replace(OPEN, grid=lambda x, y: (x + y) % 2)
    assert len(grids_contiguous(checkered.decisions()).broken_by) == 2


def test_the_grid_with_most_demand_apart_comes_first() -> None:
    rows = replace(OPEN, grid=lambda x, y: (x % 2) if x < 4 else 2 + x % 2, demand=lambda x, y: float(x + 1))
    found = grids_contiguous(rows.decisions()).broken_by
    # Of grid 1 the columns 0 and 2 lie apart, of grid 2 the columns 1 and 3: 3 x 1 against 3 x 2 are left out.
    assert found == ("990101001001002", "990101001001001")


def test_islands_and_ground_cut_off_by_barriers_or_dedicated_grids_are_forced_on_a_grid() -> None:
    island = replace(OPEN, without=[(4, y) for y in range(3)], grid=lambda x, y: 0 if x < 2 or x == 5 else 1)
    assert grids_contiguous(island.decisions()).holds
    assert grids_in_one_part(island.decisions()).broken_by == ("990101001001001",)
    # Half of the island in each grid is a choice.
    split = replace(OPEN, without=[(4, y) for y in range(3)], grid=lambda x, y: 0 if x < 2 or (x, y) == (5, 0) else 1)
    assert grids_contiguous(split.decisions()).broken_by == ("990101001001002", "990101001001001")

    river = replace(OPEN, grid=lambda x, y: 0 if x < 2 or x == 5 else 1, barrier=lambda a, b: {a[0], b[0]} == {4, 5})
    assert grids_contiguous(river.decisions()).holds

    mall = replace(OPEN, grid=lambda x, y: 2 if x == 3 else 0 if x in (0, 4, 5) else 1)
    decisions = mall.decisions()
    assert not grids_contiguous(decisions).holds
    assert grids_contiguous(kinds(decisions, 2)).holds
    assert grids_contiguous(kinds(decisions, 2)).checked == 2


def test_parts_of_one_base_unit_count_as_connected_and_given_ground_is_not_asked() -> None:
    enclave = replace(OPEN, unit_kind=BaseUnitKind.BLOCK, unit=lambda x, y: x % 2, grid=lambda x, y: x % 2)
    assert grids_contiguous(enclave.decisions()).holds
    assert len(grids_in_one_part(enclave.decisions()).broken_by) == 2
    torn = replace(OPEN, grid=lambda x, y: x // 2 % 2).decisions()
    assert grids_contiguous(kinds(torn, locked=(0,))) == RuleResult("grids_contiguous", True, 1, ())


def test_grids_of_several_parts_are_only_a_warning_most_parts_first() -> None:
    found = grids_in_one_part(replace(OPEN, grid=lambda x, y: 1 if x in (1, 3) else 0).decisions())
    assert found == RuleResult("grids_in_one_part", False, 2, ("990101001001001", "990101001001002"), "warning")
    assert grids_in_one_part(OPEN.decisions()).holds


def test_a_grid_around_another_ordinary_grid_has_a_hole_and_one_around_a_dedicated_grid_has_not() -> None:
    ring = replace(OPEN, grid=lambda x, y: 1 if (x, y) == (1, 1) else 0).decisions()
    assert no_holes(ring) == RuleResult("no_holes", False, 2, ("990101001001001",), "warning")
    assert no_holes(kinds(ring, 1)).holds
    # A dedicated ring around ordinary ground encloses it.
    assert no_holes(kinds(ring, 0)).broken_by == ("990101001001001",)
    # A lake that is in no area is no other grid's ground.
    assert no_holes(replace(OPEN, without=[(1, 1)]).decisions()).holds
    assert no_holes(replace(OPEN, grid=lambda x, y: x // 3).decisions()).holds


def test_a_part_of_a_grid_in_another_one_s_hole_counts_for_the_one_around() -> None:
    mixed = replace(OPEN, grid=lambda x, y: 1 if (x, y) == (1, 1) or x > 3 else 0).decisions()
    assert no_holes(mixed).broken_by == ("990101001001001",)


def river(x: int) -> Made:
    """Barrier between columns ``x`` and ``x`` + 1."""
    return replace(OPEN, barrier=lambda here, there: {here[0], there[0]} == {x, x + 1})


def test_a_grid_on_both_sides_of_a_barrier_crosses_it() -> None:
    beside = replace(river(2), grid=lambda x, y: x // 3)
    assert barrier_not_crossed(beside.decisions()) == RuleResult("barrier_not_crossed", True, 2, ())
    across = replace(river(2), grid=lambda x, y: x // 2)
    assert barrier_not_crossed(across.decisions()).broken_by == ("990101001001002",)
    # Round the end of a barrier there is a way.
    around = replace(OPEN, barrier=lambda here, there: {here[0], there[0]} == {2, 3} and here[1] < 2)
    assert barrier_not_crossed(around.decisions()).holds


def test_villages_are_not_cut_by_barriers_and_without_any_the_rule_is_not_asked() -> None:
    village = replace(river(2), unit_kind=BaseUnitKind.VILLAGE)
    assert barrier_not_crossed(village.decisions()).holds
    # Two villages held together only across the river.
    both = replace(river(2), village=lambda x, y: x // 3, unit_kind=BaseUnitKind.VILLAGE)
    assert barrier_not_crossed(both.decisions()).broken_by == ("990101000000001",)
    decisions = OPEN.decisions()
    assert barrier_not_crossed(decisions).checked == 0
    given = decisions.settings.model_copy(update={"barriers": LineSource(path="rivers.geojson")})
    assert barrier_not_crossed(replace(decisions, settings=given)).checked == 1


@pytest.mark.parametrize("within", ["county", "village"])
def test_the_parent_is_what_no_grid_was_to_cross(within: str) -> None:
    # Ground of a village that only another village parts is a stretch of its own where grids stay within villages.
    made = Made(
        3,
        1,
        village=lambda x, y: x % 2,
        unit_kind=BaseUnitKind.CELLS,
        grid=lambda x, y: x % 2,
        grids=GridSection.model_validate({"within": within}),
    )
    assert grids_contiguous(made.decisions()).holds == (within == "village")


def test_shapes_of_the_fixture_are_the_ground_of_their_cells() -> None:
    decisions = replace(OPEN, grid=lambda x, y: 1 if (x, y) == (1, 1) else 0).decisions()
    assert shapely.get_num_interior_rings(decisions.grids.shape).tolist() == [1, 0]
