"""What a filter may ask of a layer, as a JSON Schema: the queryables of OGC API Features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridmap.domain.layers import ColumnType, GeometryType, Layer

_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_TYPES: dict[ColumnType, dict[str, Any]] = {
    ColumnType.TEXT: {"type": "string"},
    ColumnType.INTEGER: {"type": "integer"},
    ColumnType.NUMBER: {"type": "number"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.TEXTS: {"type": "array", "items": {"type": "string"}},
}
#: Polygons may consist of several parts.
_FORMATS = {GeometryType.POINT: "geometry-point", GeometryType.POLYGON: "geometry-polygon-or-multipolygon"}
GEOMETRY = "geometry"


def queryables_of(layer: Layer, titles: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the schema of a layer; its address (``$id``) is for who serves it to add.

    Parameters
    ----------
    layer : with the columns of the user's own
    titles : of columns, by name; others go by their names
    """
    named = titles or {}
    found: dict[str, Any] = {}
    for column in layer.columns:
        role = {"x-ogc-role": "id"} if layer.key == (column.name,) else {}
        found[column.name] = {"title": named.get(column.name, column.name), **_TYPES[column.type], **role}
    if layer.geometry:
        shape = {"format": _FORMATS[layer.geometry], "x-ogc-role": "primary-geometry"}
        found[GEOMETRY] = {"title": named.get(GEOMETRY, GEOMETRY), **shape}
    return {
        "$schema": _SCHEMA,
        "type": "object",
        "title": layer.name,
        "properties": found,
        "additionalProperties": False,
    }
