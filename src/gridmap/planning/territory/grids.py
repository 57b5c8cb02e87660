"""The grids of a plan as arrays, with the levels generated below and above them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridmap.domain.kinds import GridKind
from gridmap.geometry.lattice import Geometries
from gridmap.planning.districting.task import Shortfall
from gridmap.planning.service.reach import Flags, Floats, Rows


@dataclass(frozen=True)
class SubGrids:
    """Sub-grids (小网格) inside large grids, by ascending code.

    Attributes
    ----------
    of_cell : (n,) int64, sub-grid of each cell, -1 in grids that are not divided
    codes : (s,) str, fifteen digits, distinct from those of the grids
    grid : (s,) int64, the grid each divides
    shape : (s,) polygons or multipolygons, lattice frame
    """

    of_cell: Rows
    codes: tuple[str, ...]
    grid: Rows
    shape: Geometries

    def __len__(self) -> int:
        """Count of the sub-grids."""
        return len(self.codes)


@dataclass(frozen=True)
class SuperGrids:
    """Super-grids (大网格) over small grids, by ascending code.

    Attributes
    ----------
    of_grid : (g,) int64, super-grid of each grid, -1 for grids of none
    codes : (s,) str, fifteen digits, distinct from those of the grids
    level, home : (s,) int64, as of ``Grids``
    shape : (s,) polygons or multipolygons, lattice frame
    """

    of_grid: Rows
    codes: tuple[str, ...]
    level: Rows
    home: Rows
    shape: Geometries

    def __len__(self) -> int:
        """Count of the super-grids."""
        return len(self.codes)


@dataclass(frozen=True)
class Grids:
    """Grids of a plan, by ascending code.

    Attributes
    ----------
    of_cell : (n,) int64, grid of each cell
    codes : (g,) str
    names : (g,) str
    kind : (g,) GridKind
    locked : (g,) bool, its shape and code come from an earlier plan
    level : (g,) int64, row in ``Hierarchy.levels`` of the lowest level of which one area holds the whole grid, -1 where
        no area does
    home : (g,) int64, row of that area in its level, -1 where none does
    shape : (g,) polygons or multipolygons, lattice frame
    target : (g,) float64, demand it was to hold, NaN where nothing was asked
    anchor : (g,) int64, facility row of the outlet it was drawn round, -1 without one
    shortfalls : what was asked for and cannot be; ``district`` is the grid, ``unit`` a base unit (row of ``BaseUnits``)
    bound : least possible largest deviation that was proved, as a share, 0 where nothing was
    retired : codes of grids before this plan that are never given again, ascending
    """

    of_cell: Rows
    codes: tuple[str, ...]
    names: tuple[str, ...]
    kind: tuple[GridKind, ...]
    locked: Flags
    level: Rows
    home: Rows
    shape: Geometries
    target: Floats
    anchor: Rows
    shortfalls: tuple[Shortfall, ...] = ()
    bound: float = 0.0
    retired: tuple[str, ...] = ()
    sub: SubGrids | None = field(default=None)
    above: SuperGrids | None = field(default=None)

    def __len__(self) -> int:
        """Count of the grids."""
        return len(self.codes)

    @property
    def dedicated(self) -> Flags:
        """(g,) bool: carved out as a grid of its own."""
        return np.array([kind is GridKind.DEDICATED for kind in self.kind], dtype=np.bool_)
