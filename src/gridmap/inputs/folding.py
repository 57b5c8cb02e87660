"""Fold what people and spreadsheets write -- full-width digits, 420506.0, 1,234 -- into plain text and numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Texts = NDArray[np.object_]

_WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0*")
_CUT_BY_SPREADSHEET = re.compile(r"\d(\.\d+)?E\+?\d+", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_DEGREE_SIGN = re.compile(r"(.*\d)\s*°")


def fold(text: str) -> str:
    """Full-width to half-width, outer and repeated space away, Unicode in its composed form."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def fold_code(text: str) -> str:
    """Fold a code: no space within, ``420506.0`` to ``420506``, leading zeros kept."""
    folded = fold(text).replace(" ", "")
    whole = _WHOLE_FLOAT.fullmatch(folded)
    return whole[1] if whole else folded


def is_cut_code(text: str) -> bool:
    """Whether a spreadsheet has turned a code into a rounded number such as ``4.20506E+11``."""
    return bool(_CUT_BY_SPREADSHEET.fullmatch(text))


def fold_word(text: str) -> str:
    """Fold a word of a closed vocabulary: lower case, one underscore for any space, hyphen or underscore."""
    return re.sub(r"[\s_-]+", "_", fold(text).lower())


def fold_number(text: str) -> str:
    """Fold a number into what ``float`` reads; what is no number stays what it is."""
    folded = fold(text).replace(" ", "")
    if _THOUSANDS.fullmatch(folded):
        folded = folded.replace(",", "")
    degrees = _DEGREE_SIGN.fullmatch(folded)
    return degrees[1] if degrees else folded


def texts_of(column: pd.Series[Any]) -> Texts:
    """Values of a column as text, None where there is none; whole floats without their ``.0``.

    Returns
    -------
    (n,) object of str or None
    """
    missing = column.isna().to_numpy()
    values = column.to_numpy(dtype=object)
    if pd.api.types.is_float_dtype(column):
        values = np.array([f"{value:.0f}" if value == np.rint(value) else repr(float(value)) for value in values])
    texts = np.empty(len(values), dtype=object)
    texts[:] = [None if gone else str(value) for value, gone in zip(values, missing, strict=True)]
    return texts


def folded_texts(column: pd.Series[Any], folding: Callable[[str], str] = fold) -> Texts:
    """Values of a column as folded text; empty text counts as missing (None)."""
    texts = texts_of(column)
    # Many values of a column are equal: fold each once.
    known = {text: folding(text) or None for text in set(texts.tolist()) if text is not None}
    folded = np.empty(len(texts), dtype=object)
    folded[:] = [known.get(text) for text in texts]
    return folded


def numbers_of(column: pd.Series[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Numbers of a column.

    Returns
    -------
    Values (NaN where missing or no number), where the value is missing, and where it is there and no number; (n,) each.
    The words ``nan`` and ``inf`` are numbers here, so that the caller can refuse them as what they are.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return values, column.isna().to_numpy(), np.zeros(len(values), dtype=bool)
    texts = folded_texts(column, fold_number)
    missing = np.array([text is None for text in texts], dtype=bool)
    known = {text: _number(text) for text in set(texts.tolist()) if text is not None}
    values = np.array([np.nan if text is None else _or_nan(known[text]) for text in texts], dtype=np.float64)
    wrong = np.array([text is not None and known[text] is None for text in texts], dtype=bool)
    return values, missing, wrong


def _number(text: str) -> float | None:
    try:
        # Python reads 1_000 as a number; people do not write it.
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _or_nan(number: float | None) -> float:
    return np.nan if number is None else number
