"""Base units: what grids are made of and never cut: areas, blocks between roads, carved grounds, open ground."""

from __future__ import annotations

from dataclasses import dataclass

from gridmap.domain.kinds import BaseUnitKind
from gridmap.geometry.lattice import Geometries
from gridmap.planning.reach import Rows


@dataclass(frozen=True)
class BaseUnits:
    """Polygons that tile the lowest-level areas exactly, by area, then in the order of their codes.

    Attributes
    ----------
    codes : (u,) str, distinct: the area's code where the area is one unit, else ``AREA-B001`` (blocks),
        ``AREA-C001`` (open ground divided by its cells), ``AREA-D001`` (dedicated), ``AREA-L001`` (locked), numbered
        west to east, then north to south
    area : (u,) int64, row of the lowest-level area each lies in
    kind : (u,) BaseUnitKind
    carved : (u,) int64, row of the dedicated or locked ground it is of, -1 for others
    geometry : (u,) polygons or multipolygons, lattice frame
    """

    codes: tuple[str, ...]
    area: Rows
    kind: tuple[BaseUnitKind, ...]
    carved: Rows
    geometry: Geometries

    def __len__(self) -> int:
        """Count of the units."""
        return len(self.codes)
