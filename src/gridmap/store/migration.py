"""The tables of a store, brought from one version of gridmap to the next by the scripts of ``migrations/``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from gridmap.errors import Place, StoreDamaged, StoreOutdated, UsageError
from gridmap.store.service_tables import metadata
from gridmap.store.sql import SqlStore

HEAD = "head"
_LOCK = 0x67726964


def upgrade(store: SqlStore, revision: str = HEAD) -> str:
    """Bring the tables to a revision, in one transaction; returns the one they are at.

    Raises
    ------
    StoreOutdated
        If they are of a later version of gridmap.
    """
    with store.writing() as connection:
        if connection.dialect.name == "postgresql":
            # Of two who upgrade at once the second finds it done; on SQLite writers take turns anyway.
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        _require_known(store, connection)
        command.upgrade(_config(connection), revision)
        return _revision(connection) or ""


def downgrade(store: SqlStore, revision: str) -> None:
    """Take the tables back to an earlier revision, ``base`` for none; what that has no place for is lost."""
    with store.writing() as connection:
        command.downgrade(_config(connection), revision)


def require_current(store: SqlStore) -> str:
    """Return the revision of the tables.

    Raises
    ------
    StoreOutdated
        If it is not the one that this version of gridmap needs.
    """
    with store.reading() as connection:
        _require_known(store, connection)
        found, needed = _revision(connection), _scripts().get_current_head()
        if found != needed:
            raise StoreOutdated("store.outdated", Place(file=store.name), found=found or "–", needed=needed)
        return found or ""


def check(store: SqlStore) -> str:
    """Compare the tables, column for column, with what this version of gridmap needs; returns their revision.

    Raises
    ------
    StoreOutdated
        If they are of another revision.
    StoreDamaged
        If they differ, or the file is broken.
    """
    revision = require_current(store)
    with store.reading() as connection:
        differences = [*differences_of(connection), *store.faults(connection)]
    if differences:
        raise StoreDamaged("store.differs", Place(file=store.name), differences="; ".join(differences))
    return revision


def differences_of(connection: Connection) -> list[str]:
    """List what would have to be done to the tables to make them those of the models."""
    context = MigrationContext.configure(connection, opts=compare_options(connection.dialect.name))
    return [str(difference) for difference in compare_metadata(context, metadata)]


def compare_options(dialect: str) -> dict[str, Any]:
    """Options of a migration context: what is compared, and what is not ours."""

    def is_ours(thing: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
        if kind == "table":
            # Those of PostGIS, and the parts of an R*Tree.
            return not reflected or name in metadata.tables
        return not (kind == "index" and dialect != "postgresql" and thing.kwargs.get("postgresql_using"))

    return {"include_object": is_ours, "compare_type": True, "target_metadata": metadata}


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_folder()))


def _folder() -> Path:
    """Folder of the scripts: inside the installed package, or beside the sources."""
    installed = Path(str(files("gridmap"))) / "migrations"
    beside = Path(__file__).parents[3] / "migrations"
    for folder in (installed, beside):
        if (folder / "env.py").is_file():
            return folder
    raise UsageError("store.no_migrations")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _require_known(store: SqlStore, connection: Connection) -> None:
    """Refuse tables that a later version of gridmap made, and a database of something else."""
    found = _revision(connection)
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise StoreOutdated("store.newer", Place(file=store.name), found=found)
