"""Filters as conditions in SQL: values are bound, and both databases answer alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil, floor
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Double, Text, and_, cast, false, literal, not_, or_, true

from gridmap.domain.filters import (
    All,
    AnyOf,
    Comparison,
    Filter,
    Fixed,
    Listed,
    Not,
    Operator,
    Property,
    Spatial,
    Value,
)
from gridmap.domain.layers import ColumnType
from gridmap.errors import UsageError
from gridmap.store.filters.dialects import DIALECTS, Dialect, Expression, Truth
from gridmap.store.models import EXTRA

_COMPARE: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQUAL: eq,
    Operator.NOT_EQUAL: ne,
    Operator.LESS: lt,
    Operator.AT_MOST: le,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
}
#: Whole numbers that a database compares with a column of such.
_LEAST, _MOST = -(2**63), 2**63 - 1


def compile_filter(
    tree: Filter,
    columns: Mapping[str, ColumnElement[Any]],
    geometry: ColumnElement[Any] | None,
    dialect: str,
) -> ColumnElement[bool]:
    """Condition that is true of the rows a filter matches; where something is missing it may be NULL.

    Parameters
    ----------
    tree : as ``parse_filter`` gives it for the layer
    columns : of the layer by name, as far as they are in reach, with ``fid``, and ``extra`` where a filter may be
        about the user's own
    geometry : of the features, as the database keeps it; None for a table
    dialect : ``sqlite`` or ``postgresql``, as ``connection.dialect.name`` says

    Raises
    ------
    UsageError
        If the filter is about a geometry and there is none.
    """
    return _Compiler(columns, geometry, DIALECTS[dialect]).condition(tree)


class _Compiler:
    def __init__(self, columns: Mapping[str, Expression], geometry: Expression | None, dialect: Dialect) -> None:
        self._columns, self._geometry, self._dialect = columns, geometry, dialect

    def condition(self, tree: Filter) -> Truth:
        match tree:
            case All(parts):
                return and_(true(), *map(self.condition, parts))
            case AnyOf(parts):
                return or_(false(), *map(self.condition, parts))
            case Not(inner):
                return not_(self.condition(inner))
            case Fixed(matches):
                return true() if matches else false()
            case Spatial(relation, wkb):
                if self._geometry is None:
                    raise UsageError("filters.no_geometry", layer="–")
                return self._dialect.spatial(relation, self._geometry, wkb)
            case Listed(relation, named, values):
                return self._dialect.related(relation, self._value(named), values)
            case Comparison(operator, named, values):
                return self._comparison(operator, named, values)

    def _comparison(self, operator: Operator, named: Property, values: tuple[Value | Property, ...]) -> Truth:
        if operator is Operator.IS_NULL:
            return self._value(replace(named, type=None) if named.is_own else named).is_(None)
        if operator is Operator.LIKE:
            return self._dialect.like(self._value(_as(named, ColumnType.TEXT)), str(values[0]))
        if operator is Operator.IN:
            return or_(false(), *self._among(named, values)) if values else _never(self._value(named))
        return self._compared(operator, named, values[0])

    def _among(self, named: Property, values: tuple[Value | Property, ...]) -> list[Truth]:
        """Conditions of which one must hold: one for all texts, which can stand in a list, one each for the others."""
        texts = [literal(value, Text()) for value in values if isinstance(value, str)]
        listed = [self._value(_as(named, ColumnType.TEXT)).in_(texts)] if texts else []
        others = [value for value in values if not isinstance(value, str)]
        return [*listed, *(self._compared(Operator.EQUAL, named, value) for value in others)]

    def _compared(self, operator: Operator, named: Property, value: Value | Property) -> Truth:
        left: Expression
        right: Expression
        if isinstance(value, Property):
            left, right = self._value(named), self._value(value)
            if named.type is not value.type:
                left, right = cast(left, Double()), cast(right, Double())
        elif isinstance(value, str):
            left, right = self._value(_as(named, ColumnType.TEXT)), literal(value, Text())
        elif isinstance(value, bool):
            left, right = self._value(_as(named, ColumnType.BOOLEAN)), literal(value, Boolean())
        elif named.type is ColumnType.INTEGER:
            return _beside_whole(operator, self._value(named), value)
        else:
            left, right = self._value(_as(named, ColumnType.NUMBER)), literal(float(value), Double())
        has_texts = isinstance(value, str) or (isinstance(value, Property) and value.type is ColumnType.TEXT)
        if has_texts and operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
            left = self._dialect.ordered(left)
        condition: Truth = _COMPARE[operator](left, right)
        return condition

    def _value(self, named: Property) -> Expression:
        """Value of a property as it is compared."""
        if named.is_own:
            value = self._dialect.own(self._columns[EXTRA], named.name, named.type)
        else:
            value = self._columns[named.name]
        return self._dialect.folded(value, named.folding) if named.folding else value


def _as(named: Property, kind: ColumnType) -> Property:
    """Property that is looked at as what it is compared with, where it may be anything."""
    return replace(named, type=kind) if named.type is None else named


def _always(value: Expression) -> Truth:
    """Say true of whatever there is; what is missing stays unknown."""
    return value == value


def _never(value: Expression) -> Truth:
    """Say false of whatever there is; what is missing stays unknown."""
    return value != value


def _beside_whole(operator: Operator, whole: Expression, value: float) -> Truth:
    """Compare whole numbers exactly with any number, by the whole number beside it.

    ``x < 1.5`` is ``x < 2``, ``x <= 1.5`` is ``x <= 1``; beyond what the column holds a comparison is always or never.
    """
    if operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        is_there = value == int(value) and _LEAST <= value <= _MOST
        if not is_there:
            return _never(whole) if operator is Operator.EQUAL else _always(whole)
    upwards = operator in (Operator.LESS, Operator.AT_LEAST)
    beside = ceil(value) if upwards else floor(value)
    if not _LEAST <= beside <= _MOST:
        is_less = operator in (Operator.LESS, Operator.AT_MOST)
        return _always(whole) if is_less is (beside > 0) else _never(whole)
    condition: Truth = _COMPARE[operator](whole, literal(beside, BigInteger()))
    return condition
