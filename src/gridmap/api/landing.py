"""Landing page, conformance, the OpenAPI document."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from fastapi import Request, Response

from gridmap import catalogue
from gridmap.api import pages
from gridmap.api.answers import JSON, href, is_known, link
from gridmap.api.dependencies import AskedLanguage
from gridmap.api.features.items_described import API_ANSWERS, CONFORMANCE_ANSWERS, LANDING_ANSWERS
from gridmap.api.formats import HTML, AskedFormat, format_of
from gridmap.api.openapi import MEDIA_TYPE, openapi_document
from gridmap.api.routing import router

CONFORMANCE: tuple[str, ...] = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
)
#: Rooms that the landing page leads to where they are there: relation, path, key of the title.
_ROOMS = (
    ("conformance", "/conformance", "features.conformance"),
    ("http://www.opengis.net/def/rel/ogc/1.0/conformance", "/conformance", "features.conformance"),
    ("data", "/collections", "features.collections"),
    ("http://www.opengis.net/def/rel/ogc/1.0/data", "/collections", "features.collections"),
    ("http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", "/tileMatrixSets", "features.tile_matrix_sets"),
    ("http://www.opengis.net/def/rel/ogc/1.0/styles", "/styles", "features.styles"),
    ("http://www.opengis.net/def/rel/ogc/1.0/processes", "/processes", "features.processes"),
    ("http://www.opengis.net/def/rel/ogc/1.0/job-list", "/jobs", "features.jobs"),
    ("plans", "/plans", "features.plans"),
)

routes = router()


@routes.get("/", responses=LANDING_ANSWERS, tags=["service"])
def landing(request: Request, lang: AskedLanguage, f: AskedFormat = None) -> Response:
    """Lead to everything there is."""
    asked_format = format_of(request, f)
    paths = request.app.state.paths
    links = [
        link(request, "self", "/"),
        link(request, "alternate", "/?f=html", kind=HTML, title="HTML"),
        link(request, "service-desc", "/api", kind=MEDIA_TYPE, title="OpenAPI 3.0"),
        *(
            link(request, rel, path, title=catalogue.text(title, lang))
            for rel, path, title in _ROOMS
            if ("GET", path) in paths
        ),
    ]
    document = {"title": "gridmap", "description": catalogue.text("features.about_service", lang), "links": links}
    return _answer(request, document, asked_format, pages.document_page(document, lang))


@routes.get("/conformance", responses=CONFORMANCE_ANSWERS, tags=["service"])
def conformance(request: Request, lang: AskedLanguage, f: AskedFormat = None) -> Response:
    """Declare the conformance classes that tests prove."""
    asked_format = format_of(request, f)
    document = {"conformsTo": request.app.state.conformance}
    return _answer(request, document, asked_format, pages.conformance_page(document, lang))


@routes.get("/api", responses=API_ANSWERS, tags=["service"])
def api(request: Request) -> Response:
    """Describe the service as OpenAPI 3.0."""
    state = request.app.state
    if not hasattr(state, "openapi"):
        state.openapi = openapi_document(request.app)
    return _kept(request, orjson.dumps({**state.openapi, "servers": [{"url": href(request, "")}]}), MEDIA_TYPE)


def _answer(request: Request, document: dict[str, Any], asked_format: str, page: str) -> Response:
    if asked_format == "html":
        return pages.html_answer(page)
    return _kept(request, orjson.dumps(document), JSON)


def _kept(request: Request, body: bytes, media_type: str) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Language"}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, media_type)
