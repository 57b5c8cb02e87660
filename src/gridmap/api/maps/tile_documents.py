"""Sets of tiles described: as OGC API Tiles has it, and as TileJSON."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fastapi import Request

from gridmap.api.answers import JSON, href, link
from gridmap.domain.layers import Column, ColumnType
from gridmap.store.protocols import Box
from gridmap.store.tiles.attributes import OF_AGGREGATES, attributes_of, has_polygons
from gridmap.store.tiles.scale import CellScale
from gridmap.store.tiles.scheme import DRAWN_ZOOM, Tile, matrix_set, tile_at

MVT = "application/vnd.mapbox-vector-tile"
SCHEME = "WebMercatorQuad"
SCHEME_PATH = f"/tileMatrixSets/{SCHEME}"
_SCHEME_REL = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_CELLS = "cells"
_SCHEMA_TYPES = {
    ColumnType.TEXT: "string",
    ColumnType.INTEGER: "integer",
    ColumnType.NUMBER: "number",
    ColumnType.BOOLEAN: "boolean",
}
_TILEJSON_TYPES = {
    ColumnType.TEXT: "String",
    ColumnType.INTEGER: "Number",
    ColumnType.NUMBER: "Number",
    ColumnType.BOOLEAN: "Boolean",
}


@dataclass(frozen=True, slots=True)
class TileSet:
    """Tiles of some layers of a version.

    Attributes
    ----------
    path : of the list of sets they belong to
    template : path of a tile, with ``{z}``, ``{y}`` and ``{x}``
    query : that belongs to ``path``, with its question mark; empty for none
    layers : names, and titles in the language asked for
    box : bounds of what is in them; None where there is nothing
    """

    title: str
    path: str
    template: str
    query: str
    layers: dict[str, str]
    box: Box | None
    scale: CellScale


def scheme_document(request: Request) -> dict[str, Any]:
    """Define the tiling scheme."""
    return {**matrix_set(), "links": [link(request, "self", SCHEME_PATH)]}


def schemes_document(request: Request) -> dict[str, Any]:
    """List the tiling schemes: one."""
    scheme = matrix_set()
    shown = {name: scheme[name] for name in ("id", "title", "uri", "crs")}
    own = {**shown, "links": [link(request, "self", SCHEME_PATH), link(request, _SCHEME_REL, SCHEME_PATH)]}
    return {"tileMatrixSets": [own], "links": [link(request, "self", "/tileMatrixSets")]}


def list_document(request: Request, tiles: TileSet) -> dict[str, Any]:
    """List the sets of tiles: one for the one scheme."""
    scheme = matrix_set()
    one = {
        "title": tiles.title,
        "dataType": "vector",
        "crs": scheme["crs"],
        "tileMatrixSetURI": scheme["uri"],
        "links": _links(request, tiles),
    }
    return {"tilesets": [one], "links": [link(request, "self", f"{tiles.path}{tiles.query}")]}


def set_document(request: Request, tiles: TileSet) -> dict[str, Any]:
    """Describe a set of tiles."""
    scheme = matrix_set()
    document: dict[str, Any] = {
        "title": tiles.title,
        "dataType": "vector",
        "crs": scheme["crs"],
        "tileMatrixSetURI": scheme["uri"],
        "links": _links(request, tiles),
        "layers": [
            {
                "id": name,
                "title": title,
                "dataType": "vector",
                "geometryDimension": 2 if has_polygons(name) else 0,
                "minTileMatrix": "0",
                "maxTileMatrix": str(DRAWN_ZOOM),
                "propertiesSchema": {
                    "type": "object",
                    "properties": {one.name: {"type": _SCHEMA_TYPES[one.type]} for one in _fields(name, tiles.scale)},
                },
            }
            for name, title in tiles.layers.items()
        ],
    }
    if tiles.box is not None:
        west, south, east, north = tiles.box
        crs = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
        document["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": crs}
        document["tileMatrixSetLimits"] = [_limits(tiles.box, zoom) for zoom in range(DRAWN_ZOOM + 1)]
    if _CELLS in tiles.layers:
        document["aggregates"] = _aggregates(tiles.scale)
    return document


def tilejson_document(request: Request, tiles: TileSet) -> dict[str, Any]:
    """Describe a set of tiles as TileJSON 3.0, which maps read."""
    document: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": tiles.title,
        "scheme": "xyz",
        "tiles": [href(request, tiles.template)],
        "minzoom": 0,
        "maxzoom": DRAWN_ZOOM,
        "vector_layers": [
            {
                "id": name,
                "description": title,
                "minzoom": 0,
                "maxzoom": DRAWN_ZOOM,
                "fields": {one.name: _TILEJSON_TYPES[one.type] for one in _fields(name, tiles.scale)},
            }
            for name, title in tiles.layers.items()
        ],
    }
    if tiles.box is not None:
        west, south, east, north = tiles.box
        document["bounds"] = list(tiles.box)
        document["center"] = [(west + east) / 2, (south + north) / 2, min(tiles.scale.first_zoom, DRAWN_ZOOM)]
    if _CELLS in tiles.layers:
        document["aggregates"] = _aggregates(tiles.scale)
    return document


def _links(request: Request, tiles: TileSet) -> list[dict[str, Any]]:
    own = f"{tiles.path}/{SCHEME}"
    asked = f"{tiles.query}&f=tilejson" if tiles.query else "?f=tilejson"
    return [
        link(request, "self", f"{own}{tiles.query}"),
        {**link(request, "item", tiles.template, kind=MVT), "templated": True},
        link(request, _SCHEME_REL, SCHEME_PATH),
        link(request, "alternate", f"{own}{asked}", kind=JSON, title="TileJSON"),
    ]


def _fields(layer: str, scale: CellScale) -> list[Column]:
    """Attributes of the features of a layer, those of sums among them where they stand for cells."""
    fields = list(attributes_of(layer))
    if layer == _CELLS and scale.first_zoom:
        known = {one.name for one in fields}
        fields += [one for one in OF_AGGREGATES if one.name not in known]
    return fields


def _aggregates(scale: CellScale) -> dict[str, Any]:
    """Say at which zooms hexagons stand for cells, and of which resolution."""
    standing = [(zoom, sums.resolution) for zoom, sums in enumerate(scale.sums) if sums is not None]
    spans = [(resolution, [zoom for zoom, _ in run]) for resolution, run in groupby(standing, key=lambda one: one[1])]
    return {
        "layer": _CELLS,
        "cells_from_zoom": scale.first_zoom,
        "sums": [{"minzoom": zooms[0], "maxzoom": zooms[-1], "resolution": resolution} for resolution, zooms in spans],
    }


def _limits(box: Box, zoom: int) -> dict[str, Any]:
    first: Tile = tile_at(zoom, box.west, box.north)
    last: Tile = tile_at(zoom, box.east, box.south)
    return {
        "tileMatrix": str(zoom),
        "minTileRow": first.row,
        "maxTileRow": last.row,
        "minTileCol": first.column,
        "maxTileCol": last.column,
    }
