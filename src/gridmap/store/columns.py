"""Columns of a frame as lists of plain values, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gridmap.domain.layers import ColumnType
from gridmap.errors import BadValue, Place

#: Types of columns beside the names of dtypes: lists, and Python objects.
LIST, OBJECT = "list", "object"
#: Whole numbers that a database keeps.
_MOST = 2**63
_EXTRA_KINDS = (LIST, OBJECT, "str", "string", "bool", "int64", "int32", "float64")


def type_name(column: pd.Series[Any]) -> str:
    """Type of a column as ``restored_column`` wants it: ``list``, else the name of its dtype."""
    holds_lists = column.dtype == object and any(isinstance(value, (list, tuple, np.ndarray)) for value in column)
    return LIST if holds_lists else str(column.dtype)


def stored_column(layer: str, column: pd.Series[Any], kind: ColumnType) -> list[Any]:
    """Plain values of a column: text, whole numbers, floats, bools, lists of text; None where a value is missing.

    Raises
    ------
    BadValue
        If a value is none of the column's type, with its row.
    """
    if kind is ColumnType.NUMBER and column.dtype == np.float64:
        numbers = column.to_numpy() + 0.0  # turns minus zero, which not every database keeps, into zero
        if not np.isinf(numbers).any():
            values = numbers.astype(object)
            values[np.isnan(numbers)] = None
            return list(values.tolist())
    plain = _PLAIN[kind]
    found = []
    for row, value in enumerate(column.tolist()):
        stored = None if _is_missing(value) else plain(value)
        if stored is None and not _is_missing(value):
            place = Place(layer=layer, feature=row, field=str(column.name))
            raise BadValue("store.not_of_type", place, value=repr(value), kind=kind.value)
        found.append(stored)
    return found


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def _text(value: Any) -> str | None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (str, int, np.integer)):
        return None
    text = str(value)
    # No database takes the character 0, and no encoding half a character.
    is_whole = text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)
    return text if is_whole and "\0" not in text else None


def _integer(value: Any) -> int | None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    return int(value) if -_MOST <= value < _MOST and int(value) == value else None


def _number(value: Any) -> float | None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    return float(value) + 0.0 if np.isfinite(float(value)) and float(value) == value else None


def _boolean(value: Any) -> bool | None:
    return bool(value) if isinstance(value, (bool, np.bool_)) else None


def _texts(value: Any) -> list[str] | None:
    if not isinstance(value, (list, tuple, np.ndarray)):
        return None
    texts = [_text(entry) if isinstance(entry, str) else None for entry in value]
    return None if None in texts else [text for text in texts if text is not None]


_PLAIN: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.TEXTS: _texts,
}


def stored_extra(layer: str, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Values of columns of the user's own, a dictionary a row: texts, numbers, bools, lists of text, None.

    Raises
    ------
    BadValue
        If a column or a value is something else.
    """
    columns = {}
    for name in frame.columns:
        if type_name(frame[name]) not in _EXTRA_KINDS:
            place = Place(layer=layer, field=str(name))
            raise BadValue("store.unknown_type", place, type=str(frame[name].dtype))
        columns[str(name)] = [_extra(layer, str(name), row, value) for row, value in enumerate(frame[name].tolist())]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _extra(layer: str, name: str, row: int, value: Any) -> Any:
    if _is_missing(value):
        return None
    for plain in (_boolean, _texts, _integer if isinstance(value, int) else _number, _text):
        stored = plain(value)
        if stored is not None:
            return stored
    raise BadValue(
        "store.not_of_type", Place(layer=layer, feature=row, field=name), value=repr(value), kind=ColumnType.TEXT.value
    )


def restored_column(values: list[Any], kind: str) -> pd.Series[Any]:
    """Column of a type that ``type_name`` gave, from what ``stored_column`` made of it."""
    if kind in (LIST, OBJECT):
        return pd.Series(values, dtype=OBJECT)
    if kind.startswith("float"):
        return pd.Series(np.array(values, dtype=kind))
    return pd.Series(values, dtype=OBJECT).astype(kind)  # type: ignore[call-overload,no-any-return]
