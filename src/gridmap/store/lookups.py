"""Look up a few rows in PostgreSQL by statements that are written once: the way of every request, so it is short.

No transaction is begun or ended, the text of a statement is made once, and rows come as the driver has them: what goes
through the whole of SQLAlchemy costs several times as much as the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy import Engine, Select, event
from sqlalchemy.exc import DisconnectionError

from gridmap.store.kept import Kept

#: Idle for longer, a connection may have been closed by the server or something between, seconds.
_IDLE_S = 2.0
_USED = "gridmap_used"
#: Times a statement runs before the server keeps its plan.
_RUNS_BEFORE_PLAN = 3


class Lookups:
    """Statements run one by one, each of which sees a state of its own.

    Parameters
    ----------
    engine : whose connections are used; they commit by themselves from now on
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._texts = engine, Kept()
        event.listen(engine, "connect", _commits_by_itself)

    def rows(self, key: Hashable, make: Callable[[], Select[Any]], values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows that a statement finds; its text is kept by the key, and its plan by the server."""
        return self.found(*self._texts.get(key, lambda: self._text_of(make(), values)), values, keeps_plan=True)

    def found(
        self, text: str, fixed: Mapping[str, Any], values: Mapping[str, Any], *, keeps_plan: bool
    ) -> list[tuple[Any, ...]]:
        """Rows that a text finds with values, and others that are ``fixed``."""
        lent = self._engine.raw_connection()
        driver: Any = lent.driver_connection
        try:
            found = driver.execute(text, {**fixed, **values}, prepare=None if keeps_plan else False).fetchall()
        except psycopg.Error as fault:
            if driver.closed:
                lent.invalidate(fault)
            raise
        finally:
            lent.close()
        return [tuple(map(_in_utc, row)) for row in found]

    def _text_of(self, statement: Select[Any], values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        # Lists are written out, a parameter each; the values themselves are put in anew each time.
        expanded = statement.compile(dialect=self._engine.dialect).construct_expanded_state(dict(values))
        return expanded.statement, dict(expanded.parameters)

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()


def ping_when_idle(engine: Engine) -> None:
    """Ask whether a connection that lay idle still stands; one just used does, or whoever uses it finds out."""

    def mark(_connection: Any, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    def ping(connection: Any, record: Any, _proxy: object) -> None:
        if time.monotonic() - record.info.get(_USED, time.monotonic()) < _IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as fault:
            raise DisconnectionError from fault

    event.listen(engine, "checkin", mark)
    event.listen(engine, "checkout", ping)


def _commits_by_itself(connection: Any, _record: object) -> None:
    connection.autocommit = True
    connection.prepare_threshold = _RUNS_BEFORE_PLAN


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
