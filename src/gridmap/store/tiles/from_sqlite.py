"""Tiles of an SQLite file, encoded here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely
from sqlalchemy import select

from gridmap.domain.layers import LAYER_BY_NAME, Column, ColumnType
from gridmap.store.boxes import box_shape
from gridmap.store.models import FID, GEOMETRY, layer_tables
from gridmap.store.reading.boxes import Boxes
from gridmap.store.reading.layers import LayerReader
from gridmap.store.tiles.attributes import CELLS, OF_AGGREGATES, attributes_of, selected
from gridmap.store.tiles.encoding import layer_bytes
from gridmap.store.tiles.scale import Sums
from gridmap.store.tiles.scheme import Tile
from gridmap.store.tiles.shapes import placed
from gridmap.store.tiles.sums import hexagons


class SqliteTiles:
    """Layers of one tile."""

    def __init__(self, reader: LayerReader, tile: Tile) -> None:
        self._reader, self._connection, self._tile = reader, reader.connection, tile

    def of_layer(self, name: str) -> bytes:
        """Encode the features of a layer."""
        source = self._reader.source(LAYER_BY_NAME[name])
        areas = self._reader.source(LAYER_BY_NAME["areas"])
        wanted = select(*selected(name, source, areas), source.c[GEOMETRY])
        near = Boxes(self._connection, layer_tables[name], source, self._reader.version.row).is_near(self._tile.box)
        rows = self._connection.execute(wanted.where(near).order_by(source.c[FID])).fetchall()
        return self._encoded(name, attributes_of(name), rows, has_fids=True)

    def of_sums(self, sums: Sums) -> bytes:
        """Encode the hexagons that stand for cells."""
        rows = self._connection.execute(hexagons(self._reader, sums, *self._tile.box)).fetchall()
        return self._encoded(CELLS, OF_AGGREGATES, rows, has_fids=False)

    def _encoded(self, name: str, attributes: Sequence[Column], rows: Sequence[Any], *, has_fids: bool) -> bytes:
        shapes = shapely.from_wkb([row[-1] for row in rows])
        # The index holds single floats, rounded outwards: who meets the tile is settled here, as PostGIS does.
        box = box_shape(self._tile.box)
        shapely.prepare(box)
        meets = shapely.intersects(box, shapes)
        met = [row for row, is_in in zip(rows, meets.tolist(), strict=True) if is_in]
        if not met:
            return b""
        held = [list(values) for values in zip(*met, strict=True)]
        columns = [
            [None if value is None else float(value) for value in values] if one.type is ColumnType.NUMBER else values
            for one, values in zip(attributes, held[int(has_fids) :], strict=False)
        ]
        names = [one.name for one in attributes]
        return layer_bytes(name, held[0] if has_fids else [], names, columns, placed(shapes[meets], self._tile))
