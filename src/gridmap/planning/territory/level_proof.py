"""Prove every level of a plan: that its members tile the same ground as the cells do."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridmap.geometry.chain import Edges
from gridmap.geometry.lattice import Geometries
from gridmap.geometry.nesting import prove_levels
from gridmap.planning.decisions import Decisions
from gridmap.planning.tables.level_frame import level_shapes
from gridmap.planning.territory.nesting import GRID, LevelSet, level_sets


def proof_of_levels(decisions: Decisions, border: Edges) -> list[dict[str, Any]]:
    """Entries of ``certificate.levels``, widest level first.

    Grids that lie in no super-grid, or have no sub-grids, stand in that level for themselves. A level of areas that
    does not hold all the ground has no entry.

    Parameters
    ----------
    border : what the pieces of each area leave over (``Partition.border``)

    Raises
    ------
    ProofFailed
        If the members of a level overlap or leave something out.
    """
    levels = level_sets(decisions)
    grids = next(sets for sets in levels if sets.level == GRID)
    drawn = [sets.level for sets in levels].index(GRID) - (decisions.grids.above is not None)
    shapes = {sets.level: level_shapes(decisions, sets) for sets in levels}
    tiling = []
    for number, sets in enumerate(levels):
        if number >= drawn:
            tiling.append(_with_grids(sets, grids, shapes))
        elif (sets.of_cell >= 0).all() and (sets.cells > 0).all():
            tiling.append((sets.level, sets.codes, shapes[sets.level]))
    return prove_levels(border, tiling)


def _with_grids(
    sets: LevelSet, grids: LevelSet, shapes: dict[str, Geometries]
) -> tuple[str, tuple[str, ...], Geometries]:
    """Members of a drawn level, and the grids that stand for themselves in it."""
    alone = np.unique(grids.of_cell[sets.of_cell < 0])
    codes = (*sets.codes, *(grids.codes[row] for row in alone.tolist()))
    return sets.level, codes, np.concatenate([shapes[sets.level], shapes[GRID][alone]])
