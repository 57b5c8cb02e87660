"""GeoJSON (RFC 7946) of any size, straight from the integer lattice: seven decimals, no more, no less.

A coordinate is written as the lattice has it: at most seven decimals, zeros at the end trimmed down to one decimal,
never an exponent (``111.2183421``, ``31.05``, ``-0.0000001``, ``110.0``). Reading the text and rounding to 1e-7 degree
gives the same integers, so a certificate survives the file. Shells run counter-clockwise, holes clockwise. One feature
stands on one line, and equal frames give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridmap.errors import StoreError
from gridmap.exports.beside import written_beside
from gridmap.exports.columns import plain_values
from gridmap.geometry.lattice import to_units

#: Features formatted at a time: bounds memory at about 100 MB, whatever the size of the frame.
BATCH = 50_000
DECIMALS = 7

_KINDS = {0: "Point", 3: "Polygon", 6: "MultiPolygon"}
#: Brackets around the positions of a geometry of each kind, beyond those of a position itself.
_DEPTH = {0: 0, 3: 2, 6: 3}


def write_geojson(path: Path, frames: Iterable[gpd.GeoDataFrame], *, layer: str) -> int:
    """Write frames, one after the other, as one FeatureCollection named ``layer``.

    Parameters
    ----------
    path
        File to write; it appears under its name only when it is whole.
    frames
        WGS 84 frames of points, polygons or multi-polygons with equal columns; lists become JSON arrays.
        Taken one at a time, so memory does not grow with their number.
    layer
        Member ``name`` of the collection; GIS programs show it as the layer's name.

    Returns
    -------
    int
        Number of features written.

    Raises
    ------
    StoreError
        If a geometry is of another kind, or the disk fails.
    UsageError
        If ``path`` cannot be written to.
    """
    count = 0
    with written_beside(path) as partial, partial.open("wb") as file:
        for text, features in collection_texts(frames, layer=layer):
            file.write(text)
            count += features
    return count


def collection_texts(
    frames: Iterable[gpd.GeoDataFrame], *, layer: str, datum: str | None = None
) -> Iterator[tuple[bytes, int]]:
    """Text of one FeatureCollection of frames, in pieces, each with the count of features in it.

    Parameters
    ----------
    frames, layer
        As ``write_geojson``.
    datum
        Member ``datum`` of the collection, where its coordinates are not WGS 84.
    """
    of_datum = b"" if datum is None else b',"datum":' + orjson.dumps(datum)
    yield b'{"type":"FeatureCollection","name":' + orjson.dumps(layer) + of_datum + b',"features":[', 0
    separator = b"\n"
    for frame in frames:
        for start in range(0, len(frame), BATCH):
            lines = list(feature_lines(frame.iloc[start : start + BATCH]))
            yield separator + b",\n".join(lines), len(lines)
            separator = b",\n"
    yield b"\n]}\n", 0


def feature_lines(frame: gpd.GeoDataFrame) -> Iterator[bytes]:
    """Each row as the JSON text of one feature."""
    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    columns = [plain_values(frame[name]) for name in names]
    rows = zip(*columns, strict=True) if columns else (() for _ in range(len(frame)))
    for row, geometry in zip(rows, geometry_texts(frame.geometry.to_numpy()), strict=True):
        properties = orjson.dumps(dict(zip(names, row, strict=True)))
        yield b'{"type":"Feature","properties":' + properties + b',"geometry":' + geometry + b"}"


def geometry_texts(geometries: NDArray[np.object_]) -> list[bytes]:
    """GeoJSON text of each geometry, ``null`` for one that is missing or empty.

    Parameters
    ----------
    geometries : (n,) shapely points, polygons or multi-polygons, WGS 84 degrees

    Notes
    -----
    All positions are formatted at once: the characters of every position lie in one row of a matrix, brackets
    included, and a mask keeps those that are needed.
    """
    texts = [b"null"] * len(geometries)
    present = np.flatnonzero(~(shapely.is_missing(geometries) | shapely.is_empty(geometries)))
    kinds = shapely.get_type_id(geometries[present])
    unknown = np.setdiff1d(kinds, list(_KINDS))
    if len(unknown):
        raise StoreError("exports.geometry_kind", kind=str(shapely.GeometryType(unknown[0]).name))
    for kind, name in _KINDS.items():
        rows = present[kinds == kind]
        if len(rows):
            head = f'{{"type":"{name}","coordinates":'.encode()
            for row, text in zip(rows.tolist(), _coordinates(geometries[rows], _DEPTH[kind]), strict=True):
                texts[row] = head + text + b"}"
    return texts


def _coordinates(geometries: NDArray[np.object_], depth: int) -> list[bytes]:
    """Text of the member ``coordinates`` of geometries of one kind."""
    if depth == 0:
        units = to_units(shapely.get_coordinates(geometries)).astype(np.int64)
        owners = [np.arange(len(units))]
    else:
        parts, feature_of_part = shapely.get_parts(shapely.orient_polygons(geometries), return_index=True)
        rings, part_of_ring = shapely.get_rings(parts, return_index=True)
        degrees, ring = shapely.get_coordinates(rings, return_index=True)
        units = to_units(degrees).astype(np.int64)
        part = part_of_ring[ring]
        owners = [feature_of_part[part], part, ring] if depth == 3 else [feature_of_part[part], ring]
    # A position opens a bracket for each level whose first one it is, and closes one where it is the last.
    firsts = [np.diff(owner, prepend=-1) != 0 for owner in owners]
    lasts = [np.append(first[1:], True) for first in firsts]
    opens = sum(first.astype(np.int64) for first in firsts) if depth else np.zeros(len(units), dtype=np.int64)
    closes = sum(last.astype(np.int64) for last in lasts) if depth else np.zeros(len(units), dtype=np.int64)
    text, ends = _positions(units, np.asarray(opens), np.asarray(closes), ~lasts[0])
    feature_ends = ends[lasts[0]].tolist()
    return [text[a:b] for a, b in zip([0, *feature_ends[:-1]], feature_ends, strict=True)]


def _positions(
    units: NDArray[np.int64], opens: NDArray[np.int64], closes: NDArray[np.int64], comma: NDArray[np.bool_]
) -> tuple[bytes, NDArray[np.int64]]:
    """Text of all positions with their brackets and commas, and the byte at which each one ends."""
    lon, lon_kept = _decimal(units[:, 0], 3)
    lat, lat_kept = _decimal(units[:, 1], 2)
    always = np.ones(len(units), dtype=bool)
    blocks = [
        *((b"[", opens > level) for level in range(3)),
        (b"[", always),
        (lon, lon_kept),
        (b",", always),
        (lat, lat_kept),
        (b"]", always),
        *((b"]", closes > level) for level in range(3)),
        (b",", comma),
    ]
    characters = np.concatenate(
        [np.full((len(units), 1), block[0], np.uint8) if isinstance(block, bytes) else block for block, _ in blocks],
        axis=1,
    )
    kept = np.concatenate([mask.reshape(len(units), -1) for _, mask in blocks], axis=1)
    return characters[kept].tobytes(), np.cumsum(kept.sum(axis=1))


def _decimal(units: NDArray[np.int64], whole_digits: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Lattice units as characters of a decimal number in degrees: (n, w) characters and which of them to keep."""
    size = np.abs(units).astype(np.uint32)
    zero = np.uint8(ord("0"))
    columns, kept = [np.full(len(units), ord("-"), np.uint8)], [units < 0]
    for place in reversed(range(whole_digits)):
        leading = size // np.uint32(10 ** (DECIMALS + place))
        columns.append((leading % 10).astype(np.uint8) + zero)
        kept.append((leading != 0) | (place == 0))
    columns.append(np.full(len(units), ord("."), np.uint8))
    kept.append(np.ones(len(units), dtype=bool))
    for place in reversed(range(DECIMALS)):
        trailing = size % np.uint32(10 ** (place + 1))
        columns.append((trailing // np.uint32(10**place)).astype(np.uint8) + zero)
        kept.append((trailing != 0) | (place == DECIMALS - 1))
    return np.stack(columns, axis=1), np.stack(kept, axis=1)
