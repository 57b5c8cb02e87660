"""Filters of features, as CQL2 has them: what they compare, checked against the columns of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """Comparisons of a property with values."""

    EQUAL = "="
    NOT_EQUAL = "<>"
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    LIKE = "like"
    IN = "in"
    BETWEEN = "between"
    IS_NULL = "isNull"


class Relation(StrEnum):
    """Relations of a geometry to another."""

    INTERSECTS = "s_intersects"
    DISJOINT = "s_disjoint"
    WITHIN = "s_within"
    CONTAINS = "s_contains"
    TOUCHES = "s_touches"
    CROSSES = "s_crosses"
    OVERLAPS = "s_overlaps"
    EQUALS = "s_equals"


Value = str | float | int | bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column compared with values; ``folded`` compares without regard to capitals."""

    operator: Operator
    column: str
    values: tuple[Value, ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Spatial:
    """The geometry of a feature related to one in WGS 84 degrees, as WKB."""

    relation: Relation
    wkb: bytes


@dataclass(frozen=True, slots=True)
class Not:
    """What a filter does not match."""

    inner: Filter


@dataclass(frozen=True, slots=True)
class All:
    """What every one of some filters matches."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What at least one of some filters matches."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What matches everything, or nothing."""

    matches: bool


Filter = Comparison | Spatial | Not | All | AnyOf | Fixed
