"""Run the service: open the store, listen, start the workers beside it, answer until told to stop."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from gridmap.api.access.loopback import check_binding, decide_single_user
from gridmap.api.app import create_app
from gridmap.api.service import Service
from gridmap.errors import UsageError
from gridmap.jobs.supervisor import Workers
from gridmap.settings import Settings
from gridmap.store.open import open_store

_BACKLOG = 512
_KEEP_ALIVE_S = 30


def serve(config: Settings, host: str, port: int, tell: Callable[[Service, str], None]) -> None:
    """Answer requests until the process is told to stop, then let those under way end.

    Parameters
    ----------
    config : settings; ``database_url`` names the store, whose file is made where it is not there
    host, port : where to listen; port 0 for any that is free
    tell : called with the service and its address once it listens

    Raises
    ------
    UsageError
        If the address cannot be listened on, or others could reach it while nobody needs a key.
    StoreOutdated, StoreUnreachable
        As ``open_store``.
    """
    store = open_store(config.database_url, create=True)
    try:
        check_binding(store, config, host)
        service = Service(store, config, decide_single_user(store, config, host))
        app = create_app(service)
        with _listening(host, port) as sockets, _working(config):
            address = sockets[0].getsockname()
            shown = f"[{address[0]}]" if ":" in address[0] else address[0]
            tell(service, f"http://{shown}:{address[1]}")
            uvicorn.Server(_server_options(app, config)).run(sockets)
    finally:
        store.close()


def _server_options(app: object, config: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        # Requests are logged by ``observing``, with their ids.
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=config.trusted_proxies,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(int(config.shutdown_grace_s), 1),
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Listen on every address of a host, so that what is in the way is said before any work is done."""
    opened: list[socket.socket] = []
    try:
        _open(host, port, opened)
        yield opened
    finally:
        for one in opened:
            one.close()


def _open(host: str, port: int, opened: list[socket.socket]) -> None:
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            # Of several addresses all take the port that the first was given.
            taken = port or (opened[0].getsockname()[1] if opened else 0)
            one = socket.socket(family, kind, protocol)
            opened.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address[0], taken, *address[2:]))
    except (OSError, OverflowError) as fault:
        known = {errno.EADDRINUSE: "port_taken", errno.EACCES: "port_refused"}
        key = known.get(getattr(fault, "errno", None) or 0, "cannot_listen")
        raise UsageError(f"api.{key}", host=host, port=port) from fault


@contextmanager
def _working(config: Settings) -> Iterator[None]:
    """Run the workers of this service beside it."""
    if not config.job_workers:
        yield
        return
    workers = Workers(config, config.job_workers)
    workers.start()
    try:
        yield
    finally:
        workers.stop()
