"""Layers of Mapbox vector tiles, version 2, written from arrays."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.store.tiles.scheme import EXTENT

Indices = NDArray[np.int64]
_POINT, _POLYGON = 1, 3
_MOVE_TO, _LINE_TO, _CLOSE = 1, 2, 7


def layer_bytes(
    name: str, fids: Sequence[int], names: Sequence[str], columns: Sequence[Sequence[Any]], shapes: NDArray[np.object_]
) -> bytes:
    """Encode a layer as a field of a tile; nothing for no features.

    Parameters
    ----------
    fids : (n,) identifiers of the features; empty for none
    names, columns : attributes, a list of n values each: text, numbers, bools; None for none
    shapes : (n,) points or polygons, of several parts or one, on whole units of the tile
    """
    if not len(shapes):
        return b""
    tags, values = _tags(columns, len(shapes))
    geometries = _geometries(shapes)
    features = []
    for row, (kind, commands) in enumerate(geometries):
        identifier = b"\x08" + _varint(fids[row]) if fids else b""
        body = identifier + _field(0x12, tags[row]) + bytes((0x18, kind)) + _field(0x22, commands)
        features.append(_field(0x12, body))
    parts = [
        b"\x78\x02",
        _field(0x0A, name.encode()),
        *features,
        *(_field(0x1A, one.encode()) for one in names),
        *(_field(0x22, one) for one in values),
        b"\x28" + _varint(EXTENT),
    ]
    return _field(0x1A, b"".join(parts))


def _field(key: int, content: bytes) -> bytes:
    return bytes((key,)) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _tags(columns: Sequence[Sequence[Any]], count: int) -> tuple[list[bytes], list[bytes]]:
    """Attributes of each feature as numbers of names and values, and the values, each once."""
    numbers: dict[tuple[type, Any], int] = {}
    tags: list[list[bytes]] = [[] for _ in range(count)]
    for place, column in enumerate(columns):
        key = _varint(place)
        for row, value in enumerate(column):
            if value is not None:
                number = numbers.setdefault((type(value), value), len(numbers))
                tags[row].append(key + _varint(number))
    return [b"".join(one) for one in tags], [_value(value) for _, value in numbers]


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _field(0x0A, value.encode())
    if isinstance(value, bool):
        return b"\x38\x01" if value else b"\x38\x00"
    if isinstance(value, float):
        return b"\x19" + struct.pack("<d", value)
    return b"\x28" + _varint(value) if value >= 0 else b"\x30" + _varint(-2 * value - 1)


def _geometries(shapes: NDArray[np.object_]) -> Iterable[tuple[int, bytes]]:
    """Type and commands of each geometry."""
    kinds = np.where(shapely.get_dimensions(shapes) == 0, _POINT, _POLYGON)
    commands: list[bytes] = [b""] * len(shapes)
    for kind, encode in ((_POINT, _point_commands), (_POLYGON, _polygon_commands)):
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            for row, found in zip(rows.tolist(), encode(shapes[rows]), strict=True):
                commands[row] = found
    return zip(kinds.tolist(), commands, strict=True)


def _point_commands(shapes: NDArray[np.object_]) -> list[bytes]:
    xy, feature = shapely.get_coordinates(shapes, return_index=True)
    counts = np.bincount(feature, minlength=len(shapes))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    steps = _zigzag(_steps(xy.astype(np.int64), starts))
    numbers = np.insert(steps.ravel(), 2 * starts, counts << 3 | _MOVE_TO)
    return _split(numbers, 2 * counts + 1)


def _polygon_commands(shapes: NDArray[np.object_]) -> list[bytes]:
    polygons, feature_of = shapely.get_parts(shapes, return_index=True)
    areal = shapely.get_dimensions(polygons) == 2
    polygons, feature_of = polygons[areal], feature_of[areal]
    # Outer rings run clockwise as drawn, with y down that is what shapely calls counter-clockwise.
    polygons = shapely.orient_polygons(polygons, exterior_cw=False)
    rings, polygon_of = shapely.get_rings(polygons, return_index=True)
    sound = shapely.area(shapely.polygons(rings)) > 0
    rings, feature = rings[sound], feature_of[polygon_of[sound]]
    closed, ring_of = shapely.get_coordinates(rings, return_index=True)
    # The last corner of a ring is its first, and rounding made one of some.
    ends = np.append(ring_of[1:] != ring_of[:-1], True)
    repeated = np.append((closed[1:] == closed[:-1]).all(axis=1), False)
    kept = ~(ends | repeated)
    xy, ring_of = closed[kept].astype(np.int64), ring_of[kept]
    sizes = np.bincount(ring_of, minlength=len(rings))
    ring_starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    first_rings = np.flatnonzero(np.append(True, feature[1:] != feature[:-1]))
    steps = _zigzag(_steps(xy, ring_starts[first_rings]))
    # Of a ring of n corners: 1 command, 2 numbers, 1 command, 2 (n - 1) numbers, 1 command.
    at = np.concatenate([2 * ring_starts, 2 * ring_starts + 2, 2 * (ring_starts + sizes)])
    commands = np.concatenate(
        [np.full(len(rings), 1 << 3 | _MOVE_TO), (sizes - 1) << 3 | _LINE_TO, np.full(len(rings), 1 << 3 | _CLOSE)]
    )
    # Where a ring ends another begins: the end is written first.
    order = np.lexsort((np.repeat([1, 1, 0], len(rings)), at))
    numbers = np.insert(steps.ravel(), at[order], commands[order])
    return _split(numbers, np.bincount(feature, weights=2 * sizes + 3, minlength=len(shapes)).astype(np.int64))


def _steps(xy: Indices, starts: Indices) -> Indices:
    """Differences of points from those before them; the first of a feature counts from the corner of the tile."""
    steps = np.diff(xy, axis=0, prepend=np.zeros((1, 2), np.int64))
    steps[starts] = xy[starts]
    return steps


def _zigzag(numbers: Indices) -> Indices:
    return (numbers << 1) ^ (numbers >> 63)


def _split(numbers: Indices, counts: Indices) -> list[bytes]:
    """Varints of runs of so many numbers each."""
    lengths = 1 + (numbers >= 1 << 7) + (numbers >= 1 << 14) + (numbers >= 1 << 21) + (numbers >= 1 << 28)
    ends = np.cumsum(lengths)
    written = np.zeros(int(ends[-1]), np.uint8)
    for place in range(int(lengths.max())):
        there = lengths > place
        more = np.where(lengths[there] > place + 1, 0x80, 0)
        written[(ends - lengths)[there] + place] = (numbers[there] >> (7 * place) & 0x7F) | more
    borders = np.concatenate([[0], ends[np.cumsum(counts) - 1]]).tolist()
    whole = written.tobytes()
    return [whole[start:end] for start, end in itertools.pairwise(borders)]
