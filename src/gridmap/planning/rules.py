"""The rules of the field, each evaluated on a plan.

A result names what breaks the rule, most serious first; ``checked`` counts what it was asked of and is 0 where it could
not be asked at all (no villages given, no capacity known). The wording of ``rule`` is ``rules.RULE`` in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.domain.plan import RuleResult
from gridmap.planning.codes import MOST_GRIDS
from gridmap.planning.decisions import CellGroups, Decisions
from gridmap.planning.ground import CLASSES
from gridmap.planning.groups import counts
from gridmap.planning.indicators import WITHDRAWAL_KINDS, known_capacity, outlet_loads
from gridmap.planning.reach import Flags, Floats

_URBAN, _RURAL = CLASSES.index(SettlementClass.URBAN), CLASSES.index(SettlementClass.RURAL)


def evaluate(decisions: Decisions) -> tuple[RuleResult, ...]:
    """Every rule, in a fixed order."""
    rules: tuple[Callable[[Decisions], RuleResult], ...] = (
        grids_do_not_overlap,
        one_primary_outlet,
        rural_cash_point_per_village,
        no_cash_point_in_urban,
        capacity_not_exceeded,
        crossing_degree_urban_ceiling,
        crossing_degree_rural_floor,
        basic_service_in_village,
        full_service_in_township,
        max_999_grids,
    )
    return tuple(rule(decisions) for rule in rules)


def grids_do_not_overlap(decisions: Decisions) -> RuleResult:
    """Every cell has one grid, and the certificate proves that cells tile the areas: broken by areas."""
    grids, ground = decisions.grids, decisions.ground
    exact = decisions.certificate["verdict"] == "exact"
    astray = np.zeros(len(ground), dtype=np.bool_)
    for number, areas in enumerate(decisions.hierarchy.levels):
        here = grids.level[grids.of_cell] == number
        held_by = decisions.hierarchy.ancestors(areas.level)[ground.area]
        astray |= here & (held_by != grids.home[grids.of_cell])
    broken = np.bincount(ground.area[astray], minlength=len(decisions.hierarchy.lowest)).astype(np.float64)
    codes = decisions.hierarchy.lowest.codes
    return _result("grids_do_not_overlap", codes, broken > 0 if exact else np.ones(len(codes), np.bool_), broken)


def one_primary_outlet(decisions: Decisions) -> RuleResult:
    """Each grid has exactly one primary outlet: broken by grids, those of most demand first."""
    assignment, groups = decisions.assignment, decisions.grid_groups
    primaries = counts(assignment.grid[assignment.is_primary], len(groups))
    return _result("one_primary_outlet", groups.codes, primaries != 1, groups.demand)


def rural_cash_point_per_village(decisions: Decisions) -> RuleResult:
    """Each rural village, or rural grid where no villages are given, holds a rural cash point."""
    groups = decisions.groups_of(AreaLevel.VILLAGE) or decisions.grid_groups
    lacks = ~groups.holds(FacilityKind.RURAL_CASH_POINT)
    return _result_among("rural_cash_point_per_village", groups, groups.settlement == _RURAL, lacks)


def no_cash_point_in_urban(decisions: Decisions) -> RuleResult:
    """No rural cash point stands on urban ground: broken by facilities; a warning about the data."""
    facilities = decisions.facilities
    rows = facilities.of_kind(FacilityKind.RURAL_CASH_POINT)
    cell = decisions.facility_cell[rows]
    urban = (cell >= 0) & (decisions.ground.settlement[cell] == _URBAN)
    codes = tuple(facilities.ids[rows].tolist())
    return _result("no_cash_point_in_urban", codes, urban, np.zeros(len(rows)), severity="warning")


def capacity_not_exceeded(decisions: Decisions) -> RuleResult:
    """Each outlet that states a capacity holds at most that demand: broken by outlets, the largest excess first."""
    capacity = known_capacity(decisions)
    rows = np.flatnonzero(~np.isnan(capacity))
    excess = outlet_loads(decisions)[rows] - capacity[rows]
    return _result("capacity_not_exceeded", tuple(decisions.facilities.ids[rows].tolist()), excess > 0, excess)


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


def max_999_grids(decisions: Decisions) -> RuleResult:
    """No lowest-level area holds more grids than three digits number."""
    stems = [code[:-3] for code in decisions.grids.codes]
    codes, number = np.unique(np.array(stems, dtype=object), return_counts=True)
    return _result("max_999_grids", tuple(codes.tolist()), number > MOST_GRIDS, number.astype(np.float64))


def _service_rule(decisions: Decisions, rule: str, level: AreaLevel, kinds: tuple[FacilityKind, ...]) -> RuleResult:
    groups = decisions.groups_of(level)
    if groups is None:
        return RuleResult(rule, holds=True, checked=0, broken_by=())
    return _result(rule, groups.codes, ~groups.holds(*kinds), groups.demand)


def _cell_rule(decisions: Decisions, rule: str, settlement: int, broken: Flags) -> RuleResult:
    groups, demand = decisions.grid_groups, decisions.demand.value
    asked = (decisions.ground.settlement == settlement) & (demand > 0)
    concerned = groups.total(np.where(asked, demand, 0.0)) > 0
    at_fault = groups.total(np.where(asked & broken, demand, 0.0))
    return _result_among(rule, groups, concerned, at_fault > 0, at_fault)


def _result_among(
    rule: str, groups: CellGroups, asked: Flags, broken: Flags, seriousness: Floats | None = None
) -> RuleResult:
    rows = np.flatnonzero(asked)
    weight = groups.demand if seriousness is None else seriousness
    return _result(rule, tuple(groups.codes[row] for row in rows.tolist()), broken[rows], weight[rows])


def _result(
    rule: str, codes: tuple[str, ...], broken: Flags, seriousness: Floats, severity: str = "rule"
) -> RuleResult:
    rows = np.flatnonzero(broken)
    ordered = rows[np.lexsort((rows, -seriousness[rows]))]
    broken_by = tuple(str(codes[row]) for row in ordered.tolist())
    return RuleResult(rule, not broken_by, len(codes), broken_by, severity)
