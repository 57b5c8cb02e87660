"""What planners ask of a plan: coverage, gaps, indicators, rules, certificate, who serves a place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response

from gridmap.api.answering import About
from gridmap.api.answers import GEOJSON, JSON, link
from gridmap.api.bodies import body_of, documented
from gridmap.api.dependencies import AskedLanguage, Plans, TheService
from gridmap.api.questions.coverage import BY, Coverage, shares_of_kinds
from gridmap.api.questions.gaps import as_features, gaps_of
from gridmap.api.questions.locating import MOST_POINTS, Points, located, place_of
from gridmap.api.questions.rules import rules_of
from gridmap.api.routing import router
from gridmap.api.spans import Limit, Offset, PlanId, Version
from gridmap.exports.json_file import json_text
from gridmap.store.protocols import VersionInfo
from gridmap.store.reading import LayerReader

routes = router()

By = Literal["settlement", "kind", "county", "township", "village", "grid"]
Form = Annotated[Literal["json", "geojson"], Query(description="form of the answer")]


def _about(request: Request, version: VersionInfo, what: str, *more: dict[str, Any]) -> dict[str, Any]:
    """Members that every finding begins with."""
    at = f"/plans/{version.plan_id}"
    asked = f"?{request.url.query}" if request.url.query else ""
    links = [
        link(request, "self", f"{at}/{what}{asked}"),
        link(request, "version", f"{at}/versions/{version.number}"),
        *more,
    ]
    return {"plan_id": version.plan_id, "version": version.number, "links": links}


@routes.get("/plans/{plan_id}/coverage", summary="How much of demand and ground is covered")
def coverage(
    request: Request,
    repository: Plans,
    service: TheService,
    lang: AskedLanguage,
    plan_id: PlanId,
    version: Version = None,
    by: Annotated[By | None, Query(description="one list alone")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Shares of demand, ground and cells that are covered: of the whole, and by what was asked for, worst first."""
    size = min(limit, service.config.page_limit)

    def compose(found: VersionInfo, reader: LayerReader) -> dict[str, Any]:
        shares = shares_of_kinds(repository, found)
        with reader.at_once() as held:
            sums = Coverage(held, lang)
            lists = {group: sums.by(group) for group in ((by,) if by else BY)}
        answer = {**_about(request, found, "coverage"), "all": sums.whole()}
        for group, entries in lists.items():
            for entry in entries:
                if group == "kind":
                    entry["covered_area_share"] = shares.get(entry["kind"])
            answer[f"by_{group}"] = entries[offset : offset + size]
            answer[f"{group}_count"] = len(entries)
        return answer

    return About(request, repository, plan_id, version, by, size, offset, lang).answer(compose)


