"""Whether values of two plans differ, and which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isclose, isnan
from typing import Any

import numpy as np
import pandas as pd

from gridmap.planning.differences.difference import Change

#: Figures closer than this share of themselves differ by the order they were summed in.
_ROUNDING = 1e-9


def plain(value: Any) -> Any:
    """Value as JSON has it: None for what is missing, lists in order, numbers of Python."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return sorted(str(one) for one in value)
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or value is pd.NA or (isinstance(value, float) and isnan(value)) else value


def is_same(before: Any, after: Any) -> bool:
    """Whether two plain values are one; numbers but for rounding."""
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (before, after)]
    if all(numbers):
        return isclose(before, after, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
    return bool(before == after)


def changes_of(before: Mapping[Any, Any], after: Mapping[Any, Any], names: Iterable[str]) -> tuple[Change, ...]:
    """Compare rows in some columns; one that a row lacks is missing."""
    pairs = ((name, plain(before.get(name)), plain(after.get(name))) for name in names)
    return tuple(Change(name, old, new) for name, old, new in pairs if not is_same(old, new))


def documents_changed(before: Any, after: Any) -> tuple[Change, ...]:
    """Compare nested documents leaf by leaf; the field of a leaf is its path, joined by dots."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return changes_of(old, new, [*old, *(path for path in new if path not in old)])


def _leaves(node: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for name, inner in node.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(node, (list, tuple)) and any(isinstance(one, (Mapping, list, tuple)) for one in node):
        for place, inner in enumerate(node):
            yield from _leaves(inner, f"{path}.{place}")
    elif isinstance(node, (list, tuple)):
        # The order of lists in settings matters: radii are of town and country.
        yield path, ", ".join(map(str, node))
    else:
        yield path, node


def rows_by(frame: pd.DataFrame, key: str) -> dict[str, dict[Any, Any]]:
    """Rows of a frame by a column, without their geometry."""
    records = frame.drop(columns="geometry", errors="ignore").to_dict("records")
    return {str(row[key]): row for row in records}


def text_of(value: Any) -> str | None:
    """Return a text, or None where it is missing."""
    return value if isinstance(value, str) and value else None


def number_of(value: Any) -> float | None:
    """Return a number, or None where it is missing."""
    found = plain(value)
    return None if found is None else float(found)
