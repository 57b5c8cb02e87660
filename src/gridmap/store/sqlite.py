"""A store in one SQLite file: geometries as WKB, found through an R*Tree; nothing but what Python brings."""

from __future__ import annotations

import sqlite3
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import repeat
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, column, create_engine, event, insert, select
from sqlalchemy import table as named_table
from sqlalchemy.engine import URL

from gridmap.domain.layers import ColumnType, Layer
from gridmap.store.boxes import box_shape
from gridmap.store.content import LayerContent
from gridmap.store.documents import as_json, json_options
from gridmap.store.models import EXTRA, FID, GEOMETRY, VERSION, layer_tables
from gridmap.store.protocols import Box
from gridmap.store.sql import UNHURRIED, Asked, Limits, SqlStore
from gridmap.store.sqlite_functions import add_functions

#: How long a writer waits for another, seconds.
PATIENCE_S = 30.0
#: Rows of the index go by version and ``fid`` in one number.
FID_BITS = 32
_BATCH = 1000
#: So many places are looked up one by one.
_FEW = 20_000
_WRITES = "gridmap_writes"
#: After so many steps of a statement its time is looked at.
_STEPS = 100_000


def sqlite_engines(url: URL, limits: Limits) -> tuple[Engine, Engine]:
    """Engines to read and to write with.

    A reader sees one state of the database for as long as its transaction lasts, and that is no longer than the
    limit; a writer holds the one lock from the start, so that it never fails half-way because of another.
    """
    engine = create_engine(url, connect_args={"timeout": PATIENCE_S}, hide_parameters=True, **json_options())
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", partial(_begin, limits.statement_s))
    return engine, engine.execution_options(**{_WRITES: True})


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Left to itself the driver begins transactions late, and none before statements that change tables.
    connection.isolation_level = None
    add_functions(connection)
    _keep_journal_ahead(connection)
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _keep_journal_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL; of two who do so at once with a new file SQLite refuses one without waiting."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(longest_s: float, connection: Connection) -> None:
    options, driver = connection.get_execution_options(), connection.connection.dbapi_connection
    writes = options.get(_WRITES)
    until = inf if writes or options.get(UNHURRIED) else time.monotonic() + longest_s
    driver.set_progress_handler(lambda: time.monotonic() > until, _STEPS)  # type: ignore[union-attr]
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def rtree_of(table: Table) -> Any:
    """Index of the bounding boxes of a table; its third dimension is the version."""
    return named_table(f"{table.name}_rtree", *map(column, ("id", "west", "east", "south", "north", "first", "last")))


class SqliteStore(SqlStore):
    """A ``PlanStore`` in one file."""

    def __init__(self, url: URL, limits: Limits) -> None:
        super().__init__(*sqlite_engines(url, limits), str(Path(url.database or "")))

    def _write_rows(self, connection: Connection, layer: Layer, row: int, content: LayerContent) -> None:
        if not content.rows:
            return
        table = layer_tables[layer.name]
        parts: dict[str, Iterable[Any]] = {VERSION: repeat(row, content.rows), FID: range(1, content.rows + 1)}
        for one, values in zip(layer.columns, content.columns, strict=True):
            parts[one.name] = map(as_json, values) if one.type is ColumnType.TEXTS else values
        if content.extra is not None:
            parts[EXTRA] = map(as_json, content.extra)
        if content.wkb is not None:
            parts[GEOMETRY] = content.wkb
        _insert_many(connection, table, parts)
        if content.wkb is not None:
            _insert_many(connection, rtree_of(table), _boxes(row, content.wkb))

    def _loaded(self) -> None:
        """Do nothing: every statement says itself how its rows are found."""

    def faults(self, connection: Connection) -> list[str]:
        """Check every page, and that every row belongs to a version."""
        told = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
        orphans = [
            f"{row[0]}: row {row[1]} of no {row[2]}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
        ]
        return [line for line in told if line != "ok"] + orphans

    def _wkb(self, table: Table) -> ColumnElement[Any]:
        return table.c[GEOMETRY]

    def _rows_in_box(
        self, connection: Connection, table: Table, columns: Sequence[ColumnElement[Any]], asked: Asked, box: Box
    ) -> Iterator[Any]:
        index, shape, left = rtree_of(table), box_shape(box), asked.limit
        near = [
            index.c.first <= asked.row,
            index.c.last >= asked.row,
            index.c.west <= box.east,
            index.c.east >= box.west,
            index.c.south <= box.north,
            index.c.north >= box.south,
        ]
        rows = select(*columns, table.c[FID], table.c[GEOMETRY]).order_by(table.c[FID])
        ids = connection.execute(select(index.c.id).where(*near).limit(_FEW + 1)).scalars().all()
        if len(ids) <= _FEW:
            batches = _looked_up(connection, rows, table, asked, [int(one) for one in ids])
        else:
            own = select(index.c.id).where(index.c.id == (asked.row << FID_BITS) + table.c[FID], *near)
            batches = _walked(connection, rows.where(own.exists()), table, asked)
        for batch in batches:
            # The index holds single floats, rounded outwards: who meets the box is settled here, as PostGIS does.
            meets = shapely.intersects(shapely.from_wkb([one[-1] for one in batch]), shape)
            found = [one for one, is_in in zip(batch, meets.tolist(), strict=True) if is_in][:left]
            yield from found
            left = None if left is None else left - len(found)
            if left == 0:
                return


def _looked_up(
    connection: Connection, rows: Select[Any], table: Table, asked: Asked, ids: list[int]
) -> Iterator[Sequence[Any]]:
    """Rows of a small box, by their numbers, some at a time."""
    fids = sorted(one - (asked.row << FID_BITS) for one in ids)
    left = fids[bisect_right(fids, asked.after_fid) :]
    for start in range(0, len(left), _BATCH):
        some = table.c[FID].in_(left[start : start + _BATCH])
        yield connection.execute(rows.where(table.c[VERSION] == asked.row, some)).fetchall()


def _walked(connection: Connection, rows: Select[Any], table: Table, asked: Asked) -> Iterator[Sequence[Any]]:
    """Rows of a large box, in their order, some at a time; each is looked up in the index."""
    after: int | None = asked.after_fid
    while after is not None:
        page = replace(asked, after_fid=after)
        some = connection.execute(rows.where(*page.rows_of(table)).limit(_BATCH)).fetchall()
        if some:
            yield some
        after = some[-1][-2] if len(some) == _BATCH else None


def _boxes(row: int, wkb: list[bytes | None]) -> dict[str, Iterable[Any]]:
    bounds = shapely.bounds(shapely.from_wkb(np.array(wkb, dtype=object))).reshape(-1, 4)
    placed = np.flatnonzero(np.isfinite(bounds).all(axis=1))
    west, south, east, north = bounds[placed].T.tolist()
    ids = (placed + 1 + (row << FID_BITS)).tolist()
    version = [row] * len(placed)
    return {
        "id": ids,
        "west": west,
        "east": east,
        "south": south,
        "north": north,
        "first": version,
        "last": version,
    }


def _insert_many(connection: Connection, table: Any, parts: dict[str, Iterable[Any]]) -> None:
    rows = list(zip(*parts.values(), strict=True))
    if rows:
        statement = insert(table).compile(dialect=connection.dialect, column_keys=list(parts))
        order = [list(parts).index(name) for name in statement.positiontup or ()]
        connection.exec_driver_sql(str(statement), [tuple(row[place] for place in order) for row in rows])
