"""The made-up county: written the same each time, and exact enough to follow by hand."""

from __future__ import annotations

import csv
import itertools
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from gridmap import verify_level
from gridmap.domain.plan import Plan
from gridmap.exports import write_plan
from gridmap.geometry.datum import Datum
from gridmap.inputs import read_plan_file, read_plan_inputs
from gridmap.planning.pipeline import build_plan

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
MADE = sorted(path.name for path in SAMPLES.iterdir() if path.suffix in (".geojson", ".csv"))

Edge = tuple[tuple[int, int], tuple[int, int]]


def features(name: str) -> list[dict[str, Any]]:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))["features"]


def rows(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8-sig", newline="") as table:
        return list(csv.DictReader(table))


def whole(degrees: float) -> int:
    return round(degrees * 10_000_000)


def rings(geometry: dict[str, Any]) -> Iterator[list[list[float]]]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for polygon in polygons:
        yield from polygon


def edges_left_over(name: str) -> Counter[Edge]:
    """Directed edges of all features that no edge of the opposite direction cancels."""
    count: Counter[Edge] = Counter()
    for feature in features(name):
        for ring in rings(feature["geometry"]):
            points = [(whole(lon), whole(lat)) for lon, lat in ring]
            assert points[0] == points[-1]
            count.update(itertools.pairwise(points))
    return Counter({(a, b): n - count[b, a] for (a, b), n in count.items() if n > count[b, a]})


def test_the_script_writes_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SAMPLES / "make_samples.py"), str(tmp_path)], check=True)

    assert sorted(path.name for path in tmp_path.iterdir()) == MADE
    for name in MADE:
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes(), name


@pytest.mark.parametrize(("lower", "upper"), [("villages", "townships"), ("townships", "county")])
def test_lower_areas_sum_to_the_upper_ones_edge_for_edge(lower: str, upper: str) -> None:
    left_over = edges_left_over(f"{lower}.geojson")

    assert left_over == edges_left_over(f"{upper}.geojson")
    assert set(left_over.values()) == {1}


def test_each_township_is_the_sum_of_the_villages_its_code_begins() -> None:
    sums: dict[str, Counter[Edge]] = {}
    for feature in features("villages.geojson"):
        count = sums.setdefault(feature["properties"]["area_code"][:9], Counter())
        for ring in rings(feature["geometry"]):
            points = [(whole(lon), whole(lat)) for lon, lat in ring]
            for a, b in itertools.pairwise(points):
                count[a, b] += 1
                count[b, a] -= 1
    for feature in features("townships.geojson"):
        own = Counter(
            ((whole(a[0]), whole(a[1])), (whole(b[0]), whole(b[1])))
            for ring in rings(feature["geometry"])
            for a, b in itertools.pairwise(ring)
        )
        assert +sums[feature["properties"]["area_code"]] == own


def test_every_polygon_is_valid_and_wound_as_geojson_asks() -> None:
    for name in ("county.geojson", "townships.geojson", "villages.geojson", "dedicated.geojson"):
        for feature in features(name):
            polygon = shapely.from_geojson(json.dumps(feature["geometry"]))
            assert shapely.is_valid(polygon), (name, feature["properties"])
            for part in shapely.get_parts(polygon):
                assert part.exterior.is_ccw
                assert not any(hole.is_ccw for hole in part.interiors)


def test_the_county_has_an_island_an_enclave_and_a_lake() -> None:
    polygons = features("county.geojson")[0]["geometry"]["coordinates"]

    assert sorted(len(polygon) for polygon in polygons) == [1, 3]


def test_every_coordinate_has_seven_decimals() -> None:
    for name in MADE:
        if name.endswith(".geojson"):
            numbers = re.findall(r"[\[,](-?\d+\.\d+)", (SAMPLES / name).read_text(encoding="utf-8"))
            assert numbers
            assert {len(number.split(".")[1]) for number in numbers} == {7}, name


def test_codes_are_unique_and_nested() -> None:
    townships = [feature["properties"]["area_code"] for feature in features("townships.geojson")]
    villages = [feature["properties"]["area_code"] for feature in features("villages.geojson")]

    assert len(set(townships)) == len(townships)
    assert len(set(villages)) == len(villages)
    assert {len(code) for code in villages} == {12}
    assert {code[:9] for code in villages} == set(townships)
    assert {code[:6] for code in townships} == {"990101"}


