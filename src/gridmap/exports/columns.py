"""Columns as files hold them: plain values, lists of ids as one text, and the note that brings the types back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

SEPARATOR = ";"
LIST, OBJECT = "list", "object"


def plain_values(column: pd.Series[Any]) -> list[Any]:
    """Values of a column as JSON knows them: None for whatever is missing or not finite, Python numbers and lists."""
    if column.dtype == bool or (pd.api.types.is_integer_dtype(column.dtype) and not column.hasnans):
        return list(column.tolist())
    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        values = numbers.astype(object)
        values[~np.isfinite(numbers)] = None
        return list(values.tolist())
    return [_plain(value) for value in column.tolist()]


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(entry) for entry in value]
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    # A user's own columns may hold dates and other things that JSON has no word for.
    return value if isinstance(value, (str, int, float, dict)) else str(value)


def types_of(frame: pd.DataFrame) -> dict[str, str]:
    """Kind of every column but the geometry, as ``restored`` wants it: ``list``, else the name of the dtype."""
    return {
        str(name): LIST if _holds_lists(frame[name]) else str(frame[name].dtype)
        for name in frame.columns
        if name != "geometry"
    }


def flattened(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with every list joined to one text by ";", for formats without lists."""
    lists = [name for name, kind in types_of(frame).items() if kind == LIST]
    return frame.assign(**{name: frame[name].map(join_ids).astype(object) for name in lists}) if lists else frame


def restored(frame: pd.DataFrame, types: dict[str, str]) -> pd.DataFrame:
    """``frame`` as a file gave it, with the columns, order and types that ``types_of`` noted."""
    columns = {name: _restored_column(frame[name], kind) for name, kind in types.items()}
    if "geometry" in frame.columns:
        columns["geometry"] = frame["geometry"]
    return frame.assign(**columns)[list(columns)]


def _restored_column(column: pd.Series[Any], kind: str) -> pd.Series[Any]:
    if kind == LIST:
        return pd.Series([split_ids(value) for value in plain_values(column)], index=column.index, dtype=object)
    if kind == OBJECT:
        return pd.Series(plain_values(column), index=column.index, dtype=object)
    return column.astype(kind)  # type: ignore[call-overload,no-any-return]


def _holds_lists(column: pd.Series[Any]) -> bool:
    return column.dtype == object and any(isinstance(value, (list, tuple, np.ndarray)) for value in column)


def join_ids(values: Any) -> str | None:
    r"""Join ids by ";"; a ";" or "\" inside an id is written with a "\" before it. None stays None.

    >>> join_ids(["A1", "B;2"])
    'A1;B\\;2'
    """
    if not isinstance(values, (list, tuple, np.ndarray)):
        return None
    return SEPARATOR.join(str(value).replace("\\", "\\\\").replace(SEPARATOR, "\\" + SEPARATOR) for value in values)


def split_ids(text: str | None) -> list[str] | None:
    """Inverse of ``join_ids``; an empty text is an empty list."""
    if text is None:
        return None
    ids, escaped = [""], False
    for character in text:
        if escaped or character not in "\\;":
            ids[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            ids.append("")
    return ids if text else []
