"""Read the layers of one version, as far as a scope reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    Select,
    Subquery,
    Text,
    func,
    literal_column,
    select,
)

from gridmap.domain.access import Scope
from gridmap.domain.crs import CRS84, OutputCrs
from gridmap.domain.filters import Filter
from gridmap.domain.layers import Column, Layer
from gridmap.errors import NotStored, UsageError
from gridmap.store.boxes import check_box
from gridmap.store.content import CRS
from gridmap.store.models import EXTRA, FID, GEOMETRY, VERSION, layer_tables
from gridmap.store.protocols import Box, VersionInfo
from gridmap.store.reading.boxes import meets_box
from gridmap.store.reading.coordinates import geometry_texts
from gridmap.store.reading.feature_text import feature_text
from gridmap.store.reading.own_columns import layers_with_own_columns, own_value
from gridmap.store.reading.queries import FeatureQuery, Page
from gridmap.store.sql import SqlStore

_LARGEST_FID = 2**31 - 1


class LayerReader:
    """Layers of a version, as far as a scope reaches.

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
        self._store, self._connection = store, connection

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

    def connection(self) -> AbstractContextManager[Connection]:
        """Open the transaction that this reader reads in, for who selects from ``source``."""
        return self._reading()

    @cached_property
    def layers(self) -> Mapping[str, Layer]:
        """Layers by name; columns of the users' own stand behind those that every plan has.

        Raises
        ------
        NotStored
            If the version is gone.
        """
        with self._reading() as connection:
            return layers_with_own_columns(connection, self.version)

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
        """Rows of a layer in reach, to select from: the columns of its table, with the same names."""
        table = layer_tables[layer.name]
        return select(table).where(table.c[VERSION] == self.version.row).subquery(layer.name)

    def columns(self, layer: Layer, source: FromClause, dialect: str) -> dict[str, ColumnElement[Any]]:
        """Columns of a layer by name, those of the users' own among them, in what ``source`` gave.

        Parameters
        ----------
        dialect : ``sqlite`` or ``postgresql``
        """
        return {
            one.name: source.c[one.name] if one.name in source.c else own_value(source.c[EXTRA], one, dialect)
            for one in layer.columns
        }

    def page(self, layer: Layer, query: FeatureQuery) -> Page:
        """Write a page of features, by ``fid``.

        Raises
        ------
        UsageError
            If the limit is not positive, the box is none, or a property is not known.
        """
        if query.limit < 1:
            raise UsageError("store.bad_limit", limit=query.limit)
        written = _written(layer, query.properties)
        with self._reading() as connection:
            source = self.source(layer)
            wanted = self._conditions(connection, layer, source, query)
            rows = select(source).where(*wanted, source.c[FID] > query.after_fid)
            if connection.dialect.name == "sqlite":
                return _page_of_rows(connection, rows, source, layer, written, query)
            return _page_of_text(connection, rows, source, layer, written, query)

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
        with self._reading() as connection:
            source = self.source(layer)
            condition = _identified(layer, source, feature_id)
            if condition is not None:
                query = FeatureQuery(crs=crs, limit=1)
                rows = select(source).where(condition)
                write = _page_of_rows if connection.dialect.name == "sqlite" else _page_of_text
                page = write(connection, rows, source, layer, layer.columns, query)
                if page.returned:
                    return page.features
        raise NotStored("reading.no_feature", layer=layer.name, id=feature_id[:80])

    def count(self, layer: Layer, query: FeatureQuery | None = None) -> int:
        """Count the features that pages of a query hold together."""
        with self._reading() as connection:
            source = self.source(layer)
            wanted = self._conditions(connection, layer, source, query or FeatureQuery())
            return int(connection.execute(select(func.count()).select_from(source).where(*wanted)).scalar_one())

    def extent(self, layer: Layer) -> Box | None:
        """Bounds of the features of a layer; None where there are none with a place."""
        if layer.geometry is None:
            return None
        with self._reading() as connection:
            source = self.source(layer)
            if connection.dialect.name == "sqlite":
                wkb = connection.execute(select(source.c[GEOMETRY])).scalars().all()
                bounds = shapely.bounds(shapely.from_wkb(np.array([*wkb, None], dtype=object)))
                bounds = bounds[np.isfinite(bounds).all(axis=1)]
                if not len(bounds):
                    return None
                return Box(*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist())
            whole = func.ST_Extent(source.c[GEOMETRY])
            sides = (func.ST_XMin(whole), func.ST_YMin(whole), func.ST_XMax(whole), func.ST_YMax(whole))
            found = connection.execute(select(*sides)).one()
            return None if found[0] is None else Box(*found)

    def rows(
        self,
        layer: Layer,
        columns: Sequence[str],
        *,
        bbox: Box | None = None,
        where: Filter | None = None,
        limit: int | None = None,
        after_fid: int = 0,
    ) -> list[tuple[Any, ...]]:
        """Values of columns, by ``fid``; for small questions.

        Parameters
        ----------
        columns : of the layer, or ``fid``, or ``geometry`` (WKB, WGS 84 degrees)
        bbox, where : only rows that meet it, for which it is true
        limit : most rows
        after_fid : only rows beyond this one
        """
        with self._reading() as connection:
            source = self.source(layer)
            wanted = self._conditions(connection, layer, source, FeatureQuery(bbox=bbox, where=where))
            named = self.columns(layer, source, connection.dialect.name)
            named |= {FID: source.c[FID]}
            if layer.geometry:
                named[GEOMETRY] = _wkb(source, connection.dialect.name)
            rows = select(*(named[name] for name in columns)).where(*wanted, source.c[FID] > after_fid)
            asked = rows.order_by(source.c[FID]).limit(limit)
            return [tuple(row) for row in connection.execute(asked)]

    def frame(self, layer: Layer) -> pd.DataFrame:
        """Read a layer as a frame, in WGS 84 with a geometry where it has one; all its columns in their order."""
        names = [one.name for one in layer.columns]
        rows = self.rows(layer, [*names, GEOMETRY] if layer.geometry else names)
        values = list(zip(*rows, strict=True)) or [() for _ in range(len(names) + 1)]
        columns = {one.name: pd.Series(list(held)) for one, held in zip(layer.columns, values, strict=False)}
        frame = pd.DataFrame(columns, columns=names)
        if layer.geometry is None:
            return frame
        shapes = shapely.from_wkb(np.array(list(values[-1]), dtype=object))
        placed: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=gpd.array.from_shapely(shapes, crs=CRS))
        return placed

    def _conditions(
        self, connection: Connection, layer: Layer, source: FromClause, query: FeatureQuery
    ) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if query.bbox is not None:
            check_box(query.bbox)
            # What has no place meets no box.
            found.append(
                meets_box(connection, layer_tables[layer.name], source, self.version.row, query.bbox)
                if layer.geometry
                else literal_column("1 = 0")
            )
        return found


