"""What changed between two versions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import Query, Request, Response

from gridmap.api.answers import GEOJSON, JSON, caching, entity_tag, is_known, json_answer, link
from gridmap.api.dependencies import Plans
from gridmap.api.routing import router
from gridmap.api.spans import MOST, PlanId
from gridmap.errors import NotStored
from gridmap.exports.geojson import geometry_texts
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.planning.differences.compare import difference_of
from gridmap.planning.differences.difference import PlanDifference
from gridmap.store.protocols import Status, VersionInfo
from gridmap.store.repository import Repository

routes = router()

From = Annotated[
    int | None,
    Query(alias="from", ge=1, le=MOST, description="number of the earlier version; default: the published one before"),
]
To = Annotated[
    int | None, Query(alias="to", ge=1, le=MOST, description="number of the later version; default: the one in force")
]
Form = Annotated[Literal["json", "geojson"], Query(description="all that changed, or the ground that changed hands")]


@routes.get("/plans/{plan_id}/diff", summary="What changed between two versions")
def diff(
    request: Request,
    repository: Plans,
    plan_id: PlanId,
    before: From = None,
    after: To = None,
    f: Form = "json",
) -> Response:
    """Compare two versions of a plan; both must be in reach as a whole."""
    later = repository.version(plan_id, after)
    earlier = _before(repository, later) if before is None else repository.version(plan_id, before)
    tag = entity_tag(later, entity_tag(earlier), f)
    pinned = None not in (before, after) and earlier.status is not Status.DRAFT
    headers = caching(later, tag, pinned=pinned)
    whole = [repository.covers(version) for version in (earlier, later)]
    if all(whole) and is_known(request, tag):
        return Response(status_code=304, headers=headers)
    told = difference_of(repository.read(earlier), repository.read(later))
    about = _about(request, earlier, later)
    if f == "geojson":
        members = {"type": "FeatureCollection", **about, "features": _features(told)}
        return json_answer(members, 200, media_type=GEOJSON, **headers)
    return json_answer({**about, **told.document()}, 200, **headers)


def _before(repository: Repository, later: VersionInfo) -> VersionInfo:
    """Find the version that was in force before another one."""
    found = [
        one
        for one in repository.versions(later.plan_id)
        if one.number < later.number and one.status is not Status.DRAFT
    ]
    if not found:
        raise NotStored("differences.nothing_before", id=later.plan_id, number=later.number)
    return found[-1]


def _about(request: Request, earlier: VersionInfo, later: VersionInfo) -> dict[str, Any]:
    path = f"/plans/{later.plan_id}/diff?from={earlier.number}&to={later.number}"
    links = [
        link(request, "self", path, kind=JSON),
        link(request, "alternate", f"{path}&f=geojson", kind=GEOJSON),
        link(request, "from", f"/plans/{earlier.plan_id}/versions/{earlier.number}"),
        link(request, "to", f"/plans/{later.plan_id}/versions/{later.number}"),
    ]
    return {"plan_id": later.plan_id, "from": earlier.number, "to": later.number, "links": links}


def _features(told: PlanDifference) -> list[dict[str, Any]]:
    """Ground that changed hands, one feature for each pair of grids."""
    texts = geometry_texts(geometries_to_degrees(told.ground))
    return [
        {
            "type": "Feature",
            "geometry": orjson.Fragment(text),
            "properties": {
                "code_from": one.code_from,
                "code_to": one.code_to,
                "area_m2": one.area_m2,
                "demand": one.demand,
                "cells": one.cells,
            },
        }
        for one, text in zip(told.moves, texts, strict=True)
    ]
