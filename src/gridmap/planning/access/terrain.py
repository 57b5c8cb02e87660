"""The ground of a plan as arrays, read back from its frames: what stays when service changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap.domain.kinds import AreaLevel, SettlementClass
from gridmap.domain.plan import Plan
from gridmap.geometry.chain import edges_of
from gridmap.geometry.lattice import geometries_to_units
from gridmap.geometry.partition import adjacent
from gridmap.planning.groups import sums
from gridmap.planning.land.ground import CLASSES, Ground
from gridmap.planning.service.reach import Floats, Rows
from gridmap.planning.territory.codes import is_administrative

#: Name of the grouping by responsibility grids, and of that by settlement class.
GRID, SETTLEMENT = "grid", "settlement"


@dataclass(frozen=True, slots=True)
class Groups:
    """Cells by the place they lie in.

    Attributes
    ----------
    level : ``county``, ``township``, ``village``, ``grid`` or ``settlement``
    codes : (k,) str
    of_cell : (n,) int64, row of ``codes``, -1 for none
    """

    level: str
    codes: tuple[str, ...]
    of_cell: Rows

    def total(self, value: Floats) -> Floats:
        """(k,) float64: sum of a figure of cells over each group."""
        inside = self.of_cell >= 0
        return sums(self.of_cell[inside], value[inside], len(self.codes))


@dataclass(frozen=True)
class Terrain:
    """Cells of a plan, their demand, and the places they lie in.

    Attributes
    ----------
    ground : the cells, as the plan was decided on
    demand : (n,) float64; area where the plan has no demand
    stands_in : whether it is area
    county : (n,) int64, number of the county of each cell
    groups : by area level, widest first, then by grid, then by settlement class
    settlement_of_area : class of each area by code, where known
    """

    ground: Ground
    demand: Floats
    stands_in: bool
    county: Rows
    groups: tuple[Groups, ...]
    settlement_of_area: dict[str, SettlementClass]

    @classmethod
    def of(cls, plan: Plan) -> Terrain:
        """Terrain of a plan, made or loaded."""
        cells = plan.cells
        shapes = geometries_to_units(cells.geometry.to_numpy())
        pairs, shared_m = adjacent(edges_of(shapes))
        code = cells["area_code"].astype(str).to_numpy(dtype=object)
        codes, area = np.unique(code, return_inverse=True)
        ground = Ground(
            np.array([int(cell, 16) for cell in cells["cell_id"]], dtype=np.uint64),
            area.reshape(-1).astype(np.int64),
            pd.factorize(cells["unit_code"])[0].astype(np.int64),
            shapes,
            pairs,
            shared_m,
            shared_m,
            np.array([CLASSES.index(SettlementClass(name)) for name in cells["settlement"]], dtype=np.int64),
        )
        levels = _levels(plan, codes)
        by_level = tuple(Groups(level, names, row[ground.area]) for level, names, row in levels)
        grids, of_grid = np.unique(cells["grid_code"].astype(str).to_numpy(dtype=object), return_inverse=True)
        by_class = Groups(SETTLEMENT, tuple(one.value for one in CLASSES), ground.settlement)
        by_grid = Groups(GRID, tuple(grids.tolist()), of_grid.reshape(-1).astype(np.int64))
        known = zip(plan.areas["area_code"], plan.areas["settlement"], strict=True)
        return cls(
            ground,
            cells["demand"].to_numpy(dtype=np.float64),
            bool(plan.indicators["demand"]["stands_in"]),
            by_level[0].of_cell if by_level[0].level == AreaLevel.COUNTY else _counties(codes)[ground.area],
            (*by_level, by_grid, by_class),
            {str(one): SettlementClass(value) for one, value in known if isinstance(value, str)},
        )

    def by(self, level: str) -> Groups | None:
        """Return the groups of one level, None where the plan has none."""
        return next((groups for groups in self.groups if groups.level == level), None)

    @property
    def lowest(self) -> Groups:
        """Cells by area of the lowest level."""
        return [groups for groups in self.groups if groups.level not in (GRID, SETTLEMENT)][-1]

    def locate(self, lon: Floats, lat: Floats) -> Rows:
        """Row of the cell that holds each place, degrees; -1 outside."""
        return self.ground.locate(np.column_stack([lon, lat]))


def _levels(plan: Plan, lowest: NDArray[np.object_]) -> list[tuple[str, tuple[str, ...], Rows]]:
    """Levels of areas, widest first, with the row of the area that holds each of ``lowest``."""
    level_of = dict(zip(plan.areas["area_code"].astype(str), plan.areas["level"], strict=True))
    parent = {
        str(code): str(above)
        for code, above in zip(plan.areas["area_code"], plan.areas["parent_code"], strict=True)
        if isinstance(above, str)
    }
    chains = [{str(level_of.get(one)): one for one in _upwards(str(code), parent)} for code in lowest]
    found = []
    for level in AreaLevel:
        codes = tuple(sorted({str(code) for code, at in level_of.items() if at == level}))
        row_of = {code: row for row, code in enumerate(codes)}
        if codes:
            rows = [row_of.get(chain.get(level.value, ""), -1) for chain in chains]
            found.append((level.value, codes, np.array(rows, dtype=np.int64)))
    return found


def _upwards(code: str, parent: dict[str, str]) -> list[str]:
    chain = [code]
    while chain[-1] in parent and len(chain) <= len(AreaLevel):
        chain.append(parent[chain[-1]])
    return chain


def _counties(codes: NDArray[np.object_]) -> Rows:
    """(k,) int64: number of each lowest area's county by six digits of code."""
    digits = AreaLevel.COUNTY.digits
    county = [str(code)[:digits] if is_administrative(str(code)) else "" for code in codes]
    return np.asarray(np.unique(county, return_inverse=True)[1].reshape(-1), dtype=np.int64)
