"""What the two databases say differently: texts in order, patterns, foldings, lists, geometries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import (
    Boolean,
    ColumnElement,
    LargeBinary,
    Text,
    and_,
    case,
    cast,
    collate,
    false,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from gridmap.domain.filters import Folding, ListRelation, Relation
from gridmap.store.documents import as_json
from gridmap.store.folding import foldings
from gridmap.store.models import SRID
from gridmap.store.sqlite_functions import FOLD, RELATES

Expression = ColumnElement[Any]
Truth = ColumnElement[bool]


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

    def related(self, relation: ListRelation, texts: Expression, values: Sequence[str]) -> Truth:
        """Whether a list stands in a relation to another."""
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
        return text.op("GLOB", is_comparison=True)(literal(_glob(pattern), Text()))

    def folded(self, text: Expression, folding: Folding) -> Expression:
        """Use a function of ours."""
        return _called(FOLD, Text(), text, int(folding.case), int(folding.accents))

    def related(self, relation: ListRelation, texts: Expression, values: Sequence[str]) -> Truth:
        """Compare the two sets element by element."""
        there = func.json_each(type_coerce(texts, Text())).table_valued("value")
        asked = func.json_each(as_json(list(values))).table_valued("value")
        own, given = select(there.c.value), select(asked.c.value)
        tests = {
            ListRelation.CONTAINS: ~given.where(asked.c.value.not_in(own)).exists(),
            ListRelation.CONTAINED_BY: ~own.where(there.c.value.not_in(given)).exists(),
            ListRelation.OVERLAPS: own.where(there.c.value.in_(given)).exists(),
        }
        tests[ListRelation.EQUALS] = and_(tests[ListRelation.CONTAINS], tests[ListRelation.CONTAINED_BY])
        return case((type_coerce(texts, Text()).is_not(None), tests[relation]))

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

    def related(self, relation: ListRelation, texts: Expression, values: Sequence[str]) -> Truth:
        """Use what JSONB says of arrays, which it takes as sets."""
        own, given = cast(texts, JSONB()), cast(literal(as_json(list(values)), Text()), JSONB())
        contains, contained = own.op("@>", return_type=Boolean())(given), own.op("<@", return_type=Boolean())(given)
        if relation is ListRelation.OVERLAPS:
            # The operator for it has a "?", which drivers take for a parameter.
            shared = [
                own.op("@>", return_type=Boolean())(cast(literal(as_json([value]), Text()), JSONB()))
                for value in values
            ]
            return case((own.is_not(None), or_(false(), *shared)))
        return {
            ListRelation.CONTAINS: contains,
            ListRelation.CONTAINED_BY: contained,
            ListRelation.EQUALS: and_(contains, contained),
        }[relation]

    def spatial(self, relation: Relation, geometry: Expression, wkb: bytes) -> Truth:
        """Use the function of PostGIS, which asks the index first."""
        shape = func.ST_GeomFromWKB(literal(wkb, LargeBinary()), SRID)
        return _called(f"ST_{relation.value.removeprefix('s_').capitalize()}", Boolean(), geometry, shape)


DIALECTS: dict[str, Dialect] = {"sqlite": SqliteDialect(), "postgresql": PostgisDialect()}


def _called(name: str, kind: TypeEngine[Any], *arguments: Any) -> ColumnElement[Any]:
    function: ColumnElement[Any] = getattr(func, name)(*arguments, type_=kind)
    return function


@cache
def _glob(pattern: str) -> str:
    r"""Write a pattern of LIKE as one of GLOB.

    >>> _glob("50\\%_[%")
    '50%?[[]*'
    """
    wild = {"%": "*", "_": "?"}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(wild[part] if part in wild else re.sub(r"([*?\[])", r"[\1]", part[-1]) for part in parts)


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
