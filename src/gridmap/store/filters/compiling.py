"""Filters as conditions in SQL: values are bound, and both databases answer alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    Unplaced,
    Value,
)
from gridmap.domain.layers import ColumnType
from gridmap.errors import UsageError
from gridmap.store.documents import as_json
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
    columns : of the layer by name, as far as they are in reach; with ``fid``, and ``extra`` of the user's own
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
                return self._dialect.spatial(relation, self._shape(), wkb)
            case Listed(relation, named, values):
                other = self._value(values) if isinstance(values, Property) else literal(as_json(list(values)), Text())
                return self._dialect.related(relation, self._value(named), other)
            case Unplaced():
                return self._shape().is_(None)
            case Comparison(operator, named, values):
                return self._comparison(operator, named, values)

    def _shape(self) -> Expression:
        if self._geometry is None:
            raise UsageError("filters.no_geometry")
        return self._geometry

    def _comparison(self, operator: Operator, named: Property, values: tuple[Value | Property, ...]) -> Truth:
        if operator is Operator.IS_NULL:
            return self._value(named, as_any=True).is_(None)
        if operator is Operator.LIKE:
            return self._dialect.like(self._value(named), str(values[0]))
        if operator is Operator.IN:
            return self._among(named, values)
        return self._compared(operator, named, values[0])

    def _among(self, named: Property, values: tuple[Value | Property, ...]) -> Truth:
        if not values:
            return false()
        plain = [value for value in values if not isinstance(value, Property)]
        if named.type is ColumnType.INTEGER:
            plain = [int(value) for value in plain if _is_whole(value)]
        left = self._value(named)
        # A list of its own: as a chain of OR it might be longer than SQLite reads.
        listed = left.in_([self._literal(value, named) for value in plain]) if plain else _never(left)
        others = (self._compared(Operator.EQUAL, named, value) for value in values if isinstance(value, Property))
        return or_(listed, *others)

    def _compared(self, operator: Operator, named: Property, value: Value | Property) -> Truth:
        left = self._value(named)
        right = self._value(value) if isinstance(value, Property) else self._literal(value, named)
        if isinstance(value, Property) and value.type is not named.type:
            left, right = cast(left, Double()), cast(right, Double())
        elif named.type is ColumnType.INTEGER and isinstance(value, int | float):
            return _beside_whole(operator, left, value)
        elif named.type is ColumnType.TEXT and operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
            left = self._dialect.ordered(left)
        condition: Truth = _COMPARE[operator](left, right)
        return condition

    def _value(self, named: Property, *, as_any: bool = False) -> Expression:
        """Value of a property as it is compared; ``as_any`` of whatever type it is."""
        if named.is_own:
            value = self._dialect.own(self._columns[EXTRA], named.name, None if as_any else named.type)
        else:
            value = self._columns[named.name]
        return self._dialect.folded(value, named.folding) if named.folding else value

    def _literal(self, value: Value, named: Property) -> Expression:
        """Bound value, of the type of the property it is compared with."""
        if isinstance(value, bool):
            return literal(value, Boolean())
        if isinstance(value, str):
            return literal(value, Text())
        return literal(value, BigInteger()) if named.type is ColumnType.INTEGER else literal(float(value), Double())


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
    if operator in (Operator.EQUAL, Operator.NOT_EQUAL) and not _is_whole(value):
        return _never(whole) if operator is Operator.EQUAL else _always(whole)
    upwards = operator in (Operator.LESS, Operator.AT_LEAST)
    beside = ceil(value) if upwards else floor(value)
    if not _LEAST <= beside <= _MOST:
        is_less = operator in (Operator.LESS, Operator.AT_MOST)
        return _always(whole) if is_less is (beside > 0) else _never(whole)
    condition: Truth = _COMPARE[operator](whole, literal(beside, BigInteger()))
    return condition


def _is_whole(value: Value) -> bool:
    """Whether a column of whole numbers can hold a number."""
    return not isinstance(value, str) and value == int(value) and _LEAST <= value <= _MOST