@routes.get(
    "/plans/{plan_id}/gaps",
    summary="Where nobody is within reach",
    responses={200: {"content": {GEOJSON: {"schema": {"type": "object"}}}}},
)
def gaps(
    request: Request,
    repository: Plans,
    service: TheService,
    lang: AskedLanguage,
    plan_id: PlanId,
    version: Version = None,
    f: Form = "json",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Contiguous uncovered ground, most uncovered demand first, with the nearest facility and its distance."""
    size = min(limit, service.config.page_limit)

    def compose(found: VersionInfo, reader: LayerReader) -> dict[str, Any]:
        with reader.at_once() as held:
            page, count = gaps_of(held, offset, size, lang)
            features = as_features(held, page) if f == "geojson" else []
        more = []
        if offset + len(page) < count:
            at = f"/plans/{found.plan_id}/gaps?version={found.number}&f={f}&limit={limit}&offset={offset + size}"
            more.append(link(request, "next", at, kind=GEOJSON if f == "geojson" else JSON))
        about = {**_about(request, found, "gaps", *more), "numberMatched": count, "numberReturned": len(page)}
        if f == "geojson":
            return {"type": "FeatureCollection", **about, "features": features}
        shown = [{name: value for name, value in gap.items() if name != "fid"} for gap in page]
        return {**about, "gaps": shown}

    media_type = GEOJSON if f == "geojson" else JSON
    return About(request, repository, plan_id, version, f, size, offset, lang).answer(compose, media_type=media_type)


@routes.get("/plans/{plan_id}/indicators", summary="Figures of the plan")
def indicators(request: Request, repository: Plans, plan_id: PlanId, version: Version = None) -> Response:
    """Answer every figure of the plan; they tell of all of it, and only who may see all of it is answered."""

    def compose(found: VersionInfo, _reader: LayerReader) -> dict[str, Any]:
        document = repository.document(found, "indicators")
        return {**_about(request, found, "indicators"), "indicators": document}

    return About(request, repository, plan_id, version).answer(compose)


@routes.get("/plans/{plan_id}/rules", summary="Rules that hold, and what breaks the others")
def rules(
    request: Request,
    repository: Plans,
    service: TheService,
    lang: AskedLanguage,
    plan_id: PlanId,
    version: Version = None,
    limit: Limit = 100,
) -> Response:
    """Answer each rule with the names and places of what breaks it, at most ``limit`` of them, and what mends it."""
    size = min(limit, service.config.page_limit)

    def compose(found: VersionInfo, reader: LayerReader) -> dict[str, Any]:
        results = repository.document(found, "rules")
        with reader.at_once() as held:
            return {**_about(request, found, "rules"), "rules": rules_of(held, results, size, lang)}

    return About(request, repository, plan_id, version, size, lang).answer(compose)


@routes.get("/plans/{plan_id}/certificate", summary="The partition certificate")
def certificate(request: Request, repository: Plans, plan_id: PlanId, version: Version = None) -> Response:
    """Answer the certificate, byte for byte as ``certificate.json`` of the plan's directory."""

    def compose(found: VersionInfo, _reader: LayerReader) -> bytes:
        return json_text(repository.document(found, "certificate"))

    return About(request, repository, plan_id, version).answer(compose)


@routes.get("/plans/{plan_id}/locate", summary="Who serves a place")
def locate(
    request: Request,
    repository: Plans,
    lang: AskedLanguage,
    plan_id: PlanId,
    lon: Annotated[str, Query(max_length=40, description="longitude, or easting of a projected datum")],
    lat: Annotated[str, Query(max_length=40, description="latitude, or northing of a projected datum")],
    datum: Annotated[str, Query(max_length=40, description="wgs84, cgcs2000, gcj02, bd09 or EPSG:n")] = "wgs84",
    version: Version = None,
) -> Response:
    """Answer cell, unit, grid, people and outlets of a place, and the nearest facility of each kind."""
    place = place_of(lon, lat, datum)

    def compose(found: VersionInfo, reader: LayerReader) -> dict[str, Any]:
        with reader.at_once() as held:
            return {**_about(request, found, "locate"), **located(held, [place], lang)[0]}

    return About(request, repository, plan_id, version, place, lang).answer(compose)


@routes.post(
    "/plans/{plan_id}/locate",
    summary=f"Who serves each of up to {MOST_POINTS} places",
    openapi_extra=documented(Points, {"datum": "gcj02", "points": [{"id": "A17", "lon": 111.2874, "lat": 30.7712}]}),
)
def locate_many(
    request: Request,
    repository: Plans,
    lang: AskedLanguage,
    plan_id: PlanId,
    wanted: Annotated[Points, Depends(body_of(Points))],
    version: Version = None,
) -> Response:
    """Answer for each place as for one alone, in the order asked."""
    places = wanted.places()

    def compose(found: VersionInfo, reader: LayerReader) -> dict[str, Any]:
        with reader.at_once() as held:
            return {**_about(request, found, "locate"), "places": located(held, places, lang)}

    return About(request, repository, plan_id, version, places, lang).answer(compose)
