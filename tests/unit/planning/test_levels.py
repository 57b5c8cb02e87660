"""Sub-grids divide large grids, super-grids gather small ones: contiguous, nested, about as large as asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.domain.kinds import BaseUnitKind, GridKind
from gridmap.planning.decisions import Decisions
from gridmap.planning.tables.level_frame import level_frame
from gridmap.planning.territory.grids import SubGrids, SuperGrids
from gridmap.planning.territory.levels import draw_sub_grids, draw_super_grids
from gridmap.planning.territory.nesting import nesting_faults
from made_decisions import Made

HOW = {"tolerance": 0.05, "compactness": 0.5, "seed": 1}


def divided(decisions: Decisions, sub_demand: float) -> SubGrids:
    """Sub-grids of the grids of a plan."""
    hierarchy, units, ground, demand = decisions.hierarchy, decisions.units, decisions.ground, decisions.demand.value
    taken = decisions.grids.above.codes if decisions.grids.above else ()
    return draw_sub_grids(hierarchy, units, ground, demand, decisions.grids, sub_demand, **HOW, taken=taken)


def gathered(decisions: Decisions, super_demand: float, parents: Iterable[int] | None = None) -> SuperGrids:
    """Super-grids over the grids of a plan; all areas are one parent unless ``parents`` says otherwise."""
    hierarchy, ground, demand = decisions.hierarchy, decisions.ground, decisions.demand.value
    parent = np.zeros(len(hierarchy.lowest), dtype=np.int64) if parents is None else np.array(list(parents))
    return draw_super_grids(hierarchy, ground, demand, decisions.grids, parent, super_demand, **HOW)


def levelled(made: Made, sub_demand: float, super_demand: float | None = None) -> Decisions:
    """Plan with the levels below, and above where asked for."""
    decisions = made.decisions()
    if super_demand is not None:
        above = gathered(decisions, super_demand)
        decisions = replace(decisions, grids=replace(decisions.grids, above=above))
    return replace(decisions, grids=replace(decisions.grids, sub=divided(decisions, sub_demand)))


def connected(decisions: Decisions, cells: Iterable[int]) -> bool:
    """Whether cells hang together by shared edges: a plain flood."""
    left, links = set(cells), decisions.ground.adjacency.tolist()
    reached, waiting = set[int](), [min(left)]
    while waiting:
        cell = waiting.pop()
        reached.add(cell)
        waiting += [b for a, b in links if a == cell and b in left - reached]
        waiting += [a for a, b in links if b == cell and a in left - reached]
    return reached == left


def demand_by(decisions: Decisions, label: np.ndarray) -> list[float]:
    held = label >= 0
    return np.bincount(label[held], weights=decisions.demand.value[held]).tolist()


# One village of 8 x 4 squares and 320 people; three more of 80 people each beside it.
TOWN = Made(
    11,
    8,
    village=lambda x, y: 0 if x < 8 else x - 7,
    grid=lambda x, y: 0 if x < 8 else x - 7,
)


def test_a_grid_of_one_unit_is_divided_by_its_cells_into_parts_of_about_the_demand_asked_for() -> None:
    sub = levelled(TOWN, sub_demand=160).grids.sub
    assert sub is not None
    assert len(sub) == 4
    assert sub.grid.tolist() == [0] * 4
    decisions = levelled(TOWN, sub_demand=160)
    assert demand_by(decisions, sub.of_cell) == pytest.approx([160] * 4, rel=0.05)
    for row in range(4):
        assert connected(decisions, np.flatnonzero(sub.of_cell == row).tolist())
    assert nesting_faults(decisions) == []


@pytest.mark.parametrize(("sub_demand", "parts"), [(640 / 1.5, 0), (640 / 1.51, 2), (640 / 2.49, 2), (640 / 2.5, 3)])
def test_grids_of_up_to_one_and_a_half_times_the_demand_stay_whole_others_get_the_nearest_number(
    sub_demand: float, parts: int
) -> None:
    sub = levelled(TOWN, sub_demand=sub_demand).grids.sub
    assert sub is not None
    assert len(sub) == parts
    assert (sub.of_cell >= 0).sum() == (64 if parts else 0)


def test_base_units_are_not_cut_unless_one_alone_is_too_large() -> None:
    # Units: columns of two squares; the last unit alone holds four columns.
    made = Made(12, 4, unit=lambda x, y: min(x // 2, 4), unit_kind=BaseUnitKind.BLOCK)
    decisions = levelled(made, sub_demand=80)
    sub = decisions.grids.sub
    assert sub is not None
    assert len(sub) == 6
    for unit in range(4):
        assert len(set(sub.of_cell[decisions.ground.unit == unit].tolist())) == 1
    assert len(set(sub.of_cell[decisions.ground.unit == 4].tolist())) >= 2
    assert demand_by(decisions, sub.of_cell) == pytest.approx([80] * 6, rel=0.05)


def test_parts_are_no_more_than_the_units_there_are() -> None:
    # Three units of 1.4 times the demand each come to four parts; there are three units.
    made = Made(3, 7, unit=lambda x, y: x, unit_kind=BaseUnitKind.BLOCK)
    sub = levelled(made, sub_demand=50).grids.sub
    assert sub is not None
    assert len(sub) == 3


def test_super_grids_gather_whole_grids_inside_their_parent() -> None:
    made = Made(
        8, 4, village=lambda x, y: x, township=lambda x, y: x // 4, grid=lambda x, y: x, demand=lambda x, y: 5.0
    )
    plain = made.decisions()
    above = gathered(plain, 40, parents=[0] * 4 + [1] * 4)
    decisions = replace(plain, grids=replace(plain.grids, above=above))
    assert above.of_grid.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert above.codes == ("990101001000001", "990101001000002", "990101002000001", "990101002000002")
    assert nesting_faults(decisions) == []
    frame = level_frame(decisions).set_index("code")
    assert frame.loc[list(above.codes), "parent_code"].tolist() == ["990101001"] * 2 + ["990101002"] * 2
    assert frame.loc[list(above.codes), "demand"].tolist() == [40.0] * 4
    assert frame.loc[list(decisions.grids.codes), "parent_code"].tolist() == [
        code for code in above.codes for _ in range(2)
    ]


def test_a_grid_in_two_parents_or_in_none_is_gathered_nowhere() -> None:
    made = Made(6, 2, village=lambda x, y: x, grid=lambda x, y: [0, 0, 1, 1, 2, 3][x])
    above = gathered(made.decisions(), 1000, parents=[0, 0, 0, 1, 1, -1])
    assert above.of_grid.tolist() == [0, -1, 1, -1]


def test_sub_and_super_grids_have_codes_of_their_own_after_those_of_the_grids() -> None:
    decisions = levelled(TOWN, sub_demand=160, super_demand=1000)
    grids = decisions.grids
    retired = replace(grids, retired=("990101001001003",), kind=(GridKind.DEDICATED, *grids.kind[1:]))
    again = divided(replace(decisions, grids=retired), 160)
    assert grids.sub is not None
    assert grids.above is not None
    # The village's own grid is 001; its sub-grids follow, west to east.
    assert grids.sub.codes == tuple(f"99010100100100{number}" for number in (2, 3, 4, 5))
    # A dedicated grid leaves the ordinary numbers to begin at 001, but its own and retired ones are not given.
    assert again.codes == tuple(f"99010100100100{number}" for number in (2, 4, 5, 6))
    every = [*grids.codes, *grids.sub.codes, *grids.above.codes]
    assert len(set(every)) == len(every)


def test_ground_without_demand_is_left_whole() -> None:
    decisions = levelled(replace(TOWN, demand=lambda x, y: 0.0), sub_demand=10, super_demand=10)
    grids = decisions.grids
    assert grids.sub is not None
    assert len(grids.sub) == 0
    assert grids.above is not None
    assert grids.above.of_grid.tolist() == [0] * 4
    assert nesting_faults(decisions) == []
    assert "sub" not in set(level_frame(decisions)["level"])


@given(st.integers(0, 2**32 - 1), st.floats(20, 300), st.floats(100, 2000))
@settings(max_examples=12, deadline=None)
def test_whatever_the_demand_levels_nest_and_hang_together_and_are_drawn_the_same_again(
    seed: int, sub_demand: float, super_demand: float
) -> None:
    value = np.random.default_rng(seed).integers(0, 40, (10, 6)).astype(float)
    made = Made(
        10,
        6,
        village=lambda x, y: x // 5,
        unit=lambda x, y: y // 2 * 5 + x,
        unit_kind=BaseUnitKind.BLOCK,
        grid=lambda x, y: x // 5 * 2 + y // 4,
        demand=lambda x, y: float(value[x, y]),
    )
    decisions = levelled(made, sub_demand=sub_demand, super_demand=super_demand)
    assert nesting_faults(decisions) == []
    sub, above = decisions.grids.sub, decisions.grids.above
    assert sub is not None
    assert above is not None
    for row in range(len(sub)):
        assert connected(decisions, np.flatnonzero(sub.of_cell == row).tolist())
    for row in range(len(above)):
        assert connected(decisions, np.flatnonzero(above.of_grid[decisions.grids.of_cell] == row).tolist())
    again = levelled(made, sub_demand=sub_demand, super_demand=super_demand)
    assert again.grids.sub is not None
    assert again.grids.sub.of_cell.tobytes() == sub.of_cell.tobytes()
    assert level_frame(again).equals(level_frame(decisions))
