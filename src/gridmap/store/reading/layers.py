"""Read the layers of one version, as far as a scope reaches."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, FromClause, LargeBinary, Subquery, false, func, select

from gridmap.domain.access import Scope
from gridmap.domain.crs import CRS84, OutputCrs
from gridmap.domain.filters import Filter
from gridmap.domain.layers import Column, Layer
from gridmap.errors import NotStored, UsageError
from gridmap.store.boxes import check_box
from gridmap.store.filters import bounds_of, compile_filter
from gridmap.store.kept import kept_of
from gridmap.store.models import EXTRA, FID, GEOMETRY, layer_tables
from gridmap.store.postgis import PostgisStore
from gridmap.store.protocols import Box, Status, VersionInfo
from gridmap.store.reading.boxes import Boxes
from gridmap.store.reading.frames import frame_of
from gridmap.store.reading.own_columns import layers_of
from gridmap.store.reading.queries import FeatureQuery, Page
from gridmap.store.reading.writing import Written
from gridmap.store.scope import Reach, reach_of, scoped
from gridmap.store.sql import SqlStore

#: Text of a statement, and values of those of its parameters that are always the same.
Text = tuple[str, Mapping[str, Any]]
_LARGEST_FID = 2**31 - 1


class LayerReader:
    """Layers of a version, as far as a scope reaches.

    Beside what is stated, every method raises ``NotStored`` if the version is gone, and ``LostUpdate`` if it is a
    draft whose content is no longer what was seen.

    Parameters
    ----------
    store : that holds it
    version : as it was seen
    scope : whatever is beyond it is not there
    connection : a transaction that everything is read in; without one every call reads in its own
    """

    def __init__(
        self, store: SqlStore, version: VersionInfo, scope: Scope, connection: Connection | None = None
    ) -> None:
        self.version, self.scope = version, scope
        self._store, self._connection, self._kept = store, connection, kept_of(store)

    @contextmanager
    def at_once(self) -> Iterator[LayerReader]:
        """Read in one transaction, so that all answers are of one state of the database."""
        with self._reading() as connection:
            yield LayerReader(self._store, self.version, self.scope, connection)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._connection is not None:
            yield self._connection
        else:
            with self._store.reading() as connection:
                yield connection

    @contextmanager
    def steady(self) -> Iterator[LayerReader]:
        """Read so that all answers are of one state: in one transaction, or in none where nothing ever changes."""
        if self._asks_nothing_else:
            yield self
        else:
            with self.at_once() as reader:
                yield reader

    def run(self, key: Hashable, make: Callable[[], Text], values: Mapping[str, Any]) -> Sequence[Any]:
        """Rows that a statement of PostgreSQL finds, whose text and fixed values are kept by a key.

        Parameters
        ----------
        make : text and fixed values, made when they are first asked for
        values : of the other parameters
        """
        text, fixed = self._kept.get(("text", key), make)
        if isinstance(self._store, PostgisStore) and self._asks_nothing_else:
            return self._store.run(text, fixed, values)
        with self._reading() as connection:
            return connection.exec_driver_sql(text, {**fixed, **values}).fetchall()

    @property
    def _asks_nothing_else(self) -> bool:
        return self._connection is None and self._is_fixed and self.dialect == "postgresql"

    @property
    def dialect(self) -> str:
        """Name of the kind of database."""
        return self._store.dialect

    @property
    def reach(self) -> Reach:
        """How far the scope reaches in the version."""
        if self._is_fixed:
            return self._all
        with self._reading() as connection:
            return self._reach(connection)

    def _reach(self, connection: Connection) -> Reach:
        return reach_of(connection, self.version, self.scope, self._kept)

    @property
    def layers(self) -> Mapping[str, Layer]:
        """Layers by name; columns of the users' own stand behind those that every plan has."""

        def found() -> Mapping[str, Layer]:
            with self._reading() as connection:
                return layers_of(connection, self.version)

        return self._kept.get(("layers", self.version.row, self.version.digest), found)

    def layer(self, name: str) -> Layer:
        """Find a layer.

        Raises
        ------
        NotStored
            If there is none of this name.
        """
        found = self.layers.get(name)
        if found is None:
            raise NotStored("reading.no_layer", layer=name[:80])
        return found

    def source(self, layer: Layer) -> Subquery:
        """Rows of a layer in reach, to select from: the columns of its table, with the same names.

        The rows go by the name of the layer. Statements on them run in a transaction of ``at_once``, see
        ``connection``.
        """
        with self._reading() as connection:
            return self._source(connection, layer)

    @property
    def connection(self) -> Connection:
        """Transaction that a reader of ``at_once`` reads in.

        Raises
        ------
        UsageError
            If this reader is none of those.
        """
        if self._connection is None:
            raise UsageError("reading.not_at_once")
        return self._connection

    def _source(self, connection: Connection, layer: Layer) -> Subquery:
        return self._reached(connection, layer)[1]

    def _reached(self, connection: Connection, layer: Layer) -> tuple[Reach, Subquery]:
        reach = self._reach(connection)
        return reach, self._source_of(layer, reach, connection.dialect.name)

    def _source_of(self, layer: Layer, reach: Reach, dialect: str) -> Subquery:
        return self._kept.get(("source", layer.name, reach), lambda: scoped(layer.name, reach, dialect))

    def _statement_key(self, layer: Layer, query: FeatureQuery, reach: Reach) -> Hashable:
        # Drafts may change the columns of their users' own.
        return layer.name, query.properties, query.crs, query.geometry, reach, self.version.digest

    def page(self, layer: Layer, query: FeatureQuery) -> Page:
        """Write a page of features, by ``fid``.

        Raises
        ------
        UsageError
            If the limit is not positive, the box is none, or a property is not known.
        """
        if query.limit < 1:
            raise UsageError("store.bad_limit", limit=query.limit)
        columns = _written(layer, query.properties)
        if self.dialect == "postgresql" and not query.where and (layer.geometry or not query.bbox):
            reach = self.reach
            written = Written(self._source_of(layer, reach, self.dialect), layer, columns, query)
            return written.plain_page(self.run, self._statement_key(layer, query, reach))
        with self._reading() as connection:
            source = self._source(connection, layer)
            written = Written(source, layer, columns, query)
            return written.page(connection, self._conditions(connection, layer, source, query.bbox, query.where))

    def feature(self, layer: Layer, feature_id: str, crs: OutputCrs = CRS84) -> bytes:
        """Write one feature.

        Parameters
        ----------
        feature_id : value of the key where that is one column, else the ``fid``

        Raises
        ------
        NotStored
            If there is none, or it is not in reach.
        """
        query = FeatureQuery(crs=crs, limit=1)
        wanted = _identifier(layer, feature_id)
        if wanted is not None:
            found = self._found(layer, query, wanted)
            if found is not None:
                return found
        raise NotStored("reading.no_feature", layer=layer.name, id=feature_id[:80])

    def _found(self, layer: Layer, query: FeatureQuery, wanted: str | int) -> bytes | None:
        if self._asks_nothing_else:
            written = Written(self._source_of(layer, self._all, self.dialect), layer, layer.columns, query)
            return written.feature_in(self._store, wanted, self._statement_key(layer, query, self._all))
        with self._reading() as connection:
            reach, source = self._reached(connection, layer)
            written = Written(source, layer, layer.columns, query)
            return written.feature(connection, wanted, self._kept, self._statement_key(layer, query, reach))

    @property
    def _is_fixed(self) -> bool:
        """Whether everything is in reach of whoever asks, and never changes: one statement finds all there is."""
        return self.scope.is_whole and self.version.status is not Status.DRAFT

    @property
    def _all(self) -> Reach:
        return Reach(self.version.row)

    def count(self, layer: Layer, query: FeatureQuery | None = None) -> int:
        """Count the features that all pages of a query hold together."""
        asked = query or FeatureQuery()
        with self._reading() as connection:
            source = self._source(connection, layer)
            wanted = self._conditions(connection, layer, source, asked.bbox, asked.where)
            return int(connection.execute(select(func.count()).select_from(source).where(*wanted)).scalar_one())

    def extent(self, layer: Layer) -> Box | None:
        """Bounds of the features of a layer; None where there are none with a place."""
        if layer.geometry is None:
            return None
        with self._reading() as connection:
            source = self._source(connection, layer)
            return Boxes(connection, layer_tables[layer.name], source, self.version.row).extent()

    def rows(
        self,
        layer: Layer,
        columns: Sequence[str],
        *,
        bbox: Box | None = None,
        where: Filter | None = None,
        limit: int | None = None,
    ) -> list[tuple[Any, ...]]:
        """Values of columns, by ``fid``; for small questions.

        Parameters
        ----------
        columns : of the layer, or ``fid``, or ``geometry`` (WKB, WGS 84 degrees)
        bbox, where : only rows that meet it, for which it is true
        limit : most rows

        Raises
        ------
        UsageError
            If the box is none.
        """
        with self._reading() as connection:
            source = self._source(connection, layer)
            wanted = self._conditions(connection, layer, source, bbox, where)
            ours = {name: source.c[name] for name in columns if name in source.c and name != GEOMETRY}
            shapes = {GEOMETRY: _wkb(source, connection.dialect.name)} if GEOMETRY in columns else {}
            asked = select(*(ours | shapes | {EXTRA: source.c[EXTRA]}).values()).where(*wanted)
            found = connection.execute(asked.order_by(source.c[FID]).limit(limit)).fetchall()
        places = {name: place for place, name in enumerate(ours | shapes)}
        return [
            tuple(row[places[name]] if name in places else (row[-1] or {}).get(name) for name in columns)
            for row in found
        ]

    def frame(self, layer: Layer) -> pd.DataFrame:
        """Read a layer as a frame, in WGS 84 with a geometry where it has one; all its columns in their order."""
        names = [one.name for one in layer.columns]
        return frame_of(layer, self.rows(layer, [*names, GEOMETRY] if layer.geometry else names))

    def _conditions(
        self, connection: Connection, layer: Layer, source: FromClause, bbox: Box | None, where: Filter | None
    ) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        boxes = Boxes(connection, layer_tables[layer.name], source, self.version.row)
        if bbox is not None:
            check_box(bbox)
            # What has no place meets no box.
            found.append(boxes.meets(bbox) if layer.geometry else false())
        if where is not None:
            geometry = source.c[GEOMETRY] if layer.geometry else None
            found.append(compile_filter(where, dict(source.c), geometry, connection.dialect.name))
            bounds = bounds_of(where)
            if bounds is not None and bbox is None and layer.geometry:
                found.append(boxes.is_near(bounds))
        return found


def _written(layer: Layer, names: tuple[str, ...] | None) -> tuple[Column, ...]:
    if names is None:
        return layer.columns
    known = {one.name for one in layer.columns}
    for name in names:
        if name not in known:
            raise UsageError("reading.no_property", layer=layer.name, name=name[:80], known=", ".join(sorted(known)))
    return tuple(one for one in layer.columns if one.name in names)


def _identifier(layer: Layer, feature_id: str) -> str | int | None:
    """Value that a feature is looked up by; None where there can be no such feature."""
    if len(layer.key) == 1:
        # No text in a database holds the character 0.
        return feature_id if "\0" not in feature_id else None
    is_number = feature_id.isascii() and feature_id.isdigit() and len(feature_id) <= len(str(_LARGEST_FID))
    return int(feature_id) if is_number and int(feature_id) <= _LARGEST_FID else None


def _wkb(source: FromClause, dialect: str) -> ColumnElement[Any]:
    column = source.c[GEOMETRY]
    return column if dialect == "sqlite" else func.ST_AsBinary(column, "NDR", type_=LargeBinary)
