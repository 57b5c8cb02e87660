"""Tiles read back, by a library that has nothing of ours in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mapbox_vector_tile
import shapely
from shapely.geometry import shape

from gridmap.store.protocols import Box
from gridmap.store.tiles.scheme import FINEST_ZOOM, Tile, tile_at


@dataclass(frozen=True)
class Drawn:
    """A feature of a tile; its geometry is in units of the tile, y down."""

    fid: int | None
    properties: dict[str, Any]
    geometry: shapely.Geometry


def decoded(content: bytes) -> dict[str, list[Drawn]]:
    """Features of a tile by layer."""
    layers = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True}) if content else {}
    for layer in layers.values():
        assert (layer["extent"], layer["version"]) == (4096, 2)
    return {
        name: [Drawn(one.get("id"), one["properties"], shape(one["geometry"])) for one in layer["features"]]
        for name, layer in layers.items()
    }


def tiles_over(zoom: int, box: Box) -> Iterator[Tile]:
    """Tiles of a zoom that cover a box."""
    assert zoom <= FINEST_ZOOM
    first, last = tile_at(zoom, box.west, box.north), tile_at(zoom, box.east, box.south)
    for row in range(first.row, last.row + 1):
        for column in range(first.column, last.column + 1):
            yield Tile(zoom, row, column)
