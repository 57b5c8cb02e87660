"""What the two databases say differently: texts in order, patterns, foldings, columns in JSON, lists, geometries."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    LargeBinary,
    Numeric,
    Text,
    and_,
    case,
    cast,
    collate,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from gridmap.domain.filters import Folding, ListRelation, Relation
from gridmap.domain.layers import ColumnType
from gridmap.store.filters.patterns import glob_of
from gridmap.store.folding import foldings
from gridmap.store.models import SRID
from gridmap.store.sqlite_functions import FOLD, RELATES

Expression = ColumnElement[Any]
Truth = ColumnElement[bool]


_SQL_TYPES: dict[ColumnType, TypeEngine[Any]] = {
    # Whole numbers of any size, also such as JSON writes with a fraction of zero.
    ColumnType.INTEGER: Numeric(),
    ColumnType.NUMBER: Double(),
    ColumnType.BOOLEAN: Boolean(),
}
_SQLITE_KINDS: dict[ColumnType, tuple[str, ...]] = {
    ColumnType.TEXT: ("text",),
    ColumnType.INTEGER: ("integer", "real"),
    ColumnType.NUMBER: ("integer", "real"),
    ColumnType.BOOLEAN: ("true", "false"),
    ColumnType.TEXTS: ("array",),
}
_POSTGRES_KINDS: dict[ColumnType, str] = {
    ColumnType.TEXT: "string",
    ColumnType.INTEGER: "number",
    ColumnType.NUMBER: "number",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.TEXTS: "array",
}


class Dialect(Protocol):
    """Expressions whose values are equal on both databases."""

    def ordered(self, text: Expression) -> Expression:
        """Text that is compared by code points."""
        ...

    def like(self, text: Expression, pattern: str) -> Truth:
        """Whether a text matches a pattern, capitals as they are."""
        ...

    def folded(self, text: Expression, folding: Folding) -> Expression:
        """Text without what is not looked at."""
        ...

    def own(self, extra: Expression, name: str, kind: ColumnType | None) -> Expression:
        """Value of a column of the user's own, missing where it is of another type; of any type for None."""
        ...

    def related(self, relation: ListRelation, texts: Expression, others: Expression) -> Truth:
        """Whether a list stands in a relation to another; both are JSON."""
        ...

    def spatial(self, relation: Relation, geometry: Expression, wkb: bytes) -> Truth:
        """Whether a geometry stands in a relation to another."""
        ...


class SqliteDialect:
    """As SQLite says it."""

    def ordered(self, text: Expression) -> Expression:
        """Return it: texts are compared byte by byte."""
        return text

    def like(self, text: Expression, pattern: str) -> Truth:
        """Use GLOB, which knows capitals."""
        return text.op("GLOB", is_comparison=True)(literal(glob_of(pattern), Text()))

    def folded(self, text: Expression, folding: Folding) -> Expression:
        """Use a function of ours."""
        return _called(FOLD, Text(), text, int(folding.case), int(folding.accents))

    def own(self, extra: Expression, name: str, kind: ColumnType | None) -> Expression:
        """Look for it among the members: a path could not name every column."""
        members = func.json_each(type_coerce(extra, Text())).table_valued("key", "value", "type")
        value: Expression = members.c.value
        if kind is not None:
            value = case((members.c.type.in_(_SQLITE_KINDS[kind]), value))
        return type_coerce(select(value).where(members.c.key == name).scalar_subquery(), _sql_type(kind))

    def related(self, relation: ListRelation, texts: Expression, others: Expression) -> Truth:
        """Compare the two sets element by element."""
        left, right = type_coerce(texts, Text()), type_coerce(others, Text())
        there, asked = func.json_each(left).table_valued("value"), func.json_each(right).table_valued("value")
        own, given = select(there.c.value), select(asked.c.value)
        tests = {
            ListRelation.CONTAINS: ~given.where(asked.c.value.not_in(own)).exists(),
            ListRelation.CONTAINED_BY: ~own.where(there.c.value.not_in(given)).exists(),
            ListRelation.OVERLAPS: own.where(there.c.value.in_(given)).exists(),
        }
        tests[ListRelation.EQUALS] = and_(tests[ListRelation.CONTAINS], tests[ListRelation.CONTAINED_BY])
        return case((and_(left.is_not(None), right.is_not(None)), tests[relation]))

    def spatial(self, relation: Relation, geometry: Expression, wkb: bytes) -> Truth:
        """Use a function of ours."""
        shape = type_coerce(geometry, LargeBinary())
        return _called(RELATES, Boolean(), relation.value, shape, literal(wkb, LargeBinary()))