def _written(layer: Layer, names: tuple[str, ...] | None) -> tuple[Column, ...]:
    if names is None:
        return layer.columns
    known = {one.name for one in layer.columns}
    for name in names:
        if name not in known:
            raise UsageError("reading.no_property", layer=layer.name, name=name[:80], known=", ".join(sorted(known)))
    return tuple(one for one in layer.columns if one.name in names)


def _identified(layer: Layer, source: FromClause, feature_id: str) -> ColumnElement[bool] | None:
    if len(layer.key) == 1:
        return source.c[layer.key[0]] == feature_id
    is_number = feature_id.isascii() and feature_id.isdigit() and len(feature_id) <= 10
    return source.c[FID] == int(feature_id) if is_number and int(feature_id) <= _LARGEST_FID else None


def _wkb(source: FromClause, dialect: str) -> ColumnElement[Any]:
    column = source.c[GEOMETRY]
    return column if dialect == "sqlite" else func.ST_AsBinary(column, "NDR", type_=LargeBinary)


def _page_of_text(
    connection: Connection,
    rows: Select[Any],
    source: FromClause,
    layer: Layer,
    written: Sequence[Column],
    query: FeatureQuery,
) -> Page:
    text = feature_text(source, layer, written, query.crs, geometry=query.geometry)
    place = func.row_number().over(order_by=source.c[FID])
    some = rows.with_only_columns(source.c[FID], text.label("text"), place.label("place"))
    # One more than asked for tells whether there is a next page.
    page = some.order_by(source.c[FID]).limit(query.limit + 1).subquery()
    is_on_page = page.c.place <= query.limit
    asked = select(
        func.string_agg(page.c.text, literal_column("','", Text)).filter(is_on_page),
        func.max(page.c[FID]).filter(is_on_page),
        func.count(),
    )
    features, last, count = connection.execute(asked).one()
    has_next = count > query.limit
    return Page((features or "").encode(), min(count, query.limit), last if has_next else None)


def _page_of_rows(
    connection: Connection,
    rows: Select[Any],
    source: FromClause,
    layer: Layer,
    written: Sequence[Column],
    query: FeatureQuery,
) -> Page:
    own = [one.name for one in written if one.name not in source.c]
    named = [one.name for one in written if one.name in source.c]
    identifier = source.c[layer.key[0] if len(layer.key) == 1 else FID]
    more = [source.c[EXTRA]] if own else []
    shape = [source.c[GEOMETRY]] if query.geometry and layer.geometry else []
    asked = rows.with_only_columns(
        source.c[FID], identifier.label("id"), *(source.c[name] for name in named), *more, *shape
    )
    found = connection.execute(asked.order_by(source.c[FID]).limit(query.limit + 1)).fetchall()
    page = found[: query.limit]
    texts = geometry_texts([row[-1] for row in page], query.crs) if shape and page else [None] * len(page)
    features = []
    for row, text in zip(page, texts, strict=True):
        properties = dict(zip(named, row[2:], strict=False))
        if own:
            extra = row[2 + len(named)] or {}
            properties |= {name: extra.get(name) for name in own}
        geometry = None if text is None else orjson.Fragment(text)
        features.append({"type": "Feature", "id": row[1], "geometry": geometry, "properties": properties})
    return Page(orjson.dumps(features)[1:-1], len(page), page[-1][0] if len(found) > query.limit else None)
