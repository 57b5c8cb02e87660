"""Read CQL2 of either language behind caps and allow-lists into a filter of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import orjson

from gridmap.domain.crs import CRS84, OutputCrs
from gridmap.domain.filters import Filter
from gridmap.domain.layers import Layer
from gridmap.errors import UsageError
from gridmap.store.filters.conditions import Conditions
from gridmap.store.filters.text import MOST_NESTED, read_text

FilterLanguage = Literal["cql2-text", "cql2-json"]
#: Longest filter, bytes of UTF-8.
MOST_BYTES = 4096
#: Brackets of JSON that one condition within another, or a position within a polygon, takes.
_BRACKETS_EACH = 2


def parse_filter(text: str, language: FilterLanguage, layer: Layer, *, crs: OutputCrs = CRS84) -> Filter:
    """Read a filter.

    Parameters
    ----------
    text : at most 4,096 bytes, at most 50 levels deep
    layer : with the columns of the user's own; they, ``id`` and ``geometry`` are all that a filter may name
    crs : of the geometries in it, with the order of its axes

    Raises
    ------
    UsageError
        If it is too long or too deep, cannot be read, names what is not there, or compares what cannot be compared.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise UsageError("filters.no_text") from None
    if size > MOST_BYTES:
        raise UsageError("filters.too_long", most=MOST_BYTES, size=size)
    read: Callable[[str], Any] = read_text if language == "cql2-text" else _read_json
    return Conditions(layer, crs).condition(read(text))


def _read_json(text: str) -> Any:
    if _depth(text) > _BRACKETS_EACH * MOST_NESTED:
        raise UsageError("filters.too_deep", most=MOST_NESTED)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        raise UsageError("filters.no_json", line=fault.lineno, column=fault.colno) from None


def _depth(text: str) -> int:
    """How deep brackets of JSON are nested; those in strings do not count."""
    depth = deepest = 0
    is_string = is_escaped = False
    for letter in text:
        if is_escaped:
            is_escaped = False
        elif is_string:
            is_escaped, is_string = letter == "\\", letter != '"'
        elif letter == '"':
            is_string = True
        elif letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}":
            depth -= 1
    return deepest
