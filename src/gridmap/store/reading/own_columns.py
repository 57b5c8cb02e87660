"""Columns of the users' own: which ones a layer of a version has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from gridmap.domain.layers import LAYERS, Column, ColumnType, Layer
from gridmap.errors import NotStored
from gridmap.store.columns import LIST
from gridmap.store.content import GEOMETRY, Note
from gridmap.store.models import plan_version
from gridmap.store.protocols import VersionInfo


def layers_of(connection: Connection, version: VersionInfo) -> Mapping[str, Layer]:
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
    """Type of a column that a frame held as ``kind``; what may be mixed counts as text."""
    if kind == LIST:
        return ColumnType.TEXTS
    if kind.startswith("int"):
        return ColumnType.INTEGER
    if kind.startswith("float"):
        return ColumnType.NUMBER
    return ColumnType.BOOLEAN if kind == "bool" else ColumnType.TEXT
