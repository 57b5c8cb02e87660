"""The layers of a file of any format: sets of features, sheets of rows, a raster; each read whole or with its fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap.errors import InputError, InvalidGeometry, Place, UnreadableFile
from gridmap.geometry.lattice import Geometries
from gridmap.inputs.archives import data_sets
from gridmap.inputs.encodings import encoding_of_text
from gridmap.inputs.formats import Format, sniff
from gridmap.inputs.inspection.coordinates import coordinates_of_table
from gridmap.inputs.sandbox import layers_in_sandbox, read_in_sandbox
from gridmap.inputs.staging import Staged, staged
from gridmap.inputs.tables import read_table, sheet_names
from gridmap.inputs.vector import read_layer

#: Layers beyond these are named and not looked into.
MOST_LAYERS = 50


class Kind(StrEnum):
    """What the rows of a layer are."""

    AREAL = "polygons"
    LINEAR = "lines"
    PUNCTUAL = "points"
    TABLE = "table"
    RASTER = "raster"


@dataclass(frozen=True)
class Layer:
    """A layer as it stands in the file.

    Attributes
    ----------
    name : of the layer, the sheet or the data set
    kind : what most of its rows are
    place : file and layer
    attributes : n rows; none of a raster
    geometry : (n,) geometries as in the file, None where a row has none; a table's are points of its coordinates
    xy, owner : (v, 2) vertices, and the row that each belongs to
    row : (n,) rows of a table as a spreadsheet shows them; None where features count from 0
    lon, lat : columns that a table's coordinates were taken from
    crs : what the file states
    encoding : of its text, where that was found out
    warnings : what was noticed, already worded
    faults : what was wrong and is mended in ``geometry``
    """

    name: str
    kind: Kind
    place: Place
    attributes: pd.DataFrame
    geometry: Geometries
    xy: NDArray[np.float64]
    owner: NDArray[np.intp]
    row: NDArray[np.int64] | None = None
    lon: str | None = None
    lat: str | None = None
    crs: str | None = None
    encoding: str | None = None
    warnings: tuple[str, ...] = ()
    faults: tuple[InvalidGeometry, ...] = ()

    @property
    def is_tabular(self) -> bool:
        """Whether rows go by the numbers that a spreadsheet shows."""
        return self.row is not None


@dataclass(frozen=True)
class Unread:
    """A layer that could not be read, and why."""

    name: str
    error: InputError


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes
    ----------
    format : by content; of a zip, that of what is in it where it is one data set
    layers : names by which each layer is asked for, None where there is but one
    only : name of that one, where it has a name of its own
    """

    format: Format
    layers: tuple[str | None, ...]
    only: str | None = None


def contents_of(path: Path, encoding: str | None) -> Contents:
    """Find out what a file is and what layers it has.

    Raises
    ------
    UnreadableFile, TooLarge, BadValue
        If nothing in it can be read.
    """
    place = Place(file=path.name)
    kind = sniff(path)
    if kind is Format.ZIP:
        names = data_sets(path, place)
        if len(names) > 1:
            return Contents(kind, tuple(names))
    with staged(path, encoding=encoding) as file:
        names = _names_in(file, place)
    if len(names) > 1:
        return Contents(file.format, tuple(names))
    return Contents(file.format, (None,), names[0] if names else None)


def read_layers(path: Path, contents: Contents, encoding: str | None) -> Iterator[Layer | Unread]:
    """Read the layers of a file, one at a time."""
    for name in contents.layers[:MOST_LAYERS]:
        try:
            layer = _read(path, name, encoding)
        except InputError as error:
            yield Unread(name or contents.only or path.stem, error)
        else:
            yield layer if contents.only is None else replace(layer, name=contents.only)


def _names_in(file: Staged, place: Place) -> list[str]:
    if file.format is Format.XLSX:
        return sheet_names(file, place)
    if file.format not in (Format.GEOPACKAGE, Format.KML):
        return []
    names = layers_in_sandbox(file.path, file.format, place)
    if not names:
        raise UnreadableFile("inputs.no_layers", place)
    return names


def _read(path: Path, name: str | None, encoding: str | None) -> Layer:
    place = Place(file=path.name)
    with staged(path, layer=name, encoding=encoding) as file:
        if file.format is Format.GEOTIFF:
            return _read_raster(file, name, place)
        if file.format.is_table:
            return _read_table(file, name, place)
        return _read_features(file, name, place)


def _read_features(file: Staged, name: str | None, place: Place) -> Layer:
    found = read_layer(file, place, repair=True)
    xy, owner = shapely.get_coordinates(found.geometry, return_index=True)
    dimension = shapely.get_dimensions(found.geometry)
    counts = {kind: int((dimension == number).sum()) for number, kind in enumerate(_BY_DIMENSION)}
    # What is empty or missing has no dimension; ties go to what is wider.
    kind = max(reversed(_BY_DIMENSION), key=lambda one: counts[one])
    closed = found.closed
    return Layer(
        name or found.name or file.path.stem,
        kind,
        found.place,
        found.attributes,
        found.geometry,
        xy,
        owner,
        crs=found.crs,
        encoding=file.encoding or _encoding_of_json(file),
        # Rings that were closed are told one by one.
        warnings=found.warnings[: len(found.warnings) - bool(closed)],
        faults=closed,
    )


_BY_DIMENSION = (Kind.PUNCTUAL, Kind.LINEAR, Kind.AREAL)


def _encoding_of_json(file: Staged) -> str | None:
    if file.format not in (Format.GEOJSON, Format.GEOJSON_LINES):
        return None
    # What is not UTF-8 was laid out as a recoded copy, not as a link.
    return "utf-8" if file.path.is_symlink() else "gb18030"


def _read_table(file: Staged, name: str | None, place: Place) -> Layer:
    table = read_table(file, place)
    where = coordinates_of_table(table)
    encoding = None
    if file.format is Format.TEXT:
        encoding = encoding_of_text(file.path.read_bytes(), place, file.encoding)
    geometry = np.full(len(table.frame), None, dtype=object)
    placed = np.isfinite(where.xy).all(axis=1)
    geometry[placed] = shapely.points(where.xy[placed])
    return Layer(
        name or table.place.layer or file.path.stem,
        Kind.TABLE,
        table.place,
        table.frame,
        geometry,
        where.xy[placed],
        np.flatnonzero(placed),
        row=table.row,
        lon=where.lon,
        lat=where.lat,
        encoding=encoding,
        warnings=table.warnings,
    )


def _read_raster(file: Staged, name: str | None, place: Place) -> Layer:
    answer, table = read_in_sandbox("raster", file.path, file.format, place)
    xy = np.column_stack([table.column(axis).to_numpy() for axis in ("x", "y")])
    values = pd.DataFrame({"value": table.column("value").to_numpy()})
    points = np.array(shapely.points(xy), dtype=object).reshape(-1)
    return Layer(name or file.path.stem, Kind.RASTER, place, values, points, xy, np.arange(len(xy)), crs=answer["crs"])
