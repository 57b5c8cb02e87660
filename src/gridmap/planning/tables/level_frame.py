"""All levels of a plan in one frame: areas, super-grids, grids and sub-grids, each with the set that holds it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.geometry.lattice import Geometries
from gridmap.planning.decisions import Decisions
from gridmap.planning.groups import counts, sums
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.service.reach import Rows
from gridmap.planning.tables.frame_columns import CRS, geographic, text
from gridmap.planning.tables.shape_figures import hole_counts, part_counts
from gridmap.planning.territory.nesting import GRID, SUB, SUPER, LevelSet, level_sets


def level_frame(decisions: Decisions) -> gpd.GeoDataFrame:
    """One row a set of cells, widest level first, then by code; WGS 84 degrees on the lattice.

    Columns: ``code``, ``name``, ``level`` (``county``, ``township``, ``village``, ``super``, ``grid``, ``sub``),
    ``parent_code`` (of the next wider set that holds it, missing where none does), ``area_m2``, ``demand``, ``cells``,
    ``grids`` (that lie in it whole, itself included), ``parts``, ``holes``, ``geometry``. Geometries are put together
    from the cells, so that all levels share their borders point for point; ``area_m2``, ``demand`` and ``cells`` are
    sums over the cells, and exact: the rows that make up a wider one add up to its figures bit for bit.
    """
    levels = level_sets(decisions)
    grid_of_cell = decisions.grids.of_cell
    frames = []
    for sets in levels:
        held = np.flatnonzero(sets.of_cell >= 0)
        member, count = sets.of_cell[held], len(sets)
        shapes = level_shapes(decisions, sets)
        frames.append(
            geographic(
                shapes,
                code=text(sets.codes),
                name=text(sets.names),
                level=text([sets.level] * count),
                parent_code=text(_parent_codes(sets, levels)),
                area_m2=sums(member, decisions.ground.area_m2[held], count),
                demand=sums(member, decisions.demand.value[held], count),
                cells=sets.cells,
                grids=grids_within(sets.of_cell, count, grid_of_cell, len(decisions.grids)),
                parts=part_counts(shapes),
                holes=hole_counts(shapes),
            )
        )
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=CRS)


def _parent_codes(sets: LevelSet, levels: tuple[LevelSet, ...]) -> list[str | None]:
    pairs = zip(sets.parent_level.tolist(), sets.parent.tolist(), strict=True)
    return [levels[above].codes[row] if above >= 0 else None for above, row in pairs]


def level_shapes(decisions: Decisions, sets: LevelSet) -> Geometries:
    """(k,) ground of each set, lattice frame, from the cells; of an area that holds none, as it was given."""
    grids = decisions.grids
    if sets.level == GRID:
        return grids.shape
    if sets.level == SUB and grids.sub is not None:
        return grids.sub.shape
    if sets.level == SUPER and grids.above is not None:
        return grids.above.shape
    areas = next(areas for areas in decisions.hierarchy.levels if areas.level.value == sets.level)
    held = sets.cells > 0
    place = np.where(held, np.cumsum(held) - 1, -1)
    shapes = areas.geometry.copy()
    of_cell = np.where(sets.of_cell >= 0, place[sets.of_cell], -1)
    shapes[held] = dissolve(decisions.ground.geometry, of_cell, int(held.sum()))
    return shapes


def grids_within(of_cell: Rows, count: int, grid_of_cell: Rows, grids: int) -> Rows:
    """(count,) int64: grids all of whose cells lie in one and the same set, counted by set."""
    low, high = np.full(grids, count, dtype=np.int64), np.full(grids, -1, dtype=np.int64)
    np.minimum.at(low, grid_of_cell, of_cell)
    np.maximum.at(high, grid_of_cell, of_cell)
    whole = (low == high) & (low >= 0)
    return counts(low[whole], count)
