"""Rules of service: cash points, crossing degree, basic and full service."""

from __future__ import annotations

import numpy as np

from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.domain.plan import RuleResult
from gridmap.planning.decisions import Decisions
from gridmap.planning.findings.indicators import WITHDRAWAL_KINDS
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.rules.results import WARNING, not_asked, result, result_among
from gridmap.planning.service.reach import Flags

_URBAN, _RURAL = CLASSES.index(SettlementClass.URBAN), CLASSES.index(SettlementClass.RURAL)


def rural_cash_point_per_village(decisions: Decisions) -> RuleResult:
    """Each rural village, or rural grid where no villages are given, holds a rural cash point."""
    groups = decisions.groups_of(AreaLevel.VILLAGE) or decisions.grid_groups
    lacks = ~groups.holds(FacilityKind.RURAL_CASH_POINT)
    rural = groups.settlement == _RURAL
    return result_among("rural_cash_point_per_village", groups.codes, rural, lacks, groups.demand)


def no_cash_point_in_urban(decisions: Decisions) -> RuleResult:
    """No rural cash point stands on urban ground: broken by facilities; a warning about the data."""
    facilities = decisions.facilities
    rows = facilities.of_kind(FacilityKind.RURAL_CASH_POINT)
    cell = decisions.facility_cell[rows]
    urban = (cell >= 0) & (decisions.ground.settlement[cell] == _URBAN)
    return result("no_cash_point_in_urban", facilities.ids[rows].tolist(), urban, np.zeros(len(rows)), WARNING)


def crossing_degree_urban_ceiling(decisions: Decisions) -> RuleResult:
    """No urban cell with demand is in reach of more outlets than the ceiling: broken by grids, most demand first."""
    over = decisions.coverage.crossing_degree > decisions.settings.coverage.crossing_ceiling_urban
    return _cell_rule(decisions, "crossing_degree_urban_ceiling", _URBAN, over)


def crossing_degree_rural_floor(decisions: Decisions) -> RuleResult:
    """Each rural cell with demand is in reach of as many outlets as the floor: broken by grids, most demand first."""
    under = decisions.coverage.crossing_degree < decisions.settings.coverage.crossing_floor_rural
    return _cell_rule(decisions, "crossing_degree_rural_floor", _RURAL, under)


def basic_service_in_village(decisions: Decisions) -> RuleResult:
    """Cash can be withdrawn inside each village: broken by villages, most demand first."""
    return _service_rule(decisions, "basic_service_in_village", AreaLevel.VILLAGE, WITHDRAWAL_KINDS)


def full_service_in_township(decisions: Decisions) -> RuleResult:
    """Hold each township to having a branch: broken by townships, most demand first."""
    return _service_rule(decisions, "full_service_in_township", AreaLevel.TOWNSHIP, (FacilityKind.BRANCH,))


def _service_rule(decisions: Decisions, rule: str, level: AreaLevel, kinds: tuple[FacilityKind, ...]) -> RuleResult:
    groups = decisions.groups_of(level)
    if groups is None:
        return not_asked(rule)
    return result(rule, groups.codes, ~groups.holds(*kinds), groups.demand)


def _cell_rule(decisions: Decisions, rule: str, settlement: int, broken: Flags) -> RuleResult:
    groups, demand = decisions.grid_groups, decisions.demand.value
    asked = (decisions.ground.settlement == settlement) & (demand > 0)
    concerned = groups.total(np.where(asked, demand, 0.0)) > 0
    at_fault = groups.total(np.where(asked & broken, demand, 0.0))
    return result_among(rule, groups.codes, concerned, at_fault > 0, at_fault)
