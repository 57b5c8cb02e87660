"""Area codes and institutions in a scope, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, true

#: Institution of a facility that says nothing of it, beside none.
NOT_STATED = ""


def in_areas(code: ColumnElement[Any], prefixes: Sequence[str]) -> ColumnElement[bool]:
    """Whether an area code begins with one of some prefixes; NULL where there is no code, true without prefixes."""
    if not prefixes:
        return true()
    return or_(false(), *(func.substr(code, 1, len(prefix)) == prefix for prefix in prefixes))


def beyond_areas(code: ColumnElement[Any], prefixes: Sequence[str]) -> ColumnElement[bool]:
    """Whether an area code begins with none of some prefixes, or is missing; false without prefixes."""
    return ~func.coalesce(in_areas(code, prefixes), false()) if prefixes else false()


def of_institutions(name: ColumnElement[Any], institutions: Sequence[str]) -> ColumnElement[bool]:
    """Whether the institution of a facility is one of some, or not stated; true without institutions."""
    return or_(name.is_(None), name.in_((*institutions, NOT_STATED))) if institutions else true()
