"""Each rule holds on a plan that keeps it and is broken, by name, on one that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

from gridmap import catalogue
from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import AreaLevel, FacilityKind
from gridmap.domain.plan import RuleResult
from gridmap.domain.plan_settings import CoverageSection, PlanSettings
from gridmap.planning.deciding import decide
from gridmap.planning.pipeline import Stages, build_plan
from gridmap.planning.rules.evaluation import RULES
from gridmap.planning.rules.ground import grids_do_not_overlap
from gridmap.planning.service.facilities import Facilities

Settings = Callable[..., PlanSettings]
Frame = Callable[..., gpd.GeoDataFrame]

WEST, EAST = (111.02, 30.02), (111.10, 30.02)
VILLAGES = ("990101001001", "990101001002")


@pytest.fixture
def results(
    plan_settings: Settings, two_villages: PlanInputs, facilities_frame: Frame, areas_frame: Frame
) -> Callable[..., dict[str, RuleResult]]:
    """Rules of the two villages with the facilities given."""

    def evaluate(
        *facilities: tuple[object, ...], settlement: str = "rural", township: bool = False, **coverage: object
    ) -> dict[str, RuleResult]:
        areas = {AreaLevel.VILLAGE: two_villages.areas[AreaLevel.VILLAGE].assign(settlement=settlement)}
        if township:
            areas[AreaLevel.TOWNSHIP] = areas_frame(
                AreaLevel.TOWNSHIP, {"990101001": shapely.box(111.0, 30.0, 111.15, 30.05)}
            )
        inputs = replace(two_villages, areas=areas, facilities=facilities_frame(*facilities))
        plan = build_plan(plan_settings(coverage=CoverageSection(**coverage)), inputs)
        return {rule.rule: rule for rule in plan.rules}

    return evaluate


def test_the_grids_of_a_plan_do_not_overlap(results: Callable[..., dict[str, RuleResult]]) -> None:
    assert results()["grids_do_not_overlap"] == RuleResult("grids_do_not_overlap", True, 2, ())


def test_a_cell_in_a_grid_of_another_area_or_an_unproved_partition_breaks_the_first_rule(
    plan_settings: Settings, two_villages: PlanInputs
) -> None:
    decisions = decide(plan_settings(), two_villages, two_villages.facilities, Stages(None))
    unproved = replace(decisions, certificate={**decisions.certificate, "verdict": "inexact"})
    assert set(grids_do_not_overlap(unproved).broken_by) == set(VILLAGES)
    moved = decisions.grids.of_cell.copy()
    moved[0] = 1
    astray = replace(decisions, grids=replace(decisions.grids, of_cell=moved))
    assert grids_do_not_overlap(astray).broken_by == (VILLAGES[0],)


def test_every_grid_needs_a_primary_outlet(results: Callable[..., dict[str, RuleResult]]) -> None:
    grids = ("990101001001001", "990101001002001")
    assert results(("B", "branch", *WEST))["one_primary_outlet"].holds
    assert results(("A", "atm", *WEST))["one_primary_outlet"] == RuleResult("one_primary_outlet", False, 2, grids)


def test_rural_villages_need_a_cash_point_and_urban_ones_must_not_have_one(
    results: Callable[..., dict[str, RuleResult]],
) -> None:
    cash_point = ("C", "rural_cash_point", *WEST)
    rural, urban = results(cash_point), results(cash_point, settlement="urban")
    assert rural["rural_cash_point_per_village"].broken_by == (VILLAGES[1],)
    assert rural["no_cash_point_in_urban"].holds
    assert urban["rural_cash_point_per_village"].checked == 0
    assert urban["no_cash_point_in_urban"] == RuleResult("no_cash_point_in_urban", False, 1, ("C",), "warning")


def test_where_no_villages_are_given_rural_grids_need_the_cash_point(
    plan_settings: Settings, two_villages: PlanInputs, areas_frame: Frame, facilities_frame: Frame
) -> None:
    township = {
        AreaLevel.TOWNSHIP: areas_frame(AreaLevel.TOWNSHIP, {"990101001": shapely.box(111.0, 30.0, 111.15, 30.05)})
    }
    inputs = replace(
        two_villages,
        areas=township,
        facilities=facilities_frame(("B", "branch", *WEST), ("D", "branch", *EAST), ("C", "rural_cash_point", *WEST)),
    )
    rules = {rule.rule: rule for rule in build_plan(plan_settings(), inputs).rules}
    assert rules["rural_cash_point_per_village"].broken_by == ("990101001000002",)
    assert rules["basic_service_in_village"] == RuleResult("basic_service_in_village", True, 0, ())


def test_an_outlet_may_hold_its_capacity_and_not_one_more(results: Callable[..., dict[str, RuleResult]]) -> None:
    assert results(("B", "branch", *WEST, 900.0))["capacity_not_exceeded"] == RuleResult(
        "capacity_not_exceeded", True, 1, ()
    )
    over = results(("A", "branch", *WEST, 599.0), ("B", "branch", *EAST, 100.0))["capacity_not_exceeded"]
    assert over.broken_by == ("B", "A")
    assert results(("B", "branch", *WEST))["capacity_not_exceeded"].checked == 0


def test_more_outlets_than_the_ceiling_break_it_on_urban_ground_only(
    results: Callable[..., dict[str, RuleResult]],
) -> None:
    four = [(f"B{number}", "branch", *WEST) for number in range(4)]
    rule = "crossing_degree_urban_ceiling"
    assert results(*four, settlement="urban")[rule].broken_by == ("990101001001001",)
    assert results(*four, settlement="urban", crossing_ceiling_urban=4)[rule].holds
    assert results(*four[:3], settlement="urban")[rule].holds
    assert results(*four, settlement="fringe")[rule].checked == 0
    assert results(*four, settlement="rural")[rule].checked == 0


def test_fewer_outlets_than_the_floor_break_it_on_rural_ground_with_demand_only(
    results: Callable[..., dict[str, RuleResult]],
) -> None:
    rule = "crossing_degree_rural_floor"
    # Devices do not count; the village with more people at fault comes first.
    assert results(("A", "atm", *WEST))[rule].broken_by == ("990101001001001", "990101001002001")
    both = results(("B", "branch", *WEST), ("E", "branch", 111.14, 30.02))
    assert both[rule].holds
    assert results(("B", "branch", *WEST), crossing_floor_rural=0)[rule].holds
    assert results(settlement="urban")[rule].checked == 0


@pytest.mark.parametrize("kind", FacilityKind)
def test_any_kind_but_pos_is_basic_service_and_only_a_branch_is_full_service(
    results: Callable[..., dict[str, RuleResult]], kind: FacilityKind
) -> None:
    found = results(("F", kind, *WEST), township=True)
    lacking = VILLAGES if kind is FacilityKind.POS else VILLAGES[1:]
    assert found["basic_service_in_village"].broken_by == lacking
    assert found["full_service_in_township"].holds == (kind is FacilityKind.BRANCH)
    assert found["full_service_in_township"].checked == 1


def test_every_rule_has_a_name_a_meaning_and_what_would_mend_it_in_both_languages(
    results: Callable[..., dict[str, RuleResult]],
) -> None:
    found = results()
    assert list(found) == [rule.__name__ for rule in RULES]
    for rule in found:
        for lang in catalogue.LANGUAGES:
            assert catalogue.text(f"rules.{rule}", lang)
            assert catalogue.text(f"rules.{rule}_meaning", lang)
            assert catalogue.mend(f"rules.{rule}", lang)


def test_kinds_of_facilities_are_known_by_their_frame_values(facilities_frame: Frame) -> None:
    frame = facilities_frame(*((kind.value, kind, 111.0, 30.0) for kind in FacilityKind))
    facilities = Facilities.from_frame(frame)
    for kind in FacilityKind:
        assert facilities.ids[facilities.of_kind(kind)].tolist() == [kind.value]
    assert facilities.ids[facilities.outlets].tolist() == ["branch", "self_service"]
