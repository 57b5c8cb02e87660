"""GeoJSON features put together by PostgreSQL: one text for a whole page, no object for a feature.

What makes a feature is written out once for each way of writing a layer, and then only looked up: to put it together
from objects anew would take longer than everything else that a page asks of Python.
"""

from __future__ import annotations

from functools import lru_cache

import orjson
from sqlalchemy import ColumnElement, Text, literal_column

from gridmap.domain.crs import OutputCrs
from gridmap.domain.layers import LAYER_BY_NAME, Column, ColumnType, Layer
from gridmap.store.models import EXTRA, FID, GEOMETRY


@lru_cache(maxsize=512)
def feature_text(
    layer: Layer, written: tuple[Column, ...], crs: OutputCrs, *, has_geometry: bool
) -> ColumnElement[str]:
    """Text of the feature of a row of a source, which goes by the name of its layer.

    Parameters
    ----------
    written : columns that become properties
    has_geometry : whether geometries are written, or ``null``
    """
    ours = {one.name for one in LAYER_BY_NAME[layer.name].columns}
    key = _json(f"{layer.name}.{layer.key[0]}") if len(layer.key) == 1 else f"{layer.name}.{FID}::text"
    parts = [_quoted('{"type":"Feature","id":'), key, _quoted(',"geometry":')]
    parts.append(_geometry(f"{layer.name}.{GEOMETRY}", crs) if has_geometry and layer.geometry else "'null'")
    before = ',"properties":{'
    for one in written:
        parts.append(_quoted(f"{before}{orjson.dumps(one.name).decode()}:"))
        parts.append(_value(layer.name, one, is_ours=one.name in ours))
        before = ","
    parts.append(_quoted("}}" if written else f"{before}}}}}"))
    return literal_column("||".join(parts), Text)


def _value(table: str, one: Column, *, is_ours: bool) -> str:
    if not is_ours:
        return f"coalesce(({table}.{EXTRA}->{_quoted(one.name)})::text,'null')"
    if one.type is ColumnType.TEXT:
        return _json(f"{table}.{one.name}")
    return f"coalesce({table}.{one.name}::text,'null')"


def _json(text: str) -> str:
    return f"coalesce(to_json({text})::text,'null')"


def _geometry(column: str, crs: OutputCrs) -> str:
    # The number of a system, never its definition: that is looked up in no time.
    moved = column if crs.is_degrees else f"ST_Transform({column},{crs.srid})"
    turned = f"ST_FlipCoordinates({moved})" if crs.is_flipped else moved
    # Without a geometry, or with an empty one, there is nothing to write.
    return f"CASE WHEN NOT ST_IsEmpty({column}) THEN ST_AsGeoJSON({turned},{crs.decimals},0) ELSE 'null' END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
