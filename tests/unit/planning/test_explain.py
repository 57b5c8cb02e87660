"""Why ground is in its grid: every figure against a board that is counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyproj import Geod

from gridmap.errors import OutOfPlace, UnknownDatum, UsageError
from gridmap.geometry.datum import bd09_from_gcj02, gcj02_from_wgs84
from gridmap.planning.explaining.explain import explain, explain_row, row_at, rows_of_cell
from gridmap.planning.explaining.explanation import Drawing, Explanation, Objection, Outcome, Verdict
from made_board import SIDE, SOUTH, WEST, board_plan, middle

NEXT = ((0, 1), (1, 0), (0, -1), (-1, 0))


def board(*rows: str) -> np.ndarray:
    """Board of one letter a square, drawn with its north on top."""
    return np.array([list(row) for row in reversed(rows)], dtype=object)


def units(*rows: str) -> np.ndarray:
    return np.array([row.split() for row in reversed(rows)], dtype=object)


def parts(member: np.ndarray) -> int:
    """Count the parts of some squares by flooding them one by one."""
    left, found = {tuple(at) for at in np.argwhere(member)}, 0
    while left:
        found += 1
        queue = [left.pop()]
        while queue:
            row, column = queue.pop()
            for down, right in NEXT:
                if (row + down, column + right) in left:
                    left.remove((row + down, column + right))
                    queue.append((row + down, column + right))
    return found


def border_m(grid: np.ndarray) -> float:
    """Length of all borders between grids, one square's side at a time, by the geodesic."""
    geod, total = Geod(ellps="WGS84"), 0.0
    for row, column in np.ndindex(grid.shape):
        west, south = WEST + column * SIDE, SOUTH + row * SIDE
        if column + 1 < grid.shape[1] and grid[row, column] != grid[row, column + 1]:
            total += geod.inv(west + SIDE, south, west + SIDE, south + SIDE)[2]
        if row + 1 < grid.shape[0] and grid[row, column] != grid[row + 1, column]:
            total += geod.inv(west, south + SIDE, west + SIDE, south + SIDE)[2]
    return total


def told(grid: np.ndarray, at: tuple[int, int], unit: np.ndarray | None = None, **options: Any) -> Explanation:
    return explain(board_plan(grid, unit, **options), *middle(*at))


def move_to(explanation: Explanation, code: str) -> Any:
    return next(one for one in explanation.alternatives if one.other.grid_code == code)


