"""Columns of the users' own: which a layer of a version has, and their values in SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Text, case, cast, func, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import JSON, BigInteger, Boolean

from gridmap.domain.layers import LAYERS, Column, ColumnType, Layer
from gridmap.errors import NotStored
from gridmap.store.content import GEOMETRY, Note
from gridmap.store.models import plan_version
from gridmap.store.protocols import VersionInfo

_LISTS = "list"
#: Names that a path of SQLite's JSON cannot hold.
_NOT_IN_PATHS = ('"', "\\")


def layers_with_own_columns(connection: Connection, version: VersionInfo) -> dict[str, Layer]:
    """Layers of a version by name; columns of the users' own stand behind those that every plan has.

    Raises
    ------
    NotStored
        If the version is gone.
    """
    notes = connection.execute(select(plan_version.c.columns).where(plan_version.c.id == version.row)).scalar()
    if notes is None:
        raise NotStored("store.no_version", id=version.plan_id, number=version.number)
    return {layer.name: replace(layer, columns=(*layer.columns, *_own(layer, notes[layer.name]))) for layer in LAYERS}


def _own(layer: Layer, note: Note) -> list[Column]:
    known = {one.name for one in layer.columns} | {GEOMETRY}
    return [Column(name, _type(kind)) for name, kind in note if name not in known]


def _type(kind: str) -> ColumnType:
    """Type of a column that a frame held as ``kind``; what may be mixed is read as text."""
    if kind == _LISTS:
        return ColumnType.TEXTS
    if kind.startswith("int"):
        return ColumnType.INTEGER
    if kind.startswith("float"):
        return ColumnType.NUMBER
    return ColumnType.BOOLEAN if kind == "bool" else ColumnType.TEXT


def own_value(extra: ColumnElement[Any], one: Column, dialect: str) -> ColumnElement[Any]:
    """Value of a column of the users' own, of the type the column has; NULL where it is missing."""
    if dialect == "sqlite":
        return _sqlite_value(extra, one)
    text = extra.op("->>")(one.name)
    match one.type:
        case ColumnType.TEXTS:
            return cast(text, JSONB(none_as_null=True))
        case ColumnType.INTEGER:
            return cast(text, BigInteger)
        case ColumnType.NUMBER:
            return cast(text, Double)
        case ColumnType.BOOLEAN:
            return cast(text, Boolean)
        case _:
            return type_coerce(text, Text)


def _sqlite_value(extra: ColumnElement[Any], one: Column) -> ColumnElement[Any]:
    if any(mark in one.name for mark in _NOT_IN_PATHS):
        entries = func.json_each(extra).table_valued("key", "value", "type")
        found = select(entries.c.value).where(entries.c.key == one.name)
        value: ColumnElement[Any] = found.scalar_subquery()
        kind: ColumnElement[Any] = select(entries.c.type).where(entries.c.key == one.name).scalar_subquery()
    else:
        path = f'$."{one.name}"'
        value, kind = func.json_extract(extra, path), func.json_type(extra, path)
    match one.type:
        case ColumnType.TEXTS:
            return type_coerce(value, JSON(none_as_null=True))
        case ColumnType.INTEGER:
            return type_coerce(value, BigInteger)
        case ColumnType.NUMBER:
            return cast(value, Double)
        case ColumnType.BOOLEAN:
            return type_coerce(value, Boolean)
        case _:
            return case((kind.in_(("true", "false")), kind), else_=cast(value, Text))
