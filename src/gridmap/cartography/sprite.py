"""Symbols and hatchings as one picture, which maps cut them out of."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.cartography.symbols import HATCHINGS, SYMBOLS, Hatching, Symbol

Picture = NDArray[np.float64]
#: Points looked at along each side of a pixel.
_FINE = 4
_EDGE_PX = 1.5
_LIGHT = (1.0, 1.0, 1.0)


@cache
def sprite(ratio: int) -> tuple[dict[str, Any], bytes]:
    """Index of the symbols, and their picture, PNG.

    Parameters
    ----------
    ratio : pixels of the picture to one of a screen of plain density
    """
    pictures = {symbol.kind.value: _of_symbol(symbol, ratio) for symbol in SYMBOLS.values()}
    pictures |= {hatching.name: _of_hatching(hatching, ratio) for hatching in HATCHINGS}
    height = max(picture.shape[0] for picture in pictures.values())
    sheet = np.zeros((height, sum(picture.shape[1] for picture in pictures.values()), 4))
    index, left = {}, 0
    for name, picture in pictures.items():
        rows, columns = picture.shape[:2]
        sheet[:rows, left : left + columns] = picture
        index[name] = {"x": left, "y": 0, "width": columns, "height": rows, "pixelRatio": ratio}
        left += columns
    return index, _png(sheet)


def _of_symbol(symbol: Symbol, ratio: int) -> Picture:
    radius = symbol.radius_px * ratio
    side = int(np.ceil(2 * (1.25 * radius + _EDGE_PX * ratio))) + 1
    shape = shapely.Polygon(np.array(symbol.ring) * radius + side / 2)
    edge = _covered(shape.buffer(_EDGE_PX * ratio, join_style="mitre"), side)
    inside = _covered(shape, side)[..., None]
    colour = inside * _rgb(symbol.colour) + (1 - inside) * _LIGHT
    return np.concatenate([colour, edge[..., None]], axis=-1)


def _of_hatching(hatching: Hatching, ratio: int) -> Picture:
    side, width = hatching.spacing_px * ratio, hatching.width_px * ratio
    sign = 1 if hatching.is_rising else -1
    ends = [
        shapely.LineString([(-side, sign * (shift + side)), (2 * side, sign * (shift - 2 * side))])
        for shift in range(-3 * side, 4 * side, side)
    ]
    lines = shapely.union_all([line.buffer(width / 2) for line in ends])
    covered = _covered(lines, side)
    return np.concatenate([np.broadcast_to(_rgb(hatching.colour), (side, side, 3)), covered[..., None]], axis=-1)


def _covered(shape: shapely.Geometry, side: int) -> Picture:
    """Share of each pixel that a shape covers."""
    shapely.prepare(shape)
    places = (np.arange(side * _FINE) + 0.5) / _FINE
    x, y = np.meshgrid(places, places)
    inside = shapely.contains_xy(shape, x.ravel(), y.ravel()).reshape(side, _FINE, side, _FINE)
    return np.asarray(inside.mean(axis=(1, 3)))


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])


def _png(picture: Picture) -> bytes:
    pixels = np.rint(picture * 255).astype(np.uint8)
    rows, columns = pixels.shape[:2]
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), pixels.reshape(rows, -1)], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
