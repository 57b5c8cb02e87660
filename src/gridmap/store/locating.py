"""Find what lies where points are, and rows by their keys: many at a time, in reach only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from sqlalchemy import ARRAY, ColumnElement, Connection, Double, Integer, LargeBinary, column, func, select, text

from gridmap.domain.layers import Layer
from gridmap.store.models import FID, GEOMETRY, SRID, layer_tables
from gridmap.store.reading.layers import LayerReader
from gridmap.store.sqlite import FID_BITS, rtree_of

Row = dict[str, Any]
#: Keys that are looked up by one statement.
_KEYS_AT_A_TIME = 1000


def rows_at(reader: LayerReader, layer: Layer, columns: Sequence[str], lonlat: NDArray[np.float64]) -> list[list[Row]]:
    """Rows of a layer whose geometry holds each point, borders included, by ``fid``.

    Parameters
    ----------
    reader : of ``at_once``
    columns : that every layer of this name has
    lonlat : (n, 2) float64, WGS 84 degrees, finite

    Returns
    -------
    (n) lists of rows; a point on a border has several
    """
    found: list[list[Row]] = [[] for _ in lonlat]
    if not len(lonlat):
        return found
    settle = _in_sqlite if reader.connection.dialect.name == "sqlite" else _in_postgis
    for place, values in settle(reader, layer, columns, lonlat):
        found[place].append(dict(zip(columns, values, strict=True)))
    return found


def _in_postgis(
    reader: LayerReader, layer: Layer, columns: Sequence[str], lonlat: NDArray[np.float64]
) -> Iterator[tuple[int, Sequence[Any]]]:
    source = reader.source(layer)
    lon, lat = (func.cast(values, ARRAY(Double)) for values in lonlat.T.tolist())
    points = func.unnest(lon, lat).table_valued("lon", "lat", with_ordinality="place", name="point").render_derived()
    point = func.ST_SetSRID(func.ST_MakePoint(points.c.lon, points.c.lat), SRID)
    asked = (
        select(points.c.place, *(source.c[name] for name in columns))
        .select_from(points.join(source, func.ST_Intersects(source.c[GEOMETRY], point)))
        .order_by(points.c.place, source.c[FID])
    )
    for row in reader.connection.execute(asked):
        yield row[0] - 1, row[1:]


def _in_sqlite(
    reader: LayerReader, layer: Layer, columns: Sequence[str], lonlat: NDArray[np.float64]
) -> Iterator[tuple[int, Sequence[Any]]]:
    near = _near_in_sqlite(reader.connection, reader.version.row, layer, lonlat)
    if not near:
        return
    source = reader.source(layer)
    rows: dict[int, Any] = {}
    for some in _batches(sorted({fid for _, fid in near})):
        asked = select(source.c[FID], source.c[GEOMETRY], *(source.c[name] for name in columns))
        rows |= {row[0]: row for row in reader.connection.execute(asked.where(source.c[FID].in_(some)))}
    pairs = [(place, fid) for place, fid in near if fid in rows]
    shapes = {fid: shapely.from_wkb(row[1]) for fid, row in rows.items()}
    # The index holds single floats, rounded outwards: who holds the point is settled here, as PostGIS does.
    points = shapely.points(lonlat[[place for place, _ in pairs]])
    holds = shapely.intersects(np.array([shapes[fid] for _, fid in pairs], dtype=object), points)
    for (place, fid), is_held in zip(pairs, holds.tolist(), strict=True):
        if is_held:
            yield place, rows[fid][2:]


def _near_in_sqlite(
    connection: Connection, version: int, layer: Layer, lonlat: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Points and the numbers of rows whose boxes hold them, in this order."""
    index = rtree_of(layer_tables[layer.name])
    # Points go first, each to the index: the other way round every box would be read.
    asked = text(
        f"SELECT p.key, r.id FROM json_each(:points) AS p CROSS JOIN {index.name} AS r"  # noqa: S608 - a name of ours
        " WHERE r.first <= :version AND r.last >= :version"
        " AND r.west <= json_extract(p.value, '$[0]') AND r.east >= json_extract(p.value, '$[0]')"
        " AND r.south <= json_extract(p.value, '$[1]') AND r.north >= json_extract(p.value, '$[1]')"
        " ORDER BY p.key, r.id"
    ).columns(column("key", Integer), column("id", Integer))
    points = orjson.dumps(lonlat.tolist()).decode()
    first = version << FID_BITS
    return [(place, row - first) for place, row in connection.execute(asked, {"points": points, "version": version})]


def rows_by(reader: LayerReader, layer: Layer, columns: Sequence[str], key: str, values: Collection[Any]) -> list[Row]:
    """Rows of a layer whose column ``key`` holds one of some values, by ``fid`` for each thousand of them.

    Parameters
    ----------
    reader : of ``at_once``
    columns : that every layer of this name has, ``fid``, ``geometry`` (WKB, WGS 84 degrees)
    key : one of them
    values : None among them finds nothing
    """
    wanted = sorted({one for one in values if one is not None})
    source = reader.source(layer)
    found: list[Row] = []
    named: dict[str, ColumnElement[Any]] = {name: source.c[name] for name in columns if name != GEOMETRY}
    if GEOMETRY in columns:
        shape, is_sqlite = source.c[GEOMETRY], reader.connection.dialect.name == "sqlite"
        named[GEOMETRY] = shape if is_sqlite else func.ST_AsBinary(shape, "NDR", type_=LargeBinary)
    for some in _batches(wanted):
        asked = select(*named.values()).where(source.c[key].in_(some)).order_by(source.c[FID])
        found += [dict(zip(named, row, strict=True)) for row in reader.connection.execute(asked)]
    return found


def _batches(values: Sequence[Any]) -> Iterator[list[Any]]:
    left = iter(values)
    while some := list(islice(left, _KEYS_AT_A_TIME)):
        yield some