@settings(max_examples=60, deadline=None)
@given(
    grid=hnp.arrays(np.int8, (5, 5), elements=st.integers(0, 2)),
    unit=hnp.arrays(np.int8, (5, 5), elements=st.integers(0, 3)),
    demand=hnp.arrays(np.int64, (5, 5), elements=st.integers(0, 9)),
    at=st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
def test_what_a_move_would_do_is_what_it_does(
    grid: np.ndarray, unit: np.ndarray, demand: np.ndarray, at: tuple[int, int]
) -> None:
    letters = np.array(list("ABC"), dtype=object)[grid]
    # Units are whole: one never lies in two grids.
    held = np.array([f"V{g}{u}" if u < 3 else "C9" for g, u in zip(letters.flat, unit.flat, strict=True)], dtype=object)
    held = held.reshape(grid.shape)
    explanation = told(letters, at, held, demand=demand, target=10.0)
    moved = held == held[at]
    if held[at][0] == "C":
        moved = np.zeros(grid.shape, dtype=bool)
        moved[at] = True
    own = letters[at]
    assert explanation.grid.grid_code == own
    assert explanation.unit.cells == moved.sum()
    assert explanation.unit.demand == demand[moved].sum()
    touching = {
        letters[row + down, column + right]
        for row, column in np.argwhere(moved)
        for down, right in NEXT
        if 0 <= row + down < 5 and 0 <= column + right < 5
    } - {own}
    if touching:
        assert {one.other.grid_code for one in explanation.alternatives} == touching
    for one in explanation.alternatives:
        there, after = one.other.grid_code, letters.copy()
        after[moved] = there
        assert (one.own.demand, one.other.demand) == (demand[letters == own].sum(), demand[letters == there].sum())
        assert one.own.demand_after == demand[after == own].sum()
        assert one.other.demand_after == demand[after == there].sum()
        assert one.own.deviation_after == pytest.approx(demand[after == own].sum() / 10 - 1)
        assert one.other.deviation_after == pytest.approx(demand[after == there].sum() / 10 - 1)
        assert one.own.area_m2_after == 1e6 * (after == own).sum()
        assert (one.own.parts, one.other.parts) == (parts(letters == own), parts(letters == there))
        assert (one.own.parts_after, one.other.parts_after) == (parts(after == own), parts(after == there))
        # The length of a border is taken on the sphere: 0.6 % from the geodesic at most.
        change_m = border_m(after) - border_m(letters)
        assert one.border_change_m == pytest.approx(change_m, abs=0.006 * border_m(np.ones((5, 5)) * 0 + grid) + 40)


def test_the_cell_alone_moves_on_open_ground_and_the_unit_as_a_whole_elsewhere() -> None:
    grid, unit = board("AAB", "AAB"), units("V1 V1 C2", "V1 V1 C2")
    assert told(grid, (0, 0), unit).unit.cells == 4
    assert told(grid, (0, 0), unit).unit.code == "V1"
    assert told(grid, (0, 2), unit).unit.cells == 1


@pytest.mark.parametrize(
    ("grid", "at", "options", "to", "objection"),
    [
        (board("ABC"), (0, 1), {}, "A", Objection.EMPTIES),
        (board("AAAB", "BBBB"), (0, 1), {}, "A", Objection.BREAKS),
        (board("BAA", "BAA"), (0, 1), {"split": 1}, "B", Objection.PARENT),
        (board("BAA"), (0, 1), {"outlets": {"A": (0, 1)}, "asked": {"count": 2}}, "B", Objection.LOSES_OUTLET),
        (board("BAA"), (0, 1), {"kind": {"B": "dedicated"}}, "B", Objection.OTHER_CARVED),
        (board("BAA"), (0, 1), {"locked": ("B",)}, "B", Objection.OTHER_CARVED),
        (board("BAA"), (0, 1), {"unit": units("V1 D1 V2")}, "B", Objection.CARVED),
        (board("BAA"), (0, 1), {"unit": units("V1 L1 V2")}, "B", Objection.CARVED),
    ],
)
def test_what_may_not_be_is_named(
    grid: np.ndarray, at: tuple[int, int], options: dict[str, Any], to: str, objection: Objection
) -> None:
    move = move_to(told(grid, at, **options), to)
    assert objection in move.objections
    assert move.verdict is Verdict.FORBIDDEN


def test_ground_amid_its_own_grid_would_be_an_island_of_any_other() -> None:
    explanation = told(board("AAAB", "AAAB", "AAAB"), (1, 1), target=6.0)
    (move,) = explanation.alternatives
    assert Objection.APART in move.objections
    assert (move.shared_m, move.other.parts_after) == (0.0, 2)
    assert explanation.outcome is Outcome.ONLY_HERE


def test_balance_decides_before_borders() -> None:
    grid = board("AAABB")
    tight = told(grid, (0, 2), target=2.5, asked={"count": 2, "mode": "free", "tolerance": 0.05})
    # Two and three or three and two: the larger deviation is 20 % either way, so nothing is gained.
    assert move_to(tight, "B").verdict is Verdict.EVEN
    heavy = np.array([[1.0, 1, 2, 1, 1]])
    worse = told(grid, (0, 2), demand=heavy, target=3.0, asked={"count": 2, "mode": "free", "tolerance": 0.34})
    assert move_to(worse, "B").verdict is Verdict.EVEN
    heavy = np.array([[1.0, 1, 4, 4, 1]])
    worse = told(grid, (0, 2), demand=heavy, target=5.5, asked={"count": 2, "mode": "free"})
    assert Objection.BALANCE in move_to(worse, "B").objections
    assert worse.outcome is Outcome.BEST_HERE
    light = np.array([[3.0, 3, 3, 1, 1]])
    better = told(grid, (0, 2), demand=light, target=5.5, asked={"count": 2, "mode": "free"})
    assert move_to(better, "B").verdict is Verdict.BETTER
    assert better.outcome is Outcome.COULD_MOVE


def test_borders_decide_where_balance_holds_either_way() -> None:
    dent = board("AABB", "AAAB", "AABB")
    within = {"asked": {"count": 2, "mode": "free", "tolerance": 0.9}, "target": 6.0}
    assert told(dent, (1, 2), **within).outcome is Outcome.COULD_MOVE
    assert move_to(told(dent, (1, 2), **within), "B").border_change_m < 0
    straight = move_to(told(board("AABB", "AABB", "AABB"), (1, 1), **within), "B")
    assert straight.objections == (Objection.BORDER,)
    assert straight.verdict is Verdict.WORSE


def test_distance_decides_where_grids_follow_the_nearest_outlet() -> None:
    outlets = {"A": (0, 0), "B": (0, 5)}
    nearest = {"asked": {"mode": "nearest"}, "outlets": outlets}
    near = move_to(told(board("AAABBB"), (0, 2), **nearest), "B")
    assert near.verdict is Verdict.WORSE
    assert Objection.DISTANCE in near.objections
    far = told(board("AAAABB"), (0, 3), **nearest)
    assert move_to(far, "B").verdict is Verdict.BETTER
    assert far.drawn is Drawing.NEAREST


def test_an_outlet_without_room_speaks_against_a_move_but_not_where_area_stands_in_for_demand() -> None:
    options: dict[str, Any] = {"outlets": {"A": (0, 0), "B": (0, 3)}, "capacity": {"B": 2.0}}
    move = move_to(told(board("AABB"), (0, 1), **options), "B")
    assert (move.outlet_load_after, move.outlet_capacity) == (3.0, 2.0)
    assert Objection.CAPACITY in move.objections
    area = move_to(told(board("AABB"), (0, 1), **options, unit_of_demand="m2"), "B")
    assert Objection.CAPACITY not in area.objections


@pytest.mark.parametrize(
    "asked", [{"min_demand": 2.0}, {"max_demand": 2.0}, {"min_area_m2": 2e6}, {"max_area_m2": 2e6}]
)
def test_bounds_are_kept(asked: dict[str, float]) -> None:
    move = move_to(told(board("AABB"), (0, 1), asked={**asked, "count": 2, "mode": "free"}), "B")
    assert Objection.LIMITS in move.objections
    assert move.verdict is Verdict.WORSE


def test_how_a_grid_was_drawn_is_said() -> None:
    grid, unit = board("AB"), units("V1 V2")
    assert told(grid, (0, 0), unit).drawn is Drawing.UNIT
    assert told(grid, (0, 0)).drawn is Drawing.ANCHORED
    assert told(grid, (0, 0), unit, asked={"count": 2, "mode": "free"}).drawn is Drawing.FREE
    assert told(grid, (0, 0), unit, kind={"A": "dedicated"}).drawn is Drawing.DEDICATED
    assert told(grid, (0, 0), unit, locked=("A",)).drawn is Drawing.LOCKED


def test_the_parent_is_the_level_that_no_grid_crosses() -> None:
    grid = board("ABB", "ABB")
    lowest = told(grid, (0, 0), split=1)
    assert (lowest.parent_level, lowest.parent_code) == ("township", "990101001")
    county = told(grid, (0, 0), split=1, asked={"within": "county"})
    assert (county.parent_level, county.parent_code) == ("county", "990101")
    villages = told(grid, (0, 0), units("V1 V2 V2", "V1 V2 V2"), split=1)
    assert villages.parent_level == "county"


def test_distances_are_geodesic_and_of_what_would_move() -> None:
    explanation = told(board("AABB"), (0, 1), outlets={"A": (0, 0), "B": (0, 3)})
    geod = Geod(ellps="WGS84")
    own, other = (geod.inv(*middle(0, 1), *middle(0, column))[2] for column in (0, 3))
    assert explanation.outlet is not None
    assert explanation.outlet.distance_m == pytest.approx(own, abs=2e-3)
    assert move_to(explanation, "B").outlet.distance_m == pytest.approx(other, abs=2e-3)
    assert [one.facility_id for one in explanation.served_by] == ["OA"]


def test_a_lone_grid_has_nowhere_to_go() -> None:
    explanation = told(board("AA"), (0, 0))
    assert (explanation.alternatives, explanation.outcome) == ((), Outcome.ALONE)


def test_a_place_is_found_in_any_datum_and_on_a_border_the_first_cell_answers() -> None:
    plan = board_plan(board("AB"))
    lon, lat = middle(0, 1)
    gcj02 = gcj02_from_wgs84(np.array([[lon, lat]]))
    bd09 = bd09_from_gcj02(gcj02)
    assert row_at(plan, lon, lat) == 1
    assert row_at(plan, *gcj02[0], datum="gcj02") == 1
    assert row_at(plan, *bd09[0], datum="bd09") == 1
    assert row_at(plan, WEST + SIDE, lat) == 0


@pytest.mark.parametrize("place", [(30.005, 111.005), (200.0, 30.0), (float("nan"), 30.0), (111.2, 30.0)])
def test_a_place_outside_is_refused(place: tuple[float, float]) -> None:
    with pytest.raises(OutOfPlace):
        explain(board_plan(board("AB")), *place)


def test_an_unknown_datum_is_refused() -> None:
    with pytest.raises(UnknownDatum):
        explain(board_plan(board("AB")), *middle(0, 0), datum="mars")


def test_a_cell_of_several_units_is_explained_part_by_part() -> None:
    plan = board_plan(board("AB"), units("V1 V2"), split=1)
    plan.cells["cell_id"] = "8940a1353ffffff"
    assert rows_of_cell(plan, "0x8940A1353FFFFFF") == [0, 1]
    assert rows_of_cell(plan, "8940a1353ffffff", "990101002") == [1]
    assert rows_of_cell(plan, "8940a1353ffffff", "V1") == [0]
    assert [explain_row(plan, row).grid.grid_code for row in (0, 1)] == ["A", "B"]
    with pytest.raises(UsageError) as elsewhere:
        rows_of_cell(plan, "8940a1353ffffff", "990101003")
    assert "it lies in 990101001, 990101002" in elsewhere.value.message("en")
    with pytest.raises(UsageError) as unknown:
        rows_of_cell(plan, "abc")
    assert "no cell abc" in unknown.value.message("en")


def test_the_order_of_rows_changes_nothing_that_is_said() -> None:
    grid, unit = board("AAB", "ACB", "CCB"), units("C1 C1 V1", "C1 V2 V1", "V2 V2 V1")
    plan = board_plan(grid, unit, target=3.0, outlets={"A": (2, 0), "B": (2, 2), "C": (0, 0)})
    shuffled = board_plan(grid, unit, target=3.0, outlets={"A": (2, 0), "B": (2, 2), "C": (0, 0)})
    for name in ("cells", "grids", "units", "facilities"):
        object.__setattr__(shuffled, name, getattr(plan, name).iloc[::-1].reset_index(drop=True))
    for row, column in np.ndindex(grid.shape):
        assert explain(plan, *middle(row, column)) == explain(shuffled, *middle(row, column))