def test_counts_are_the_ones_the_readme_states() -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    stated = {name: int(count) for name, count in re.findall(r"^\| `([\w.]+)` \| (\d+) \|", readme, re.MULTILINE)}

    assert stated == {name: len(rows(name) if name.endswith(".csv") else features(name)) for name in MADE}
    assert f"{sum(int(row['people']) for row in rows('population.csv')):,} people" in readme
    kinds = Counter(row["类型"] for row in rows("devices.csv"))
    assert f"{kinds['ATM']} ATMs, {kinds['POS']} POS, {kinds['自助终端']} self-service terminals" in readme
    assert f"{kinds['助农取款点']} rural cash points" in readme
    outlet_kinds = Counter(row["kind"] for row in rows("outlets.csv"))
    assert f"{outlet_kinds['branch']} branches and {outlet_kinds['self_service']} self-service banks" in readme


def test_outlets_and_devices_fall_inside_the_county_under_the_datum_the_plan_states() -> None:
    plan = tomllib.loads((SAMPLES / "plan.toml").read_text(encoding="utf-8"))
    county = shapely.from_geojson(json.dumps(features("county.geojson")[0]["geometry"]))
    for table, lon, lat in (("outlets", "lon", "lat"), ("devices", "经度", "纬度")):
        source = plan["facilities"][table]
        given = np.asarray([(float(row[lon]), float(row[lat])) for row in rows(source["path"])])
        lonlat = Datum.parse(source["datum"]).to_wgs84(given)
        assert shapely.contains_xy(county, lonlat).all()


def test_line_numbers_carry_the_check_digit_of_iso_7064_mod_11_10() -> None:
    for row in rows("outlets.csv"):
        digits = row["line_number"]
        rest = 10
        for digit in digits[:-1]:
            rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
        assert len(digits) == 12
        assert (rest + int(digits[-1])) % 10 == 1


@pytest.fixture(scope="module")
def plan() -> Plan:
    settings = read_plan_file(SAMPLES / "plan.toml")
    return build_plan(settings, read_plan_inputs(settings, SAMPLES))


def test_the_plan_puts_every_person_into_a_grid(plan: Plan) -> None:
    assert plan.cells["demand"].sum() == sum(int(row["people"]) for row in rows("population.csv"))
    assert plan.facilities["area_code"].notna().all()
    assert plan.grids["demand"].sum() == plan.cells["demand"].sum()


def test_the_plan_shows_every_kind_of_grid(plan: Plan) -> None:
    kinds = plan.units["kind"].value_counts()
    assert kinds["dedicated"] == len(features("dedicated.geojson")) == (plan.grids["kind"] == "dedicated").sum()
    assert kinds["block"] > 50
    assert kinds["village"] == 150
    levels = plan.levels["level"].value_counts()
    assert set(levels.index) == {"county", "township", "village", "super", "grid", "sub"}
    assert levels["super"] < levels["grid"] == len(plan.grids)
    assert plan.grids["manager_id"].notna().sum() > 0.5 * len(plan.grids)
    assert plan.grids["parts"].max() <= 2


def test_the_plan_has_something_to_say(plan: Plan) -> None:
    broken = {rule.rule: rule.broken_by for rule in plan.rules if not rule.holds}
    rural = sum(feature["properties"]["class_code"] in ("210", "220") for feature in features("villages.geojson"))

    assert 0.35 < len(broken["rural_cash_point_per_village"]) / rural < 0.45
    assert len(broken["no_cash_point_in_urban"]) == 1
    assert broken["balance_within_tolerance"]
    assert broken["one_manager_per_grid"]
    assert len(broken["full_service_in_township"]) == 2
    assert broken["crossing_degree_urban_ceiling"]
    assert plan.indicators["townships"]["all"]["with_outlet"] == 11
    assert 0.7 < plan.indicators["coverage"]["all"]["covered_demand_share"] < 0.95


def test_every_level_is_proved_from_the_exports_alone(plan: Plan, tmp_path: Path) -> None:
    write_plan(plan, tmp_path / "out")
    files = [str(tmp_path / "out" / name) for name in ("levels.geojson", "certificate.json")]
    for level in ("county", "township", "village", "super", "grid", "sub"):
        assert verify_level.main([level, *files]) == 0
    assert verify_level.main(["grid", str(tmp_path / "out" / "grids.geojson"), files[1]]) == 0


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 6_000_000
