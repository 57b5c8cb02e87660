"""Maps of plans as styles: a document that a map loads by its address alone, what it shows, and its symbols."""

from __future__ import annotations

import hashlib
import re
from math import floor, log2
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response

from gridmap import catalogue
from gridmap.api.answers import JSON, caching, entity_tag, href, is_known, json_answer, link
from gridmap.api.dependencies import AskedLanguage, Plans
from gridmap.api.features import remembered
from gridmap.api.maps.tile_documents import MVT, SCHEME
from gridmap.api.maps.tiles import plan_tiles_path
from gridmap.api.routing import router
from gridmap.cartography import legend_of, maplibre_style
from gridmap.cartography.maplibre import explained
from gridmap.cartography.sprite import sprite
from gridmap.cartography.styles import STYLES, MapStyle, style_for
from gridmap.domain.layers import LAYER_BY_NAME
from gridmap.errors import NotStored
from gridmap.store.protocols import PlanInfo, VersionInfo
from gridmap.store.reading import LayerReader
from gridmap.store.repository import Repository
from gridmap.store.tiles.attributes import has_polygons

#: What tests prove; the standard is a draft.
CONFORMANCE: tuple[str, ...] = (
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/mapbox-styles",
)
STYLE = "application/vnd.mapbox.style+json"
_SPECIFICATION = "https://maplibre.org/maplibre-style-spec/"
_NAME = re.compile(rf"([a-z0-9][a-z0-9_-]{{0,62}})(?:@([1-9][0-9]{{0,8}}))?\.({'|'.join(STYLES)})")
_FIXED = "public, max-age=86400"
_NEAREST_ZOOM = 15.0

routes = router()

_StyleName = Annotated[
    str, Path(max_length=200, description="`{plan}.{style}` for the version in force, or `{plan}@{number}.{style}`")
]
_OBJECT = {"type": "object"}


def _answers(kind: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": "OK", "content": {kind: {"schema": schema}}},
        304: {"description": "the client holds it already"},
    }


@routes.get("/styles", responses=_answers(JSON, _OBJECT), tags=["styles"])
def styles(
    request: Request,
    plans: Plans,
    lang: AskedLanguage,
    plan: Annotated[str | None, Query(max_length=200, description="only styles of this plan")] = None,
    f: Literal["json"] = "json",
) -> Response:
    """List the styles of the versions in force: maps of each plan."""
    infos = [plans.plan(plan)] if plan is not None else plans.plans()
    entries = [
        {
            "id": f"{info.plan_id}.{style.name}",
            "title": _title(info, None, style, lang),
            "links": [
                link(request, "stylesheet", f"/styles/{info.plan_id}.{style.name}", kind=STYLE),
                link(request, "describedby", f"/styles/{info.plan_id}.{style.name}/metadata"),
            ],
        }
        for info in infos
        if info.current is not None
        for style in STYLES.values()
    ]
    own = "/styles" if plan is None else f"/styles?plan={infos[0].plan_id}"
    return json_answer({"styles": entries, "links": [link(request, "self", own)]}, Cache_Control="private, no-cache")


@routes.get("/styles/{style_id}", responses=_answers(STYLE, _OBJECT), tags=["styles"])
def style(
    request: Request,
    plans: Plans,
    lang: AskedLanguage,
    style_id: _StyleName,
    f: Annotated[Literal["mapbox"], Query(description="`mapbox`: for MapLibre, Mapbox and QGIS")] = "mapbox",
) -> Response:
    """Answer a map as a style document of MapLibre, which leads to its tiles."""
    asked = _Asked(request, plans, style_id, lang)
    return asked.answer(asked.stylesheet, STYLE)


@routes.get("/styles/{style_id}/metadata", responses=_answers(JSON, _OBJECT), tags=["styles"])
def style_metadata(
    request: Request, plans: Plans, lang: AskedLanguage, style_id: _StyleName, f: Literal["json"] = "json"
) -> Response:
    """Say what a map shows, with its legend."""
    asked = _Asked(request, plans, style_id, lang)
    return asked.answer(asked.metadata, JSON)


_SpriteName = Annotated[
    Literal["symbols", "symbols@2x"], Path(description="`symbols`, or `symbols@2x` for sharp screens")
]


@routes.get("/sprites/{name}.json", responses=_answers(JSON, _OBJECT), tags=["styles"])
def sprite_index(request: Request, name: _SpriteName) -> Response:
    """Say where in the picture each symbol lies."""
    index, picture = sprite(2 if name.endswith("@2x") else 1)
    return _fixed(request, picture, json_answer(index))


