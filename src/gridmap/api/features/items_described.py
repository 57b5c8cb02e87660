"""The routes of collections and features as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from gridmap.api.answers import GEOJSON, JSON
from gridmap.domain.layers import LAYERS, ColumnType

_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_LINK: dict[str, Any] = {
    "type": "object",
    "required": ["rel", "href"],
    "properties": {"rel": {"type": "string"}, "href": {"type": "string"}, "type": {"type": "string"}},
}
_LINKS: dict[str, Any] = {"type": "array", "items": _LINK}
_COLLECTION: dict[str, Any] = {
    "type": "object",
    "required": ["id", "links", "title", "itemType", "crs"],
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "itemType": {"type": "string", "enum": ["feature"]},
        "crs": {"type": "array", "items": {"type": "string"}},
        "storageCrs": {"type": "string"},
        "extent": {"type": "object"},
        "links": _LINKS,
    },
}
_FEATURE: dict[str, Any] = {
    "type": "object",
    "required": ["type", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "geometry": {"type": "object", "nullable": True},
        "properties": {"type": "object", "nullable": True},
        "links": _LINKS,
    },
}
_PAGE: dict[str, Any] = {
    "type": "object",
    "required": ["type", "features", "numberMatched", "numberReturned", "timeStamp", "links"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": _FEATURE},
        "numberMatched": {"type": "integer", "minimum": 0},
        "numberReturned": {"type": "integer", "minimum": 0},
        "timeStamp": {"type": "string", "format": "date-time"},
        "links": _LINKS,
    },
}
_SCHEMA = {"type": "object", "required": ["type", "properties"], "properties": {"properties": {"type": "object"}}}
_TAG = {"ETag": {"description": "tag of this answer, for If-None-Match", **_TEXT}}
_CRS = {"Content-Crs": {"description": "coordinate reference system of the coordinates", **_TEXT}}


def _answers(
    kinds: dict[str, dict[str, Any]], headers: dict[str, Any] | None = None
) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": schema} for kind, schema in kinds.items()}
    return {
        200: {"description": "OK", "content": content, "headers": {**_TAG, **(headers or {})}},
        304: {"description": "the client holds it already"},
    }


def _object(*required: str) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": {"links": _LINKS}}


_HTML = {"text/html": {"type": "string"}}
LANDING_ANSWERS = _answers({JSON: _object("title", "links"), **_HTML})
CONFORMANCE_ANSWERS = _answers({JSON: {"type": "object", "required": ["conformsTo"]}, **_HTML})
API_ANSWERS = _answers({"application/vnd.oai.openapi+json;version=3.0": {"type": "object"}})
COLLECTIONS_ANSWERS = _answers({JSON: _object("links", "collections"), **_HTML})
COLLECTION_ANSWERS = _answers({JSON: _COLLECTION, **_HTML})
SCHEMA_ANSWERS = _answers({"application/schema+json": _SCHEMA})
PAGE_ANSWERS = _answers({GEOJSON: _PAGE, **_HTML}, _CRS)
FEATURE_ANSWERS = _answers({GEOJSON: _FEATURE, **_HTML}, _CRS)


def _parameter(name: str, description: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "required": False, "schema": schema, **more}


def _columns() -> list[dict[str, Any]]:
    """Columns as parameters: clients such as GDAL send what they find here, and filter the rest themselves."""
    layers: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for layer in LAYERS:
        for column in layer.columns:
            layers.setdefault(column.name, []).append(layer.name)
            kinds[column.name] = "string" if column.type in (ColumnType.TEXT, ColumnType.TEXTS) else column.type.value
    return [
        _parameter(name, f"only features with this value: {', '.join(held)}", {"type": kinds[name]})
        for name, held in layers.items()
    ]


_FORMAT = _parameter(
    "f", "`json` or `html`; by default what `Accept` asks for", {"type": "string", "enum": ["json", "html"]}
)
_OUTPUT_CRS = _parameter(
    "crs", "URI of the system that coordinates are written in: one of those of the collection", {"type": "string"}
)
_BOX = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
#: Parameters of a page of features; beside them every column of the collection is one.
ITEMS: dict[str, Any] = {
    "parameters": [
        _parameter(
            "limit",
            "most features of a page; a larger one is clamped to what the service allows",
            {"type": "integer", "minimum": 1, "maximum": 10000, "default": 1000},
            style="form",
            explode=False,
        ),
        _parameter(
            "bbox",
            "only features that meet this box: west, south, east, north (with heights: 6 numbers), in `bbox-crs`",
            _BOX,
            style="form",
            explode=False,
        ),
        _parameter("bbox-crs", "URI of the system of `bbox`, CRS84 by default", {"type": "string"}),
        _OUTPUT_CRS,
        _parameter(
            "datetime", "an instant or an interval (RFC 3339); features have no time, all match", {"type": "string"}
        ),
        _parameter("filter", "condition on properties and geometry, CQL2", {"type": "string", "maxLength": 4096}),
        _parameter(
            "filter-lang",
            "language of `filter`",
            {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"},
        ),
        _parameter("filter-crs", "URI of the system of coordinates in `filter`", {"type": "string"}),
        _parameter(
            "properties",
            "names of the properties that are written, all by default",
            {"type": "array", "items": {"type": "string"}},
            style="form",
            explode=False,
        ),
        _parameter("skipGeometry", "write `null` for geometries", {"type": "boolean", "default": False}),
        _parameter("cursor", "where the page begins, as the `next` link of the page before has it", {"type": "string"}),
        _FORMAT,
        *_columns(),
    ]
}
ONE_ITEM: dict[str, Any] = {"parameters": [_OUTPUT_CRS, _FORMAT]}
