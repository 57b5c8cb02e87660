"""Layers of plans as collections: OGC API Features."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import orjson
from fastapi import Query, Request, Response

from gridmap import catalogue
from gridmap.api import pages
from gridmap.api.answers import JSON, caching, entity_tag, is_known, link
from gridmap.api.dependencies import AskedLanguage, Plans
from gridmap.api.features import items
from gridmap.api.features.collection_ids import CollectionId, find
from gridmap.api.features.descriptions import SCHEMA, collection_document, schema_document, title_of
from gridmap.api.features.items import CollectionName, links_base
from gridmap.api.features.items_described import COLLECTION_ANSWERS, COLLECTIONS_ANSWERS, SCHEMA_ANSWERS
from gridmap.api.features.parameters import limit_of
from gridmap.api.formats import HTML, AskedFormat, format_of
from gridmap.api.reading_again import read_again
from gridmap.api.routing import router
from gridmap.domain.crs import CRS84
from gridmap.domain.layers import LAYER_BY_NAME, LAYERS
from gridmap.errors import NotStored, UsageError
from gridmap.store.protocols import PlanInfo, VersionInfo
from gridmap.store.repository import Repository

_FEATURES = "http://www.opengis.net/spec/ogcapi-features"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"
#: What tests prove; ``docs/guide/ogc-api.md`` names the test of each.
CONFORMANCE: tuple[str, ...] = (
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    f"{_FEATURES}-1/1.0/conf/core",
    f"{_FEATURES}-1/1.0/conf/geojson",
    f"{_FEATURES}-1/1.0/conf/html",
    f"{_FEATURES}-1/1.0/conf/oas30",
    f"{_FEATURES}-2/1.0/conf/crs",
    f"{_FEATURES}-3/1.0/conf/queryables",
    f"{_FEATURES}-3/1.0/conf/queryables-query-parameters",
    f"{_FEATURES}-3/1.0/conf/filter",
    f"{_FEATURES}-3/1.0/conf/features-filter",
    f"{_CQL2}/cql2-text",
    f"{_CQL2}/cql2-json",
    f"{_CQL2}/basic-cql2",
    f"{_CQL2}/advanced-comparison-operators",
    f"{_CQL2}/case-insensitive-comparison",
    f"{_CQL2}/accent-insensitive-comparison",
    f"{_CQL2}/basic-spatial-functions",
    f"{_CQL2}/basic-spatial-functions-plus",
    f"{_CQL2}/property-property",
)
#: Most collections that one answer lists, and how many without a limit.
_MOST, _LISTED = 10_000, 1000

routes = router()


@routes.get("/collections", responses=COLLECTIONS_ANSWERS, tags=["features"])
@read_again
def collections(
    request: Request,
    plans: Plans,
    lang: AskedLanguage,
    plan: Annotated[str | None, Query(description="list the collections of all versions of this plan")] = None,
    limit: Annotated[str | None, Query(description="most collections of the answer, 1000 by default")] = None,
    offset: Annotated[str | None, Query(description="collections that the answer begins after")] = None,
    f: AskedFormat = None,
) -> Response:
    """List the collections of the versions in force, or of all versions of one plan."""
    asked_format = format_of(request, f)
    most, start = limit_of(limit, _MOST, _LISTED), _offset(offset)
    named = [
        (info, name, version)
        for info, version, number in (_in_force(plans) if plan is None else _all_versions(plans, plan))
        for name in (CollectionId(info.plan_id, number, layer.name) for layer in LAYERS)
    ]
    documents, readers = [], {version.row: plans.reader(version) for _, _, version in named}
    for info, name, version in named[start : start + most]:
        reader = readers[version.row]
        documents.append(collection_document(request, info, name, reader, LAYER_BY_NAME[name.layer], lang))
    given = {key: value for key, value in (("plan", plan), ("limit", limit)) if value is not None}
    here = items.with_parameters("/collections", {**given, **({"offset": offset} if offset else {})})
    links = [
        link(request, "self", here),
        link(request, "alternate", items.with_parameters("/collections", {**given, "f": "html"}), kind=HTML),
    ]
    if start + most < len(named):
        following = items.with_parameters("/collections", {**given, "offset": str(start + most)})
        links.append(link(request, "next", following, title=catalogue.text("features.next_page", lang)))
    document = {"links": links, "collections": documents, "numberMatched": len(named), "numberReturned": len(documents)}
    document["crs"] = [CRS84.uri]
    headers = _changing(document, asked_format, lang)
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if asked_format == "html":
        return pages.html_answer(pages.collections_page(document, lang), headers)
    return Response(orjson.dumps(document), 200, headers, JSON)


@routes.get("/collections/{collection_id}", responses=COLLECTION_ANSWERS, tags=["features"])
@read_again
def collection(
    request: Request, collection_id: CollectionName, plans: Plans, lang: AskedLanguage, f: AskedFormat = None
) -> Response:
    """Describe a collection."""
    asked_format = format_of(request, f)
    name, version = find(plans, collection_id)
    info = plans.plan(name.plan_id)
    tag = entity_tag(version, "collection", info.name, *_asked(request, plans, name, lang), asked_format)
    headers = caching(version, tag, pinned=False)
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    reader = plans.reader(version)
    document = collection_document(request, info, name, reader, LAYER_BY_NAME[name.layer], lang)
    if asked_format == "html":
        return pages.html_answer(pages.collection_page(document, lang), headers)
    return Response(orjson.dumps(document), 200, headers, JSON)


@routes.get("/collections/{collection_id}/queryables", responses=SCHEMA_ANSWERS, tags=["features"])
@read_again
def queryables(request: Request, collection_id: CollectionName, plans: Plans, lang: AskedLanguage) -> Response:
    """Say what filters may ask of a collection."""
    name, version = find(plans, collection_id)
    return _schema(request, plans, name, version, lang, "queryables")


@routes.get("/collections/{collection_id}/schema", responses=SCHEMA_ANSWERS, tags=["features"])
@read_again
def schema(request: Request, collection_id: CollectionName, plans: Plans, lang: AskedLanguage) -> Response:
    """Say what properties the features of a collection have."""
    name, version = find(plans, collection_id)
    return _schema(request, plans, name, version, lang, "schema")


def _schema(
    request: Request, plans: Repository, name: CollectionId, version: VersionInfo, lang: catalogue.Language, kind: str
) -> Response:
    info = plans.plan(name.plan_id)
    tag = entity_tag(version, kind, info.name, *_asked(request, plans, name, lang))
    headers = caching(version, tag, pinned=False)
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    layer = plans.reader(version).layer(name.layer)
    title = title_of(info, name, version, lang)
    document = schema_document(request, name, layer, title, kind)
    return Response(orjson.dumps(document), 200, headers, SCHEMA)


def _asked(request: Request, plans: Repository, name: CollectionId, lang: catalogue.Language) -> tuple[object, ...]:
    return str(name), lang, plans.identity.scope, links_base(request)


def _in_force(plans: Repository) -> list[tuple[PlanInfo, VersionInfo, int | None]]:
    """Plans with the version that their names without a number stand for; a plan without one has no collections."""
    found: list[tuple[PlanInfo, VersionInfo, int | None]] = []
    for info in plans.plans():
        try:
            found.append((info, plans.version(info.plan_id), None))
        except NotStored:
            continue
    return found


def _all_versions(plans: Repository, plan_id: str) -> list[tuple[PlanInfo, VersionInfo, int | None]]:
    info = plans.plan(plan_id)
    return [(info, version, version.number) for version in plans.versions(plan_id)]


def _offset(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UsageError("features.bad_offset", value=text[:40])
    return int(text)


def _changing(document: dict[str, Any], *asked: str) -> dict[str, str]:
    """Headers of an answer that changes with any plan."""
    tag = hashlib.sha256(orjson.dumps([document, asked])).hexdigest()[:32]
    return {
        "ETag": f'"{tag}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, X-API-Key, Accept, Accept-Language",
    }


routes.include_router(items.routes)