@routes.get(
    "/sprites/{name}.png",
    responses=_answers("image/png", {"type": "string", "format": "binary"}),
    tags=["styles"],
)
def sprite_picture(request: Request, name: _SpriteName) -> Response:
    """Answer the picture of the symbols."""
    _, picture = sprite(2 if name.endswith("@2x") else 1)
    return _fixed(request, picture, Response(picture, media_type="image/png"))


def _fixed(request: Request, picture: bytes, answer: Response) -> Response:
    """Answer what only changes with the program."""
    tag = f'"{hashlib.sha256(picture).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": _FIXED}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer


class _Asked:
    """A map of a version that was asked for."""

    def __init__(self, request: Request, plans: Repository, style_id: str, lang: catalogue.Language) -> None:
        match = _NAME.fullmatch(style_id)
        if match is None:
            raise _missing(style_id)
        self._number = int(match[2]) if match[2] else None
        try:
            self._version = plans.version(match[1], self._number)
        except NotStored as fault:
            raise _missing(style_id) from fault
        self._request, self._plans, self._lang, self._id = request, plans, lang, style_id
        self._reader = plans.reader(self._version)
        self._name = match[3]

    def answer(self, describe: Any, kind: str) -> Response:
        """Answer a document about it."""
        base = href(self._request, "/")
        tag = entity_tag(self._version, kind, self._id, self._lang, self._plans.identity.scope, base)
        headers = caching(self._version, tag, pinned=self._number is not None)
        if is_known(self._request, tag):
            return Response(status_code=304, headers=headers)
        answer = json_answer(describe(), media_type=kind)
        answer.headers.update(headers)
        return answer

    def stylesheet(self) -> dict[str, Any]:
        """Style document."""
        found = self._style()
        described = plan_tiles_path(self._version, found.layers).replace("/{z}/{y}/{x}", "")
        return maplibre_style(
            found,
            href(self._request, f"{described}&f=tilejson"),
            href(self._request, "/sprites/symbols"),
            self._title(found),
            self._view(),
        )

    def metadata(self) -> dict[str, Any]:
        """Metadata as OGC API Styles has them, and the legend."""
        found, own = self._style(), f"/styles/{self._id}"
        tiles = f"/plans/{self._version.plan_id}/tiles/{SCHEME}?version={self._version.number}"
        return {
            "id": self._id,
            "title": self._title(found),
            "description": explained(found, self._lang),
            "keywords": ["gridmap", found.name],
            "scope": "style",
            "version": str(self._version.number),
            "stylesheets": [
                {
                    "title": "MapLibre",
                    "version": "8",
                    "specification": _SPECIFICATION,
                    "native": True,
                    "tilingScheme": SCHEME,
                    "link": link(self._request, "stylesheet", own, kind=STYLE),
                }
            ],
            "layers": [
                {
                    "id": name,
                    "type": "polygon" if has_polygons(name) else "point",
                    "sampleData": {**link(self._request, "tiles", f"{tiles}&layers={name}"), "type": MVT},
                }
                for name in found.layers
            ],
            "legend": [entry.document() for entry in legend_of(found)],
            "links": [
                link(self._request, "self", f"{own}/metadata"),
                link(self._request, "stylesheet", own, kind=STYLE),
            ],
        }

    def _title(self, found: MapStyle) -> str:
        version = None if self._number is None else self._version
        return _title(self._plans.plan(self._version.plan_id), version, found, self._lang)

    def _style(self) -> MapStyle:
        return style_for(self._name, _mean_per_km2(self._reader) if self._name == "demand" else None)

    def _view(self) -> tuple[float, float, float] | None:
        box = remembered.extent(self._request, self._reader, LAYER_BY_NAME["areas"])
        if box is None:
            return None
        # A screen shows two tiles beside each other, and one above the other.
        width = max((box.east - box.west) / 2, box.north - box.south, 1e-6)
        zoom = min(_NEAREST_ZOOM, max(0.0, float(floor(log2(360 / width)))))
        return (box.west + box.east) / 2, (box.south + box.north) / 2, zoom


def _mean_per_km2(reader: LayerReader) -> float | None:
    """Demand over ground of the grids in reach; None without ground."""
    rows = reader.rows(LAYER_BY_NAME["grids"], ("demand", "area_m2"))
    ground_m2 = sum(area for _, area in rows if area)
    return 1e6 * sum(demand for demand, _ in rows if demand) / ground_m2 if ground_m2 else None


def _title(plan: PlanInfo, version: VersionInfo | None, found: MapStyle, lang: catalogue.Language) -> str:
    title = f"{plan.name} · {catalogue.text(found.key, lang)}"
    return title if version is None else f"{title} (@{version.number})"


def _missing(style_id: str) -> NotStored:
    return NotStored("tiles.no_style", id=style_id[:120])