class PostgisDialect:
    """As PostgreSQL and PostGIS say it."""

    def ordered(self, text: Expression) -> Expression:
        """Collate as C does, whatever the database would."""
        return collate(text, "C")

    def like(self, text: Expression, pattern: str) -> Truth:
        """Use LIKE, with its own escape."""
        return text.like(literal(pattern, Text()), escape="\\")

    def folded(self, text: Expression, folding: Folding) -> Expression:
        """Translate what changes; most texts have nothing of it, which a regular expression finds out much faster."""
        changing, old, new = _translation(folding)
        plain = func.lower(collate(text, "C"), type_=Text()) if folding.case else text
        return case(
            (collate(text, "C").op("~")(literal(changing, Text())), func.translate(plain, old, new, type_=Text())),
            else_=plain,
        )

    def own(self, extra: Expression, name: str, kind: ColumnType | None) -> Expression:
        """Take it from the JSON, if it is of the type."""
        members, key = type_coerce(extra, Text()), literal(name, Text())
        value = type_coerce(members.op("->>")(key), Text())
        if kind is None:
            return value
        is_so = func.json_typeof(members.op("->")(key)) == _POSTGRES_KINDS[kind]
        return case((is_so, cast(value, _sql_type(kind))))

    def related(self, relation: ListRelation, texts: Expression, others: Expression) -> Truth:
        """Use what JSONB says of arrays, which it takes as sets."""
        own, given = cast(texts, JSONB()), cast(others, JSONB())
        contains, contained = own.op("@>", return_type=Boolean())(given), own.op("<@", return_type=Boolean())(given)
        match relation:
            case ListRelation.CONTAINS:
                return contains
            case ListRelation.CONTAINED_BY:
                return contained
            case ListRelation.EQUALS:
                return and_(contains, contained)
        # The operators for it have a "?", which drivers take for a parameter.
        elements = select(func.jsonb_array_elements_text(given).column_valued())
        shared = _called("jsonb_exists_any", Boolean(), own, func.array(elements.scalar_subquery()))
        return case((given.is_not(None), shared))

    def spatial(self, relation: Relation, geometry: Expression, wkb: bytes) -> Truth:
        """Use the function of PostGIS, which asks the index first."""
        shape = func.ST_GeomFromWKB(literal(wkb, LargeBinary()), SRID)
        return _called(f"ST_{relation.value.removeprefix('s_').capitalize()}", Boolean(), geometry, shape)


DIALECTS: dict[str, Dialect] = {"sqlite": SqliteDialect(), "postgresql": PostgisDialect()}


def _sql_type(kind: ColumnType | None) -> TypeEngine[Any]:
    return Text() if kind is None else _SQL_TYPES.get(kind, Text())


def _called(name: str, kind: TypeEngine[Any], *arguments: Any) -> ColumnElement[Any]:
    function: ColumnElement[Any] = getattr(func, name)(*arguments, type_=kind)
    return function


@cache
def _translation(folding: Folding) -> tuple[str, str, str]:
    """Return a class of the characters that change, those, and what they change to; those that go stand last."""
    changes = foldings(folding)
    others = {old: new for old, new in changes.items() if old >= 0x80 or not folding.case}
    kept = {old: new for old, new in others.items() if new is not None}
    old = "".join(map(chr, [*kept, *(code for code in others if code not in kept)]))
    return f"[{_ranges(sorted(others))}]", old, "".join(map(chr, kept.values()))


def _ranges(codes: list[int]) -> str:
    """Write code points as ranges of a class of characters."""
    found: list[list[int]] = []
    for code in codes:
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in found)
