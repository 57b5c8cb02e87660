"""Read everything a plan file names, and check that its parts belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from gridmap import catalogue
from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan_settings import AreaSource, FileSource, PlanSettings
from gridmap.domain.roads import RoadLines
from gridmap.errors import BadValue, DuplicateId, OutOfPlace, Place
from gridmap.geometry.lattice import Geometries
from gridmap.inputs.areas import read_areas
from gridmap.inputs.carved import read_dedicated, read_locked
from gridmap.inputs.demand import read_demand
from gridmap.inputs.facilities import FacilityRead, read_facilities
from gridmap.inputs.lines import read_lines
from gridmap.inputs.previous import read_previous
from gridmap.inputs.roads import read_roads
from gridmap.inputs.staff import read_staff

Progress = Callable[[str, float], None]
T = TypeVar("T")
S = TypeVar("S", bound=FileSource)

#: Tables of the plan file that name one file each.
_SECTIONS = ("demand", "roads", "barriers", "dedicated", "locked", "staff", "previous")

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
    """Read everything a plan file names: areas, facilities, demand, roads, barriers, carved grounds, staff, codes.

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
    reading = _Reading(settings, progress)
    areas = {
        level: reading.part(_of_file(settings.areas[level]), partial(_read_level, level, settings, base, repair))
        for level in AreaLevel
        if level in settings.areas
    }
    ground = np.concatenate([frame.geometry.to_numpy() for frame in areas.values()])
    reading.warnings += _codes_apart(areas)
    facilities = reading.part(
        catalogue.text("inputs.reading_facilities"), partial(_read_facilities, settings, base, ground)
    )
    demand = reading.file(settings.demand, partial(read_demand, base_dir=base, repair=repair))
    roads = reading.file(settings.roads, partial(read_lines, base_dir=base, repair=repair))
    barriers = reading.file(settings.barriers, partial(read_lines, base_dir=base, outlines=True, repair=repair))
    network = _read_network(reading, settings, base, ground, facilities)
    dedicated = reading.file(settings.dedicated, partial(read_dedicated, base_dir=base, repair=repair))
    locked = reading.file(settings.locked, partial(read_locked, base_dir=base, repair=repair))
    staff = reading.file(settings.staff, partial(read_staff, base_dir=base))
    previous = reading.file(settings.previous, partial(read_previous, base_dir=base, repair=repair))
    for drawn in (roads, barriers, previous):
        if drawn is not None and drawn.geometry is not None:
            reading.warnings += _all_elsewhere(drawn.source, drawn.geometry, ground)
    reading.done()
    return PlanInputs(
        areas=areas,
        facilities=facilities,
        demand=demand,
        roads=roads,
        barriers=barriers,
        dedicated=dedicated,
        locked=locked,
        staff=staff,
        previous=previous,
        network=network,
        warnings=tuple(reading.warnings),
    )


class _Reading:
    """Reads part by part; tells how far it is, and keeps what was noticed."""

    def __init__(self, settings: PlanSettings, progress: Progress | None) -> None:
        self.warnings: list[str] = []
        self._tell = progress or (lambda _message, _share: None)
        one_each = (*(getattr(settings, name) for name in _SECTIONS), settings.facilities)
        along_roads = settings.roads is not None and settings.coverage.distance == "network"
        self._parts = len(settings.areas) + sum(section is not None for section in one_each) + along_roads
        self._read = 0

    def part(self, message: str, reader: Callable[[], tuple[T, Iterable[str]]]) -> T:
        """Run a reader and return what it read."""
        self._tell(message, self._read / self._parts)
        read, noticed = reader()
        self.warnings += noticed
        self._read += 1
        return read

    def file(self, source: S | None, reader: Callable[[S], tuple[T, Iterable[str]]]) -> T | None:
        """Run a reader on a source, where the plan names one."""
        return None if source is None else self.part(_of_file(source), lambda: reader(source))

    def done(self) -> None:
        """Say that everything has been read."""
        self._tell(catalogue.text("inputs.read_all"), 1.0)


def _read_network(
    reading: _Reading, settings: PlanSettings, base: Path, ground: Geometries, facilities: gpd.GeoDataFrame
) -> RoadLines | None:
    """Read the roads once more, as ways and not as borders, where distance is measured along them."""
    source = settings.roads
    if settings.coverage.distance != "network":
        return None
    if source is None:
        raise BadValue("roads.no_roads", Place(field="coverage.distance"))
    places = facilities[["lon", "lat"]].to_numpy(dtype=np.float64)
    return reading.part(_of_file(source), lambda: read_roads(source, base, ground, places))


def _of_file(source: FileSource) -> str:
    return catalogue.text("inputs.reading", file=source.path)


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


def _read_facilities(settings: PlanSettings, base: Path, ground: Geometries) -> tuple[gpd.GeoDataFrame, list[str]]:
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


def _far_away(read: FacilityRead, ground: Geometries) -> list[str]:
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


def _all_elsewhere(file: str, geometry: Geometries, ground: Geometries) -> list[str]:
    """Warn of a file of which nothing lies in any area; refuse it where it is hopelessly far."""
    area, feature = shapely.STRtree(geometry).query(ground)
    shapely.prepare(ground)
    if not len(geometry) or shapely.intersects(ground[area], geometry[feature]).any():
        return []
    around = np.array([shapely.box(*shapely.total_bounds(geometry))])
    distance_km = float(_distance_km(around, ground)[0])
    said = {"count": f"{len(geometry):,}", "distance_km": f"{distance_km:,.0f}"}
    if distance_km > _FARTHEST_KM:
        raise OutOfPlace("inputs.all_far_from_areas", Place(file=file), **said)
    return [catalogue.text("inputs.all_outside_areas", file=file, **said)]


def _distance_km(points: Geometries, ground: Geometries) -> np.ndarray:
    """Distance of each point (or polygon) from the nearest area, kilometres on the ellipsoid."""
    # Degrees of longitude shrunk to the latitude: good enough to find the nearest spot, not to measure.
    latitude = float(np.mean(shapely.get_coordinates(points)[:, 1]))
    shrink = np.array([max(np.cos(np.radians(latitude)), 0.01), 1.0])
    plane_points, plane_ground = (shapely.transform(one, lambda xy: xy * shrink) for one in (points, ground))
    nearest = shapely.STRtree(plane_ground).nearest(plane_points)
    lines = shapely.shortest_line(plane_points, plane_ground[nearest])
    ends = (shapely.get_coordinates(lines) / shrink).reshape(-1, 2, 2)
    _, _, distance_m = Geod(ellps="WGS84").inv(*ends[:, 0].T, *ends[:, 1].T)
    return np.asarray(distance_m) / 1000
