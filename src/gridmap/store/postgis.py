"""A store in PostgreSQL with PostGIS: geometries in EPSG:4326 behind a GiST index, rows written by COPY."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
import shapely
from psycopg import sql
from sqlalchemy import ColumnElement, Connection, Engine, LargeBinary, Select, Table, create_engine, event, func, select
from sqlalchemy.engine import URL

from gridmap.domain.layers import ColumnType, Layer
from gridmap.store.boxes import box_shape
from gridmap.store.content import LayerContent
from gridmap.store.documents import as_json, json_options
from gridmap.store.faults import database_faults_named
from gridmap.store.lookups import Lookups, ping_when_idle
from gridmap.store.models import EXTRA, FID, GEOMETRY, SRID, VERSION, layer_tables
from gridmap.store.protocols import Box
from gridmap.store.sql import UNHURRIED, Asked, Limits, SqlStore

#: Connections that stay open when nobody asks.
_KEPT = 5


def postgis_engines(url: URL, limits: Limits) -> tuple[Engine, Engine, Engine]:
    """Engines to read, to write and to look up with.

    A reader sees one state for as long as its transaction lasts, and no statement of it lasts longer than the limit.
    """
    few = max(1, limits.connections // 4)
    reader, writer = _engine(url, max(1, limits.connections - 2 * few), limits), _engine(url, few, limits)
    asker = _engine(url, few, limits)
    for one in (reader, asker):
        event.listen(one, "connect", partial(_limit, round(limits.statement_s * 1000)))
    event.listen(reader, "begin", _begin)
    return reader.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True), writer, asker


def _engine(url: URL, connections: int, limits: Limits) -> Engine:
    kept = min(connections, _KEPT)
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=kept,
        max_overflow=connections - kept,
        pool_timeout=limits.statement_s,
        # Each statement is planned for its own box: a plan for any box reads too much for most.
        connect_args={"prepare_threshold": None},
        **json_options(),
    )
    ping_when_idle(engine)
    return engine


def _limit(milliseconds: int, connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {milliseconds}")
    connection.commit()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(UNHURRIED):
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


class PostgisStore(SqlStore):
    """A ``PlanStore`` in PostGIS."""

    def __init__(self, url: URL, limits: Limits) -> None:
        shown = url.set(drivername="postgresql").difference_update_query(["password"])
        reader, writer, asker = postgis_engines(url, limits)
        super().__init__(reader, writer, shown.render_as_string(hide_password=True))
        self._lookups = Lookups(asker)

    def look_up(
        self, key: Hashable, make: Callable[[], Select[Any]], values: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Rows that a statement finds."""
        with database_faults_named(self.name):
            return self._lookups.rows(key, make, values)

    def run(self, text: str, fixed: Mapping[str, Any], values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows that a text finds, in a state of the database of its own, planned for its own values."""
        with database_faults_named(self.name):
            return self._lookups.found(text, fixed, values, keeps_plan=False)

    def close(self) -> None:
        """Let go of the database."""
        super().close()
        self._lookups.close()

    def _write_rows(self, connection: Connection, layer: Layer, row: int, content: LayerContent) -> None:
        table = layer_tables[layer.name]
        parts: dict[str, Iterable[Any]] = {VERSION: repeat(row, content.rows), FID: range(1, content.rows + 1)}
        for one, values in zip(layer.columns, content.columns, strict=True):
            parts[one.name] = map(as_json, values) if one.type is ColumnType.TEXTS else values
        if content.extra is not None:
            parts[EXTRA] = map(as_json, content.extra)
        if content.wkb is not None:
            parts[GEOMETRY] = _with_srid(content.wkb)
        names = sql.SQL(", ").join(map(sql.Identifier, parts))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
        with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
            for row_values in zip(*parts.values(), strict=True):
                copy.write_row(row_values)

    def _loaded(self) -> None:
        # Until the server counts anew it takes the tables for small, and reads them from end to end. In a transaction
        # of its own: those who write at the same time would wait for each other.
        for table in layer_tables.values():
            with self.writing() as connection:
                connection.exec_driver_sql(f"ANALYZE {table.name}")

    def faults(self, connection: Connection) -> list[str]:
        """PostgreSQL checks its pages as it reads them."""
        return []

    def _wkb(self, table: Table) -> ColumnElement[Any]:
        return func.ST_AsBinary(table.c[GEOMETRY], "NDR", type_=LargeBinary)

    def _rows_in_box(
        self, connection: Connection, table: Table, columns: Sequence[ColumnElement[Any]], asked: Asked, box: Box
    ) -> Iterator[Any]:
        shape = func.ST_GeomFromWKB(shapely.to_wkb(box_shape(box)), SRID)
        # The operator of the index compares single floats, rounded outwards; this function settles who meets the box.
        meets = func.ST_Intersects(table.c[GEOMETRY], shape)
        page = select(*columns).where(*asked.rows_of(table), meets).order_by(table.c[FID]).limit(asked.limit)
        yield from connection.execute(page)


def _with_srid(wkb: list[bytes | None]) -> list[str | None]:
    shapes = shapely.set_srid(shapely.from_wkb(np.array(wkb, dtype=object)), SRID)
    return list(shapely.to_wkb(shapes, hex=True, byte_order=1, include_srid=True).tolist())
