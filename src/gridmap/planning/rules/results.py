"""Results of rules: what was asked, what breaks it, most serious first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridmap.domain.plan import RuleResult
from gridmap.planning.decisions import Decisions
from gridmap.planning.service.reach import Flags, Floats

RULE, WARNING = "rule", "warning"


def result(rule: str, codes: Sequence[str], broken: Flags, seriousness: Floats, severity: str = RULE) -> RuleResult:
    """Return the result of a rule asked of everything in ``codes``.

    Parameters
    ----------
    broken : (k,) bool
    seriousness : (k,) float64, largest first; ties in the order of the codes given
    """
    rows = np.flatnonzero(broken)
    ordered = rows[np.lexsort((rows, -seriousness[rows]))]
    broken_by = tuple(str(codes[row]) for row in ordered.tolist())
    return RuleResult(rule, not broken_by, len(codes), broken_by, severity)


def result_among(
    rule: str, codes: Sequence[str], asked: Flags, broken: Flags, seriousness: Floats, severity: str = RULE
) -> RuleResult:
    """Return the result of a rule asked of some of ``codes`` only."""
    rows = np.flatnonzero(asked)
    return result(rule, [codes[row] for row in rows.tolist()], broken[rows], seriousness[rows], severity)


def not_asked(rule: str, severity: str = RULE) -> RuleResult:
    """Return the result of a rule for which there is no setting, or nothing to ask it of."""
    return RuleResult(rule, holds=True, checked=0, broken_by=(), severity=severity)


def drawn(decisions: Decisions) -> Flags:
    """(g,) bool: grids whose shape the plan chose: neither dedicated nor locked."""
    return ~decisions.grids.dedicated & ~decisions.grids.locked
