"""Rules of outlets and of people: each holds on a plan that keeps it and names what breaks it on one that does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod

from gridmap.domain.inputs import Staff
from gridmap.domain.kinds import BaseUnitKind, Employment, GridKind, StaffRole
from gridmap.domain.plan import RuleResult
from gridmap.domain.plan_settings import GridSection, StaffingSection
from gridmap.planning.decisions import Decisions
from gridmap.planning.responsibility.staffing import Staffing
from gridmap.planning.rules.outlets import (
    bank_line_numbers_valid,
    grids_hold_outlets,
    one_outlet_inside_anchored,
    one_primary_outlet,
    outlet_buffer,
    primary_outlet_inside,
)
from gridmap.planning.rules.people import officers_per_grid, one_manager_per_grid, one_person_one_grid, staff_known
from made_decisions import Made

#: One village of open ground, three grids of two columns, with 20, 40 and 60 people; outlets in the first two.
THREE = Made(
    6,
    1,
    unit_kind=BaseUnitKind.CELLS,
    grid=lambda x, y: x // 2,
    demand=lambda x, y: 10.0 * (x // 2 + 1),
    outlets=[(0.5, 0.5), (2.5, 0.5)],
)
A, B, C = (f"99010100100100{number}" for number in (1, 2, 3))


def with_grids(decisions: Decisions, **changes: object) -> Decisions:
    return replace(decisions, grids=replace(decisions.grids, **changes))  # type: ignore[arg-type]


def with_primary(decisions: Decisions, *primary: int) -> Decisions:
    return replace(decisions, assignment=replace(decisions.assignment, primary=np.array(primary)))


def test_a_plan_without_outlets_leaves_every_grid_without_a_primary() -> None:
    assert one_primary_outlet(THREE.decisions()).holds
    assert one_primary_outlet(replace(THREE, outlets=()).decisions()).broken_by == (C, B, A)


def test_a_grid_that_holds_outlets_has_one_of_them_as_its_primary() -> None:
    decisions = THREE.decisions()
    assert primary_outlet_inside(decisions) == RuleResult("primary_outlet_inside", True, 2, ())
    assert primary_outlet_inside(with_primary(decisions, 1, 0, 0)).broken_by == (B, A)
    assert primary_outlet_inside(with_primary(decisions, -1, 1, 0)).broken_by == (A,)


def test_a_grid_drawn_round_an_outlet_holds_it() -> None:
    decisions = THREE.decisions()
    assert one_outlet_inside_anchored(decisions).checked == 0
    held = with_grids(decisions, anchor=np.array([0, 1, -1]))
    assert one_outlet_inside_anchored(held) == RuleResult("one_outlet_inside_anchored", True, 2, ())
    assert one_outlet_inside_anchored(with_grids(decisions, anchor=np.array([1, 0, 0]))).broken_by == (C, B, A)
    outside = replace(THREE, outlets=[(-3.0, 0.5)]).decisions()
    assert one_outlet_inside_anchored(with_grids(outside, anchor=np.array([0, -1, -1]))).broken_by == (A,)


def test_a_grid_without_an_outlet_is_named_where_another_holds_several_that_could_be_told_apart() -> None:
    assert grids_hold_outlets(THREE.decisions()) == RuleResult("grids_hold_outlets", True, 3, (), "warning")
    together = replace(THREE, outlets=[(0.5, 0.5), (1.5, 0.5), (2.5, 0.5)])
    assert grids_hold_outlets(together.decisions()).broken_by == (C,)
    # Two in one cell cannot be told apart, nor two in one base unit.
    one_cell = replace(THREE, outlets=[(0.4, 0.5), (0.6, 0.5)])
    assert grids_hold_outlets(one_cell.decisions()).holds
    one_village = replace(together, village=lambda x, y: x // 2, unit_kind=BaseUnitKind.VILLAGE)
    assert grids_hold_outlets(one_village.decisions()).holds
    # Grids of another parent could not have them.
    apart = replace(
        together, village=lambda x, y: x // 4, grids=GridSection.model_validate({"within": "village"})
    ).decisions()
    assert grids_hold_outlets(apart) == RuleResult("grids_hold_outlets", True, 2, (), "warning")
    assert grids_hold_outlets(replace(THREE, outlets=()).decisions()).checked == 0


def buffered(made: Made, buffer_m: float, **more: object) -> Decisions:
    return replace(made, grids=GridSection.model_validate({"buffer_m": buffer_m, **more})).decisions()


def test_ground_around_an_outlet_belongs_to_its_grid_as_far_as_set() -> None:
    # The first outlet stands one and a half squares from the second grid, the second half a square from the first.
    half_m = Geod(ellps="WGS84").inv(111.02, 30.005, 111.025, 30.005)[2]
    assert outlet_buffer(THREE.decisions()).checked == 0
    assert outlet_buffer(buffered(THREE, half_m - 0.1)) == RuleResult("outlet_buffer", True, 2, ())
    assert outlet_buffer(buffered(THREE, half_m + 0.1)).broken_by == (B,)
    assert outlet_buffer(buffered(THREE, 3 * half_m + 0.1)).broken_by == (B, A)


def test_the_buffer_leaves_out_ground_that_no_grid_could_have() -> None:
    near = buffered(THREE, 1000)
    assert outlet_buffer(near).broken_by == (B,)
    dedicated = with_grids(near, kind=(GridKind.DEDICATED, GridKind.ORDINARY, GridKind.ORDINARY))
    assert outlet_buffer(dedicated) == RuleResult("outlet_buffer", True, 1, ())
    assert outlet_buffer(with_grids(near, locked=np.array([True, False, False]))).holds
    villages = replace(THREE, village=lambda x, y: x // 2)
    assert outlet_buffer(buffered(villages, 1000, within="village")).holds
    assert not outlet_buffer(buffered(villages, 1000, within="county")).holds


def test_the_buffer_is_measured_around_the_outlet_a_grid_was_drawn_round() -> None:
    two = replace(THREE, outlets=[(0.5, 0.5), (1.9, 0.5)])
    near = buffered(two, 200)
    assert outlet_buffer(near).holds
    assert outlet_buffer(with_grids(near, anchor=np.array([1, -1, -1]))).broken_by == (A,)


def test_bank_line_numbers_that_are_given_are_checked_by_their_last_digit() -> None:
    decisions = THREE.decisions()
    assert bank_line_numbers_valid(decisions).checked == 0

    def numbers(*texts: str) -> RuleResult:
        facilities = replace(decisions.facilities, line_numbers=texts)
        return bank_line_numbers_valid(replace(decisions, facilities=facilities))

    assert numbers("102100099996", "") == RuleResult("bank_line_numbers_valid", True, 1, (), "warning")
    assert numbers("102100099996", "102100099969").broken_by == ("B1",)


PEOPLE = Staff(
    ids=("P0", "P1", "P2", "P3"),
    names=("甲", "乙", "丙", "丁"),
    roles=(StaffRole.MANAGER, StaffRole.MANAGER, StaffRole.OFFICER, StaffRole.OFFICER),
    employment=(Employment.FULL_TIME,) * 4,
    outlet_ids=("",) * 4,
    grid_codes=((),) * 4,
    source="staff.csv",
)


def staffed(
    managers: tuple[int, ...],
    officers: tuple[tuple[int, int], ...] = (),
    missing: tuple[int, ...] = (0, 0, 0),
    misplaced: tuple[int, ...] = (),
    **asked: float,
) -> Decisions:
    """Give managers to the three grids, officers as pairs of a grid and a person, and say how many are missing."""
    decisions = replace(THREE, staffing=StaffingSection.model_validate(asked)).decisions()
    manager = np.array(managers)
    pairs = np.array(officers, dtype=np.int64).reshape(-1, 2)
    nobody = np.zeros(0, dtype=np.int64)
    staffing = Staffing(
        PEOPLE,
        manager,
        pairs[:, 0],
        pairs[:, 1],
        manager < 0,
        np.array(missing),
        nobody,
        np.array(misplaced, dtype=np.int64),
    )
    return replace(decisions, staffing=staffing)


@pytest.mark.parametrize("rule", [one_manager_per_grid, officers_per_grid, one_person_one_grid, staff_known])
def test_without_a_staff_file_rules_of_people_are_not_asked(rule) -> None:  # type: ignore[no-untyped-def]
    found = rule(THREE.decisions())
    assert (found.checked, found.holds) == (0, True)


def test_every_grid_has_a_manager() -> None:
    assert one_manager_per_grid(staffed((0, 1, 0))) == RuleResult("one_manager_per_grid", True, 3, ())
    assert one_manager_per_grid(staffed((-1, 0, -1))).broken_by == (C, A)


def test_every_grid_has_its_officers_the_most_missing_first() -> None:
    assert officers_per_grid(staffed((0, 1, 0))) == RuleResult("officers_per_grid", True, 3, ())
    assert officers_per_grid(staffed((0, 1, 0), missing=(3, 0, 1))).broken_by == (A, C)
    assert officers_per_grid(staffed((0, 1, 0), missing=(3, 0, 1), officers_per_grid=0)).checked == 0
    by_demand = staffed((0, 1, 0), missing=(0, 0, 1), officers_per_grid=0, demand_per_officer=30)
    assert officers_per_grid(by_demand).broken_by == (C,)


def test_nobody_holds_more_grids_than_allowed() -> None:
    one_each = staffed((0, 1, -1), ((0, 2), (1, 3)))
    assert one_person_one_grid(one_each) == RuleResult("one_person_one_grid", True, 4, ())
    # P1 manages two grids and works in a third, P2 works in two.
    several = ((0, 1), (0, 2), (1, 2))
    assert one_person_one_grid(staffed((-1, 1, 1), several)).broken_by == ("P1", "P2")
    assert one_person_one_grid(staffed((-1, 1, 1), several, grids_per_person=2)).broken_by == ("P1",)
    # Who manages a grid and works in it holds it once.
    assert one_person_one_grid(staffed((0, 1, -1), ((0, 0),))).holds


def test_people_whose_wishes_are_not_in_the_plan_are_named_as_a_warning() -> None:
    assert staff_known(staffed((0, 1, 0))) == RuleResult("staff_known", True, 4, (), "warning")
    assert staff_known(staffed((0, 1, 0), misplaced=(1, 3))).broken_by == ("P1", "P3")
