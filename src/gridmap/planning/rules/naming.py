"""Rules of names and codes."""

from __future__ import annotations

from collections import Counter

import numpy as np

from gridmap.domain.plan import RuleResult
from gridmap.planning.decisions import Decisions
from gridmap.planning.rules.results import result
from gridmap.planning.territory.codes import MOST_GRIDS, is_grid_code


def names_unique(decisions: Decisions) -> RuleResult:
    """No two grids have the same name, and none has none: broken by grids, most demand first."""
    grids = decisions.grids
    times = Counter(grids.names)
    alike = np.array([not name or times[name] > 1 for name in grids.names], dtype=np.bool_)
    return result("names_unique", grids.codes, alike, decisions.grid_groups.demand)


def codes_unique_and_valid(decisions: Decisions) -> RuleResult:
    """Codes of grids, sub-grids and super-grids are well formed, distinct and not retired: broken by codes."""
    grids = decisions.grids
    codes = [*grids.codes, *(grids.sub.codes if grids.sub else ()), *(grids.above.codes if grids.above else ())]
    times, retired = Counter(codes), set(grids.retired)
    wrong = [not is_grid_code(code) or times[code] > 1 or code in retired for code in codes]
    return result("codes_unique_and_valid", codes, np.array(wrong, dtype=np.bool_), np.zeros(len(codes)))


def max_999_grids(decisions: Decisions) -> RuleResult:
    """No lowest-level area holds more grids than three digits number."""
    stems = [code[:-3] for code in decisions.grids.codes]
    codes, number = np.unique(np.array(stems, dtype=object), return_counts=True)
    return result("max_999_grids", codes.tolist(), number > MOST_GRIDS, number.astype(np.float64))
