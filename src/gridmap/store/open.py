"""Open a store by its address."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from gridmap.errors import Place, UsageError
from gridmap.settings import Settings, settings
from gridmap.store.migration import check, require_current, upgrade
from gridmap.store.postgis import PostgisStore
from gridmap.store.sql import Limits, SqlStore
from gridmap.store.sqlite import SqliteStore


def open_store(url: str, *, create: bool = False, config: Settings | None = None) -> SqlStore:
    """Open a store whose tables are those of this version of gridmap.

    Parameters
    ----------
    url : ``sqlite:///FILE``, ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``, or the path of an SQLite file
    create : make the SQLite file, with its tables, where it is not there
    config : limits of readers; default: those of this process

    Raises
    ------
    UsageError
        If the address is none of these, or names a file that is not there.
    StoreOutdated
        If its tables are missing or older or newer; ``gridmap db upgrade`` mends the first two.
    StoreUnreachable
        If it cannot be opened.
    """
    store, is_new = _store_at(url, create=create, config=config)
    try:
        if is_new:
            upgrade(store)
        require_current(store)
    except BaseException:
        store.close()
        raise
    return store


def upgrade_store(url: str) -> tuple[str, str]:
    """Bring the tables of a store to those of this version of gridmap, making them where there are none.

    Returns
    -------
    The name of the store, without password, and the revision that its tables are at now.

    Raises
    ------
    UsageError, StoreOutdated, StoreUnreachable
        As ``open_store``.
    """
    store, _ = _store_at(url, create=True)
    try:
        return store.name, upgrade(store)
    finally:
        store.close()


def check_store(url: str) -> tuple[str, str]:
    """Compare the tables of a store with what this version of gridmap needs; returns as ``upgrade_store``.

    Raises
    ------
    UsageError, StoreOutdated, StoreUnreachable
        As ``open_store``.
    StoreDamaged
        If they differ, or the file is broken.
    """
    store, _ = _store_at(url, create=False)
    try:
        return store.name, check(store)
    finally:
        store.close()


def _store_at(url: str, *, create: bool, config: Settings | None = None) -> tuple[SqlStore, bool]:
    """Store at an address, unopened, and whether it is a file still to be made."""
    parsed, asked = _parsed(url), config or settings()
    limits = Limits(asked.statement_timeout_s, asked.database_connections)
    if parsed.get_backend_name() == "postgresql":
        return PostgisStore(parsed.set(drivername="postgresql+psycopg"), limits), False
    path = Path(parsed.database or "")
    is_new = not path.exists()
    if is_new and not create:
        raise UsageError("store.no_file", Place(file=str(path)))
    return SqliteStore(parsed, limits), is_new


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
        backend = parsed.get_backend_name()
    except ArgumentError as fault:
        raise UsageError("store.bad_url") from fault
    is_file = backend == "sqlite" and parsed.database not in (None, "", ":memory:")
    if backend == "postgres":
        return parsed.set(drivername="postgresql")
    if not is_file and backend != "postgresql":
        raise UsageError("store.bad_url")
    return parsed
