"""Whatever the ground, demand, targets and outlets: whole, disjoint, anchored, and balanced or explained."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.planning.districting.check import Fault, violations
from gridmap.planning.districting.draw import draw
from gridmap.planning.districting.moves import what_if_moved
from gridmap.planning.districting.task import Districts, Reason, Task, UnitGraph

SIDE_M = 50.0


@st.composite
def tasks(draw_from: st.DrawFn) -> Task:
    """Patches of squares or hexagons with holes, any demand, districts free, anchored or both."""
    rows, columns = draw_from(st.integers(1, 9)), draw_from(st.integers(1, 9))
    rng = np.random.default_rng(draw_from(st.integers(0, 2**32 - 1)))
    kept = np.flatnonzero(rng.random(rows * columns) >= draw_from(st.sampled_from([0.0, 0.1, 0.3])))
    kept = kept if len(kept) else np.array([0])
    hexagons = draw_from(st.booleans())
    links = linked(kept, columns, hexagons=hexagons)
    kind = draw_from(st.sampled_from(["even", "heavy tail", "mostly none", "none"]))
    demand = {
        "even": np.ones(len(kept)),
        "heavy tail": np.round(10 * rng.pareto(1.2, len(kept)) + 1),
        "mostly none": np.where(rng.random(len(kept)) < 0.7, 0.0, 5.0),
        "none": np.zeros(len(kept)),
    }[kind]
    graph = UnitGraph(
        demand,
        np.full(len(kept), SIDE_M**2),
        np.column_stack([kept % columns, -(kept // columns)]) * SIDE_M,
        links,
        np.full(len(links), SIDE_M / (2 if hexagons else 1)),
        np.full(len(kept), 4 * SIDE_M),
    )
    count = draw_from(st.integers(1, min(6, len(kept) + 1)))
    share = np.ones(count) if draw_from(st.booleans()) else rng.uniform(0.5, 1.5, count)
    anchor = np.where(
        rng.random(count) < draw_from(st.sampled_from([0.0, 0.5, 1.0])), rng.integers(len(kept), size=count), -1
    )
    return Task(graph, demand.sum() * share / share.sum(), anchor.astype(np.int64))


def linked(kept: np.ndarray, columns: int, *, hexagons: bool) -> np.ndarray:
    """Neighbours right and below, and aslant where the units are hexagons."""
    place = {unit: row for row, unit in enumerate(kept.tolist())}
    pairs = []
    for unit in kept.tolist():
        beside = [unit + 1] if (unit + 1) % columns else []
        aslant = [unit + columns - 1] if hexagons and unit % columns else []
        pairs += [(place[unit], place[other]) for other in [*beside, unit + columns, *aslant] if other in place]
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def parts(graph: UnitGraph, units: list[int]) -> int:
    """Pieces that units hang together in, by flooding."""
    near = {unit: set() for unit in units}
    for one, two in graph.links.tolist():
        if one in near and two in near:
            near[one].add(two)
            near[two].add(one)
    count = 0
    while near:
        count += 1
        queue = [next(iter(near))]
        while queue:
            queue += near.pop(queue.pop(), ())
            queue = [unit for unit in queue if unit in near]
    return count


@settings(max_examples=120, deadline=None)
@given(tasks())
def test_every_unit_is_in_one_district_and_what_is_broken_is_explained(task):
    districts = draw(task)
    assert len(districts.label) == len(task.graph)
    assert districts.label.min() >= 0
    assert districts.label.max() < len(task.target)
    said = {(one.district, one.reason) for one in districts.shortfalls}
    explained = {one.district for one in districts.shortfalls}
    for number in range(len(task.target)):
        units = np.flatnonzero(districts.label == number).tolist()
        assert units or (number, Reason.TOO_FEW_UNITS) in said or (number, Reason.ANCHORS_TOGETHER) in said
        if parts(task.graph, units) > 1:
            assert (number, Reason.NOT_CONTIGUOUS) in said
            assert parts(task.graph, list(range(len(task.graph)))) > 1
        anchor = task.anchor[number]
        if anchor >= 0 and np.count_nonzero(task.anchor == anchor) == 1:
            assert districts.label[anchor] == number
    assert {fault.district for fault in violations(task, districts)} == explained


@settings(max_examples=40, deadline=None)
@given(tasks())
def test_equal_tasks_give_equal_districts(task):
    again = replace(task, graph=replace(task.graph), target=task.target.copy(), anchor=task.anchor.copy())
    first, second = draw(task), draw(again)
    assert first.label.tobytes() == second.label.tobytes()
    assert first.shortfalls == second.shortfalls


@settings(max_examples=60, deadline=None)
@given(tasks(), st.data())
def test_a_move_changes_what_it_is_said_to_change(task, data):
    label = draw(task).label
    unit = data.draw(st.integers(0, len(task.graph) - 1))
    district = data.draw(st.integers(0, len(task.target) - 1))
    told = what_if_moved(task, label, unit, district)
    moved = label.copy()
    moved[unit] = district

    def border(rows):
        return task.graph.border_m[rows[task.graph.links[:, 0]] != rows[task.graph.links[:, 1]]].sum()

    assert told.border_change_m == border(moved) - border(label)
    before = {fault.district for fault in violations(task, Districts(label, ())) if fault.fault is Fault.BROKEN}
    after = {fault.district for fault in violations(task, Districts(moved, ())) if fault.fault is Fault.BROKEN}
    if told.source_whole and told.source not in before:
        assert told.source not in after
    if np.any(label == told.source) and not told.source_whole and told.source not in before:
        assert told.source in after or not np.any(moved == told.source)
