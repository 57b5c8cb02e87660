"""GeoJSON features put together by PostgreSQL: one text for a whole page, no object for a feature."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import orjson
from sqlalchemy import ColumnElement, FromClause, Text, case, cast, func, literal, literal_column

from gridmap.domain.crs import OutputCrs
from gridmap.domain.layers import Column, ColumnType, Layer
from gridmap.store.models import EXTRA, FID, GEOMETRY

_NULL = literal_column("'null'", Text)


def feature_text(
    source: FromClause, layer: Layer, written: Sequence[Column], crs: OutputCrs, *, geometry: bool
) -> ColumnElement[str]:
    """Text of the feature of a row.

    Parameters
    ----------
    written : columns that become properties
    geometry : whether the geometry is written, or ``null``
    """
    named = set(source.c.keys())
    identifier = source.c[layer.key[0]] if len(layer.key) == 1 else None
    parts: list[ColumnElement[Any]] = [
        literal_column('\'{"type":"Feature","id":\'', Text),
        cast(source.c[FID], Text) if identifier is None else func.coalesce(_json_text(identifier), _NULL),
        literal_column("',\"geometry\":'", Text),
        _geometry(source.c[GEOMETRY], crs) if geometry and layer.geometry else _NULL,
        literal_column("',\"properties\":{'", Text),
    ]
    for place, one in enumerate(written):
        comma = "," if place else ""
        if one.name in named:
            # Names of our columns are plain words.
            parts.append(literal_column(f"'{comma}\"{one.name}\":'", Text))
            parts.append(_value(source.c[one.name], one.type))
        else:
            parts.append(literal(f"{comma}{orjson.dumps(one.name).decode()}:", Text))
            parts.append(func.coalesce(cast(source.c[EXTRA].op("->")(one.name), Text), _NULL))
    parts.append(literal_column("'}}'", Text))
    return reduce(lambda left, right: left.concat(right), parts)


def _value(column: ColumnElement[Any], kind: ColumnType) -> ColumnElement[Any]:
    text = _json_text(column) if kind is ColumnType.TEXT else cast(column, Text)
    return func.coalesce(text, _NULL)


def _json_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.to_json(column), Text)


def _geometry(column: ColumnElement[Any], crs: OutputCrs) -> ColumnElement[Any]:
    moved = column if crs.is_degrees else func.ST_Transform(column, crs.srid)
    turned = func.ST_FlipCoordinates(moved) if crs.is_flipped else moved
    # Nothing is said of systems here, and nothing is there where a geometry is empty.
    written = func.ST_AsGeoJSON(turned, crs.decimals, 0)
    return case((func.coalesce(func.ST_IsEmpty(column), True), _NULL), else_=written)
