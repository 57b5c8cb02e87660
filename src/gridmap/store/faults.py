"""Turn what databases raise into the errors of gridmap."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gridmap.errors import GridmapError, Place, StoreConflict, StoreError, StoreUnreachable

#: How the triggers of the migrations begin what they say.
REFUSED = "gridmap:"
#: Classes of SQLSTATE: connection, operator intervention, and waiting for a lock in vain.
_GONE_STATES = ("08", "57", "55", "28", "3D")
_GONE_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB)


@contextmanager
def database_faults_named(database: str) -> Iterator[None]:
    """Raise ``StoreConflict``, ``StoreUnreachable`` or ``StoreError`` for faults of a database, naming it."""
    try:
        yield
    except GridmapError:
        raise
    except DBAPIError as fault:
        raise _named(fault.orig if isinstance(fault.orig, Exception) else fault, database) from fault
    except (sqlite3.Error, psycopg.Error, SQLAlchemyError) as fault:
        raise _named(fault, database) from fault


def _named(fault: Exception, database: str) -> StoreError:
    place = Place(file=database)
    reason = next(iter(str(fault).splitlines()), type(fault).__name__)
    if isinstance(fault, (sqlite3.IntegrityError, psycopg.IntegrityError)):
        return StoreConflict("store.immutable" if REFUSED in reason else "store.made_meanwhile", place)
    if _is_too_long(fault):
        return StoreUnreachable("reading.too_long", place)
    if isinstance(fault, (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)):
        return StoreConflict("store.made_meanwhile", place)
    if _is_gone(fault):
        return StoreUnreachable("store.unreachable", place, reason=reason)
    return StoreError("store.failed", place, reason=reason)


def _is_too_long(fault: Exception) -> bool:
    if isinstance(fault, psycopg.errors.QueryCanceled):
        return True
    return isinstance(fault, sqlite3.Error) and getattr(fault, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT


def _is_gone(fault: Exception) -> bool:
    # So many ask at once that none of our connections came free.
    if isinstance(fault, PoolTimeout):
        return True
    if isinstance(fault, psycopg.Error):
        state = fault.sqlstate
        return isinstance(fault, psycopg.OperationalError) if state is None else state[:2] in _GONE_STATES
    # Extended codes hold the primary one in their lowest byte.
    return isinstance(fault, sqlite3.Error) and (getattr(fault, "sqlite_errorcode", 0) & 0xFF) in _GONE_CODES
