"""Filters of features, as CQL2 has them: what they compare, checked against the columns of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gridmap.domain.layers import ColumnType


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


class ListRelation(StrEnum):
    """Relations of a list to another, both taken as sets."""

    CONTAINS = "a_contains"
    CONTAINED_BY = "a_containedBy"
    EQUALS = "a_equals"
    OVERLAPS = "a_overlaps"


Value = str | float | int | bool


@dataclass(frozen=True, slots=True)
class Folding:
    """What of a text is not looked at: capitals, accents."""

    case: bool = False
    accents: bool = False

    def __bool__(self) -> bool:
        """Whether anything is."""
        return self.case or self.accents


@dataclass(frozen=True, slots=True)
class Property:
    """A column of a layer, or one of the user's own.

    Attributes
    ----------
    name : of the column; ``fid`` is the number of a feature where no column is its identifier
    type : what it holds
    is_own : the user's, kept beside the columns that every plan has; a value of another type counts as missing
    folding : of its text, where it is compared
    """

    name: str
    type: ColumnType
    is_own: bool = False
    folding: Folding = Folding()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A property compared with values or other properties: one, but for ``IN`` any number, for ``IS_NULL`` none.

    In the pattern of ``LIKE``, ``%`` stands for any text, ``_`` for one character, and a backslash takes the next one
    as it is.
    """

    operator: Operator
    property: Property
    values: tuple[Value | Property, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of texts related to another one, or to that of another property."""

    relation: ListRelation
    property: Property
    values: tuple[str, ...] | Property


@dataclass(frozen=True, slots=True)
class Spatial:
    """The geometry of a feature related to one in WGS 84 degrees, as WKB."""

    relation: Relation
    wkb: bytes


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A feature without a geometry."""


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


#: Three-valued, as in SQL: comparing what is missing is neither true nor false.
Filter = Comparison | Listed | Spatial | Unplaced | Not | All | AnyOf | Fixed
