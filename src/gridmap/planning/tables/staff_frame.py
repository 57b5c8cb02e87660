"""People and the grids they hold, and the people that grids still need, as a frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gridmap.domain.kinds import StaffRole
from gridmap.planning.decisions import Decisions
from gridmap.planning.service.reach import Rows
from gridmap.planning.tables.frame_columns import text

PLACED, UNPLACED, MISPLACED, SUGGESTED = "placed", "unplaced", "misplaced", "suggested"
COLUMNS = ("person_id", "name", "role", "employment", "outlet_id", "grid_code", "status")

_Row = tuple[str | None, ...]


def staff_frame(decisions: Decisions) -> pd.DataFrame:
    """People by identifier, one row a person and grid, then one row for each person that a grid still needs.

    ``status`` is ``placed``; ``unplaced`` for who holds no grid; ``misplaced`` for who holds none and asks for a grid
    or an outlet that is not in the plan; ``suggested`` for a person who is missing, with the role, the grid and the
    grid's primary outlet.
    """
    rows = [*_people(decisions), *_suggested(decisions)]
    return pd.DataFrame({name: text(row[place] for row in rows) for place, name in enumerate(COLUMNS)})


def _people(decisions: Decisions) -> Iterator[_Row]:
    staffing, codes = decisions.staffing, decisions.grids.codes
    staff = staffing.staff
    if staff is None:
        return
    held = _held(decisions)
    misplaced = set(staffing.misplaced.tolist())
    for person in sorted(range(len(staff.ids)), key=lambda row: staff.ids[row]):
        known = (staff.ids[person], staff.names[person] or None)
        works = (staff.employment[person].value, staff.outlet_ids[person] or None)
        for role, grid in held.get(person, ()):
            yield (*known, role.value, *works, codes[grid], PLACED)
        if person not in held:
            status = MISPLACED if person in misplaced else UNPLACED
            yield (*known, staff.roles[person].value, *works, None, status)


def _held(decisions: Decisions) -> dict[int, list[tuple[StaffRole, int]]]:
    """Role and grid of all that each person holds, by grid."""
    staffing = decisions.staffing
    managed = np.flatnonzero(staffing.manager >= 0)
    held: dict[int, list[tuple[StaffRole, int]]] = {}
    for role, grid, person in (
        *_pairs(StaffRole.MANAGER, managed, staffing.manager[managed]),
        *_pairs(StaffRole.OFFICER, staffing.officer_grid, staffing.officer),
    ):
        held.setdefault(person, []).append((role, grid))
    return {person: sorted(pairs, key=lambda pair: (pair[1], pair[0])) for person, pairs in held.items()}


def _pairs(role: StaffRole, grid: Rows, person: Rows) -> Iterator[tuple[StaffRole, int, int]]:
    for one, who in zip(grid.tolist(), person.tolist(), strict=True):
        yield role, one, who


def _suggested(decisions: Decisions) -> Iterator[_Row]:
    staffing, ids = decisions.staffing, decisions.facilities.ids
    for grid, code in enumerate(decisions.grids.codes):
        primary = int(decisions.assignment.primary[grid])
        outlet = str(ids[primary]) if primary >= 0 else None
        missing = [StaffRole.MANAGER] * int(staffing.managers_missing[grid])
        missing += [StaffRole.OFFICER] * int(staffing.officers_missing[grid])
        for role in missing:
            yield None, None, role.value, None, outlet, code, SUGGESTED
