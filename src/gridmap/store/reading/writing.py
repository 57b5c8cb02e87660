"""Write rows of a layer as GeoJSON features: PostgreSQL puts whole pages together, SQLite's rows are put here."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, Select, Text, func, literal_column, select
from sqlalchemy.sql.expression import FromClause

from gridmap.domain.layers import Column, Layer
from gridmap.store.models import EXTRA, FID, GEOMETRY
from gridmap.store.reading.coordinates import geometry_texts
from gridmap.store.reading.feature_text import feature_text
from gridmap.store.reading.queries import FeatureQuery, Page

_COMMA = literal_column("','", Text)


def write_page(
    connection: Connection,
    rows: Select[Any],
    source: FromClause,
    layer: Layer,
    written: tuple[Column, ...],
    query: FeatureQuery,
) -> Page:
    """Write the first features of some rows, by ``fid``.

    Parameters
    ----------
    rows : what is asked of the source
    written : columns that become properties
    query : says in which system, whether with geometries, and how many
    """
    write = _from_rows if connection.dialect.name == "sqlite" else _as_text
    return write(connection, rows, source, layer, written, query)


def _as_text(
    connection: Connection,
    rows: Select[Any],
    source: FromClause,
    layer: Layer,
    written: tuple[Column, ...],
    query: FeatureQuery,
) -> Page:
    text = feature_text(layer, written, query.crs, has_geometry=query.geometry)
    place = func.row_number().over(order_by=source.c[FID])
    some = rows.with_only_columns(source.c[FID], text.label("text"), place.label("place"))
    # One more than asked for tells whether there is a next page.
    page = some.order_by(source.c[FID]).limit(query.limit + 1).subquery()
    is_on_page = page.c.place <= query.limit
    asked = select(
        func.string_agg(page.c.text, _COMMA).filter(is_on_page), func.max(page.c[FID]).filter(is_on_page), func.count()
    )
    features, last, count = connection.execute(asked).one()
    return Page((features or "").encode(), min(count, query.limit), last if count > query.limit else None)


def _from_rows(
    connection: Connection,
    rows: Select[Any],
    source: FromClause,
    layer: Layer,
    written: tuple[Column, ...],
    query: FeatureQuery,
) -> Page:
    ours = [one.name for one in written if one.name in source.c]
    own = [one.name for one in written if one.name not in source.c]
    shape = [source.c[GEOMETRY]] if query.geometry and layer.geometry else []
    asked = rows.with_only_columns(
        source.c[FID],
        source.c[layer.key[0] if len(layer.key) == 1 else FID].label("id"),
        *(source.c[name] for name in ours),
        *([source.c[EXTRA]] if own else []),
        *shape,
    )
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
