"""Walk the objects of CQL2: what is not on a list of the known is refused, what is compared must be comparable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import shapely

from gridmap.domain.crs import OutputCrs
from gridmap.domain.filters import (
    All,
    AnyOf,
    Comparison,
    Filter,
    Fixed,
    Folding,
    Listed,
    ListRelation,
    Not,
    Operator,
    Property,
    Relation,
    Spatial,
    Unplaced,
    Value,
)
from gridmap.domain.layers import ColumnType, Layer
from gridmap.errors import UsageError
from gridmap.store.filters.naming import GEOMETRY, nearest, property_named
from gridmap.store.filters.patterns import glob_of
from gridmap.store.filters.shapes import number_of, shapes_of
from gridmap.store.folding import folded

Operand = Value | Property
_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: eq,
    Operator.NOT_EQUAL: ne,
    Operator.LESS: lt,
    Operator.AT_MOST: le,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
}
_TURNED = {
    Operator.LESS: Operator.GREATER,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.GREATER: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
}
_CONVERSE = {Relation.WITHIN: Relation.CONTAINS, Relation.CONTAINS: Relation.WITHIN}
_LIST_CONVERSE = {
    ListRelation.CONTAINS: ListRelation.CONTAINED_BY,
    ListRelation.CONTAINED_BY: ListRelation.CONTAINS,
}
_FOLDINGS = {"casei": Folding(case=True), "accenti": Folding(accents=True)}
_INSTANTS = ("date", "timestamp", "interval")
_ARITHMETIC = ("+", "-", "*", "/", "%", "^", "div")
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
_LOGIC = ("and", "or", "not", "like", "between", "in", "isNull")
_SPATIAL = {relation.value: relation for relation in Relation}
_LISTED = {relation.value.lower(): relation for relation in ListRelation}
_KNOWN = (*_LOGIC, *_FOLDINGS, *_SPATIAL, *(relation.value for relation in ListRelation))


class Conditions:
    """Conditions on the features of a layer.

    Parameters
    ----------
    layer : what may be named
    crs : of geometries
    """

    def __init__(self, layer: Layer, crs: OutputCrs) -> None:
        self._layer, self._crs = layer, crs

    def condition(self, node: Any) -> Filter:
        """Read a condition.

        Raises
        ------
        UsageError
            If it is none.
        """
        if isinstance(node, bool):
            return Fixed(node)
        if isinstance(node, dict) and "property" in node:
            return self._true(property_named(node["property"], self._layer))
        if not isinstance(node, dict) or not isinstance(node.get("op"), str) or not isinstance(node.get("args"), list):
            raise UsageError("filters.no_condition", found=_shown(node))
        name, args = node["op"], node["args"]
        key = name.lower()
        if key in _SPATIAL:
            return self._spatial(_SPATIAL[key], args)
        if key in _LISTED:
            return self._listed(_LISTED[key], args)
        if key in ("and", "or"):
            parts = tuple(map(self.condition, _some(key, args)))
            return All(parts) if key == "and" else AnyOf(parts)
        return self._simple(key, name, args)

    def _simple(self, key: str, name: str, args: list[Any]) -> Filter:
        match key:
            case "not":
                return Not(self.condition(*_exactly(1, key, args)))
            case "isnull":
                return self._is_null(*_exactly(1, key, args))
            case "like":
                return self._like(*_exactly(2, key, args))
            case "between":
                value, low, high = map(self._operand, _exactly(3, key, args))
                parts = _compared(Operator.AT_LEAST, value, low), _compared(Operator.AT_MOST, value, high)
                return All(parts)
            case "in":
                return self._among(*_exactly(2, key, args))
            case _ if key in _COMPARE:
                left, right = map(self._operand, _exactly(2, key, args))
                return _compared(Operator(key), left, right)
        raise _unknown(key, name)

    def _true(self, named: Property) -> Filter:
        if named.type is not ColumnType.BOOLEAN:
            raise UsageError("filters.no_condition", found=named.name[:80])
        return Comparison(Operator.EQUAL, named, (True,))

    def _is_null(self, node: Any) -> Filter:
        if self._is_geometry(node):
            return Unplaced()
        operand = self._operand(node)
        return Comparison(Operator.IS_NULL, operand) if isinstance(operand, Property) else Fixed(False)

    def _like(self, node: Any, pattern: Any) -> Filter:
        named, text = self._operand(node), self._operand(pattern)
        is_text = isinstance(named, str) or (isinstance(named, Property) and named.type is ColumnType.TEXT)
        if not is_text or not isinstance(text, str):
            raise UsageError("filters.bad_like")
        if (len(text) - len(text.rstrip("\\"))) % 2:
            raise UsageError("filters.escapes_nothing")
        if isinstance(named, Property):
            return Comparison(Operator.LIKE, named, (text,))
        return Fixed(fnmatchcase(str(named), glob_of(text)))

    def _among(self, node: Any, values: Any) -> Filter:
        if not isinstance(values, list):
            raise UsageError("filters.no_list", found=_shown(values))
        left, others = self._operand(node), [self._operand(value) for value in values]
        single = tuple(_compared(Operator.EQUAL, left, other) for other in others)
        if isinstance(left, Property):
            return Comparison(Operator.IN, left, tuple(others))
        return AnyOf(single)

    def _listed(self, relation: ListRelation, args: list[Any]) -> Filter:
        left, right = _exactly(2, relation.value, args)
        if not _is_named(left):
            left, right, relation = right, left, _LIST_CONVERSE.get(relation, relation)
        if not _is_named(left):
            raise UsageError("filters.no_condition", found=relation.value)
        named = self._texts_named(left)
        if _is_named(right):
            return Listed(relation, named, self._texts_named(right))
        # One text in brackets is read as itself.
        values = [self._operand(value) for value in (right if isinstance(right, list) else [right])]
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) < len(values):
            raise UsageError("filters.only_texts", name=named.name)
        return Listed(relation, named, texts)

    def _texts_named(self, node: dict[str, Any]) -> Property:
        named = property_named(node["property"], self._layer)
        if named.type is not ColumnType.TEXTS:
            raise UsageError("filters.no_texts", name=named.name, type=named.type.value)
        return named

    def _spatial(self, relation: Relation, args: list[Any]) -> Filter:
        left, right = _exactly(2, relation.value, args)
        if not self._is_geometry(left):
            left, right, relation = right, left, _CONVERSE.get(relation, relation)
        if not self._is_geometry(left):
            raise UsageError("filters.geometry_first")
        if self._is_geometry(right):
            raise UsageError("filters.no_shape", found=GEOMETRY)
        shapes = shapes_of(right, self._crs)
        parts = tuple(Spatial(relation, bytes(shapely.to_wkb(shape, byte_order=1))) for shape in shapes)
        if len(parts) == 1:
            return parts[0]
        # What meets a collection meets one of its parts; other relations databases do not answer for collections.
        if relation is Relation.INTERSECTS:
            return AnyOf(parts)
        if relation is Relation.DISJOINT:
            return All(parts)
        together = shapely.union_all(shapes)
        if len({shapely.get_dimensions(shape) for shape in shapes}) == 1 and together.geom_type != "GeometryCollection":
            return Spatial(relation, bytes(shapely.to_wkb(together, byte_order=1)))
        raise UsageError("filters.no_collection", relation=relation.value)

    def _is_geometry(self, node: Any) -> bool:
        if not _is_named(node) or node["property"] != GEOMETRY:
            return False
        if self._layer.geometry is None:
            raise UsageError("filters.no_geometry")
        return True

    def _operand(self, node: Any) -> Operand:
        folding = Folding()
        while (
            isinstance(node, dict) and str(node.get("op")).lower() in _FOLDINGS and isinstance(node.get("args"), list)
        ):
            key = node["op"].lower()
            more = _FOLDINGS[key]
            folding = Folding(folding.case or more.case, folding.accents or more.accents)
            (node,) = _exactly(1, key, node["args"])
        if _is_named(node):
            named = property_named(node["property"], self._layer)
            if folding and named.type is not ColumnType.TEXT:
                raise UsageError("filters.folds_no_text", name=named.name, type=named.type.value)
            return replace(named, folding=folding)
        if isinstance(node, str):
            return folded(_text(node), folding)
        if folding:
            raise UsageError("filters.no_condition", found=_shown(node))
        return _plain(node)


def _plain(node: Any) -> Operand:
    """Return a value that is none of text."""
    if isinstance(node, bool):
        return node
    if isinstance(node, int | float):
        number = number_of(node)
        return node if isinstance(node, int) else number
    if node is None:
        raise UsageError("filters.null")
    if isinstance(node, dict) and any(name in node for name in _INSTANTS):
        raise UsageError("filters.no_times")
    if isinstance(node, dict) and isinstance(node.get("op"), str):
        raise _unknown(node["op"].lower(), node["op"])
    raise UsageError("filters.no_value", found=_shown(node))


def _text(text: str) -> str:
    if "\0" in text:
        raise UsageError("filters.no_text")
    return text


def _compared(operator: Operator, left: Operand, right: Operand) -> Filter:
    """Compare two operands, of which the first becomes the property."""
    _check_comparable(left, right)
    if isinstance(left, Property):
        return Comparison(operator, left, (right,))
    if isinstance(right, Property):
        return Comparison(_TURNED.get(operator, operator), right, (left,))
    return Fixed(_COMPARE[operator](left, right))


def _check_comparable(left: Operand, right: Operand) -> None:
    kinds = [_kind(left), _kind(right)]
    for operand in (left, right):
        if isinstance(operand, Property) and operand.type is ColumnType.TEXTS:
            raise UsageError("filters.is_list", name=operand.name)
    if kinds[0] is not kinds[1]:
        named, other = (left, right) if isinstance(left, Property) else (right, left)
        raise UsageError(
            "filters.not_comparable",
            name=named.name if isinstance(named, Property) else _shown(named),
            type=_kind(named).value,
            other=other.name if isinstance(other, Property) else _shown(other),
            kind=_kind(other).value,
        )


def _kind(operand: Operand) -> ColumnType:
    """Type of an operand; all numbers are of one."""
    if isinstance(operand, Property):
        return ColumnType.NUMBER if operand.type in _NUMBERS else operand.type
    if isinstance(operand, bool):
        return ColumnType.BOOLEAN
    return ColumnType.TEXT if isinstance(operand, str) else ColumnType.NUMBER


def _is_named(node: Any) -> bool:
    return isinstance(node, dict) and "property" in node


def _exactly(count: int, name: str, args: list[Any]) -> list[Any]:
    if len(args) != count:
        raise UsageError("filters.miscounted", name=name, needed=count, found=len(args))
    return args


def _some(name: str, args: list[Any]) -> list[Any]:
    if not args:
        raise UsageError("filters.miscounted", name=name, needed=2, found=0)
    return args


def _unknown(key: str, name: str) -> UsageError:
    if key in _ARITHMETIC:
        return UsageError("filters.computes")
    if key.startswith("t_"):
        return UsageError("filters.no_times")
    return UsageError("filters.no_function", name=name[:80], near=nearest(key, _KNOWN))


def _shown(node: Any) -> str:
    return str(node)[:80]
