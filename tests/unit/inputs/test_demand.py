"""Demand as points, polygons or a raster; no value is lost, changed or invented."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import Affine

from gridmap.domain.plan_settings import DemandSource
from gridmap.errors import BadValue, InvalidGeometry, MissingColumn, UnreadableFile
from gridmap.inputs import read_demand


def raster(path, values, *, crs="EPSG:4326", nodata=None, transform=None, **profile):
    values = np.asarray(values)
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1, dtype=values.dtype, crs=crs,
        nodata=nodata, transform=transform or Affine(0.01, 0, 111.0, 0, -0.01, 31.0), **profile,
    ) as sink:  # fmt: skip
        sink.write(values, 1)


def test_points_of_a_table(tmp_path):
    (tmp_path / "p.csv").write_text('id,lon,lat,people\n1,111.1,30.1,"1,200"\n2,111.2,30.2,0\n')
    demand, warnings = read_demand(DemandSource(path="p.csv", value="people"), tmp_path)
    assert demand.value.tolist() == [1200.0, 0.0]
    assert shapely.get_coordinates(demand.geometry).tolist() == [[111.1, 30.1], [111.2, 30.2]]
    assert (demand.unit, demand.source) == ("people", "p.csv")
    assert warnings == ()


@pytest.mark.parametrize("header", ["people", "人口", "population", "常住人口（人）", "value"])
def test_the_usual_names_of_the_value(tmp_path, header):
    (tmp_path / "p.csv").write_text(f"经度,纬度,{header}\n111.1,30.1,5\n")
    demand, _ = read_demand(DemandSource(path="p.csv", unit="customers"), tmp_path)
    assert demand.value.tolist() == [5.0]
    assert demand.unit == "customers"


def test_a_value_nobody_named(tmp_path, refused):
    (tmp_path / "p.csv").write_text("lon,lat,q\n111.1,30.1,5\n")
    with refused(MissingColumn, "p.csv", "lon, lat, q", "value ="):
        read_demand(DemandSource(path="p.csv"), tmp_path)
    with refused(MissingColumn, "p.csv", "people"):
        read_demand(DemandSource(path="p.csv", value="people"), tmp_path)


@pytest.mark.parametrize(
    ("bad", "said"), [("-1", "-1"), ("nan", "nan"), ("", "empty"), ("lots", "lots"), ("inf", "inf")]
)
def test_a_value_that_is_no_demand_names_the_row(tmp_path, refused, bad, said):
    (tmp_path / "p.csv").write_text(f"lon,lat,people\n111.1,30.1,5\n111.1,30.1,{bad}\n")
    with refused(BadValue, "p.csv", "row 3", "people", said):
        read_demand(DemandSource(path="p.csv", value="people"), tmp_path)


def test_polygons_with_a_value(tmp_path, refused):
    squares = [shapely.box(111.0, 30.0, 111.1, 30.1), shapely.box(111.1, 30.0, 111.2, 30.1)]
    frame = gpd.GeoDataFrame({"people": [10, 20]}, geometry=squares, crs=4326)
    frame.to_crs(4547).to_file(tmp_path / "p.gpkg")
    demand, _ = read_demand(DemandSource(path="p.gpkg", value="people"), tmp_path)
    assert demand.value.tolist() == [10.0, 20.0]
    assert all(shapely.hausdorff_distance(a, b) < 1e-9 for a, b in zip(demand.geometry, squares, strict=True))
    frame.assign(people=[10, -20]).to_file(tmp_path / "n.gpkg")
    with refused(BadValue, "n.gpkg", "feature 1", "people", "-20"):
        read_demand(DemandSource(path="n.gpkg", value="people"), tmp_path)


def test_improper_polygons_are_refused_or_untangled(tmp_path, refused):
    bow_tie = shapely.Polygon([(111, 30), (111.1, 30.1), (111.1, 30), (111, 30.1)])
    gpd.GeoDataFrame({"people": [10]}, geometry=[bow_tie], crs=4326).to_file(tmp_path / "p.gpkg")
    with refused(InvalidGeometry, "p.gpkg", "feature 0", "crosses itself"):
        read_demand(DemandSource(path="p.gpkg"), tmp_path)
    demand, warnings = read_demand(DemandSource(path="p.gpkg"), tmp_path, repair=True)
    assert demand.geometry[0].is_valid
    assert len(warnings) == 1


def test_point_features_with_a_value(tmp_path):
    frame = gpd.GeoDataFrame({"pop": [3.5]}, geometry=[shapely.Point(111.1, 30.1)], crs=4490)
    frame.to_file(tmp_path / "p.fgb")
    assert read_demand(DemandSource(path="p.fgb"), tmp_path)[0].value.tolist() == [3.5]


def test_pixels_above_zero_become_points_at_their_centres(tmp_path):
    raster(tmp_path / "p.tif", np.array([[1.5, 0.0], [-99.0, 4.0]], dtype=np.float32), nodata=-99.0)
    demand, _ = read_demand(DemandSource(path="p.tif"), tmp_path)
    assert demand.value.tolist() == [1.5, 4.0]
    assert shapely.get_coordinates(demand.geometry) == pytest.approx(np.array([[111.005, 30.995], [111.015, 30.985]]))


def test_a_large_raster_keeps_its_total_and_every_place(tmp_path):
    """Blocks, rotation, a projected CRS and whole numbers, against the plain reading of every pixel."""
    random = np.random.default_rng(3)
    values = random.integers(0, 50, (300, 410)).astype(np.int32)
    values[random.random(values.shape) < 0.3] = -1
    turn = np.radians(20)
    transform = Affine(100 * np.cos(turn), 100 * np.sin(turn), 5e5, 100 * np.sin(turn), -100 * np.cos(turn), 3.4e6)
    raster(
        tmp_path / "p.tif",
        values,
        crs="EPSG:4547",
        nodata=-1,
        transform=transform,
        tiled=True,
        blockxsize=64,
        blockysize=128,
    )
    demand, _ = read_demand(DemandSource(path="p.tif"), tmp_path)
    assert demand.value.sum() == values[values > 0].sum()
    metres = gpd.GeoSeries(demand.geometry, crs=4326).to_crs(4547).get_coordinates().to_numpy()
    linear = np.array([[transform.a, transform.b], [transform.d, transform.e]])
    column, row = np.linalg.solve(linear, (metres - [transform.c, transform.f]).T)
    assert (values[np.floor(row).astype(int), np.floor(column).astype(int)] == demand.value).all()
    assert np.abs(row % 1 - 0.5).max() < 1e-4


def test_a_raster_stated_in_gcj02_is_converted(tmp_path):
    raster(tmp_path / "p.tif", np.array([[1.0]], dtype=np.float32))
    plain, moved = (
        read_demand(DemandSource(path="p.tif", datum=datum), tmp_path)[0].geometry[0] for datum in (None, "gcj02")
    )
    assert 0.001 < plain.distance(moved) < 0.01


@pytest.mark.parametrize("bad", [-3.0, np.nan, np.inf])
def test_a_pixel_that_is_no_demand_is_named(tmp_path, refused, bad):
    raster(tmp_path / "p.tif", np.array([[1.0, 2.0], [3.0, bad]], dtype=np.float32))
    with refused(BadValue, "p.tif", "column 1, row 1", "nodata"):
        read_demand(DemandSource(path="p.tif"), tmp_path)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_of_nothing_and_one_of_nowhere(tmp_path, refused):
    raster(tmp_path / "zero.tif", np.zeros((2, 2), dtype=np.float32))
    with refused(BadValue, "zero.tif"):
        read_demand(DemandSource(path="zero.tif"), tmp_path)
    raster(tmp_path / "nowhere.tif", np.ones((2, 2), dtype=np.float32), transform=Affine.identity())
    with refused(UnreadableFile, "nowhere.tif"):
        read_demand(DemandSource(path="nowhere.tif"), tmp_path)
    (tmp_path / "broken.tif").write_bytes(b"II*\x00" + bytes(range(200)))
    with refused(UnreadableFile, "broken.tif"):
        read_demand(DemandSource(path="broken.tif"), tmp_path)
