"""All rules, in the order in which reports list them."""

from __future__ import annotations

from collections.abc import Callable

from gridmap.domain.plan import RuleResult
from gridmap.planning.decisions import Decisions
from gridmap.planning.rules import ground, naming, outlets, people, service, sizes

RULES: tuple[Callable[[Decisions], RuleResult], ...] = (
    ground.grids_do_not_overlap,
    ground.levels_nested,
    ground.base_units_whole,
    ground.no_empty_grid,
    ground.grids_contiguous,
    ground.grids_in_one_part,
    ground.no_holes,
    ground.barrier_not_crossed,
    sizes.balance_within_tolerance,
    sizes.demand_within_limits,
    sizes.area_within_limits,
    sizes.centre_defined,
    sizes.min_centre_distance,
    sizes.max_radius,
    outlets.one_primary_outlet,
    outlets.primary_outlet_inside,
    outlets.one_outlet_inside_anchored,
    outlets.grids_hold_outlets,
    outlets.outlet_buffer,
    outlets.capacity_not_exceeded,
    outlets.bank_line_numbers_valid,
    people.one_manager_per_grid,
    people.officers_per_grid,
    people.one_person_one_grid,
    people.staff_known,
    service.rural_cash_point_per_village,
    service.no_cash_point_in_urban,
    service.crossing_degree_urban_ceiling,
    service.crossing_degree_rural_floor,
    service.basic_service_in_village,
    service.full_service_in_township,
    naming.names_unique,
    naming.codes_unique_and_valid,
    naming.max_999_grids,
)


def evaluate(decisions: Decisions) -> tuple[RuleResult, ...]:
    """Every rule, in a fixed order."""
    return tuple(rule(decisions) for rule in RULES)
