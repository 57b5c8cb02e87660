"""Tiles of the layers of a version, as far as a scope reaches."""

from __future__ import annotations

from collections.abc import Iterable

from gridmap.store.reading.layers import LayerReader
from gridmap.store.tiles.attributes import CELLS, TILED
from gridmap.store.tiles.from_postgis import PostgisTiles
from gridmap.store.tiles.from_sqlite import SqliteTiles
from gridmap.store.tiles.scale import CellScale, cell_scale
from gridmap.store.tiles.scheme import Tile


class TileReader:
    """Tiles of the layers that a reader reads.

    Every feature that meets a tile, its buffer included, is in it. At zooms at which a tile would hold too many
    cells, hexagons stand for them, with their sums; ``scale`` tells which. Raises what a ``LayerReader`` raises.
    """

    def __init__(self, reader: LayerReader) -> None:
        self._reader = reader

    def scale(self) -> CellScale:
        """Find out what stands for cells at each zoom."""
        with self._reader.at_once() as reader:
            return cell_scale(reader)

    def tile(self, tile: Tile, layers: Iterable[str] = TILED) -> bytes:
        """Write a tile, Mapbox vector tile version 2; nothing where it holds no feature.

        Parameters
        ----------
        tile : one that the scheme has
        layers : names of layers, of ``gridmap.store.tiles.attributes.TILED``
        """
        with self._reader.steady() as reader:
            kind = SqliteTiles if reader.dialect == "sqlite" else PostgisTiles
            sums, tiles = cell_scale(reader).sums[tile.zoom], kind(reader, tile)
            return b"".join(tiles.of_sums(sums) if name == CELLS and sums else tiles.of_layer(name) for name in layers)
