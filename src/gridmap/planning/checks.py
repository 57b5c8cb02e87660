"""Refuse what no plan can be made of.

Readers refuse most of it earlier and name the file; who calls the Python interface with frames of their own meets it
here.
"""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.domain.inputs import Demand, PlanInputs
from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.domain.plan_settings import GridSection
from gridmap.errors import BadValue, DuplicateId, InvalidGeometry, MissingColumn, OutOfPlace, Place

AREA_COLUMNS = ("area_code", "name", "settlement")
FACILITY_COLUMNS = ("facility_id", "name", "kind", "lon", "lat", "service_radius_m", "capacity")

_MOST_RADIUS_M = 1_000_000.0
_POLYGONAL = [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON]


def check_inputs(inputs: PlanInputs) -> None:
    """Check areas, facilities and demand.

    Raises
    ------
    InputError
        The leaf that says what is wrong, with the code or row of the first feature at fault.
    """
    if not any(len(frame) for frame in inputs.areas.values()):
        raise MissingColumn("rules.no_areas")
    for level, frame in inputs.areas.items():
        _check_areas(level, frame)
    _check_facilities(inputs.facilities)
    if inputs.demand is not None:
        _check_demand(inputs.demand)


def check_settings(grids: GridSection) -> None:
    """Check that what is asked of the grids does not contradict itself.

    Raises
    ------
    BadValue
        If several ways to say how many grids are given, or a least value lies above the most.
    """
    ways = [key for key in ("count", "target_demand", "one_per") if getattr(grids, key) is not None]
    if len(ways) > 1:
        raise BadValue("rules.several_numbers", Place(field=f"grids.{ways[1]}"), keys=", ".join(ways))
    for least, most in (("min_demand", "max_demand"), ("min_area_m2", "max_area_m2")):
        low, high = getattr(grids, least), getattr(grids, most)
        if low is not None and high is not None and low > high:
            raise BadValue("rules.least_above_most", Place(field=f"grids.{least}"), low=low, high=high, most=most)


def _check_areas(level: AreaLevel, frame: gpd.GeoDataFrame) -> None:
    _need_columns(frame, AREA_COLUMNS, level.value)
    codes = frame["area_code"].astype(str).to_numpy(dtype=object)
    _refuse_twice(codes, "rules.duplicate_area_code")
    shapes = frame.geometry.to_numpy()
    usable = np.isin(shapely.get_type_id(shapes), _POLYGONAL) & ~shapely.is_empty(shapes) & shapely.is_valid(shapes)
    for row in np.flatnonzero(~usable)[:1].tolist():
        raise InvalidGeometry("rules.area_geometry", Place(layer=level.value, feature=row, code=codes[row]))
    _refuse_unknown(frame["settlement"].dropna(), SettlementClass, "settlement")


def _check_facilities(frame: gpd.GeoDataFrame) -> None:
    _need_columns(frame, FACILITY_COLUMNS, "facilities")
    ids = frame["facility_id"].astype(str).to_numpy(dtype=object)
    _refuse_twice(ids, "rules.duplicate_facility_id")
    _refuse_unknown(frame["kind"], FacilityKind, "kind")
    lon, lat, radius_m, capacity = (
        frame[column].to_numpy(dtype=np.float64) for column in ("lon", "lat", "service_radius_m", "capacity")
    )
    for row in np.flatnonzero(~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)))[:1].tolist():
        raise OutOfPlace("rules.facility_off_earth", Place(code=ids[row]), lon=lon[row], lat=lat[row])
    for row in np.flatnonzero((radius_m <= 0) | (radius_m > _MOST_RADIUS_M))[:1].tolist():
        raise BadValue("rules.facility_radius", Place(code=ids[row]), radius_m=radius_m[row])
    for row in np.flatnonzero((capacity < 0) | np.isinf(capacity))[:1].tolist():
        raise BadValue("rules.facility_capacity", Place(code=ids[row]), capacity=capacity[row])


def _check_demand(demand: Demand) -> None:
    for row in np.flatnonzero(~(np.isfinite(demand.value) & (demand.value >= 0)))[:1].tolist():
        raise BadValue("rules.demand_value", Place(file=demand.source, feature=row), value=demand.value[row])


def _need_columns(frame: pd.DataFrame, columns: Iterable[str], layer: str) -> None:
    missing = [column for column in columns if column not in frame]
    if missing:
        raise MissingColumn("rules.columns_missing", Place(layer=layer), columns=", ".join(missing))


def _refuse_twice(codes: np.ndarray[tuple[int, ...], np.dtype[np.object_]], key: str) -> None:
    names, times = np.unique(codes.astype(str), return_counts=True)
    for code in names[times > 1][:1].tolist():
        raise DuplicateId(key, Place(code=code))


def _refuse_unknown(values: pd.Series[str], known: type[SettlementClass] | type[FacilityKind], field: str) -> None:
    names = [member.value for member in known]
    for value in values[~values.isin(names)].iloc[:1]:
        raise BadValue("rules.value_unknown", Place(field=field), value=value, known=", ".join(names))
