"""Rules of size and of naming: each holds on a plan that keeps it and names what breaks it on one that does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from pyproj import Geod

from gridmap.domain.kinds import GridKind
from gridmap.domain.plan import RuleResult
from gridmap.domain.plan_settings import GridSection
from gridmap.planning.decisions import Decisions
from gridmap.planning.rules.naming import codes_unique_and_valid, max_999_grids, names_unique
from gridmap.planning.rules.sizes import (
    area_within_limits,
    balance_within_tolerance,
    centre_defined,
    demand_within_limits,
    max_radius,
    min_centre_distance,
)
from gridmap.planning.territory.grids import SubGrids
from made_decisions import Made

#: Three villages of two squares, one grid each, with 100, 104 and 110 people.
THREE = Made(
    6, 1, village=lambda x, y: x // 2, grid=lambda x, y: x // 2, demand=lambda x, y: (50.0, 52.0, 55.0)[x // 2]
)
A, B, C = (f"99010100100{number}001" for number in (1, 2, 3))


def asking(made: Made, **grids: object) -> Made:
    return replace(made, grids=GridSection.model_validate(grids))


def with_grids(decisions: Decisions, **changes: object) -> Decisions:
    return replace(decisions, grids=replace(decisions.grids, **changes))  # type: ignore[arg-type]


DEDICATED_B = (GridKind.ORDINARY, GridKind.DEDICATED, GridKind.ORDINARY)


def test_grids_within_the_tolerance_of_their_targets_are_balanced_the_worst_comes_first() -> None:
    decisions = with_grids(THREE.decisions(), target=np.array([100.0, 104.0, 110.0]))
    assert balance_within_tolerance(decisions) == RuleResult("balance_within_tolerance", True, 3, ())
    # 5 % exactly is within 5 %.
    assert balance_within_tolerance(with_grids(decisions, target=np.array([100 / 1.05, 104 / 0.95, 110.0]))).holds
    off = with_grids(decisions, target=np.array([94.0, 120.0, 110.0]))
    assert balance_within_tolerance(off).broken_by == (B, A)
    looser = replace(off, settings=asking(THREE, tolerance=0.1).decisions().settings)
    assert balance_within_tolerance(looser).broken_by == (B,)


def test_dedicated_locked_and_unasked_grids_do_not_count_for_balance() -> None:
    off = with_grids(THREE.decisions(), target=np.array([94.0, 10.0, np.nan]))
    assert balance_within_tolerance(off).checked == 2
    assert balance_within_tolerance(with_grids(off, kind=DEDICATED_B)).broken_by == (A,)
    locked = with_grids(off, kind=DEDICATED_B, locked=np.array([True, False, False]))
    # Nothing that was drawn was asked: the only grid left is its own mean.
    assert balance_within_tolerance(locked) == RuleResult("balance_within_tolerance", True, 1, (), "warning")


def test_where_nothing_was_asked_the_mean_of_the_parent_stands_in_as_a_warning() -> None:
    # The mean is 314 / 3: the third is 5.1 % above it, the first 4.5 % below.
    assert balance_within_tolerance(THREE.decisions()) == RuleResult(
        "balance_within_tolerance", False, 3, (C,), "warning"
    )
    two_towns = replace(THREE, township=lambda x, y: x // 4).decisions()
    assert balance_within_tolerance(two_towns).holds


def test_a_grid_that_was_to_hold_nothing_may_hold_nothing() -> None:
    target = np.array([100.0, 104.0, 0.0])
    assert balance_within_tolerance(with_grids(THREE.decisions(), target=target)).broken_by == (C,)
    empty = replace(THREE, demand=lambda x, y: (50.0, 52.0, 0.0)[x // 2]).decisions()
    assert balance_within_tolerance(with_grids(empty, target=target)).holds


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        ({}, None),
        ({"min_demand": 100, "max_demand": 110}, ()),
        ({"min_demand": 105}, (A, B)),
        ({"max_demand": 103}, (C, B)),
        ({"min_demand": 0}, ()),
        # 100 is 5.7 % under 106, 110 only 0.9 % over 109.
        ({"min_demand": 106, "max_demand": 109}, (A, B, C)),
    ],
)
def test_demand_within_limits(limits: dict[str, float], broken: tuple[str, ...] | None) -> None:
    found = demand_within_limits(asking(THREE, **limits).decisions())
    assert found.checked == (0 if broken is None else 3)
    assert found.broken_by == (broken or ())
    assert found.severity == "rule"


def test_area_within_limits_leaves_out_grids_that_were_given() -> None:
    smallest = float(THREE.decisions().grid_groups.area_m2.min())
    assert area_within_limits(THREE.decisions()).checked == 0
    assert area_within_limits(asking(THREE, min_area_m2=smallest).decisions()).holds
    small = asking(THREE, min_area_m2=3e6).decisions()
    assert area_within_limits(small).broken_by == (A, B, C)
    assert area_within_limits(with_grids(small, kind=DEDICATED_B)).broken_by == (A, C)
    wide = replace(asking(THREE, max_area_m2=3e6), grid=lambda x, y: 0 if x < 4 else 1)
    assert area_within_limits(wide.decisions()).broken_by == ("990101000000001",)


def test_every_grid_has_a_centre_inside_it() -> None:
    crescent = Made(3, 3, grid=lambda x, y: 0 if x == 0 or y in (0, 2) else 1)
    assert centre_defined(crescent.decisions()) == RuleResult("centre_defined", True, 2, ())
    shapes = crescent.decisions().grids.shape.copy()
    shapes[1] = shapely.Polygon()
    assert centre_defined(with_grids(crescent.decisions(), shape=shapes)).broken_by == ("990101001001002",)


def test_centres_nearer_than_the_distance_set_break_it_both() -> None:
    row = replace(THREE, grid=lambda x, y: (0, 1, 1, 2, 2, 2)[x])
    # Centres stand at 0.5, 2 and 4.5 squares of a hundredth of a degree.
    metre = Geod(ellps="WGS84").inv(111.005, 30.005, 111.02, 30.005)[2]
    assert min_centre_distance(row.decisions()).checked == 0
    assert min_centre_distance(asking(row, min_centre_distance_m=metre - 0.01).decisions()).holds
    near = min_centre_distance(asking(row, min_centre_distance_m=metre + 0.01).decisions())
    assert near.checked == 3
    assert set(near.broken_by) == {"990101001001001", "990101000000001"}
    far = min_centre_distance(asking(row, min_centre_distance_m=5000).decisions())
    assert set(far.broken_by[:2]) == set(near.broken_by)
    assert len(far.broken_by) == 3


def test_ground_farther_from_the_centre_than_the_distance_set_breaks_it() -> None:
    wide = replace(THREE, grid=lambda x, y: 0 if x < 4 else 1)
    # From the middle of four squares to their corner.
    corner_m = Geod(ellps="WGS84").inv(111.02, 30.005, 111.04, 30.0)[2]
    assert max_radius(wide.decisions()).checked == 0
    assert max_radius(asking(wide, max_radius_m=corner_m + 0.01).decisions()).holds
    assert max_radius(asking(wide, max_radius_m=corner_m - 0.01).decisions()).broken_by == ("990101000000001",)
    assert len(max_radius(asking(wide, max_radius_m=100).decisions()).broken_by) == 2


def test_names_are_unique_and_never_missing() -> None:
    decisions = THREE.decisions()
    assert names_unique(decisions).holds
    alike = names_unique(with_grids(decisions, names=("x", "y", "x")))
    assert alike == RuleResult("names_unique", False, 3, (C, A))
    assert names_unique(with_grids(decisions, names=("x", "", "z"))).broken_by == (B,)


def test_codes_of_all_levels_are_well_formed_distinct_and_not_retired() -> None:
    decisions = THREE.decisions()
    assert codes_unique_and_valid(decisions) == RuleResult("codes_unique_and_valid", True, 3, ())
    wrong = with_grids(decisions, codes=(A, A, "990101001003000"))
    assert codes_unique_and_valid(wrong).broken_by == (A, A, "990101001003000")
    assert codes_unique_and_valid(with_grids(decisions, retired=(B,))).broken_by == (B,)
    sub = SubGrids(np.full(6, -1), (C, "A7-001"), np.array([0, 0]), np.empty(2, dtype=object))
    found = codes_unique_and_valid(with_grids(decisions, sub=sub))
    assert (found.checked, found.broken_by) == (5, (C, C))


def test_a_thousand_grids_in_one_village_are_too_many() -> None:
    decisions = THREE.decisions()
    assert max_999_grids(decisions).holds
    codes = tuple(f"990101001001{number % 1000:03d}" for number in range(1000))
    assert max_999_grids(with_grids(decisions, codes=codes)).broken_by == ("990101001001",)
