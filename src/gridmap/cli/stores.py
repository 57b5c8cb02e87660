"""``gridmap db``, ``gridmap import`` and ``gridmap export``: plans into the store and out of it."""

from __future__ import annotations

import getpass
import re
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import catalogue
from gridmap.cli.options import Json, Output, Quiet, help_of, print_json, progress
from gridmap.errors import GridmapError
from gridmap.settings import settings

if TYPE_CHECKING:
    from gridmap.store import PlanStore, VersionInfo

Database = Annotated[str | None, typer.Option("--database", help=help_of("database"), metavar="URL")]


class Action(StrEnum):
    """What is done to the tables of a store."""

    UPGRADE = "upgrade"
    CHECK = "check"


def db(
    action: Annotated[Action, typer.Argument(metavar="ACTION", help=help_of("db_action"))],
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Make or check the tables of a store."""
    from gridmap.store.open import check_store, upgrade_store

    name, revision = {Action.UPGRADE: upgrade_store, Action.CHECK: check_store}[action](_address(database))
    if as_json:
        print_json({"store": name, "revision": revision})
    else:
        typer.echo(catalogue.text(f"cli.db_{action}_done", store=name, revision=revision))


def import_plan(
    directory: Annotated[Path, typer.Argument(metavar="PLAN_DIR", help=help_of("plan_dir"))],
    database: Database = None,
    plan_id: Annotated[str | None, typer.Option("--id", help=help_of("import_id"))] = None,
    publish: Annotated[bool, typer.Option("--publish", help=help_of("import_publish"))] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Add a plan directory to the store as a new version."""
    from gridmap.exports.plan_directory import load_plan
    from gridmap.store import open_store
    from gridmap.store.sql import check_plan_id

    plan_id = _identifier(directory) if plan_id is None else plan_id
    check_plan_id(plan_id)
    who = current_user()
    with progress(quiet or as_json) as tell:
        tell(catalogue.text("cli.reading", file=directory), 0.0)
        plan = load_plan(directory)
        store = open_store(_address(database), create=True)
        try:
            tell(catalogue.text("cli.storing", store=store.name), 0.0)
            version = store.add_version(plan_id, plan, who=who)
            try:
                digest = _proved(store, version, tell)
            except BaseException:
                # Neither what is not proved stays behind, nor what an interrupt kept from being proved.
                with suppress(GridmapError):
                    store.delete_draft(version, who=who)
                raise
            if publish:
                version = store.publish(version, who=who)
        finally:
            store.close()
    _say("imported", version, digest, store.name, quiet, as_json)


def export_plan(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN_ID", help=help_of("export_id"))],
    output: Output,
    database: Database = None,
    number: Annotated[int | None, typer.Option("--version", help=help_of("export_version"))] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write a version of the store as a plan directory."""
    from gridmap.exports.plan_directory import check_output_directory, write_plan
    from gridmap.store import open_store
    from gridmap.store.proof import prove_again

    check_output_directory(output)
    store = open_store(_address(database))
    try:
        version = store.version(plan_id, number)
        with progress(quiet or as_json) as tell:
            tell(catalogue.text("cli.reading", file=store.name), 0.0)
            plan = store.read(version)
            tell(catalogue.text("cli.proving"), 0.0)
            digest = prove_again(plan)
            tell(catalogue.text("cli.writing", output=output), 0.0)
            write_plan(plan, output)
    finally:
        store.close()
    _say("exported", version, digest, str(output), quiet, as_json)


def _proved(store: PlanStore, version: VersionInfo, tell: Any) -> str:
    """Digest of the certificate, proved anew from what the store gives back."""
    from gridmap.store.proof import prove_again

    stored = store.read(version)
    tell(catalogue.text("cli.proving"), 0.0)
    return prove_again(stored)


def _say(done: str, version: VersionInfo, digest: str, where: str, quiet: bool, as_json: bool) -> None:
    said = {"plan": version.plan_id, "version": version.number, "status": version.status.value}
    if as_json:
        print_json({**said, "digest": version.digest, "certificate": digest, "where": where})
    elif not quiet:
        status = catalogue.text(f"cli.status_{version.status}")
        values = {"number": version.number, "status": status, "digest": digest[:16], "where": where}
        typer.echo(catalogue.text(f"cli.{done}", id=version.plan_id, **values))


def _address(database: str | None) -> str:
    return settings().database_url if database is None else database


def _identifier(directory: Path) -> str:
    """Name of a directory as an identifier, where it can be one."""
    return re.sub(r"[\s.]+", "-", directory.resolve().name.lower())


def current_user() -> str:
    """Who runs this, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have a number and no name.
        return "unknown"
