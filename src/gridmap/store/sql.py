"""What both stores do alike; ``sqlite`` and ``postgis`` say how rows are written and boxes are searched."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, delete, func, insert, select

from gridmap.domain.layers import LAYER_BY_NAME, LAYERS, Layer
from gridmap.domain.plan import Plan
from gridmap.errors import NotStored, StoreConflict, StoreDamaged, UsageError
from gridmap.store.boxes import check_box
from gridmap.store.content import DOCUMENTS, Content, LayerContent, Note, content_of, plan_of
from gridmap.store.faults import database_faults_named
from gridmap.store.models import EXTRA, FID, GEOMETRY, VERSION, audit_entry, layer_tables, plan_version
from gridmap.store.protocols import AuditEntry, Box, Feature, PlanInfo, Status, VersionInfo
from gridmap.store.rows import (
    chosen_version,
    claim,
    insert_plan,
    next_number,
    note,
    now,
    plan_infos,
    version_values,
    versions_where,
)
from gridmap.store.service_tables import cells_aggregate
from gridmap.store.tiles.aggregates import write_aggregates

#: What else a transaction does that writes a version.
Also = Callable[[Connection, VersionInfo], None]
#: Mark of a transaction that takes as long as it takes.
UNHURRIED = "gridmap_unhurried"
PLAN_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What readers may take: seconds of one query, connections of one process."""

    statement_s: float = 30.0
    connections: int = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows of a layer: of a version, after a ``fid``, at most so many."""

    row: int
    limit: int | None
    after_fid: int

    def rows_of(self, table: Table) -> list[ColumnElement[bool]]:
        """Conditions on the rows of a table."""
        return [table.c[VERSION] == self.row, table.c[FID] > self.after_fid]


def check_plan_id(plan_id: str) -> None:
    """Refuse what is no identifier of a plan.

    Raises
    ------
    UsageError
        If it is none.
    """
    if not PLAN_ID.fullmatch(plan_id):
        raise UsageError("store.bad_id", id=plan_id)


class SqlStore(ABC):
    """A ``PlanStore`` on a database.

    Parameters
    ----------
    reader, writer : engines whose transactions read one state of the database, and change it
    name : of the database, for messages; holds no password
    """

    def __init__(self, reader: Engine, writer: Engine, name: str) -> None:
        self.name = name
        self._reader, self._writer = reader, writer

    @abstractmethod
    def _write_rows(self, connection: Connection, layer: Layer, row: int, content: LayerContent) -> None:
        """Write the rows of a layer of the version with this row number."""

    @abstractmethod
    def _loaded(self) -> None:
        """Do what speeds up reading after many rows were written."""

    @abstractmethod
    def _wkb(self, table: Table) -> ColumnElement[Any]:
        """Geometry of a table as little-endian WKB."""

    @abstractmethod
    def _rows_in_box(
        self, connection: Connection, table: Table, columns: Sequence[ColumnElement[Any]], asked: Asked, box: Box
    ) -> Iterator[Any]:
        """Rows whose geometry meets the box, by ``fid``."""

    @abstractmethod
    def faults(self, connection: Connection) -> list[str]:
        """List what the database itself finds broken in its files."""

    @contextmanager
    def reading(self, *, unhurried: bool = False) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database.

        Parameters
        ----------
        unhurried : for as long as it takes, whatever the limit of readers
        """
        engine = self._reader.execution_options(**{UNHURRIED: True}) if unhurried else self._reader
        with database_faults_named(self.name), engine.begin() as connection:
            yield connection

    @property
    def dialect(self) -> str:
        """Name of the kind of database, as SQLAlchemy has it."""
        return self._reader.dialect.name

    def look_up(
        self, key: Hashable, make: Callable[[], Select[Any]], values: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Rows that a statement finds, in a state of the database of its own.

        Parameters
        ----------
        key : that the statement is known by, once it was made
        values : of its parameters
        """
        with self.reading() as connection:
            return [tuple(row) for row in connection.execute(make(), values)]

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that changes it, whole or not at all."""
        with database_faults_named(self.name), self._writer.begin() as connection:
            yield connection

    def create(self, plan_id: str, name: str, institution: str | None, *, who: str) -> PlanInfo:
        """Make a plan without versions."""
        check_plan_id(plan_id)
        with self.writing() as connection:
            if not insert_plan(connection, plan_id, name, institution, who):
                raise StoreConflict("store.plan_exists", id=plan_id)
            return plan_infos(connection, plan_id)[0]

    def add_version(self, plan_id: str, plan: Plan, *, who: str, also: Also | None = None) -> VersionInfo:
        """Add a draft; the plan is made where it is not there; what ``also`` does is done with it or not at all."""
        check_plan_id(plan_id)
        content = content_of(plan)
        section = plan.settings.plan
        with self.writing() as connection:
            insert_plan(connection, plan_id, section.name, section.institution, who)
            number = next_number(connection, plan_id)
            first = {"plan_id": plan_id, "number": number, "status": Status.DRAFT.value, "lock_version": 1}
            made = insert(plan_version).values(**first, created_at=now(), created_by=who, **version_values(content))
            row = connection.execute(made.returning(plan_version.c.id)).scalar_one()
            self._write_layers(connection, row, content)
            note(connection, who, "add", plan_id, number, None, content.digest)
            added = versions_where(connection, plan_version.c.id == row)[0]
            if also is not None:
                also(connection, added)
        self._loaded()
        return added

    def replace_draft(self, seen: VersionInfo, plan: Plan, *, who: str, also: Also | None = None) -> VersionInfo:
        """Put another content in place of a draft's; ``also`` as ``add_version`` has it."""
        content = content_of(plan)
        with self.writing() as connection:
            claim(connection, seen, Status.DRAFT, **version_values(content))
            for table in (*layer_tables.values(), cells_aggregate):
                connection.execute(delete(table).where(table.c[VERSION] == seen.row))
            self._write_layers(connection, seen.row, content)
            note(connection, who, "replace", seen.plan_id, seen.number, seen.digest, content.digest)
            replaced = versions_where(connection, plan_version.c.id == seen.row)[0]
            if also is not None:
                also(connection, replaced)
        self._loaded()
        return replaced

    def publish(self, seen: VersionInfo, *, who: str) -> VersionInfo:
        """Put a draft in force."""
        values = {"status": Status.PUBLISHED.value, "published_at": now(), "published_by": who}
        return self._change_status(seen, Status.DRAFT, "publish", who, values)

    def retire(self, seen: VersionInfo, *, who: str) -> VersionInfo:
        """Withdraw a published version."""
        values = {"status": Status.RETIRED.value, "retired_at": now(), "retired_by": who}
        return self._change_status(seen, Status.PUBLISHED, "retire", who, values)

    def _change_status(
        self, seen: VersionInfo, needed: Status, action: str, who: str, values: Mapping[str, Any]
    ) -> VersionInfo:
        with self.writing() as connection:
            claim(connection, seen, needed, **values)
            note(connection, who, action, seen.plan_id, seen.number, seen.digest, seen.digest)
            return versions_where(connection, plan_version.c.id == seen.row)[0]

    def delete_draft(self, seen: VersionInfo, *, who: str) -> None:
        """Remove a draft."""
        with self.writing() as connection:
            claim(connection, seen, Status.DRAFT)
            connection.execute(delete(plan_version).where(plan_version.c.id == seen.row))
            note(connection, who, "delete", seen.plan_id, seen.number, seen.digest, None)

    def plans(self) -> list[PlanInfo]:
        """List plans by identifier."""
        with self.reading() as connection:
            return plan_infos(connection)

    def versions(self, plan_id: str) -> list[VersionInfo]:
        """List versions of a plan by number."""
        with self.reading() as connection:
            if not plan_infos(connection, plan_id):
                raise NotStored("store.no_plan", id=plan_id)
            return versions_where(connection, plan_version.c.plan_id == plan_id)

    def version(self, plan_id: str, number: int | None = None) -> VersionInfo:
        """Find a version; without a number the one in force, else the newest draft."""
        return chosen_version(self.versions(plan_id), plan_id, number)

    def read(self, seen: VersionInfo) -> Plan:
        """Read a whole plan back, bit for bit."""
        with self.reading(unhurried=True) as connection:
            wanted = [plan_version.c[name] for name in (*DOCUMENTS, "columns", "digest")]
            stored = connection.execute(select(*wanted).where(plan_version.c.id == seen.row)).mappings().first()
            if stored is None:
                raise NotStored("store.no_version", id=seen.plan_id, number=seen.number)
            notes = stored["columns"]
            layers = {layer.name: self._layer(connection, layer, seen.row, notes[layer.name]) for layer in LAYERS}
        content = Content({name: stored[name] for name in DOCUMENTS}, layers)
        found = content.digest
        if found != stored["digest"]:
            raise StoreDamaged(
                "store.damaged", id=seen.plan_id, number=seen.number, found=found, stated=stored["digest"]
            )
        return plan_of(content)

    def _write_layers(self, connection: Connection, row: int, content: Content) -> None:
        for layer in LAYERS:
            self._write_rows(connection, layer, row, content.layers[layer.name])
        cells = content.layers["cells"]
        write_aggregates(connection, row, cells.columns, cells.wkb)

    def _layer(self, connection: Connection, layer: Layer, row: int, columns_note: Note) -> LayerContent:
        table = layer_tables[layer.name]
        parts = [table.c[column.name] for column in layer.columns]
        geometry = [self._wkb(table)] if layer.geometry else []
        rows = connection.execute(
            select(*parts, table.c[EXTRA], *geometry).where(table.c[VERSION] == row).order_by(table.c[FID])
        ).fetchall()
        columns = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in range(len(parts) + 2)]
        known = {column.name for column in layer.columns} | {GEOMETRY}
        has_more = any(name not in known for name, _ in columns_note)
        return LayerContent(
            note=columns_note,
            columns=tuple(columns[: len(parts)]),
            extra=columns[len(parts)] if has_more else None,
            wkb=columns[len(parts) + 1] if layer.geometry else None,
            rows=len(rows),
        )

    def iter_features(
        self, layer: str, seen: VersionInfo, bbox: Box | None = None, limit: int = 1000, after_fid: int = 0
    ) -> Iterator[Feature]:
        """Yield up to ``limit`` features with a higher ``fid``, by ``fid``."""
        if limit < 1:
            raise UsageError("store.bad_limit", limit=limit)
        table = _table_of(layer)
        names = [column.name for column in LAYER_BY_NAME[layer].columns]
        geometry = [self._wkb(table)] if GEOMETRY in table.c else []
        columns = [table.c[FID], *(table.c[name] for name in names), *geometry]
        with self.reading() as connection:
            rows = list(self._rows(connection, table, columns, Asked(seen.row, limit, after_fid), bbox))
        for row in rows:
            yield Feature(row[0], dict(zip(names, row[1:], strict=False)), row[-1] if geometry else None)

    def count(self, layer: str, seen: VersionInfo, bbox: Box | None = None) -> int:
        """Count the features that ``iter_features`` would yield without a limit."""
        table, asked = _table_of(layer), Asked(seen.row, None, 0)
        with self.reading() as connection:
            if bbox is not None:
                return sum(1 for _ in self._rows(connection, table, [table.c[FID]], asked, bbox))
            counted = select(func.count()).select_from(table).where(*asked.rows_of(table))
            return int(connection.execute(counted).scalar_one())

    def _rows(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[ColumnElement[Any]],
        asked: Asked,
        box: Box | None,
    ) -> Iterator[Any]:
        if box is None:
            page = select(*columns).where(*asked.rows_of(table)).order_by(table.c[FID]).limit(asked.limit)
            return iter(connection.execute(page))
        check_box(box)
        # What has no place meets no box.
        return self._rows_in_box(connection, table, columns, asked, box) if GEOMETRY in table.c else iter(())

    def audit(self, plan_id: str | None = None) -> list[AuditEntry]:
        """List all changes, or those of a plan, oldest first."""
        columns = [audit_entry.c[name] for name in AuditEntry.__dataclass_fields__]
        entries = select(*columns).order_by(audit_entry.c.id)
        if plan_id is not None:
            entries = entries.where(audit_entry.c.plan_id == plan_id)
        with self.reading() as connection:
            return [AuditEntry(*row) for row in connection.execute(entries)]

    def close(self) -> None:
        """Let go of the database."""
        self._reader.dispose()
        self._writer.dispose()


def _table_of(layer: str) -> Table:
    if layer not in layer_tables:
        raise UsageError("store.no_layer", layer=layer, known=", ".join(layer_tables))
    return layer_tables[layer]
