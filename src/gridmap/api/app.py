"""The application: routes, errors, what every answer bears."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI

from gridmap.api import landing, operations
from gridmap.api.access import accounts
from gridmap.api.access.protection import install
from gridmap.api.features import collections
from gridmap.api.heads import HeadsAnswered
from gridmap.api.intake import uploads
from gridmap.api.maps import styles, tiles
from gridmap.api.observing import Metrics, Observed
from gridmap.api.openapi import routes_of
from gridmap.api.problems import add_problems
from gridmap.api.questions import findings
from gridmap.api.runs import processes
from gridmap.api.service import Service
from gridmap.api.versions import differences, downloads, plans

ROOMS = (
    landing,
    collections,
    tiles,
    styles,
    plans,
    findings,
    downloads,
    differences,
    uploads,
    processes,
    accounts,
    operations,
)


def create_app(service: Service) -> FastAPI:
    """Make the application of a service."""
    app = FastAPI(
        title="gridmap",
        version=version("gridmap"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.openapi_version = "3.0.3"
    app.state.service = service
    app.add_middleware(HeadsAnswered)
    install(app, service)
    app.state.metrics = Metrics()
    app.add_middleware(Observed, metrics=app.state.metrics)
    add_problems(app)
    for room in ROOMS:
        app.include_router(room.routes)
    app.state.paths = frozenset(routes_of(app))
    app.state.conformance = sorted({one for room in ROOMS for one in getattr(room, "CONFORMANCE", ())})
    return app
