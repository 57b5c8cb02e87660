"""Write rows of a layer as GeoJSON features: PostgreSQL puts whole pages together, SQLite's rows are put here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import shapely
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from gridmap.domain.layers import Column, Layer
from gridmap.store.boxes import box_shape, check_box
from gridmap.store.kept import Kept
from gridmap.store.models import EXTRA, FID, GEOMETRY
from gridmap.store.reading.boxes import meets_shape
from gridmap.store.reading.coordinates import geometry_texts
from gridmap.store.reading.feature_text import feature_text
from gridmap.store.reading.queries import FeatureQuery, Page
from gridmap.store.sql import SqlStore

_COMMA = literal_column("','", Text)
_AFTER: BindParameter[int] = bindparam("after", type_=Integer)
_MOST: BindParameter[int] = bindparam("most", type_=Integer)
_BOX: BindParameter[bytes] = bindparam("box", type_=LargeBinary)
_WANTED = "wanted"
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
#: Runs a statement, made when it is first asked for, that is kept by a key.
Run = Callable[[Hashable, Callable[[], tuple[str, dict[str, Any]]], dict[str, Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Written:
    """Rows of a layer as features.

    Attributes
    ----------
    source : rows of the layer, which go by its name
    columns : that become properties
    query : says in which system, whether with geometries, how many, after which
    """

    source: FromClause
    layer: Layer
    columns: tuple[Column, ...]
    query: FeatureQuery

    @property
    def identifier(self) -> ColumnElement[Any]:
        """Column that features are known by."""
        return self.source.c[self.layer.key[0] if len(self.layer.key) == 1 else FID]

    @property
    def _text(self) -> ColumnElement[str]:
        return feature_text(self.layer, self.columns, self.query.crs, has_geometry=self.query.geometry)

    def page(self, connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> Page:
        """Write the first features after a ``fid`` that meet conditions, by ``fid``."""
        if connection.dialect.name == "sqlite":
            return self._page_of_rows(connection, [*conditions, self.source.c[FID] > self.query.after_fid])
        return self._page(*connection.execute(self._page_as_text(conditions), self._bounds).one())

    def plain_page(self, run: Run, key: Hashable) -> Page:
        """Write the first features after a ``fid``, or those of them in the box of the query, in PostgreSQL.

        Parameters
        ----------
        run : runs a statement that is kept by a key
        """
        box, values = self.query.bbox, self._bounds
        if box is not None:
            check_box(box)
            values[_BOX.key] = shapely.to_wkb(box_shape(box))

        def made() -> tuple[str, dict[str, Any]]:
            conditions = [] if box is None else [meets_shape(self.source.c[GEOMETRY], _BOX)]
            return _text_of(self._page_as_text(conditions), values)

        return self._page(*run(("page", box is not None, key), made, values)[0])

    @property
    def _bounds(self) -> dict[str, Any]:
        return {_AFTER.key: self.query.after_fid, _MOST.key: self.query.limit}

    def _page(self, features: str | None, last: int | None, count: int) -> Page:
        limit = self.query.limit
        return Page((features or "").encode(), min(count, limit), last if count > limit else None)

    def feature(self, connection: Connection, wanted: str | int, kept: Kept, key: Hashable) -> bytes | None:
        """Write the feature with an identifier; None where there is none; ``kept`` and ``key`` as ``page``."""
        if connection.dialect.name == "sqlite":
            page = self._page_of_rows(connection, [self.identifier == wanted])
            return page.features if page.returned else None
        found = _run(connection, self._feature_as_text, kept, ("feature", key), {_WANTED: wanted})
        return None if found is None else str(found[0]).encode()

    def feature_in(self, store: SqlStore, wanted: str | int, key: Hashable) -> bytes | None:
        """Write the feature with an identifier, asking PostgreSQL nothing else; else as ``feature``."""
        found = store.look_up(("feature", key), self._feature_as_text, {_WANTED: wanted})
        return str(found[0][0]).encode() if found else None

    def _feature_as_text(self) -> Select[Any]:
        is_wanted = self.identifier == bindparam(_WANTED, type_=self.identifier.type)
        return select(self._text).select_from(self.source).where(is_wanted)

    def _page_as_text(self, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
        fid = self.source.c[FID]
        place = func.row_number().over(order_by=fid)
        some = select(fid, self._text.label("text"), place.label("place")).where(*conditions, fid > _AFTER)
        # One more than asked for tells whether there is a next page.
        page = some.order_by(fid).limit(_MOST + 1).subquery()
        is_on_page = page.c.place <= _MOST
        return select(
            func.string_agg(page.c.text, _COMMA).filter(is_on_page),
            func.max(page.c[FID]).filter(is_on_page),
            func.count(),
        )

    def _page_of_rows(self, connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> Page:
        source, query = self.source, self.query
        ours = [one.name for one in self.columns if one.name in source.c]
        own = [one.name for one in self.columns if one.name not in source.c]
        shape = [source.c[GEOMETRY]] if query.geometry and self.layer.geometry else []
        asked = select(
            source.c[FID],
            self.identifier.label("id"),
            *(source.c[name] for name in ours),
            *([source.c[EXTRA]] if own else []),
            *shape,
        ).where(*conditions)
        found = connection.execute(asked.order_by(source.c[FID]).limit(query.limit + 1)).fetchall()
        page = found[: query.limit]
        texts = geometry_texts([row[-1] for row in page], query.crs) if shape and page else [None] * len(page)
        features = []
        for row, text in zip(page, texts, strict=True):
            properties = dict(zip(ours, row[2:], strict=False))
            if own:
                extra = row[2 + len(ours)] or {}
                properties |= {name: extra.get(name) for name in own}
            geometry = None if text is None else orjson.Fragment(text)
            features.append({"type": "Feature", "id": row[1], "geometry": geometry, "properties": properties})
        return Page(orjson.dumps(features)[1:-1], len(page), page[-1][0] if len(found) > query.limit else None)


def _run(
    connection: Connection, statement: Callable[[], Select[Any]], kept: Kept, key: Hashable, values: dict[str, Any]
) -> Any:
    """First row of a statement whose text is kept: to make it anew would take longer than to run it."""
    text, fixed = kept.get(("text", key), lambda: _text_of(statement(), values))
    return connection.exec_driver_sql(text, {**fixed, **values}).first()


def _text_of(statement: Select[Any], values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    # Lists of values are written out, which takes a value of every other parameter too.
    expanded = statement.compile(dialect=_DIALECT).construct_expanded_state(values)
    return expanded.statement, dict(expanded.parameters)
