"""Rules of people: managers, officers, one person one grid. Without a staff file they are not asked."""

from __future__ import annotations

import numpy as np

from gridmap.domain.plan import RuleResult
from gridmap.planning.decisions import Decisions
from gridmap.planning.groups import counts
from gridmap.planning.rules.results import WARNING, not_asked, result


def one_manager_per_grid(decisions: Decisions) -> RuleResult:
    """Each grid has a manager: broken by grids, most demand first."""
    if decisions.staffing.staff is None:
        return not_asked("one_manager_per_grid")
    lacks = decisions.staffing.managers_missing | (decisions.staffing.manager < 0)
    groups = decisions.grid_groups
    return result("one_manager_per_grid", groups.codes, lacks, groups.demand)


def officers_per_grid(decisions: Decisions) -> RuleResult:
    """Each grid has the officers it needs, by number and by demand: broken by grids, most missing first."""
    asked = decisions.settings.staffing
    nothing = asked.officers_per_grid == 0 and asked.demand_per_officer is None
    if decisions.staffing.staff is None or nothing:
        return not_asked("officers_per_grid")
    missing = decisions.staffing.officers_missing
    return result("officers_per_grid", decisions.grids.codes, missing > 0, missing.astype(np.float64))


def one_person_one_grid(decisions: Decisions) -> RuleResult:
    """Nobody holds more grids than allowed, as manager or officer: broken by people, most grids first."""
    staffing = decisions.staffing
    if staffing.staff is None:
        return not_asked("one_person_one_grid")
    managed = np.flatnonzero(staffing.manager >= 0)
    person = np.concatenate([staffing.manager[managed], staffing.officer])
    grid = np.concatenate([managed, staffing.officer_grid])
    # Who manages a grid and works in it holds it once.
    held = np.unique(np.column_stack([person, grid]), axis=0)
    grids = counts(held[:, 0], len(staffing.staff.ids))
    most = decisions.settings.staffing.grids_per_person
    return result("one_person_one_grid", staffing.staff.ids, grids > most, grids.astype(np.float64))


def staff_known(decisions: Decisions) -> RuleResult:
    """Everyone asks for grids and outlets that are in the plan: broken by people; a warning about the data."""
    staffing = decisions.staffing
    if staffing.staff is None:
        return not_asked("staff_known", WARNING)
    count = len(staffing.staff.ids)
    astray = np.isin(np.arange(count), staffing.misplaced)
    return result("staff_known", staffing.staff.ids, astray, np.zeros(count), WARNING)
