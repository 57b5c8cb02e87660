"""Whether the service lives, is ready, and what it does: health and metrics, for those who run it."""

from __future__ import annotations

import hmac
import os
from ipaddress import ip_address
from typing import Any

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, select

from gridmap.api.access.protection import OF_PROXIES
from gridmap.api.answers import json_answer
from gridmap.api.dependencies import TheService
from gridmap.api.routing import router
from gridmap.api.service import Service
from gridmap.errors import GridmapError, NotAllowed
from gridmap.store.migration import require_current
from gridmap.store.service_tables import job

routes = router()
_FRESH = "no-store"


@routes.get("/healthz", tags=["operations"], summary="Whether the process lives")
async def healthz() -> Response:
    """Answer as long as the process can."""
    return json_answer({"status": "ok"}, Cache_Control=_FRESH)


@routes.get(
    "/readyz",
    tags=["operations"],
    summary="Whether requests can be answered",
    responses={503: {"description": "The store or the data directory cannot be used"}},
)
def readyz(service: TheService) -> Response:
    """Look whether the store answers with the tables it should have, and whether files can be written."""
    checks = {"store": _store_is_ready(service), "data_directory": _can_write(service)}
    ready = all(checks.values())
    said = {name: "ok" if fine else "failed" for name, fine in checks.items()}
    return json_answer(
        {"status": "ok" if ready else "unready", "checks": said}, 200 if ready else 503, Cache_Control=_FRESH
    )


@routes.get(
    "/metrics",
    tags=["operations"],
    summary="Counts and times, as Prometheus reads them",
    responses={200: {"content": {"text/plain": {}}}},
)
def metrics(request: Request, service: TheService) -> Response:
    """Tell counts and times to this machine, or to who has the key."""
    if not _may_see_metrics(request, service):
        raise NotAllowed("api.no_metrics")
    registry = request.app.state.metrics.registry
    own = b"".join(_exposed(family) for family in _families(service))
    return Response(
        generate_latest(registry) + own, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )


def _store_is_ready(service: Service) -> bool:
    try:
        require_current(service.store)
    except GridmapError:
        return False
    return True


def _can_write(service: Service) -> bool:
    folder = service.data_directory
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _may_see_metrics(request: Request, service: Service) -> bool:
    key = service.config.metrics_key
    wanted = key.get_secret_value() if key is not None else ""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if wanted and scheme.lower() == "bearer":
        return hmac.compare_digest(given.strip().encode(), wanted.encode())
    # A proxy on this machine asks for others.
    forwarded = any(name in request.headers for name in OF_PROXIES)
    return not forwarded and _is_loopback(request.client.host if request.client else "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _families(service: Service) -> list[GaugeMetricFamily]:
    """Tell what the store knows: jobs by status, of every process that works on it."""
    jobs = GaugeMetricFamily("gridmap_jobs", "Jobs in the store", labels=["status"])
    with service.store.reading() as connection:
        for status, count in connection.execute(select(job.c.status, func.count()).group_by(job.c.status)):
            jobs.add_metric([status], count)
    return [jobs]


def _exposed(family: GaugeMetricFamily) -> bytes:
    class _One:
        def collect(self) -> list[Any]:
            return [family]

    return generate_latest(_One())
