"""Districts hold what was asked for, or say why not."""

from dataclasses import replace

import numpy as np
import pytest

from gridmap.planning.districting.check import Fault, violations
from gridmap.planning.districting.draw import draw
from gridmap.planning.districting.task import Limits, Reason, Task, UnitGraph

SIDE_M = 100.0


def squares(
    rows: int, columns: int, demand: np.ndarray | None = None, holes: frozenset[int] = frozenset()
) -> UnitGraph:
    """Square units in rows, without those in ``holes``."""
    kept = [unit for unit in range(rows * columns) if unit not in holes]
    place = {unit: row for row, unit in enumerate(kept)}
    links = sorted(
        (place[unit], place[other])
        for unit in kept
        for other in ([unit + 1] if (unit + 1) % columns else []) + [unit + columns]
        if other in place
    )
    value = np.ones(len(kept)) if demand is None else demand
    return UnitGraph(
        value.astype(np.float64),
        np.full(len(kept), SIDE_M**2),
        np.array([(unit % columns, -(unit // columns)) for unit in kept], dtype=np.float64) * SIDE_M,
        np.array(links, dtype=np.int64).reshape(-1, 2),
        np.full(len(links), SIDE_M),
        np.full(len(kept), 4 * SIDE_M),
    )


def free(graph: UnitGraph, count: int) -> Task:
    return Task(graph, np.full(count, graph.demand.sum() / max(count, 1)), np.full(count, -1))


def anchored(graph: UnitGraph, *anchor: int) -> Task:
    return Task(graph, np.full(len(anchor), graph.demand.sum() / len(anchor)), np.array(anchor))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 9])
def test_free_districts_of_even_ground_are_balanced_and_whole(count):
    task = free(squares(12, 12), count)
    districts = draw(task)
    assert violations(task, districts) == ()
    assert districts.shortfalls == ()


def test_every_anchored_district_holds_its_anchor_however_crowded_they_stand():
    task = anchored(squares(20, 20), 22, 23, 24, 42, 43, 44)
    districts = draw(task)
    assert districts.label[task.anchor].tolist() == [0, 1, 2, 3, 4, 5]
    assert violations(task, districts) == ()


def test_an_outlet_shut_in_by_others_is_left_with_its_unit_and_named():
    task = anchored(squares(20, 20), 0, 1, 20)
    districts = draw(task)
    assert np.bincount(districts.label)[0] == 1
    assert [one.reason for one in districts.shortfalls if one.district == 0] == [Reason.ENCLOSED]
    assert {fault.fault for fault in violations(task, districts)} == {Fault.OUT_OF_TOLERANCE}


def test_outlets_fewer_than_districts_hold_theirs_and_the_rest_lie_free():
    graph = squares(15, 15)
    task = Task(graph, np.full(5, 45.0), np.array([-1, 0, -1, 224, -1]))
    districts = draw(task)
    assert violations(task, districts) == ()
    assert (districts.label[0], districts.label[224]) == (1, 3)


def test_districts_that_should_hold_more_are_given_more():
    task = Task(squares(20, 20), np.array([40.0, 80.0, 120.0, 160.0]), np.full(4, -1))
    districts = draw(task)
    assert violations(task, districts) == ()


def test_ground_without_demand_is_balanced_by_area():
    task = Task(squares(10, 10, np.zeros(100)), np.zeros(4), np.full(4, -1))
    districts = draw(task)
    assert np.bincount(districts.label).max() <= 26
    assert violations(task, districts) == ()


def test_a_unit_heavier_than_a_district_may_be_is_named():
    demand = np.ones(64)
    demand[27] = 60.0
    districts = draw(free(squares(8, 8, demand), 4))
    over = districts.label[27]
    assert Reason.HEAVY_UNIT in {one.reason for one in districts.shortfalls if one.district == over and one.unit == 27}


def test_two_outlets_in_one_unit_leave_one_outside_and_say_so():
    task = anchored(squares(10, 10), 44, 44)
    districts = draw(task)
    assert {one.reason for one in districts.shortfalls} == {Reason.ANCHORS_TOGETHER}
    assert np.abs(np.bincount(districts.label) - 50).max() <= 2


def test_more_districts_than_units_leave_some_empty_and_say_so():
    districts = draw(free(squares(1, 3), 5))
    assert sorted(districts.label.tolist()) == [0, 1, 2]
    assert [(one.reason, one.district) for one in districts.shortfalls if one.got == 0] == [
        (Reason.TOO_FEW_UNITS, 3),
        (Reason.TOO_FEW_UNITS, 4),
    ]


def test_an_island_too_small_for_a_district_joins_the_nearest_and_says_so():
    graph = squares(1, 13, holes=frozenset({10}))
    districts = draw(free(graph, 2))
    assert districts.label[10] == districts.label[11] == districts.label[9]
    assert [one.reason for one in districts.shortfalls] == [Reason.NOT_CONTIGUOUS]


def test_islands_are_given_districts_by_what_they_hold():
    graph = squares(5, 12, holes=frozenset(range(4, 60, 12)))
    task = free(graph, 11)
    districts = draw(task)
    assert len(set(districts.label[[unit for unit in range(55) if unit % 11 < 4]].tolist())) == 4
    assert violations(task, districts) == ()


def test_equal_tasks_give_equal_districts():
    task = anchored(squares(30, 30), 5, 200, 210, 220, 700)
    assert draw(task).label.tobytes() == draw(task).label.tobytes()


def test_no_units_make_no_districts():
    none = np.zeros(0)
    graph = UnitGraph(none, none, np.zeros((0, 2)), np.zeros((0, 2), dtype=np.int64), none, none)
    assert len(draw(free(graph, 0)).label) == 0


@pytest.mark.parametrize("side", [6, 14])
def test_bounds_of_area_are_kept_beside_the_balance(side):
    demand = np.where(np.arange(side * side) % side < side // 2, 3.0, 1.0)
    task = free(squares(side, side, demand), 4)
    widest = side * side / 4 * SIDE_M**2 * 1.25
    narrow = replace(task, limits=Limits(max_area_m2=widest), tolerance=0.2)
    districts = draw(narrow)
    assert np.bincount(districts.label, task.graph.area_m2).max() <= widest
    assert violations(narrow, districts) == ()


def test_a_bound_of_area_nobody_can_keep_is_reported_for_each():
    task = replace(free(squares(6, 6), 4), limits=Limits(min_area_m2=10 * SIDE_M**2))
    districts = draw(task)
    assert {one.reason for one in districts.shortfalls} == {Reason.LIMITS}


def test_the_least_deviation_is_proved_where_units_are_few():
    districts = draw(free(squares(1, 3, np.array([5.0, 1.0, 5.0])), 2))
    assert districts.bound == pytest.approx(6 / 5.5 - 1)


@pytest.mark.parametrize("side", [8, 16])
def test_the_more_compactness_counts_the_less_the_balance_does(side):
    demand = np.round(np.random.default_rng(3).lognormal(3, 0.7, side * side))
    task = replace(free(squares(side, side, demand), 4), tolerance=0.2)

    def drawn(compactness):
        label = draw(replace(task, compactness=compactness)).label
        off = np.abs(np.bincount(label, demand) / task.target - 1).max()
        return off, np.count_nonzero(label[task.graph.links[:, 0]] != label[task.graph.links[:, 1]])

    (even, long), (uneven, short) = drawn(0.0), drawn(1.0)
    assert even < uneven
    assert long > short
