"""Read everything a plan file names, and check that its parts belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from gridmap import catalogue
from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan_settings import AreaSource, FileSource, PlanSettings
from gridmap.errors import DuplicateId, OutOfPlace, Place, UnreadableFile
from gridmap.inputs.areas import read_areas
from gridmap.inputs.demand import read_demand
from gridmap.inputs.facilities import FacilityRead, read_facilities

Progress = Callable[[str, float], None]

#: A facility farther than the first from every area is an error; one farther than the second earns a graver warning.
_FARTHEST_KM = 200.0
_MARGIN_KM = 50.0

_FACILITY_COLUMNS: Mapping[str, str] = {
    "facility_id": "object",
    "name": "object",
    "kind": "object",
    "lon": "float64",
    "lat": "float64",
    "service_radius_m": "float64",
    "capacity": "float64",
    "institution": "object",
    "branch": "object",
    "line_number": "object",
    "lon_given": "float64",
    "lat_given": "float64",
    "datum": "object",
}


def read_plan_inputs(
    settings: PlanSettings, base_dir: str | Path, *, repair: bool = False, progress: Progress | None = None
) -> PlanInputs:
    """Read the areas, facilities and demand of a plan.

    Parameters
    ----------
    settings : the plan file, read
    base_dir : folder its paths are relative to
    repair : untangle improper rings instead of refusing them
    progress : called with what is being read and the share done, 0 to 1

    Raises
    ------
    InputError
        The leaf that fits the first fault, with its place.
    """
    base = Path(base_dir)
    tell = progress or (lambda _message, _share: None)
    warnings: list[str] = []
    for name in ("dedicated", "roads", "staff"):
        source: FileSource | None = getattr(settings, name)
        if source is not None:
            warnings.append(_checked_but_unused(name, base / source.path))
    areas: dict[AreaLevel, gpd.GeoDataFrame] = {}
    ordered = [level for level in AreaLevel if level in settings.areas]
    for done, level in enumerate(ordered):
        tell(catalogue.text("inputs.reading", file=settings.areas[level].path), done / (len(ordered) + 2))
        areas[level], said = _read_level(level, settings, base, repair)
        warnings += said
    warnings += _codes_apart(areas)
    tell(catalogue.text("inputs.reading_facilities"), len(ordered) / (len(ordered) + 2))
    facilities, said = _read_facilities(settings, base, areas)
    warnings += said
    demand = None
    if settings.demand is not None:
        tell(catalogue.text("inputs.reading", file=settings.demand.path), (len(ordered) + 1) / (len(ordered) + 2))
        demand, noticed = read_demand(settings.demand, base, repair=repair)
        warnings += noticed
    tell(catalogue.text("inputs.read_all"), 1.0)
    return PlanInputs(areas, facilities, demand, warnings=tuple(warnings))


def _checked_but_unused(name: str, path: Path) -> str:
    if not path.is_file():
        raise UnreadableFile("inputs.no_such_file", Place(file=str(path)))
    return catalogue.text("inputs.not_used", section=name, file=path.name)


def _read_level(
    level: AreaLevel, settings: PlanSettings, base: Path, repair: bool
) -> tuple[gpd.GeoDataFrame, list[str]]:
    source: AreaSource = settings.areas[level]
    read = read_areas(
        base / source.path,
        layer=source.layer,
        datum=source.datum,
        code=source.code,
        name=source.name,
        settlement=source.settlement,
        encoding=source.encoding,
        level=level,
        repair=repair,
    )
    frame, warnings = read.areas.copy(), list(read.warnings)
    class_of = settings.profile.settlement_of_code
    codes = frame["settlement"].tolist()
    frame["settlement"] = pd.Series(
        [class_of[code].value if code in class_of else None for code in codes], dtype=object
    )
    strange = sorted({code for code in codes if code is not None and code not in class_of})
    if strange:
        count = sum(code in strange for code in codes)
        warnings.append(
            catalogue.text(
                "inputs.strange_class", file=Path(source.path).name, codes=", ".join(strange[:8]), count=count
            )
        )
    return frame, warnings


def _codes_apart(areas: Mapping[AreaLevel, gpd.GeoDataFrame]) -> list[str]:
    """Warn of codes that begin with no code of the level above, where both are codes of their level."""
    warnings = []
    levels = list(areas)
    for upper, lower in pairwise(levels):
        above = {code for code in areas[upper]["area_code"] if _is_code(code, upper)}
        below = [code for code in areas[lower]["area_code"] if _is_code(code, lower)]
        if len(above) < len(areas[upper]) or not below:
            continue
        lost = [code for code in below if code[: upper.digits] not in above]
        if lost:
            listed = ", ".join(lost[:5])
            warnings.append(
                catalogue.text("inputs.codes_apart", lower=lower, upper=upper, count=len(lost), codes=listed)
            )
    return warnings


def _is_code(code: str, level: AreaLevel) -> bool:
    return len(code) == level.digits and code.isascii() and code.isdigit()


def _read_facilities(
    settings: PlanSettings, base: Path, areas: Mapping[AreaLevel, gpd.GeoDataFrame]
) -> tuple[gpd.GeoDataFrame, list[str]]:
    sources = settings.facilities
    read = [
        read_facilities(source, base, outlets=outlets)
        for source, outlets in ((sources.outlets, True), (sources.devices, False))
        if source is not None
    ]
    if not read:
        empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _FACILITY_COLUMNS.items()})
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs="EPSG:4326")), []
    if len(read) == 2:
        _check_ids_apart(read[0], read[1])
    warnings = [text for one in read for text in one.warnings]
    ground = np.concatenate([frame.geometry.to_numpy() for frame in areas.values()])
    for one in read:
        warnings += _far_away(one, ground)
    together = pd.concat([one.facilities for one in read], ignore_index=True)
    return gpd.GeoDataFrame(together, geometry="geometry", crs="EPSG:4326"), warnings


def _check_ids_apart(outlets: FacilityRead, devices: FacilityRead) -> None:
    first = {code: row for row, code in enumerate(outlets.facilities["facility_id"])}
    for row, code in enumerate(devices.facilities["facility_id"]):
        if code in first:
            where = outlets.points.place_of(first[code]).describe()
            raise DuplicateId("inputs.duplicate_id", devices.points.place_of(row), value=code, first=where)


def _far_away(read: FacilityRead, ground: np.ndarray) -> list[str]:
    """Warn of facilities outside every area; refuse those that are hopelessly far."""
    points = read.facilities.geometry.to_numpy()
    tree = shapely.STRtree(ground)
    outside = np.setdiff1d(np.arange(len(points)), tree.query(points, predicate="intersects")[0])
    if not len(outside):
        return []
    distance_km = _distance_km(points[outside], ground)
    worst = int(np.argmax(distance_km))
    row = int(outside[worst])
    if distance_km[worst] > _FARTHEST_KM:
        lon, lat = read.points.given[row]
        place = read.points.place_of(row, code=read.facilities["facility_id"].iloc[row])
        raise OutOfPlace(
            "inputs.far_from_areas", place, lon=f"{lon:.6f}", lat=f"{lat:.6f}", distance_km=f"{distance_km[worst]:,.0f}"
        )
    listed = ", ".join(read.facilities["facility_id"].iloc[outside[np.argsort(-distance_km)][:5]])
    key = "inputs.far_outside" if distance_km[worst] > _MARGIN_KM else "inputs.outside_areas"
    said = catalogue.text(
        key, file=read.points.place.file, count=len(outside), ids=listed, distance_km=f"{distance_km[worst]:,.1f}"
    )
    return [said]


def _distance_km(points: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Distance of each point from the nearest area, kilometres on the ellipsoid."""
    # Degrees of longitude shrunk to the latitude: good enough to find the nearest spot, not to measure.
    latitude = float(np.mean(shapely.get_coordinates(points)[:, 1]))
    shrink = np.array([max(np.cos(np.radians(latitude)), 0.01), 1.0])
    plane_points, plane_ground = (shapely.transform(one, lambda xy: xy * shrink) for one in (points, ground))
    nearest = shapely.STRtree(plane_ground).nearest(plane_points)
    lines = shapely.shortest_line(plane_points, plane_ground[nearest])
    ends = (shapely.get_coordinates(lines) / shrink).reshape(-1, 2, 2)
    _, _, distance_m = Geod(ellps="WGS84").inv(*ends[:, 0].T, *ends[:, 1].T)
    return np.asarray(distance_m) / 1000
