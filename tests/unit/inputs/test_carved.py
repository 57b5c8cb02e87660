"""Dedicated and locked grids: any polygon file, identifiers and codes as people write them, every slip refused."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from gridmap.domain.inputs import Carved
from gridmap.domain.plan_settings import DedicatedSource, LockedSource
from gridmap.errors import (
    BadValue,
    DuplicateId,
    InvalidGeometry,
    MissingColumn,
    OutOfPlace,
    UnknownDatum,
    UnreadableFile,
)
from gridmap.geometry.datum import gcj02_from_wgs84
from gridmap.inputs.carved import read_dedicated, read_locked

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"
#: Forty characters, some of them rare.
LONG_NAME = ("云泊县塆子村漷河社区墘头片区高新技术产业开发园" + "及其配套商业街与学校" * 2)[:40]
CODES = ["990101001001601", "990101001002601"]


def dedicated(
    folder: Path, file: str = "a.gpkg", *, repair: bool = False, **source: str
) -> tuple[Carved, tuple[str, ...]]:
    return read_dedicated(DedicatedSource(path=file, **source), folder, repair=repair)


def locked(folder: Path, file: str = "a.gpkg", **source: str) -> tuple[Carved, tuple[str, ...]]:
    return read_locked(LockedSource(path=file, **source), folder)


def test_the_sample_is_read_as_it_stands():
    carved, warnings = dedicated(SAMPLES, "dedicated.geojson", datum="wgs84")
    written = {
        feature["properties"]["id"]: feature
        for feature in json.loads((SAMPLES / "dedicated.geojson").read_text("utf-8"))["features"]
    }
    assert carved.ids == ("Z01", "Z02", "Z03", "Z04", "Z05")
    assert carved.names[0] == "云泊万汇广场"
    assert carved.source == "dedicated.geojson"
    assert warnings == ()
    for name, polygon in zip(carved.ids, carved.geometry, strict=True):
        assert shapely.get_coordinates(polygon).tolist() == written[name]["geometry"]["coordinates"][0]


def test_the_order_of_the_rows_decides_nothing(tmp_path, two_areas):
    frame = two_areas(编号=["乙", "甲"], 名称=["漷河商场", "塆子园区"])
    frame.to_file(tmp_path / "a.gpkg")
    frame.iloc[::-1].to_file(tmp_path / "b.gpkg")
    there, back = dedicated(tmp_path)[0], dedicated(tmp_path, "b.gpkg")[0]
    assert (there.ids, there.names) == (back.ids, back.names) == (("乙", "甲"), ("漷河商场", "塆子园区"))
    assert shapely.to_wkb(there.geometry).tolist() == shapely.to_wkb(back.geometry).tolist()


def test_a_gbk_shapefile_with_names_of_forty_characters(tmp_path, two_areas):
    assert len(LONG_NAME) == 40
    pyogrio.write_dataframe(two_areas(id=["1", "2"], 名称=[LONG_NAME, "短"]), tmp_path / "a.shp", encoding="GBK")
    (tmp_path / "a.cpg").unlink(missing_ok=True)
    carved, _ = dedicated(tmp_path, "a.shp")
    assert carved.names == (LONG_NAME, "短")


def test_without_identifiers_rows_are_numbered_and_without_names_they_have_none(tmp_path, two_areas):
    two_areas(colour=["red", "blue"]).to_file(tmp_path / "a.geojson")
    carved, _ = dedicated(tmp_path, "a.geojson")
    assert carved.ids == ("0", "1")
    assert carved.names == ("", "")


def test_columns_the_user_names(tmp_path, refused, two_areas):
    two_areas(number=["7", "8"], label=["商场", "学校"], id=["x", "y"]).to_file(tmp_path / "a.gpkg")
    assert dedicated(tmp_path, id="number", name="label")[0].ids == ("7", "8")
    assert dedicated(tmp_path, id="number", name="label")[0].names == ("商场", "学校")
    for chosen in ({"id": "nummer"}, {"name": "nummer"}):
        with refused(MissingColumn, "a.gpkg", '"nummer"', "number, label, id"):
            dedicated(tmp_path, **chosen)


def test_two_of_one_identifier_and_an_empty_one(tmp_path, refused, two_areas):
    two_areas(id=["7", "7.0"], name=["商场", "学校"]).to_file(tmp_path / "a.gpkg")
    with refused(DuplicateId, "a.gpkg", "feature 1", "code 7", "学校", "feature 0", "dissolve"):
        dedicated(tmp_path)
    two_areas(id=["7", None]).to_file(tmp_path / "a.gpkg")
    with refused(BadValue, "a.gpkg", "feature 1", "field id", "empty", "[dedicated]"):
        dedicated(tmp_path)


def test_coordinates_come_to_wgs84_on_the_lattice(tmp_path, two_areas, west, east, on_lattice):
    moved = shapely.transform(np.array([west, east]), gcj02_from_wgs84)
    gpd.GeoDataFrame({"id": ["1", "2"]}, geometry=moved, crs=4326).to_file(tmp_path / "a.gpkg")
    carved, _ = dedicated(tmp_path, datum="gcj02")
    assert [one.normalize() for one in carved.geometry] == [west.normalize(), east.normalize()]
    two_areas(id=["1", "2"]).to_crs(4547).to_file(tmp_path / "metres.shp")
    carved, _ = dedicated(tmp_path, "metres.shp")
    assert on_lattice(gpd.GeoDataFrame(geometry=carved.geometry, crs=4326))
    assert shapely.hausdorff_distance(carved.geometry, [west, east]).max() < 2e-7


def test_a_wrong_datum_is_refused(tmp_path, refused, two_areas):
    two_areas(id=["1", "2"]).to_crs(4547).to_file(tmp_path / "a.gpkg")
    with refused(UnknownDatum, "a.gpkg", "amap", "gcj02"):
        dedicated(tmp_path, datum="amap")
    with refused(BadValue, "a.gpkg", "projected plane", "EPSG:4547"):
        dedicated(tmp_path, datum="gcj02")
    metres = json.loads(two_areas(id=["1", "2"]).to_crs(4547).to_json())
    (tmp_path / "a.geojson").write_text(json.dumps({**metres, "crs": None}))
    with refused(OutOfPlace, "a.geojson", "feature 0", "not on Earth", "EPSG:4547"):
        dedicated(tmp_path, "a.geojson")


@pytest.mark.parametrize("other", [shapely.Point(111.05, 30.05), shapely.LineString([(111, 30), (111.1, 30.1)])])
def test_what_is_no_polygon_is_refused_by_feature(tmp_path, refused, west, other):
    frame = gpd.GeoDataFrame({"id": ["1", "2"], "name": ["商场", "学校"]}, geometry=[west, other], crs=4326)
    frame.to_file(tmp_path / "a.geojson")
    with refused(InvalidGeometry, "a.geojson", "feature 1", "code 2", "学校", other.geom_type, "polygon"):
        dedicated(tmp_path, "a.geojson")


def test_files_that_hold_nothing_of_use(tmp_path, refused):
    (tmp_path / "a.csv").write_text("id,name\n1,x\n")
    with refused(UnreadableFile, "a.csv", "polygons are needed", "CSV"):
        dedicated(tmp_path, "a.csv")
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with refused(UnreadableFile, "a.geojson", "no features"):
        dedicated(tmp_path, "a.geojson")
    (tmp_path / "a.geojson").write_bytes(b"")
    with refused(UnreadableFile, "a.geojson", "empty"):
        dedicated(tmp_path, "a.geojson")
    with refused(UnreadableFile, "nowhere.gpkg", "no such file"):
        dedicated(tmp_path, "nowhere.gpkg")


def test_several_layers_and_none_chosen(tmp_path, refused, two_areas):
    for layer in ("malls", "parks"):
        two_areas(id=["1", "2"]).to_file(tmp_path / "a.gpkg", layer=layer)
    with refused(UnreadableFile, "a.gpkg", "malls, parks", "layer ="):
        dedicated(tmp_path)
    assert len(dedicated(tmp_path, layer="parks")[0].ids) == 2


def test_a_ring_that_crosses_itself_is_refused_or_untangled(tmp_path, refused, feature, collection):
    bow_tie = {"type": "Polygon", "coordinates": [[[111, 30], [111.1, 30.1], [111.1, 30], [111, 30.1], [111, 30]]]}
    collection(tmp_path, feature(bow_tie, id="Z1", name="商场"))
    with refused(InvalidGeometry, "a.geojson", "feature 0", "Z1", "商场", "111.05", "30.05", "--repair"):
        dedicated(tmp_path, "a.geojson")
    carved, warnings = dedicated(tmp_path, "a.geojson", repair=True)
    assert shapely.is_valid(carved.geometry).all()
    assert "Z1" in warnings[0]


# Locked grids.


@pytest.mark.parametrize("column", ["grid_code", "网格编码", "Grid Code", "code"])
def test_locked_grids_are_known_by_their_codes(tmp_path, two_areas, column):
    two_areas(**{column: CODES[::-1], "name": ["甲", "乙"], "id": ["1", "2"]}).to_file(tmp_path / "a.gpkg")
    carved, warnings = locked(tmp_path)
    assert carved.ids == tuple(CODES)
    assert carved.names == ("乙", "甲")
    assert warnings == ()


def test_the_other_form_of_grid_codes(tmp_path, two_areas):
    two_areas(grid_code=["Yiling-north-001", "Yiling-602"]).to_file(tmp_path / "a.gpkg")
    assert locked(tmp_path)[0].ids == ("Yiling-602", "Yiling-north-001")


@pytest.mark.parametrize("code", ["12345", "99010100100160x", "Yiling", "-001", "Yiling-1", "Yiling-0001"])
def test_what_is_no_grid_code_is_refused(tmp_path, refused, two_areas, code):
    two_areas(grid_code=[CODES[0], code]).to_file(tmp_path / "a.gpkg")
    with refused(BadValue, "a.gpkg", "feature 1", "field grid_code", f'"{code}"', "15 digits"):
        locked(tmp_path)


def test_locked_grids_need_codes(tmp_path, refused, two_areas):
    two_areas(name=["a", "b"]).to_file(tmp_path / "a.gpkg")
    with refused(MissingColumn, "a.gpkg", "grid codes", "name", "code ="):
        locked(tmp_path)
    with refused(MissingColumn, "a.gpkg", '"网格"', "name"):
        locked(tmp_path, code="网格")
    two_areas(grid_code=[CODES[0], ""]).to_file(tmp_path / "a.gpkg")
    with refused(BadValue, "a.gpkg", "feature 1", "field grid_code", "empty"):
        locked(tmp_path)
    two_areas(grid_code=[CODES[0], "9.90101E+14"]).to_file(tmp_path / "a.gpkg")
    with refused(BadValue, "a.gpkg", "feature 1", "9.90101E+14", "spreadsheet"):
        locked(tmp_path)
    two_areas(grid_code=[CODES[0]] * 2, name=["甲", "乙"]).to_file(tmp_path / "a.gpkg")
    with refused(DuplicateId, "a.gpkg", "feature 1", "乙", CODES[0], "feature 0"):
        locked(tmp_path)
