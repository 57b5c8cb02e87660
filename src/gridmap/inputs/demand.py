"""Read demand: points or polygons with a value, or a raster whose positive pixels become points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.domain.inputs import Demand
from gridmap.domain.plan_settings import DemandSource
from gridmap.errors import BadValue, MissingColumn, Place
from gridmap.geometry.datum import LonLat
from gridmap.inputs.columns import DEMAND_VALUE, first_column, listed, named_column
from gridmap.inputs.formats import Format
from gridmap.inputs.points import PointRead, points_of_layer, points_of_table
from gridmap.inputs.polygons import polygons_only, valid_polygons
from gridmap.inputs.sandbox import read_in_sandbox
from gridmap.inputs.staging import Staged, staged
from gridmap.inputs.tables import read_table
from gridmap.inputs.vector import VectorLayer, datum_of, read_layer
from gridmap.inputs.whereabouts import check_as_given, to_checked_wgs84


def read_demand(source: DemandSource, base_dir: Path, *, repair: bool = False) -> tuple[Demand, tuple[str, ...]]:
    """Read the demand of a plan.

    Parameters
    ----------
    source : file, datum, column of the value, and what the value counts
    base_dir : folder that ``source.path`` is relative to
    repair : untangle improper polygons instead of refusing them

    Returns
    -------
    The demand in WGS 84, and what was noticed, already worded.

    Raises
    ------
    MissingColumn
        If there is no column of values.
    BadValue
        If a value is missing, not a finite number, or negative, by row, feature or pixel.
    UnreadableFile, TooLarge, UnknownDatum, InvalidGeometry, OutOfPlace
        As ``read_areas`` and ``read_points``.
    """
    path = base_dir / source.path
    place = Place(file=path.name)
    with staged(path, layer=source.layer, encoding=source.encoding) as file:
        if file.format is Format.GEOTIFF:
            return _of_raster(file, source, place)
        if file.format.is_table:
            points = points_of_table(read_table(file, place), source.datum, {})
            return _of_points(points, source)
        found = read_layer(file, place, repair=repair)
    if (shapely.get_dimensions(found.geometry) <= 0).all():
        return _of_points(points_of_layer(found, source.datum), source)
    return _of_polygons(found, source, repair)


def _of_points(points: PointRead, source: DemandSource) -> tuple[Demand, tuple[str, ...]]:
    value = _values(points, source)
    demand = Demand(shapely.points(points.lonlat), value, source.unit, str(points.place.file))
    return demand, points.warnings


def _of_polygons(found: VectorLayer, source: DemandSource, repair: bool) -> tuple[Demand, tuple[str, ...]]:
    used, datum_warnings = datum_of(source.datum, found.crs, found.place)
    geometry, collected = polygons_only(found.geometry, found.place_of)
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    check_as_given(coordinates, used, lambda row: found.place_of(int(owner[row])))
    geometry, repaired = valid_polygons(geometry, found.place_of, repair=repair, is_projected=used.is_projected)
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    lonlat = to_checked_wgs84(coordinates, used, lambda row: found.place_of(int(owner[row])))
    # Values know their place by the row, whatever the geometry: read them as if each polygon were a point.
    nowhere = np.zeros((len(geometry), 2))
    rows = PointRead(found.place, found.attributes, nowhere, nowhere, str(used), None, ())
    demand = Demand(
        np.asarray(shapely.set_coordinates(geometry.copy(), lonlat)),
        _values(rows, source),
        source.unit,
        str(found.place.file),
    )
    return demand, (*found.warnings, *datum_warnings, *collected, *(one.describe() for one in repaired))


def _of_raster(file: Staged, source: DemandSource, place: Place) -> tuple[Demand, tuple[str, ...]]:
    answer, table = read_in_sandbox("raster", file.path, file.format, place)
    used, warnings = datum_of(source.datum, answer["crs"], place)
    centre: LonLat = np.column_stack([table.column(name).to_numpy() for name in ("x", "y")])
    if not len(centre):
        raise BadValue("inputs.no_demand", place)
    lonlat = to_checked_wgs84(centre, used, lambda _: place)
    value = table.column("value").to_numpy()
    return Demand(shapely.points(lonlat), value, source.unit, str(place.file)), (*file.warnings, *warnings)


def _values(rows: PointRead, source: DemandSource) -> NDArray[np.float64]:
    if source.value is not None:
        column = named_column(rows.attributes, source.value, rows.place)
    else:
        found = first_column(rows.attributes, DEMAND_VALUE)
        if found is None:
            raise MissingColumn("inputs.needs_value", rows.place, columns=listed(rows.attributes))
        column = found
    values = rows.numbers(column, lowest=0.0)
    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        raise BadValue("inputs.no_value", rows.place_of(int(missing[0]), field=column), count=len(missing))
    return values
