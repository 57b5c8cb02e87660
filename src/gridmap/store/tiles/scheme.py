"""The tiling scheme WebMercatorQuad: where tiles lie, in degrees and in units of a tile."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan, cos, degrees, pi, radians, sinh
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.store.protocols import Box

#: Finest matrix of the scheme.
FINEST_ZOOM = 24
#: From here on maps may draw tiles larger: a unit of a tile is 15 cm on the equator.
DRAWN_ZOOM = 16
#: Units along the side of a tile, and how many beyond it features are cut off.
EXTENT, BUFFER = 4096, 64
_RADIUS_M = 6_378_137.0


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: rows count from the north, columns from the antimeridian."""

    zoom: int
    row: int
    column: int

    @property
    def is_there(self) -> bool:
        """Whether the scheme has such a tile."""
        return 0 <= self.zoom <= FINEST_ZOOM and 0 <= self.row < 1 << self.zoom and 0 <= self.column < 1 << self.zoom

    @property
    def box(self) -> Box:
        """Bounds in degrees, the buffer included."""
        margin, side = BUFFER / EXTENT, 1 << self.zoom
        west, east = (360 * (self.column + step) / side - 180 for step in (-margin, 1 + margin))
        north, south = (_latitude((self.row + step) / side) for step in (-margin, 1 + margin))
        return Box(west, south, east, north)

    def units(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Degrees to units of the tile, right and down from its corner in the north-west.

        Parameters
        ----------
        lonlat : (n, 2)
        """
        side = EXTENT * (1 << self.zoom)
        x = (lonlat[:, 0] / 360 + 0.5) * side - EXTENT * self.column
        y = (0.5 - np.arctanh(np.sin(np.radians(lonlat[:, 1]))) / (2 * pi)) * side - EXTENT * self.row
        return np.column_stack([x, y])


def tile_at(zoom: int, lon: float, lat: float) -> Tile:
    """Tile of a zoom that holds a place, or is nearest to it."""
    x, y = Tile(0, 0, 0).units(np.array([[lon, lat]]))[0] / EXTENT * (1 << zoom)
    column, row = (int(min(max(place, 0), (1 << zoom) - 1)) for place in (x, y))
    return Tile(zoom, row, column)


def _latitude(down: float) -> float:
    """Latitude at a share of the way down the square."""
    return degrees(atan(sinh(pi * (1 - 2 * down))))


def tile_m2(zoom: int, lat: float) -> float:
    """Ground that a tile at a latitude holds, square metres on the sphere."""
    return (2 * pi * _RADIUS_M * cos(radians(lat)) / (1 << zoom)) ** 2


def matrix_set() -> dict[str, Any]:
    """Define the scheme as OGC's Two Dimensional Tile Matrix Set has it."""
    half = pi * _RADIUS_M
    pixels = 256
    matrices = [
        {
            "id": str(zoom),
            "scaleDenominator": 2 * half / pixels / 0.00028 / (1 << zoom),
            "cellSize": 2 * half / pixels / (1 << zoom),
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": [-half, half],
            "tileWidth": pixels,
            "tileHeight": pixels,
            "matrixWidth": 1 << zoom,
            "matrixHeight": 1 << zoom,
        }
        for zoom in range(FINEST_ZOOM + 1)
    ]
    return {
        "id": "WebMercatorQuad",
        "title": "Google Maps Compatible for the World",
        "uri": "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    }
