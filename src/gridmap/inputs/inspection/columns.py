"""Describe the columns of a layer: what their values are, some of them, how many are missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from gridmap.inputs.folding import fold, folded_texts, numbers_of
from gridmap.inputs.inspection.telling import clean

_MOST_SAMPLES, _LONGEST_SAMPLE, _LONGEST_NAME = 5, 80, 200
#: Share of numbers from which the rest are taken for slips.
_MOSTLY_NUMBERS = 0.9
_FEWEST_NUMBERS = 10


class ColumnType(StrEnum):
    """What the values of a column are."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TEXT = "text"
    EMPTY = "empty"


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    name : as in the file
    type : of its values; codes with leading zeros are text
    samples : first different values
    missing : rows without a value
    slips : rows whose text stands among numbers
    """

    name: str
    type: ColumnType
    samples: tuple[str, ...]
    missing: int
    slips: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Members of the answer."""
        return {
            "name": clean(self.name)[:_LONGEST_NAME],
            "type": self.type.value,
            "samples": list(self.samples),
            "missing": self.missing,
        }


def describe_columns(frame: pd.DataFrame) -> list[Column]:
    """Describe every column of a frame."""
    return [_describe(str(name), frame.iloc[:, number]) for number, name in enumerate(frame.columns)]


def _describe(name: str, values: pd.Series[Any]) -> Column:
    missing = int(values.isna().sum())
    samples = tuple(
        _sample(value) for value in values.dropna().astype(object).head(1000).map(str).unique()[:_MOST_SAMPLES]
    )
    if missing == len(values):
        return Column(name, ColumnType.EMPTY, (), missing)
    kind, slips = _type_of(values)
    return Column(name, kind, samples, missing, slips)


def _sample(text: str) -> str:
    cleaned = clean(text)
    return cleaned if len(cleaned) <= _LONGEST_SAMPLE else f"{cleaned[: _LONGEST_SAMPLE - 1]}…"


def _type_of(values: pd.Series[Any]) -> tuple[ColumnType, tuple[int, ...]]:
    if pd.api.types.is_bool_dtype(values):
        return ColumnType.BOOLEAN, ()
    if pd.api.types.is_datetime64_any_dtype(values):
        return ColumnType.DATE, ()
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.dropna().to_numpy(dtype=np.float64)
        return (ColumnType.INTEGER if (numbers == np.rint(numbers)).all() else ColumnType.NUMBER), ()
    numbers, absent, wrong = numbers_of(values)
    found = numbers[~absent & ~wrong]
    texts = folded_texts(values)
    has_leading_zeros = any(text is not None and len(text) > 1 and text[0] == "0" and text[1] != "." for text in texts)
    if not len(found) or len(found) < _MOSTLY_NUMBERS * (len(found) + wrong.sum()) or has_leading_zeros:
        return ColumnType.TEXT, ()
    if wrong.any() and len(found) < _FEWEST_NUMBERS:
        return ColumnType.TEXT, ()
    finite = found[np.isfinite(found)]
    whole = (finite == np.rint(finite)).all()
    return (ColumnType.INTEGER if whole else ColumnType.NUMBER), tuple(np.flatnonzero(wrong).tolist())


def is_chinese(text: str | None) -> bool:
    """Whether a text has a Chinese character."""
    return text is not None and any("\u3400" <= sign <= "\u9fff" or sign > "\U0001ffff" for sign in fold(text))
