"""Layers of plans as vector tiles: OGC API Tiles, and whole plans in one source for maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response

from gridmap import catalogue
from gridmap.api.answers import JSON, caching, entity_tag, href, is_known, json_answer
from gridmap.api.dependencies import AskedLanguage, Plans
from gridmap.api.features import remembered
from gridmap.api.features.collection_ids import CollectionId, find
from gridmap.api.features.descriptions import layer_title, title_of
from gridmap.api.maps.tile_documents import (
    MVT,
    SCHEME,
    TileSet,
    list_document,
    scheme_document,
    schemes_document,
    set_document,
    tilejson_document,
)
from gridmap.api.routing import router
from gridmap.api.spans import PlanId, Version
from gridmap.domain.layers import LAYER_BY_NAME
from gridmap.errors import NotStored, UsageError
from gridmap.store.protocols import Box, VersionInfo
from gridmap.store.repository import Repository
from gridmap.store.tiles.attributes import TILED
from gridmap.store.tiles.reader import TileReader
from gridmap.store.tiles.scheme import FINEST_ZOOM, Tile

_TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
_SCHEMES = "http://www.opengis.net/spec/tms/2.0/conf"
#: What tests prove; ``docs/guide/tiles-and-styles.md`` names the test of each.
CONFORMANCE: tuple[str, ...] = (
    f"{_TILES}/core",
    f"{_TILES}/tileset",
    f"{_TILES}/tilesets-list",
    f"{_TILES}/geodata-tilesets",
    f"{_TILES}/mvt",
    f"{_SCHEMES}/tilematrixset",
    f"{_SCHEMES}/json-tilematrixset",
    f"{_SCHEMES}/tilesetmetadata",
    f"{_SCHEMES}/json-tilesetmetadata",
)
#: Definitions that never change.
_FIXED = "public, max-age=86400"

routes = router()

_CollectionName = Annotated[
    str, Path(max_length=200, description="`{plan}.{layer}` for the version in force, or `{plan}@{number}.{layer}`")
]
_Zoom = Annotated[int, Path(description="zoom: 0 to 24")]
_Row = Annotated[int, Path(description="row, from the north")]
_Column = Annotated[int, Path(description="column, from the west")]
_Layers = Annotated[
    str | None, Query(max_length=200, description="names of layers, separated by commas; default: all with a geometry")
]
_SetFormat = Annotated[Literal["json", "tilejson"], Query(description="`json` (OGC) or `tilejson` (for maps)")]
_OBJECT: dict[str, Any] = {"type": "object", "required": ["links"], "properties": {"links": {"type": "array"}}}
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "OK", "content": {JSON: {"schema": _OBJECT}}},
    304: {"description": "the client holds it already"},
}
_SET: dict[int | str, dict[str, Any]] = {
    200: {"description": "OK", "content": {JSON: {"schema": {"type": "object"}}}},
    304: {"description": "the client holds it already"},
}
_TILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "OK", "content": {MVT: {"schema": {"type": "string", "format": "binary"}}}},
    204: {"description": "nothing lies in the tile"},
    304: {"description": "the client holds it already"},
}


@routes.get("/tileMatrixSets", responses=_DOCUMENT, tags=["tiles"])
def tile_matrix_sets(request: Request, f: Literal["json"] = "json") -> Response:
    """List the tiling schemes that tiles come in: one."""
    return json_answer(schemes_document(request), Cache_Control=_FIXED)


@routes.get(f"/tileMatrixSets/{SCHEME}", responses=_DOCUMENT, tags=["tiles"])
def tile_matrix_set(request: Request, f: Literal["json"] = "json") -> Response:
    """Define the tiling scheme."""
    return json_answer(scheme_document(request), Cache_Control=_FIXED)


@routes.get("/collections/{collection_id}/tiles", responses=_DOCUMENT, tags=["tiles"])
def collection_tile_sets(
    request: Request,
    plans: Plans,
    lang: AskedLanguage,
    collection_id: _CollectionName,
    f: Literal["json"] = "json",
) -> Response:
    """List the sets of tiles of a collection: one."""
    name, version = _tiled(plans, collection_id)
    about = _About(request, plans, version, name.number is not None)
    return about.answer(list_document, lambda: _set_of_collection(request, plans, name, version, lang), str(name), lang)


@routes.get(f"/collections/{{collection_id}}/tiles/{SCHEME}", responses=_SET, tags=["tiles"])
def collection_tile_set(
    request: Request, plans: Plans, lang: AskedLanguage, collection_id: _CollectionName, f: _SetFormat = "json"
) -> Response:
    """Describe the tiles of a collection."""
    name, version = _tiled(plans, collection_id)
    describe = tilejson_document if f == "tilejson" else set_document
    about = _About(request, plans, version, name.number is not None)
    return about.answer(describe, lambda: _set_of_collection(request, plans, name, version, lang), str(name), lang)


@routes.get(f"/collections/{{collection_id}}/tiles/{SCHEME}/{{z}}/{{y}}/{{x}}", responses=_TILE, tags=["tiles"])
def collection_tile(
    request: Request,
    plans: Plans,
    collection_id: _CollectionName,
    z: _Zoom,
    y: _Row,
    x: _Column,
    f: Literal["mvt"] = "mvt",
) -> Response:
    """Answer a tile of a collection, Mapbox vector tile."""
    name, version = _tiled(plans, collection_id)
    return _About(request, plans, version, name.number is not None).tile(_found(z, y, x), (name.layer,))


@routes.get("/plans/{plan_id}/tiles", responses=_DOCUMENT, tags=["tiles"])
def plan_tile_sets(
    request: Request,
    plans: Plans,
    lang: AskedLanguage,
    plan_id: PlanId,
    version: Version = None,
    layers: _Layers = None,
    f: Literal["json"] = "json",
) -> Response:
    """List the sets of tiles of a plan: one, that holds several layers."""
    names, found = _layers(layers), plans.version(plan_id, version)
    about = _About(request, plans, found, version is not None)
    return about.answer(list_document, lambda: _set_of_plan(request, plans, found, names, lang), names, lang)


@routes.get(f"/plans/{{plan_id}}/tiles/{SCHEME}", responses=_SET, tags=["tiles"])
def plan_tile_set(
    request: Request,
    plans: Plans,
    lang: AskedLanguage,
    plan_id: PlanId,
    version: Version = None,
    layers: _Layers = None,
    f: _SetFormat = "json",
) -> Response:
    """Describe the tiles of a plan."""
    names, found = _layers(layers), plans.version(plan_id, version)
    describe = tilejson_document if f == "tilejson" else set_document
    about = _About(request, plans, found, version is not None)
    return about.answer(describe, lambda: _set_of_plan(request, plans, found, names, lang), names, lang)


@routes.get(f"/plans/{{plan_id}}/tiles/{SCHEME}/{{z}}/{{y}}/{{x}}", responses=_TILE, tags=["tiles"])
def plan_tile(
    request: Request,
    plans: Plans,
    plan_id: PlanId,
    z: _Zoom,
    y: _Row,
    x: _Column,
    version: Version = None,
    layers: _Layers = None,
    f: Literal["mvt"] = "mvt",
) -> Response:
    """Answer a tile with several layers of a plan, Mapbox vector tile."""
    names, tile = _layers(layers), _found(z, y, x)
    return _About(request, plans, plans.version(plan_id, version), version is not None).tile(tile, names)


def plan_tiles_path(version: VersionInfo, layers: tuple[str, ...]) -> str:
    """Path of the tiles of some layers of a version, with ``{z}``, ``{y}`` and ``{x}``."""
    return f"/plans/{version.plan_id}/tiles/{SCHEME}/{{z}}/{{y}}/{{x}}{_query(version, layers)}"


def _query(version: VersionInfo, layers: tuple[str, ...]) -> str:
    # Always of one version: a map that is open while another is published does not mix them.
    return f"?version={version.number}" + ("" if layers == TILED else f"&layers={','.join(layers)}")


def _tiled(plans: Repository, collection_id: str) -> tuple[CollectionId, VersionInfo]:
    name, version = find(plans, collection_id)
    if name.layer not in TILED:
        raise NotStored("tiles.not_tiled", layer=name.layer)
    return name, version


def _layers(asked: str | None) -> tuple[str, ...]:
    """Names of layers, in the order of drawing."""
    wanted = set(TILED) if asked is None else set(asked.split(","))
    for name in sorted(wanted):
        if name not in TILED:
            raise UsageError("tiles.no_layer", layer=name[:80], known=", ".join(TILED))
    return tuple(name for name in TILED if name in wanted)


def _found(zoom: int, row: int, column: int) -> Tile:
    tile = Tile(zoom, row, column)
    if not tile.is_there:
        shown = {name: str(value)[:20] for name, value in (("zoom", zoom), ("row", row), ("column", column))}
        raise NotStored("tiles.no_tile", **shown, finest=FINEST_ZOOM)
    return tile


@dataclass(frozen=True, slots=True)
class _About:
    """Answers about a version; ``pinned``: the address names it."""

    request: Request
    plans: Repository
    version: VersionInfo
    pinned: bool

    def tile(self, tile: Tile, layers: tuple[str, ...]) -> Response:
        """Answer a tile, without content where nothing lies in it."""
        tag = entity_tag(self.version, tile, layers, self.plans.identity.scope)
        headers = caching(self.version, tag, pinned=self.pinned)
        if is_known(self.request, tag):
            return Response(status_code=304, headers=headers)
        content = TileReader(self.plans.reader(self.version)).tile(tile, layers)
        return Response(content, 200, headers, MVT) if content else Response(status_code=204, headers=headers)

    def answer(
        self, describe: Callable[[Request, TileSet], dict[str, Any]], tiles: Callable[[], TileSet], *asked: object
    ) -> Response:
        """Answer a document about tiles."""
        tag = entity_tag(self.version, describe.__name__, asked, self.plans.identity.scope, href(self.request, "/"))
        headers = caching(self.version, tag, pinned=self.pinned)
        if is_known(self.request, tag):
            return Response(status_code=304, headers=headers)
        answer = json_answer(describe(self.request, tiles()))
        answer.headers.update(headers)
        return answer


def _set_of_collection(
    request: Request, plans: Repository, name: CollectionId, version: VersionInfo, lang: catalogue.Language
) -> TileSet:
    reader, path = plans.reader(version), f"/collections/{name}/tiles"
    pinned = f"/collections/{name.pinned_to(version)}/tiles/{SCHEME}/{{z}}/{{y}}/{{x}}"
    return TileSet(
        title=title_of(plans.plan(name.plan_id), name, version, lang),
        path=path,
        template=pinned,
        query="",
        layers={name.layer: layer_title(name.layer, lang)},
        box=remembered.extent(request, reader, LAYER_BY_NAME[name.layer]),
        scale=TileReader(reader).scale(),
    )


def _set_of_plan(
    request: Request, plans: Repository, version: VersionInfo, layers: tuple[str, ...], lang: catalogue.Language
) -> TileSet:
    reader = plans.reader(version)
    return TileSet(
        title=plans.plan(version.plan_id).name,
        path=f"/plans/{version.plan_id}/tiles",
        template=plan_tiles_path(version, layers),
        query=_query(version, layers),
        layers={name: layer_title(name, lang) for name in layers},
        box=_hull([remembered.extent(request, reader, LAYER_BY_NAME[name]) for name in layers]),
        scale=TileReader(reader).scale(),
    )


def _hull(boxes: list[Box | None]) -> Box | None:
    there = [box for box in boxes if box is not None]
    if not there:
        return None
    west, south, east, north = zip(*there, strict=True)
    return Box(min(west), min(south), max(east), max(north))
