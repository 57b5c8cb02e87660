"""What a request asks of a collection: the query of its features, put together from its parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite, nan
from typing import Literal, cast

from fastapi import Request

from gridmap.api.features.parameters import check_datetime, choice_of, crs_of, flag_of, ground_of, limit_of, once_each
from gridmap.api.formats import FORMATS
from gridmap.domain.crs import OutputCrs
from gridmap.domain.filters import All, Comparison, Filter, Listed, ListRelation, Operator, Property, Value
from gridmap.domain.layers import ColumnType, Layer
from gridmap.errors import UsageError
from gridmap.store.filters import parse_filter, property_named
from gridmap.store.reading.queries import FeatureQuery

FILTER_LANGUAGES = ("cql2-text", "cql2-json")
#: Parameters of every collection; beside them each column of its own is one.
OF_ITEMS = (
    "limit",
    "bbox",
    "bbox-crs",
    "crs",
    "datetime",
    "filter",
    "filter-lang",
    "filter-crs",
    "properties",
    "skipGeometry",
    "cursor",
    "f",
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class AskedFeatures:
    """A request for features: the query, and the parameters as they were given."""

    query: FeatureQuery
    given: dict[str, str]


def asked_features(
    request: Request, layer: Layer, offered: tuple[OutputCrs, ...], *, most: int, after_fid: int
) -> AskedFeatures:
    """Read the parameters of a request for the features of a layer.

    Parameters
    ----------
    layer : with the columns of the user's own
    offered : coordinate reference systems of the collection
    most : features of one page
    after_fid : as the cursor of the request has it

    Raises
    ------
    UsageError
        If a parameter is not known or cannot be read; the message names it.
    """
    given = once_each(request)
    columns = [one.name for one in layer.columns]
    for name in given:
        if name not in OF_ITEMS and name not in columns:
            raise UsageError("api.unknown_parameter", name=name[:80], known=", ".join([*OF_ITEMS, *columns]))
    check_datetime(given.get("datetime"))
    choice_of("f", given.get("f"), FORMATS, "json")
    ground = ground_of(given.get("bbox"), crs_of("bbox-crs", given.get("bbox-crs"), offered))
    conditions = [one for one in (ground.where, *_equal(given, layer), _filter(given, layer, offered)) if one]
    query = FeatureQuery(
        bbox=ground.box,
        where=None if not conditions else conditions[0] if len(conditions) == 1 else All(tuple(conditions)),
        properties=_properties(given.get("properties")),
        crs=crs_of("crs", given.get("crs"), offered),
        limit=limit_of(given.get("limit"), most),
        after_fid=after_fid,
        geometry=not flag_of("skipGeometry", given.get("skipGeometry")),
    )
    return AskedFeatures(query, given)


def _filter(given: dict[str, str], layer: Layer, offered: tuple[OutputCrs, ...]) -> Filter | None:
    language = choice_of("filter-lang", given.get("filter-lang"), FILTER_LANGUAGES, FILTER_LANGUAGES[0])
    crs = crs_of("filter-crs", given.get("filter-crs"), offered)
    if "filter" not in given:
        return None
    return parse_filter(given["filter"], cast("Literal['cql2-text', 'cql2-json']", language), layer, crs=crs)


def _properties(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name for name in text.split(",") if name)


def _equal(given: dict[str, str], layer: Layer) -> list[Filter]:
    """Conditions of the parameters that are columns; a list must contain the value."""
    return [_is(property_named(one.name, layer), given[one.name]) for one in layer.columns if one.name in given]


def _is(column: Property, text: str) -> Filter:
    if column.type is ColumnType.TEXTS:
        return Listed(ListRelation.CONTAINS, column, (text,))
    value = _value(column.type, text)
    if value is None:
        raise UsageError("features.bad_value", name=column.name[:80], value=text[:80])
    return Comparison(Operator.EQUAL, column, (value,))


def _value(kind: ColumnType | None, text: str) -> Value | None:
    match kind:
        case ColumnType.BOOLEAN:
            return {"true": True, "false": False, "1": True, "0": False}.get(text)
        case ColumnType.INTEGER:
            return int(text) if _INTEGER.fullmatch(text) else None
        case ColumnType.NUMBER:
            number = float(text) if _NUMBER.fullmatch(text) else nan
            return number if isfinite(number) else None
        case _:
            return text if "\0" not in text else None
