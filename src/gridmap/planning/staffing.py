"""Who holds which grid: managers and officers."""

from __future__ import annotations

from dataclasses import dataclass

from gridmap.domain.inputs import Staff
from gridmap.planning.reach import Flags, Rows


@dataclass(frozen=True)
class Staffing:
    """People and the grids they hold.

    Attributes
    ----------
    staff : as given, None where no file was
    manager : (g,) int64, person who manages each grid, -1 without one
    officer_grid, officer : (k,) int64 pairs of a grid and a person who works in it as an officer, by grid, then person
    managers_missing : (g,) bool
    officers_missing : (g,) int64, officers each grid still needs, after the rules and its demand
    unplaced : (p,) int64, people who hold no grid
    misplaced : (q,) int64, people whose file asks for a grid or outlet that is not in the plan
    """

    staff: Staff | None
    manager: Rows
    officer_grid: Rows
    officer: Rows
    managers_missing: Flags
    officers_missing: Rows
    unplaced: Rows
    misplaced: Rows
