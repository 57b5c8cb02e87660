"""The tables of a store, the same on SQLite and PostGIS but for the type of geometries.

``plan``, ``plan_version`` and ``audit_entry``, and a table ``layer_NAME`` for each layer of a plan. A feature goes by
its version and its ``fid``, its place in the frame counted from 1. Triggers of the migrations keep published versions
and the audit as they are; on SQLite they also keep the index of bounding boxes, ``layer_NAME_rtree``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from gridmap.domain.layers import LAYERS, ColumnType, Layer

SRID = 4326
#: Columns of a layer's table that are none of the layer's.
VERSION, FID, EXTRA, GEOMETRY = "version_id", "fid", "extra", "geometry"


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, on databases with time zones and without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring to UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_SQL_TYPES: dict[ColumnType, TypeEngine[Any]] = {
    ColumnType.TEXT: Text(),
    ColumnType.INTEGER: BigInteger(),
    ColumnType.NUMBER: Double(),
    ColumnType.BOOLEAN: Boolean(),
    ColumnType.TEXTS: JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
}

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

plan = Table(
    "plan",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("name", Text, nullable=False),
    Column("institution", Text),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
)

plan_version = Table(
    "plan_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("plan_id", String(63), ForeignKey("plan.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", String(9), nullable=False),
    Column("lock_version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("published_at", Instant),
    Column("published_by", Text),
    Column("retired_at", Instant),
    Column("retired_by", Text),
    Column("settings", JSON, nullable=False),
    Column("indicators", JSON, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("certificate", JSON, nullable=False),
    Column("report", JSON, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    UniqueConstraint("plan_id", "number"),
    CheckConstraint("status IN ('draft', 'published', 'retired')", name="status"),
    sqlite_autoincrement=True,
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(16), nullable=False),
    Column("plan_id", String(63), nullable=False),
    Column("version", Integer),
    Column("digest_before", String(64)),
    Column("digest_after", String(64)),
    Index("ix_audit_entry_plan_id", "plan_id"),
    sqlite_autoincrement=True,
)


def _layer_table(layer: Layer) -> Table:
    name = f"layer_{layer.name}"
    parts: list[Any] = [
        Column(VERSION, Integer, ForeignKey("plan_version.id", ondelete="CASCADE"), primary_key=True),
        Column(FID, Integer, primary_key=True, autoincrement=False),
        *(Column(column.name, _SQL_TYPES[column.type]) for column in layer.columns),
        Column(EXTRA, JSON(none_as_null=True)),
    ]
    if layer.key:
        parts.append(Index(f"ix_{name}_key", VERSION, *layer.key))
    if layer.geometry:
        # Its index is named below: left to the type, migrations would make it twice.
        shapes = Geometry("GEOMETRY", srid=SRID, spatial_index=False)
        parts.append(Column(GEOMETRY, LargeBinary().with_variant(shapes, "postgresql")))
        index = Index(f"ix_{name}_{GEOMETRY}", GEOMETRY, postgresql_using="gist")
        parts.append(index.ddl_if(dialect="postgresql"))
    return Table(name, metadata, *parts)


layer_tables: dict[str, Table] = {layer.name: _layer_table(layer) for layer in LAYERS}
