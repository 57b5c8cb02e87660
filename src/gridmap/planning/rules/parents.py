"""Parents: the areas whose borders no grid was to cross."""

from __future__ import annotations

import numpy as np

from gridmap.planning.decisions import Decisions
from gridmap.planning.service.reach import Rows
from gridmap.planning.territory.drawing import parent_level


def parents_of_cells(decisions: Decisions) -> Rows:
    """(n,) int64: number of the parent each cell lies in, -1 for none; 0 for all where no such level is given."""
    level = parent_level(decisions.settings.grids, decisions.hierarchy, decisions.units.kind)
    if level is None:
        return np.zeros(len(decisions.ground), dtype=np.int64)
    return decisions.hierarchy.ancestors(level)[decisions.ground.area]


def parents_of_grids(decisions: Decisions) -> Rows:
    """(g,) int64: number of the parent each grid lies in, -1 where it lies in several or in none."""
    grids, row = decisions.grids, parents_of_cells(decisions)
    low, high = np.full(len(grids), np.iinfo(np.int64).max), np.full(len(grids), -1, dtype=np.int64)
    np.minimum.at(low, grids.of_cell, row)
    np.maximum.at(high, grids.of_cell, row)
    return np.where(low == high, high, -1)
