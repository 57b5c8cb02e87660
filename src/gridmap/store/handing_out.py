"""Layers of a version as the frames they were, some rows at a time, as far as they are in reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import LargeBinary, func, select

from gridmap.domain.layers import LAYER_BY_NAME, Layer
from gridmap.errors import NotStored
from gridmap.store.columns import LIST, restored_column
from gridmap.store.content import CRS, Note
from gridmap.store.models import EXTRA, FID, GEOMETRY, plan_version
from gridmap.store.reading import LayerReader

#: Types that know no missing value, and those that stand in where what is out of reach is missing.
_WITH_MISSING = {"int64": "Int64", "int32": "Int32", "bool": "boolean"}


def frames_of(reader: LayerReader, name: str, size: int) -> Iterator[pd.DataFrame]:
    """Frames of a layer with the columns, order and types that the plan had; at least one, which may be empty.

    Parameters
    ----------
    reader : of ``at_once``, or one that reads each frame in a transaction of its own
    name : of the layer
    size : most rows of a frame; a layer with lists comes as one frame

    Raises
    ------
    NotStored
        If the version is gone.
    LostUpdate
        If it is a draft that was changed meanwhile.
    """
    layer = LAYER_BY_NAME[name]
    with reader.at_once() as held:
        note = _note(held, layer)
    lists = any(kind == LIST for _, kind in note)
    after, is_first = 0, True
    while True:
        with reader.at_once() as held:
            rows = _rows(held, layer, after, None if lists else size)
        if rows or is_first:
            yield _frame(layer, note, rows)
        if lists or len(rows) < size:
            return
        after, is_first = rows[-1][0], False


def _note(reader: LayerReader, layer: Layer) -> Note:
    version = reader.version
    asked = select(plan_version.c.columns).where(plan_version.c.id == version.row)
    notes = reader.connection.execute(asked).scalar()
    if notes is None:
        raise NotStored("store.no_version", id=version.plan_id, number=version.number)
    note: Note = notes[layer.name]
    return note


def _rows(reader: LayerReader, layer: Layer, after: int, size: int | None) -> Sequence[Any]:
    """``fid``, columns that every plan has, those of the user's own, and the geometry, by ``fid``."""
    source = reader.source(layer)
    named = [source.c[one.name] for one in layer.columns]
    shape = []
    if layer.geometry:
        is_sqlite = reader.connection.dialect.name == "sqlite"
        column = source.c[GEOMETRY]
        shape = [column if is_sqlite else func.ST_AsBinary(column, "NDR", type_=LargeBinary)]
    asked = select(source.c[FID], *named, source.c[EXTRA], *shape).where(source.c[FID] > after)
    return reader.connection.execute(asked.order_by(source.c[FID]).limit(size)).fetchall()


def _frame(layer: Layer, note: Note, rows: Sequence[Any]) -> pd.DataFrame:
    known = [one.name for one in layer.columns]
    held = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in range(len(known) + 3)]
    places = {name: place for place, name in enumerate(known, 1)}
    extra = held[len(known) + 1]
    columns: dict[str, Any] = {}
    for name, kind in note:
        if kind == GEOMETRY:
            shapes = shapely.from_wkb(np.array(held[-1], dtype=object))
            columns[name] = gpd.array.from_shapely(shapes, crs=CRS)
        elif name in places:
            columns[name] = _column(held[places[name]], kind)
        else:
            columns[name] = _column([(row or {}).get(name) for row in extra], kind)
    frame = pd.DataFrame(columns)
    if not layer.geometry:
        return frame
    placed: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=GEOMETRY)
    return placed


def _column(values: list[Any], kind: str) -> Any:
    is_missing = kind in _WITH_MISSING and any(value is None for value in values)
    return restored_column(values, _WITH_MISSING[kind] if is_missing else kind)
