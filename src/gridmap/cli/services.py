"""``gridmap serve`` and ``gridmap worker``: the service, and what runs its jobs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from gridmap import catalogue
from gridmap.cli.options import help_of
from gridmap.settings import Settings, settings

if TYPE_CHECKING:
    from gridmap.api import Service

Database = Annotated[str | None, typer.Option("--database", help=help_of("database"), metavar="URL")]


def serve(
    host: Annotated[str, typer.Option("--host", help=help_of("serve_host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help=help_of("serve_port"), min=0, max=65535)] = 8000,
    database: Database = None,
) -> None:
    """Serve the plans of a store over HTTP, until interrupted."""
    from gridmap.api.listening import serve as serve_store
    from gridmap.logs import configure_logs

    config = _config(database)
    configure_logs(config.log_level, config.log_format)
    # A service that is told to stop has done what it was asked to.
    with suppress(KeyboardInterrupt):
        serve_store(config, host, port, _tell)


def worker(
    count: Annotated[int, typer.Option("--count", help=help_of("worker_count"), min=1, max=64)] = 1,
    database: Database = None,
) -> None:
    """Run jobs of the service, until interrupted."""
    from gridmap.jobs.supervisor import run_workers
    from gridmap.logs import configure_logs
    from gridmap.store import open_store

    config = _config(database)
    configure_logs(config.log_level, config.log_format)
    # A store that is not there or out of date is said here, once, and not by every worker again and again.
    open_store(config.database_url).close()
    with suppress(KeyboardInterrupt):
        run_workers(config, count)


def _config(database: str | None) -> Settings:
    return settings() if database is None else settings().model_copy(update={"database_url": database})


def _tell(service: Service, address: str) -> None:
    key = "cli.serving_single_user" if service.is_single_user else "cli.serving"
    typer.echo(catalogue.text(key, address=address, store=service.store.name))
