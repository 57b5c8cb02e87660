"""Features of a collection: pages of them, and single ones. Their bytes come from the store as they are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import Path, Request, Response

from gridmap import catalogue
from gridmap.api import pages
from gridmap.api.answers import GEOJSON, caching, entity_tag, is_known, link
from gridmap.api.dependencies import AskedLanguage, Plans, TheService
from gridmap.api.features import remembered
from gridmap.api.features.asked_features import asked_features
from gridmap.api.features.collection_ids import CollectionId, find
from gridmap.api.features.cursors import cursor_for, follow
from gridmap.api.features.descriptions import title_of
from gridmap.api.features.items_described import FEATURE_ANSWERS, ITEMS, ONE_ITEM, PAGE_ANSWERS
from gridmap.api.features.parameters import crs_of, once_each
from gridmap.api.formats import HTML, format_of
from gridmap.api.reading_again import read_again
from gridmap.api.routing import free_parameters, refuse_unknown, router
from gridmap.store.protocols import VersionInfo
from gridmap.store.reading.queries import Page

routes = router()
CollectionName = Annotated[str, Path(description="`{plan}.{layer}` in force, `{plan}@{version}.{layer}` for good")]


@routes.get("/collections/{collection_id}/items", responses=PAGE_ANSWERS, openapi_extra=ITEMS, tags=["features"])
@free_parameters
@read_again
def items(
    request: Request, collection_id: CollectionName, plans: Plans, service: TheService, lang: AskedLanguage
) -> Response:
    """List the features of a collection, a page at a time."""
    name = CollectionId.parse(collection_id)
    cursor = request.query_params.get("cursor")
    version, after_fid = (find(plans, collection_id)[1], 0) if cursor is None else follow(plans, name, cursor)
    reader = plans.reader(version)
    layer = reader.layer(name.layer)
    offered = remembered.offered(request, reader)
    asked = asked_features(request, layer, offered, most=service.config.page_limit, after_fid=after_fid)
    is_html = format_of(request, asked.given.get("f")) == "html"
    shown = ("items", name, sorted(asked.given.items()), is_html, lang, plans.identity.scope, links_base(request))
    tag = f"W/{entity_tag(version, *shown)}"
    # Pages for people bear the name of the plan, which may change.
    pinned = (name.number is not None or cursor is not None) and not is_html
    headers = caching(version, tag, pinned=pinned)
    if is_known(request, tag.removeprefix("W/")):
        return Response(status_code=304, headers=headers)
    headers["Content-Crs"] = f"<{asked.query.crs.uri}>"
    with reader.steady() as reading:
        page = reading.page(layer, asked.query)
        matched = remembered.count(request, reading, layer, asked.query)
    following = None if page.next_after is None else cursor_for(name, version, page.next_after)
    envelope = {
        "numberMatched": matched,
        "numberReturned": page.returned,
        # Why the tag is weak: two answers may differ in this.
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "links": _links(request, name, asked.given, following, lang, is_html=is_html),
    }
    if is_html:
        document = {**envelope, "features": orjson.loads(b"[%b]" % page.features)}
        return pages.html_answer(pages.items_page(_title(plans, name, version, lang), document, lang), headers)
    return Response(_collection(envelope, page), 200, headers, GEOJSON)


@routes.get(
    "/collections/{collection_id}/items/{feature_id:path}",
    responses=FEATURE_ANSWERS,
    openapi_extra=ONE_ITEM,
    tags=["features"],
)
@free_parameters
@read_again
def item(
    request: Request, collection_id: CollectionName, feature_id: str, plans: Plans, lang: AskedLanguage
) -> Response:
    """Find a feature by its identifier."""
    name, version = find(plans, collection_id)
    given = once_each(request)
    refuse_unknown(request, {"crs", "f"})
    is_html = format_of(request, given.get("f")) == "html"
    reader = plans.reader(version)
    crs = crs_of("crs", given.get("crs"), remembered.offered(request, reader))
    shown = ("item", name, feature_id, crs.uri, is_html, lang, plans.identity.scope, links_base(request))
    tag = entity_tag(version, *shown)
    headers = {**caching(version, tag, pinned=name.number is not None and not is_html), "Content-Crs": f"<{crs.uri}>"}
    feature = reader.feature(reader.layer(name.layer), feature_id, crs)
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    own = f"/collections/{name}"
    path = f"{own}/items/{quote(feature_id, safe='')}"
    query = f"?{urlencode({'crs': given['crs']})}" if "crs" in given else ""
    links = [
        link(request, "self", path + query, kind=GEOJSON),
        link(request, "alternate", f"{path}?f=html", kind=HTML, title="HTML"),
        link(request, "collection", own),
    ]
    if is_html:
        body = pages.item_page(_title(plans, name, version, lang), orjson.loads(feature), links, lang)
        return pages.html_answer(body, headers)
    return Response(b'%b,"links":%b}' % (feature.rstrip()[:-1], orjson.dumps(links)), 200, headers, GEOJSON)


def links_base(request: Request) -> str:
    """Address that links begin with: answers to those who reach the service by another one differ."""
    return str(link(request, "self", "")["href"])


def _collection(envelope: dict[str, Any], page: Page) -> bytes:
    members = orjson.dumps(envelope)[1:-1]
    return b'{"type":"FeatureCollection",%b,"features":[%b]}' % (members, page.features)


def _links(
    request: Request,
    name: CollectionId,
    given: dict[str, str],
    following: str | None,
    lang: catalogue.Language,
    *,
    is_html: bool,
) -> list[dict[str, Any]]:
    path = f"/collections/{name}/items"
    plain = {key: value for key, value in given.items() if key != "f"}
    own, other = (HTML, GEOJSON) if is_html else (GEOJSON, HTML)
    links = [
        link(request, "self", with_parameters(path, given), kind=own),
        link(request, "alternate", with_parameters(path, {**plain, "f": "json" if is_html else "html"}), kind=other),
        link(request, "collection", f"/collections/{name}"),
    ]
    if following is not None:
        title = catalogue.text("features.next_page", lang)
        links.append(
            link(request, "next", with_parameters(path, {**given, "cursor": following}), kind=own, title=title)
        )
    return links


def with_parameters(path: str, parameters: dict[str, str]) -> str:
    """Write parameters behind a path."""
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _title(plans: Plans, name: CollectionId, version: VersionInfo, lang: catalogue.Language) -> str:
    return title_of(plans.plan(name.plan_id), name, version, lang)
