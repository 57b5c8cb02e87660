"""What every request passes before it is answered, and what every answer bears, whichever room answers it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gridmap.api.access.identification import Gate
from gridmap.api.access.loopback import is_loopback
from gridmap.api.access.protective_headers import protected
from gridmap.api.problems import problem_answer
from gridmap.api.service import Service
from gridmap.errors import GridmapError, NotAllowed, UsageError
from gridmap.settings import Settings

#: Options of uvicorn, which would believe ``X-Forwarded-For`` of any local process, and say what it is.
SERVER_OPTIONS: Mapping[str, bool] = {"proxy_headers": False, "server_header": False}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_.-]{1,253})(:[0-9]{1,5})?")
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
#: What only a proxy sends: behind one, everybody comes from this machine.
OF_PROXIES = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via")
_CORS_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_CORS_HEADERS = (
    "Authorization",
    "X-API-Key",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
    "X-Request-ID",
)
_CORS_EXPOSED = (
    "ETag",
    "Link",
    "Location",
    "Content-Disposition",
    "Content-Crs",
    "OGC-NumberReturned",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-ID",
)


def install(app: FastAPI, service: Service) -> None:
    """Put an application behind its gate.

    Raises
    ------
    UsageError
        If a setting of access cannot be used.
    """
    config, gate = service.config, Gate(service)
    app.state.gate = gate
    origins = origins_of(config)
    # The last one added is the first one passed.
    app.add_middleware(Guard, gate=gate, origins=frozenset({*origins, *_own_origin(config)}))
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=_CORS_METHODS,
            allow_headers=_CORS_HEADERS,
            expose_headers=_CORS_EXPOSED,
        )
    app.add_middleware(Protected)
    proxies = listed(config.trusted_proxies)
    if proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)


def listed(setting: str) -> list[str]:
    """Entries of a setting that are separated by commas."""
    return [entry.strip() for entry in setting.split(",") if entry.strip()]


def origins_of(config: Settings) -> list[str]:
    """Origins whose pages may call the service.

    Raises
    ------
    UsageError
        If one is none.
    """
    origins = listed(config.cors_origins)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise UsageError("access.bad_origin", origin=origin)
    return [origin.lower() for origin in origins]


def _own_origin(config: Settings) -> list[str]:
    parts = urlsplit(config.base_url or "")
    return [f"{parts.scheme}://{parts.netloc}".lower()] if parts.netloc else []


class Protected:
    """Adds the headers that protect whoever reads an answer, and those that were asked for this one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                asked: dict[bytes, bytes] = scope.get("gridmap.headers", {})
                message["headers"] = protected(message.get("headers", ()), asked, is_https=scope["scheme"] == "https")
            await send(message)

        await self._app(scope, receive, send_protected)


class Guard:
    """Refuses requests that a page of somebody else made a browser send, and hosts that are none.

    Parameters
    ----------
    origins : whose pages may change something, beside those of the host that was asked
    """

    def __init__(self, app: ASGIApp, gate: Gate, origins: frozenset[str]) -> None:
        self._app, self._gate, self._origins = app, gate, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "http":
            try:
                await self._check(scope)
            except GridmapError as refused:
                await problem_answer(refused, Request(scope))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = hosts[0] if hosts else ""
        if len(hosts) > 1 or (hosts and not _HOST.fullmatch(host)):
            # Links are made of it.
            raise UsageError("access.bad_host")
        if (
            self._gate.may_be_single_user
            and not _is_local(scope, headers, host)
            # Somebody may have made an account since.
            and await run_in_threadpool(self._gate.is_single_user)
        ):
            raise NotAllowed("access.loopback_only")
        if scope["method"] not in _READING:
            self._check_origin(headers, host)

    def _check_origin(self, headers: Headers, host: str) -> None:
        """Refuse a change that a page of somebody else asks for: browsers add keys of Basic by themselves."""
        origin = headers.get("origin")
        if origin is None:
            is_foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        else:
            is_foreign = origin.lower() not in self._origins and _netloc_of(origin) != host.lower()
        if is_foreign:
            raise NotAllowed("access.foreign_origin")


def _is_local(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether a request comes from this machine, and not by a name that somebody's name server leads here."""
    client = scope.get("client")
    named = _HOST.fullmatch(host)
    return (
        (named is None or is_loopback(named[1]))
        and (not client or is_loopback(client[0]))
        and not any(map(headers.get, OF_PROXIES))
    )


def _netloc_of(origin: str) -> str:
    """Host and port of an origin; empty for what is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
