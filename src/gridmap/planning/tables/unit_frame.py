"""Base units of a plan as a frame."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from gridmap.planning.decisions import Decisions
from gridmap.planning.groups import counts
from gridmap.planning.service.reach import Rows
from gridmap.planning.tables.frame_columns import geographic, looked_up, settlement_names, text


def unit_frame(decisions: Decisions) -> gpd.GeoDataFrame:
    """Show base units, by lowest-level area, then by code.

    ``grid_code`` is missing where several grids share a unit: open ground, whose cells are what is never cut.
    """
    units, groups = decisions.units, decisions.unit_groups
    return geographic(
        units.geometry,
        unit_code=text(units.codes),
        area_code=looked_up(decisions.hierarchy.lowest.codes, units.area),
        kind=text(kind.value for kind in units.kind),
        grid_code=looked_up(decisions.grids.codes, grid_of_unit(decisions)),
        area_m2=groups.area_m2,
        demand=groups.demand,
        cells=counts(decisions.ground.unit, len(units)),
        settlement=settlement_names(groups.settlement),
    )


def grid_of_unit(decisions: Decisions) -> Rows:
    """(u,) int64: the grid that holds each base unit whole, -1 where its cells lie in several."""
    unit, grid, count = decisions.ground.unit, decisions.grids.of_cell, len(decisions.units)
    lowest = np.full(count, np.iinfo(np.int64).max)
    highest = np.full(count, -1)
    np.minimum.at(lowest, unit, grid)
    np.maximum.at(highest, unit, grid)
    return np.where(lowest == highest, highest, -1)
