"""From which zoom on tiles hold cells themselves, and which sums stand for them before."""

from __future__ import annotations

from dataclasses import dataclass

import h3.api.numpy_int as h3
from sqlalchemy import ColumnElement, distinct, false, func, select

from gridmap.store.kept import Kept
from gridmap.store.reading.layers import LayerReader
from gridmap.store.scope import Reach, in_areas
from gridmap.store.service_tables import cells_aggregate as table
from gridmap.store.tiles.aggregates import FEW_CELLS, FEW_HEXAGONS
from gridmap.store.tiles.scheme import FINEST_ZOOM, tile_m2

#: What is stored under one digest is always the same.
_KEPT = Kept()


@dataclass(frozen=True, slots=True)
class Sums:
    """Hexagons of a resolution that stand for cells; none is wider than ``width_deg``, degrees of longitude."""

    resolution: int
    width_deg: float


@dataclass(frozen=True, slots=True)
class CellScale:
    """What stands for cells at each zoom: sums, and None from the zoom on at which cells stand for themselves."""

    sums: tuple[Sums | None, ...]

    @property
    def first_zoom(self) -> int:
        """Zoom from which on tiles hold cells themselves."""
        return self.sums.index(None)


def of_reach(version_row: int, reach: Reach) -> list[ColumnElement[bool]]:
    """Conditions on the sums of a version in reach."""
    return [
        table.c.version_id == version_row,
        false() if reach.is_none else in_areas(table.c.area_code, reach.area_prefixes),
    ]


def cell_scale(reader: LayerReader) -> CellScale:
    """Find out from the cells in reach: a tile shall hold some thousand cells, or some hundred hexagons."""
    reach = reader.reach
    return _KEPT.get((reader.version.digest, reach), lambda: _found_out(reader, reach))


def _found_out(reader: LayerReader, reach: Reach) -> CellScale:
    with reader.at_once() as one:
        return _asked(one, reach)


def _asked(reader: LayerReader, reach: Reach) -> CellScale:
    of_resolution = select(
        table.c.resolution,
        func.count(distinct(table.c.hexagon)),
        func.sum(table.c.cells),
        func.max(table.c.east - table.c.west),
        func.min(table.c.south) + func.max(table.c.north),
    ).where(*of_reach(reader.version.row, reach))
    rows = reader.connection.execute(of_resolution.group_by(table.c.resolution)).fetchall()
    if not rows:
        return CellScale((None,) * (FINEST_ZOOM + 1))
    rows = sorted(rows, key=lambda one: -one[0])
    cells, lat = float(rows[0][2]), float(rows[0][4]) / 2
    ground_m2 = rows[0][1] * h3.average_hexagon_area(rows[0][0], unit="m^2")

    def of_zoom(zoom: int) -> Sums | None:
        share = min(1.0, tile_m2(zoom, lat) / ground_m2)
        if cells * share <= FEW_CELLS:
            return None
        fitting = [one for one in rows if one[1] * share <= FEW_HEXAGONS] or rows[-1:]
        return Sums(fitting[0][0], fitting[0][3])

    return CellScale(tuple(of_zoom(zoom) for zoom in range(FINEST_ZOOM + 1)))
