"""What every request leaves behind: an id in its answer, a line in the log, counts and times in the metrics."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: An id that a client or a proxy may give a request.
_GIVEN_ID = re.compile(rb"[A-Za-z0-9_.-]{1,64}")
_HEADER = b"x-request-id"
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0)
#: Health checks come every few seconds; nobody reads lines of them.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_log = structlog.get_logger("gridmap.requests")


class Metrics:
    """Counts and times of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "gridmap_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "gridmap_request_seconds",
            "Time until the last byte of an answer",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.running = Gauge("gridmap_requests_running", "Requests being answered", registry=self.registry)
        self.sent = Counter("gridmap_sent_bytes", "Bytes of answers", ("route",), registry=self.registry)


class Observed:
    """Wraps an application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and note that it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _id_of(scope)
        seen = _Seen(send, request_id)
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        self._metrics.running.inc()
        try:
            await self._app(scope, receive, seen)
        except Exception:
            seen.status = seen.status or 500
            raise
        finally:
            self._metrics.running.dec()
            self._note(scope, seen, time.perf_counter() - started)

    def _note(self, scope: Scope, seen: _Seen, seconds: float) -> None:
        # Where no route was found the path is the client's own words, and there are endlessly many.
        route = getattr(scope.get("route"), "path", "none")
        status = seen.status or 499
        self._metrics.requests.labels(scope["method"], route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        self._metrics.sent.labels(route).inc(seen.sent)
        if scope["path"] in _QUIET:
            return
        _log.info(
            "answered",
            method=scope["method"],
            path=scope["path"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            bytes=seen.sent,
            who=scope.get("state", {}).get("who"),
        )


class _Seen:
    """Passes an answer on and remembers what it was."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status, self.sent = 0, 0
        self._send, self._id = send, request_id.encode()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers: list[Any] = message.setdefault("headers", [])
            headers.append((_HEADER, self._id))
        elif message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
        await self._send(message)


def _id_of(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
    return given.decode() if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
