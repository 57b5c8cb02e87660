"""Frames to and from the vector formats: the extension of the file says which.

==============  =====================================================================================================
``.geojson``    RFC 7946, WGS 84, seven decimals; lists are arrays
``.gpkg``       GeoPackage: coordinates as doubles, bit for bit; UTF-8; lists are texts joined by ";"; polygons are
                declared as multi-polygons, which is what GIS programs expect of a layer that holds both
``.parquet``    GeoParquet 1.1 (WKB); lists are lists; a row group a frame
``.fgb``        FlatGeobuf; lists are texts joined by ";"; its index needs all features at once, so frames are
                collected in memory before they are written
==============  =====================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely

from gridmap.errors import Place, UsageError
from gridmap.exports.beside import written_beside
from gridmap.exports.columns import flattened
from gridmap.exports.geojson import write_geojson

WGS84 = "EPSG:4326"
#: Type ids of shapely that a layer of multi-polygons takes in.
_POLYGONS = (3, 6)


def write_features(path: Path, frames: Iterable[gpd.GeoDataFrame], *, layer: str = "cells") -> int:
    """Write frames, one after the other, as one layer in the format that the extension of ``path`` names.

    Parameters
    ----------
    path
        File to write; it appears only when it is whole, and replaces an older one.
    frames
        WGS 84 frames with equal columns, taken one at a time.
    layer
        Name of the layer, where the format has names.

    Returns
    -------
    int
        Number of features written.

    Raises
    ------
    UsageError
        If the extension is not known or the place cannot be written to.
    StoreError
        If the disk or the driver fails.
    """
    check_format(path)
    extension = path.suffix.lower()
    if extension == ".geojson":
        return write_geojson(path, frames, layer=layer)
    with written_beside(path) as partial:
        if extension == ".gpkg":
            count = append_layer(partial, frames, layer)
            # A stream without a frame still gives a file that opens, with an empty layer.
            return count if partial.exists() else append_layer(partial, [_nothing()], layer)
        if extension == ".parquet":
            return _write_parquet(partial, frames)
        return _write_flatgeobuf(partial, frames, layer)


FORMATS = (".geojson", ".gpkg", ".fgb", ".parquet")


def check_format(path: Path) -> None:
    """Refuse a file whose extension names no known format, before any work is done.

    Raises
    ------
    UsageError
        Naming the known extensions.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            "exports.unknown_format", Place(file=str(path)), extension=path.suffix or "(none)", known=", ".join(FORMATS)
        )


def append_layer(path: Path, frames: Iterable[gpd.GeoDataFrame], layer: str) -> int:
    """Append frames to a layer of a GeoPackage; file and layer are made where they are missing.

    Frames without geometry make a table without geometry.
    """
    count = 0
    for frame in frames:
        flat = flattened(frame)
        polygons = "geometry" in flat and _is_polygonal(flat)
        pyogrio.write_dataframe(
            flat,
            path,
            layer=layer,
            driver="GPKG",
            append=path.exists() and layer in pyogrio.list_layers(path)[:, 0],
            layer_options={"FID": _unused(flat, "fid"), "GEOMETRY_NAME": _unused(flat, "geom")},
            promote_to_multi=polygons,
            geometry_type="MultiPolygon" if polygons else None,
        )
        count += len(flat)
    return count


def _unused(frame: pd.DataFrame, name: str) -> str:
    """``name``, with as many "_" as keep it apart from the columns of a user's frame."""
    taken = {str(column).lower() for column in frame.columns}
    while name in taken:
        name += "_"
    return name


def _is_polygonal(frame: gpd.GeoDataFrame) -> bool:
    """Whether a layer of the frame's kind holds polygons; one without rows does, as all layers but points do."""
    return bool(np.isin(shapely.get_type_id(frame.geometry.to_numpy()), _POLYGONS).all())


def read_layer(path: Path, layer: str) -> pd.DataFrame:
    """Read a layer of a GeoPackage as a plain frame; a multi-polygon of one part comes back as the polygon it is."""
    frame: pd.DataFrame = pyogrio.read_dataframe(path, layer=layer)
    if not isinstance(frame, gpd.GeoDataFrame):
        return pd.DataFrame(frame)
    geometries = frame.geometry.to_numpy()
    single = (shapely.get_type_id(geometries) == 6) & (shapely.get_num_geometries(geometries) == 1)
    geometries = np.where(single, shapely.get_geometry(geometries, 0), geometries)
    return pd.DataFrame(frame).assign(geometry=gpd.GeoSeries(geometries, index=frame.index, crs=frame.crs))


def _write_flatgeobuf(path: Path, frames: Iterable[gpd.GeoDataFrame], layer: str) -> int:
    collected = list(frames)
    whole = flattened(pd.concat(collected, ignore_index=True)) if collected else _nothing()
    has_place = ~shapely.is_missing(whole.geometry.to_numpy()) & ~shapely.is_empty(whole.geometry.to_numpy())
    polygons = _is_polygonal(whole[has_place])
    pyogrio.write_dataframe(
        whole,
        path,
        layer=layer,
        driver="FlatGeobuf",
        # Its index has no place for what has none.
        layer_options={"SPATIAL_INDEX": "YES" if has_place.all() else "NO"},
        promote_to_multi=polygons,
        geometry_type="MultiPolygon" if polygons else None,
    )
    return len(whole)


def _nothing() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[], crs=WGS84)


def _write_parquet(path: Path, frames: Iterable[gpd.GeoDataFrame]) -> int:
    """GeoParquet with a row group a frame; its metadata, which counts over all frames, is written last."""
    count, kinds = 0, set[str]()
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    stream: Iterator[gpd.GeoDataFrame] = iter(frames)
    first = next(stream, None)
    first = _nothing() if first is None else first
    schema = _arrow_schema(first)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for frame in chain([first], stream):
            geometries = frame.geometry.to_numpy()
            table = pd.DataFrame(frame.drop(columns="geometry")).assign(geometry=shapely.to_wkb(geometries))
            writer.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False))
            kinds |= set(np.unique(frame.geometry.geom_type.dropna()))
            if len(frame):
                bounds[:2] = np.fmin(bounds[:2], frame.total_bounds[:2])
                bounds[2:] = np.fmax(bounds[2:], frame.total_bounds[2:])
            count += len(frame)
        writer.add_key_value_metadata({"geo": orjson.dumps(_geo_metadata(kinds, bounds, first.crs)).decode()})
    return count


def _arrow_schema(frame: gpd.GeoDataFrame) -> pa.Schema:
    """Columns of the file; one that the first frame leaves empty holds text, its lists hold texts."""
    attributes = pd.DataFrame(frame.drop(columns="geometry"))
    fields = []
    for field in pa.Table.from_pandas(attributes, preserve_index=False).schema:
        if pa.types.is_null(field.type):
            field = field.with_type(pa.string())
        elif pa.types.is_list(field.type) and pa.types.is_null(field.type.value_type):
            field = field.with_type(pa.list_(pa.string()))
        elif pa.types.is_large_string(field.type):
            field = field.with_type(pa.string())
        fields.append(field)
    return pa.schema([*fields, pa.field("geometry", pa.binary())])


def _geo_metadata(kinds: set[str], bounds: Any, crs: Any) -> dict[str, Any]:
    """File metadata of GeoParquet 1.1; without a ``crs`` member the CRS is longitude and latitude of WGS 84."""
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(kinds)}
    if np.isfinite(bounds).all():
        column["bbox"] = bounds.tolist()
    if crs != WGS84:
        column["crs"] = crs.to_json_dict()
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
