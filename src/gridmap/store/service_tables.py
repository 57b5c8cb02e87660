"""Tables of the service, the same on both databases: accounts and their keys, uploads, jobs, aggregates of cells."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gridmap.store.models import SRID, Instant
from gridmap.store.models import metadata as metadata

#: People and programs with keys of ours, or known by the ``subject`` of their tokens.
account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("subject", Text),
    Column("role", String(13), nullable=False),
    Column("area_prefixes", JSON, nullable=False),
    Column("institutions", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", Text),
    UniqueConstraint("name"),
    UniqueConstraint("subject"),
    CheckConstraint("role IN ('viewer', 'planner', 'publisher', 'administrator')", name="role"),
    sqlite_autoincrement=True,
)

#: Keys: the beginning of each, to find it by, and a hash of the whole.
api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id"), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("revoked_by", Text),
    UniqueConstraint("prefix"),
    Index("ix_api_key_account_id", "account_id"),
    sqlite_autoincrement=True,
)

#: Who changed which account when; it only grows.
account_change = Table(
    "account_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(16), nullable=False),
    Column("account", Text, nullable=False),
    Column("details", JSON, nullable=False),
    sqlite_autoincrement=True,
)

#: Files that were taken in; their bytes lie in the data directory.
upload = Table(
    "upload",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("format", String(10), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("findings", JSON, nullable=False),
    Index("ix_upload_created_at", "created_at"),
)

#: Runs asked for: who asked with which reach, where they stand, who works on them, how they ended.
job = Table(
    "job",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("process", String(20), nullable=False),
    Column("owner", Text, nullable=False),
    Column("role", String(13), nullable=False),
    Column("area_prefixes", JSON, nullable=False),
    Column("institutions", JSON, nullable=False),
    Column("language", String(2), nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("outputs", JSON, nullable=False),
    Column("idempotency_key", String(128)),
    Column("request_digest", String(64), nullable=False),
    Column("status", String(10), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("stage", Text),
    Column("progress", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", Text),
    Column("claim", String(32)),
    Column("heard_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("updated_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("result", JSON(none_as_null=True)),
    Column("error", JSON(none_as_null=True)),
    UniqueConstraint("owner", "idempotency_key"),
    CheckConstraint("status IN ('accepted', 'running', 'successful', 'failed', 'dismissed')", name="status"),
    Index("ix_job_status", "status", "created_at"),
    Index("ix_job_created_at", "created_at", "id"),
)

#: Cells summed up for small scales: hexagons of a coarser resolution, each once for every area code that it meets.
#: ``measured_m2`` is the area of cells with a distance; ``distance_m3`` and ``crossing_m2`` are area times the value.
cells_aggregate = Table(
    "cells_aggregate",
    metadata,
    Column("version_id", Integer, ForeignKey("plan_version.id", ondelete="CASCADE"), primary_key=True),
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("hexagon", String(16), primary_key=True),
    Column("area_code", Text, primary_key=True),
    Column("cells", BigInteger, nullable=False),
    Column("demand", Double, nullable=False),
    Column("area_m2", Double, nullable=False),
    Column("covered_demand", Double, nullable=False),
    Column("covered_m2", Double, nullable=False),
    Column("measured_m2", Double, nullable=False),
    Column("distance_m3", Double, nullable=False),
    Column("crossing_m2", Double, nullable=False),
    Column("west", Double, nullable=False),
    Column("south", Double, nullable=False),
    Column("east", Double, nullable=False),
    Column("north", Double, nullable=False),
    Column(
        "geometry",
        LargeBinary().with_variant(Geometry("GEOMETRY", srid=SRID, spatial_index=False), "postgresql"),
        nullable=False,
    ),
    Index("ix_cells_aggregate_west", "version_id", "resolution", "west"),
)
