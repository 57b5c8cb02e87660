"""Areas whose place is known, handed to the inspection: written by whoever has them, or read from an earlier file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from gridmap.errors import InputError, UsageError
from gridmap.geometry.datum import Datum
from gridmap.geometry.lattice import Geometries
from gridmap.inputs.detective import Reference
from gridmap.inputs.folding import fold_code, folded_texts
from gridmap.inputs.inspection.layers import Kind, Layer, contents_of, read_layers
from gridmap.inputs.inspection.uses import Purpose, suggest_uses

_SCHEMA = pa.schema([("code", pa.string()), ("name", pa.string()), ("wkb", pa.binary())])


def write_reference(path: Path, codes: list[str], names: list[str], wkb: list[bytes]) -> None:
    """Write areas in WGS 84 to a file that ``read_reference`` reads."""
    table = pa.table([codes, names, wkb], schema=_SCHEMA)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        writer.write_table(table)


def read_reference(asked: dict[str, Any]) -> Reference:
    """Read areas.

    Parameters
    ----------
    asked : ``written``, a path that ``write_reference`` wrote; or ``path`` and ``datum`` of an earlier file

    Raises
    ------
    UsageError
        If the earlier file has no polygons.
    """
    if "written" in asked:
        with pa.OSFile(asked["written"]) as source:
            table = pa.ipc.open_file(source).read_all()
        polygons = _sound(shapely.from_wkb(table.column("wkb").to_numpy()))
        codes, names = (tuple(table.column(name).to_pylist()) for name in ("code", "name"))
        return Reference(codes, names, polygons)
    path = Path(asked["path"])
    contents = contents_of(path, asked.get("encoding"))
    for layer in read_layers(path, contents, asked.get("encoding")):
        if isinstance(layer, Layer) and layer.kind is Kind.AREAL:
            return _of_layer(layer, Datum.parse(asked["datum"]))
    raise UsageError("uploads.reference_without_areas")


def _of_layer(layer: Layer, datum: Datum) -> Reference:
    areal = np.flatnonzero(shapely.get_dimensions(layer.geometry) == 2)
    use = next((use for use in suggest_uses(layer) if use.purpose is Purpose.AREAS), None)
    texts = {}
    for ours in ("code", "name"):
        column = None if use is None else use.columns.get(ours)
        values = (
            [None] * len(areal) if column is None else folded_texts(layer.attributes[column].iloc[areal], fold_code)
        )
        texts[ours] = tuple(text or "" for text in values)
    return Reference(texts["code"], texts["name"], _sound(_in_wgs84(layer.geometry[areal], datum)))


def _in_wgs84(polygons: Geometries, datum: Datum) -> Geometries:
    return np.asarray(shapely.transform(polygons, datum.to_wgs84), dtype=object)


def _sound(polygons: Geometries) -> Geometries:
    finite = np.isfinite(shapely.bounds(polygons)).all(axis=1)
    sound = np.full(len(polygons), shapely.Polygon(), dtype=object)
    try:
        sound[finite] = shapely.make_valid(polygons[finite])
    except shapely.GEOSException:
        raise InputError("uploads.reference_without_areas") from None
    return sound
