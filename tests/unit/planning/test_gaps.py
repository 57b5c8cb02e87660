"""Gaps: contiguous, within one county and class, largest uncovered demand first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import CoverageSection
from gridmap.planning.land.ground import Ground
from gridmap.planning.service.coverage import cover
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.gaps import Gaps, find_gaps

Made = Callable[..., Ground]
MadeFacilities = Callable[..., Facilities]


def gaps_of(ground: Ground, facilities: Facilities, demand: np.ndarray, county: np.ndarray | None = None) -> Gaps:
    settings = CoverageSection()
    where = np.zeros(len(ground), dtype=np.int64) if county is None else county
    coverage = cover(ground, facilities, settings)
    return find_gaps(ground, coverage, facilities, facilities.radius_m(settings), demand, where)


def test_an_uncovered_stretch_is_one_gap_and_a_covered_belt_parts_it(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    # Seven squares in a row; the middle one alone is in reach.
    ground = made_ground(7, 1)
    gaps = gaps_of(ground, made_facilities((FacilityKind.ATM, 3.5, 0.5, 100.0)), np.array([1.0, 1, 1, 9, 2, 2, 2]))
    assert gaps.gap_of_cell.tolist() == [1, 1, 1, -1, 0, 0, 0]
    assert gaps.demand.tolist() == [6, 3]


def test_squares_that_meet_at_a_corner_only_are_two_gaps(made_ground: Made, made_facilities: MadeFacilities) -> None:
    ground = made_ground(2, 2, keep=[0, 3])
    assert len(gaps_of(ground, made_facilities(), np.ones(2))) == 2


def test_gaps_end_at_county_borders_and_at_changes_of_class(made_ground: Made, made_facilities: MadeFacilities) -> None:
    ground = made_ground(4, 1, settlement=["rural", "urban", "urban", "urban"])
    gaps = gaps_of(ground, made_facilities(), np.array([4.0, 3, 1, 1]), county=np.array([0, 0, 0, 1]))
    assert gaps.gap_of_cell.tolist() == [0, 1, 1, 2] or gaps.gap_of_cell.tolist() == [1, 0, 0, 2]
    assert gaps.demand.tolist() == [4, 4, 1]
    # Equal demand: the larger stretch comes first.
    assert gaps.gap_of_cell.tolist() == [1, 0, 0, 2]


def test_equal_gaps_come_in_the_order_of_their_cells(made_ground: Made, made_facilities: MadeFacilities) -> None:
    ground = made_ground(5, 1, keep=[0, 2, 4])
    assert gaps_of(ground, made_facilities(), np.zeros(3)).gap_of_cell.tolist() == [0, 1, 2]


def test_a_gap_is_named_after_the_area_with_most_of_its_demand(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    ground = made_ground(4, 1, area=[0, 0, 1, 2])
    assert gaps_of(ground, made_facilities(), np.array([1.0, 1, 3, 2])).area.tolist() == [1]
    assert gaps_of(ground, made_facilities(), np.zeros(4)).area.tolist() == [0]


def test_the_missing_kind_is_the_one_that_falls_short_by_least(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    # One rural square at column 0. A branch reaches 5,000 m, an ATM 3,000 m; a column is about 964 m.
    ground = made_ground(1, 1)
    branch_lacks_4km, atm_lacks_1km = (FacilityKind.BRANCH, 9.9, 0.5), (FacilityKind.ATM, 4.7, 0.5)
    gaps = gaps_of(ground, made_facilities(branch_lacks_4km, atm_lacks_1km), np.ones(1))
    assert KINDS[gaps.kind_missing[0]] is FacilityKind.ATM
    branch_lacks_a_little = (FacilityKind.BRANCH, 6.0, 0.5)
    gaps = gaps_of(ground, made_facilities(branch_lacks_a_little, atm_lacks_1km), np.ones(1))
    assert KINDS[gaps.kind_missing[0]] is FacilityKind.BRANCH
    # The nearest facility is nearest all the same.
    assert gaps.nearest_facility.tolist() == [1]


def test_distance_is_told_from_where_most_of_the_demand_is(made_ground: Made, made_facilities: MadeFacilities) -> None:
    ground = made_ground(3, 1)
    gaps = gaps_of(ground, made_facilities((FacilityKind.POS, -3.0, 0.5)), np.array([1.0, 1, 5]))
    assert gaps.nearest_distance_m[0] == pytest.approx(5.5 * 964.9, rel=1e-3)


def test_without_facilities_all_is_one_gap_that_any_kind_would_help(
    made_ground: Made, made_facilities: MadeFacilities
) -> None:
    gaps = gaps_of(made_ground(3, 3), made_facilities(), np.ones(9))
    assert gaps.demand.tolist() == [9]
    assert (gaps.kind_missing.tolist(), gaps.nearest_facility.tolist()) == ([-1], [-1])
    assert np.isinf(gaps.nearest_distance_m).all()


def test_where_all_is_covered_there_is_no_gap(made_ground: Made, made_facilities: MadeFacilities) -> None:
    gaps = gaps_of(made_ground(2, 2), made_facilities((FacilityKind.BRANCH, 1, 1)), np.ones(4))
    assert len(gaps) == 0
    assert gaps.gap_of_cell.tolist() == [-1] * 4
