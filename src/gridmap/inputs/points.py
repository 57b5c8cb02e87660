"""Read points with attributes: rows of a table with two coordinate columns, or point features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap.errors import BadValue, InvalidGeometry, MissingColumn, Place, UnreadableFile
from gridmap.geometry.datum import LonLat
from gridmap.inputs.columns import FACILITY, column_for, listed
from gridmap.inputs.folding import numbers_of
from gridmap.inputs.staging import Staged, staged
from gridmap.inputs.tables import Table, read_table
from gridmap.inputs.vector import VectorLayer, datum_of, read_layer
from gridmap.inputs.whereabouts import to_checked_wgs84


@dataclass(frozen=True)
class PointRead:
    """Points of one file.

    Attributes
    ----------
    place : file and layer
    attributes : n rows, columns as in the file
    given : (n, 2) float64 coordinates as in the file
    lonlat : (n, 2) float64 WGS 84, degrees
    datum : datum the file was read in
    row : (n,) int64 row of a table as a spreadsheet shows it; None for features, which count from 0
    warnings : what was noticed, already worded
    """

    place: Place
    attributes: pd.DataFrame
    given: NDArray[np.float64]
    lonlat: LonLat
    datum: str
    row: NDArray[np.int64] | None
    warnings: tuple[str, ...]

    def place_of(self, point: int, **known: Any) -> Place:
        """Place of the i-th point."""
        return _place_of(self.place, self.row, point, **known)

    def numbers(self, column: str, lowest: float) -> NDArray[np.float64]:
        """Values of a column as finite numbers of at least ``lowest``; NaN where there is none.

        Raises
        ------
        BadValue
            If a value is no number, not finite, or less.
        """
        values, missing, wrong = numbers_of(self.attributes[column])
        # What is missing was never a number; what says nan or inf is one that nobody can use.
        wrong = wrong | (~missing & ~np.isfinite(values)) | (values < lowest)
        if wrong.any():
            point = int(np.argmax(wrong))
            said = self.attributes[column].iloc[point]
            raise BadValue("inputs.bad_number", self.place_of(point, field=column), value=said, lowest=f"{lowest:g}")
        return values


def read_points(
    path: str | Path,
    *,
    layer: str | None = None,
    datum: str | None = None,
    encoding: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> PointRead:
    """Read points from CSV, XLSX or any vector file and bring them to WGS 84.

    Parameters
    ----------
    path : file
    layer : layer, sheet, or data set of a zip, where there are several
    datum : as ``read_areas``
    encoding : of the text, where neither the file nor its .cpg tells the truth
    columns : our name of a column (``lon``, ``lat``) → the file's, where the usual names do not do

    Raises
    ------
    UnreadableFile, TooLarge, MissingColumn, BadValue, UnknownDatum, InvalidGeometry, OutOfPlace
        With file, row or feature, and field of the first fault.
    """
    path = Path(path)
    place = Place(file=path.name)
    with staged(path, layer=layer, encoding=encoding) as file:
        if file.format.is_table:
            return points_of_table(read_table(file, place), datum, columns or {})
        return points_of_layer(_vector(file, place), datum)


def _vector(file: Staged, place: Place) -> VectorLayer:
    if not file.format.is_vector:
        raise UnreadableFile("inputs.not_points", place, kind=file.format.shown)
    return read_layer(file, place)


def points_of_table(table: Table, stated_datum: str | None, columns: Mapping[str, str]) -> PointRead:
    """Points of the rows of a table that has columns of longitude and latitude."""
    used, warnings = datum_of(stated_datum, None, table.place)
    given = np.column_stack([_coordinate(table, ours, columns) for ours in ("lon", "lat")])
    lonlat = to_checked_wgs84(given, used, lambda point: _place_of(table.place, table.row, point))
    return PointRead(table.place, table.frame, given, lonlat, str(used), table.row, (*table.warnings, *warnings))


def points_of_layer(found: VectorLayer, stated_datum: str | None) -> PointRead:
    """Points of point features; a multipoint of one point counts as that point."""
    used, warnings = datum_of(stated_datum, found.crs, found.place)
    geometry = found.geometry
    missing = np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    if len(missing):
        raise InvalidGeometry("inputs.no_geometry", found.place_of(int(missing[0])), count=len(missing))
    kind = shapely.get_type_id(geometry)
    single = (kind == shapely.GeometryType.MULTIPOINT) & (shapely.get_num_geometries(geometry) == 1)
    wrong = np.flatnonzero((kind != shapely.GeometryType.POINT) & ~single)
    if len(wrong):
        row = int(wrong[0])
        raise InvalidGeometry("inputs.not_a_point", found.place_of(row), kind=geometry[row].geom_type)
    given = shapely.get_coordinates(geometry)
    lonlat = to_checked_wgs84(given, used, found.place_of)
    return PointRead(found.place, found.attributes, given, lonlat, str(used), None, (*found.warnings, *warnings))


def _place_of(place: Place, row: NDArray[np.int64] | None, point: int, **known: Any) -> Place:
    if row is None:
        return replace(place, feature=int(point), **known)
    return replace(place, row=int(row[point]), **known)


def _coordinate(table: Table, ours: str, columns: Mapping[str, str]) -> NDArray[np.float64]:
    column = column_for(table.frame, ours, columns, FACILITY, table.place)
    if column is None:
        raise MissingColumn("inputs.needs_column", table.place, name=ours, columns=listed(table.frame))
    values, missing, wrong = numbers_of(table.frame[column])
    if (missing | wrong).any():
        point = int(np.argmax(missing | wrong))
        place = _place_of(table.place, table.row, point, field=column)
        if missing[point]:
            raise BadValue("inputs.no_coordinate", place)
        raise BadValue("inputs.not_a_number", place, value=table.frame[column].iloc[point])
    return values
