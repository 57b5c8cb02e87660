"""Write the made-up county of this folder anew, byte for byte the same each time.

    python data/samples/make_samples.py [DIRECTORY]

Nothing in it is real: not the borders, the names, the people, the outlets or the staff. That the coordinates fall on
real ground is an accident of having to lie somewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from maker.county import COUNTY_CODE, County, made_county
from maker.ground import Points, to_degrees
from maker.names import COUNTY, NameBook
from maker.roads import SPEED_KMH, Road, roads_of
from maker.services import (
    Device,
    Outlet,
    Settlement,
    dedicated_of,
    devices_of,
    outlets_of,
    settlements_of,
    staff_of,
)
from maker.writing import write_lines, write_polygons, write_table

from gridmap.geometry.datum import bd09_from_gcj02, gcj02_from_wgs84

#: Chosen by looking at the maps of several.
SEED = 2
HERE = Path(__file__).resolve().parent


def make(directory: Path) -> None:
    """Write every made file into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    names = NameBook(rng)
    county = made_county(rng, names)
    settlements = settlements_of(rng, county)
    outlets = outlets_of(rng, county, settlements)
    devices = devices_of(rng, county, settlements)
    staff = staff_of(rng, names, outlets)
    _write_areas(directory, county)
    _write_population(directory / "population.csv", settlements)
    _write_outlets(directory / "outlets.csv", outlets)
    _write_devices(directory / "devices.csv", devices)
    write_table(
        directory / "staff.csv",
        ("id", "name", "role", "employment", "outlet_id"),
        ((person.number, person.name, person.role, person.employment, person.outlet) for person in staff),
    )
    write_polygons(
        directory / "dedicated.geojson",
        "dedicated",
        (({"id": one.number, "name": one.name, "kind": one.kind}, one.polygon) for one in dedicated_of(county)),
    )
    _write_roads(directory / "roads.geojson", roads_of(county))


def _lonlat(places_km: Iterable[Points]) -> Points:
    """Places of the plane as WGS 84 degrees, (n, 2)."""
    return to_degrees(np.stack(list(places_km)))


def _write_areas(directory: Path, county: County) -> None:
    write_polygons(
        directory / "county.geojson",
        "county",
        [({"area_code": COUNTY_CODE, "name": COUNTY, "level": "county"}, county.polygon)],
    )
    write_polygons(
        directory / "townships.geojson",
        "townships",
        (
            ({"area_code": town.code, "name": town.name, "level": "township"}, town.polygon)
            for town in sorted(county.townships, key=lambda town: town.code)
        ),
    )
    write_polygons(
        directory / "villages.geojson",
        "villages",
        (
            (
                {
                    "area_code": village.code,
                    "name": village.name,
                    "level": "village",
                    "class_code": village.class_code,
                    "township": county.townships[village.township].name,
                },
                village.polygon,
            )
            for village in county.villages
        ),
    )


def _write_population(path: Path, settlements: list[Settlement]) -> None:
    lonlat = _lonlat(home.place_km for home in settlements).tolist()
    write_table(
        path,
        ("village_code", "lon", "lat", "people"),
        ((home.village.code, lon, lat, home.people) for home, (lon, lat) in zip(settlements, lonlat, strict=True)),
    )


def _write_outlets(path: Path, outlets: list[Outlet]) -> None:
    """Outlets as a Baidu map gives them: BD-09."""
    lonlat = bd09_from_gcj02(gcj02_from_wgs84(_lonlat(outlet.place_km for outlet in outlets))).tolist()
    write_table(
        path,
        ("id", "name", "kind", "lon", "lat", "capacity", "institution", "line_number"),
        (
            (one.number, one.name, one.kind, lon, lat, one.capacity, one.institution, one.line_number)
            for one, (lon, lat) in zip(outlets, lonlat, strict=True)
        ),
    )


def _write_devices(path: Path, devices: list[Device]) -> None:
    """Devices as an Amap user's spreadsheet gives them: GCJ-02, Chinese headers, a byte order mark."""
    lonlat = gcj02_from_wgs84(_lonlat(device.place_km for device in devices)).tolist()
    write_table(
        path,
        ("编号", "名称", "类型", "经度", "纬度"),
        ((one.number, one.name, one.kind, lon, lat) for one, (lon, lat) in zip(devices, lonlat, strict=True)),
        encoding="utf-8-sig",
    )


def _write_roads(path: Path, roads: list[Road]) -> None:
    write_lines(
        path,
        "roads",
        (
            (
                {
                    "id": road.number,
                    "name": road.name,
                    "class": road.road_class,
                    "speed_kmh": SPEED_KMH[road.road_class],
                },
                road.line_km,
            )
            for road in roads
        ),
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
