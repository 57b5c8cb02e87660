"""Features of one layer of any vector file, as geometries and a frame of attributes, read in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gridmap import catalogue
from gridmap.errors import BadValue, InvalidGeometry, Place, UnreadableFile
from gridmap.geometry.datum import Datum
from gridmap.inputs.formats import Format
from gridmap.inputs.sandbox import read_in_sandbox
from gridmap.inputs.staging import Staged

#: Formats that say WGS 84 of themselves, whatever is in them: there it is a default, not a statement.
_SAYS_WGS84_ALWAYS = (Format.GEOJSON, Format.GEOJSON_LINES, Format.KML)


@dataclass(frozen=True)
class VectorLayer:
    """A layer as it stands in the file.

    Attributes
    ----------
    place : file and layer
    geometry : (n,) shapely geometries, two-dimensional, None where a feature has none
    attributes : n rows, columns as in the file
    feature_id : (n,) int64 the number the file gives the feature, or None
    crs : the CRS the file states, or None
    warnings : what was noticed, already worded
    closed : improper rings that were closed or dropped where that was asked for, one error a feature
    name : of the layer in the file, where layers have names
    """

    place: Place
    geometry: NDArray[np.object_]
    attributes: pd.DataFrame
    feature_id: NDArray[np.int64] | None
    crs: str | None
    warnings: tuple[str, ...]
    closed: tuple[InvalidGeometry, ...] = ()
    name: str | None = None

    def place_of(self, feature: int, **known: Any) -> Place:
        """Place of a feature, counted from 0."""
        return replace(self.place, feature=int(feature), **known)


def read_layer(file: Staged, place: Place, *, repair: bool = False) -> VectorLayer:
    """Read the layer of a staged vector file.

    Parameters
    ----------
    repair : close rings that are open, instead of refusing them

    Raises
    ------
    UnreadableFile
        If it cannot be read, has no features, or has several layers and none is chosen.
    InvalidGeometry
        If a ring is open or has fewer than four points and ``repair`` is False.
    TooLarge
        If it is beyond a limit of the settings.
    """
    verb = "parquet" if file.format is Format.GEOPARQUET else "features"
    answer, table = read_in_sandbox(verb, file.path, file.format, place, layer=file.layer, encoding=file.encoding)
    if len(answer.get("layers", ())) > 1:
        place = replace(place, layer=answer["layer"])
    if not table.num_rows:
        raise UnreadableFile("inputs.no_features", place)
    geometry_column = answer["geometry"]
    geometry, closed = _geometries(table.column(geometry_column), place, repair)
    warnings = list(file.warnings)
    if closed:
        warnings.append(catalogue.text("inputs.closed_rings", file=place.file, count=len(closed)))
    fid = answer.get("fid")
    feature_id = table.column(fid).to_numpy() if fid in table.column_names else None
    attributes = _frame(table.drop_columns([name for name in (geometry_column, fid) if name in table.column_names]))
    crs = answer.get("crs")
    if crs and file.format in _SAYS_WGS84_ALWAYS and Datum.of_crs(crs, place).name == "wgs84":
        crs = None
    name = answer.get("layer")
    return VectorLayer(place, geometry, attributes, feature_id, crs, tuple(warnings), closed, name)


def _geometries(
    column: pa.ChunkedArray, place: Place, repair: bool
) -> tuple[NDArray[np.object_], tuple[InvalidGeometry, ...]]:
    wkb = column.to_numpy()
    with np.errstate(invalid="ignore"):
        geometry = shapely.from_wkb(wkb, on_invalid="ignore")
    refused = np.flatnonzero(shapely.is_missing(geometry) & np.array([one is not None for one in wkb], dtype=bool))
    if len(refused):
        if not repair:
            raise _refused(bytes(wkb[refused[0]]), replace(place, feature=int(refused[0])), len(refused))
        geometry[refused] = shapely.from_wkb(wkb[refused], on_invalid="fix")
    closed = (_refused(bytes(wkb[row]), replace(place, feature=int(row)), len(refused)) for row in refused)
    return shapely.force_2d(geometry), tuple(closed)


def _refused(wkb: bytes, place: Place, count: int) -> InvalidGeometry:
    """Say why GEOS did not take a geometry; GDAL lets open and short rings through."""
    try:
        shapely.from_wkb(wkb)
    except shapely.GEOSException as error:
        key = "inputs.ring_open" if "closed" in str(error) else "inputs.ring_too_short"
        return InvalidGeometry(key, place, count=count)
    return InvalidGeometry("inputs.geometry_broken", place, count=count)


def _frame(table: pa.Table) -> pd.DataFrame:
    """Attributes as a frame; columns of mixed JSON values come with an extension type that pandas need not know."""
    plain = [
        (name, column.cast(column.type.storage_type) if isinstance(column.type, pa.BaseExtensionType) else column)
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    return pd.DataFrame(
        {name: _text_made_whole(column).to_pandas() for name, column in plain}, index=range(table.num_rows)
    )


def _text_made_whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Drop what the width of a field left of a character cut in half."""
    if not pa.types.is_string(column.type):
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        texts = column.cast(pa.binary()).to_pylist()
        whole = [None if text is None else text.decode("utf-8", errors="replace").rstrip("\ufffd") for text in texts]
        return pa.chunked_array([pa.array(whole, pa.string())])
    return column


def datum_of(stated: str | None, crs: str | None, place: Place) -> tuple[Datum, tuple[str, ...]]:
    """Datum of a file: the user's word, else the file's own CRS, else WGS 84.

    Returns
    -------
    The datum, and a warning where the user's word and the file's CRS differ and both could be.

    Raises
    ------
    UnknownDatum
        If the word or the CRS is not known.
    BadValue
        If one says degrees and the other a projected plane.
    """
    if stated is None:
        return (Datum.of_crs(crs, place) if crs else Datum("wgs84")), ()
    datum = Datum.parse(stated, place)
    if crs is None:
        return datum, ()
    own = Datum.of_crs(crs, place)
    if own.is_projected != datum.is_projected:
        raise BadValue("inputs.datum_contradicts", place, stated=datum, own=own)
    # Files of GCJ-02 coordinates carry the .prj of WGS 84 or CGCS2000, for want of a better: no news.
    if datum.name != own.name and own.name not in ("wgs84", "cgcs2000"):
        own_name = f"{own} ({CRS.from_user_input(crs).name})"
        return datum, (catalogue.text("inputs.datum_differs", file=place.file, stated=datum, own=own_name),)
    return datum, ()
