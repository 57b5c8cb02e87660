"""What is found in files of every format: layers, columns, uses, encodings, faults by feature, previews."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import orjson
import pandas as pd
import pytest
import rasterio
import shapely

from gridmap.errors import InputError, TooLarge, UnreadableFile
from gridmap.geometry.datum import Datum
from gridmap.inputs.inspection import Asked, inspect_file, said
from gridmap.inputs.inspection.columns import ColumnType, describe_columns
from gridmap.inputs.inspection.faults import MOST_LISTED
from gridmap.inputs.inspection.findings import Findings, look_into
from gridmap.inputs.inspection.preview import MOST_FEATURES, MOST_VERTICES
from gridmap.inputs.inspection.telling import clean, error_of, plain, tell_error
from gridmap.settings import Settings

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"
Frames = Callable[..., gpd.GeoDataFrame]


def found_in(path: Path, stated: str | None = None) -> Findings:
    return look_into(path, Datum.parse(stated) if stated else None, None, None)


def only_layer(path: Path, stated: str | None = None) -> dict[str, Any]:
    layers = found_in(path, stated).document["layers"]
    assert len(layers) == 1
    return layers[0]


def columns_of(layer: dict[str, Any]) -> dict[str, str]:
    return {ours: one["column"] for ours, one in layer["suggested_uses"][0]["columns"].items()}


def kinds(layer: dict[str, Any]) -> dict[str, int]:
    assert layer["faults"]["total"] == len(layer["faults"]["listed"])
    return layer["faults"]["kinds"]


@pytest.mark.parametrize("suffix", ["geojson", "geojsonl", "gpkg", "fgb", "kml", "parquet", "shp", "zip", "kmz"])
def test_areas_of_every_format_are_found_to_be_what_they_are(tmp_path: Path, suffix: str, two_areas: Frames):
    frame, path = two_areas(area_code=["420506001", "420506002"], name=["塆子镇", "漷河乡"]), tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix in ("zip", "kmz"):
        inner = tmp_path / ("a.shp" if suffix == "zip" else "doc.kml")
        frame.to_file(inner, driver="LIBKML" if suffix == "kmz" else None)
        with zipfile.ZipFile(path, "w") as archive:
            for part in tmp_path.glob(f"{inner.stem}.*"):
                if part != path:
                    archive.write(part, part.name)
    else:
        frame.to_file(path, driver={"geojsonl": "GeoJSONSeq", "kml": "LIBKML"}.get(suffix))
    layer = only_layer(path)

    assert (layer["kind"], layer["features"], layer["faults"]["total"]) == ("polygons", 2, 0)
    assert layer["extent"] == pytest.approx([111.0, 30.0, 111.2, 30.1])
    assert sum(one["features"] for one in layer["geometry"]) == 2
    use = layer["suggested_uses"][0]
    assert (use["use"], use["level"]) == ("areas", "township")
    assert columns_of(layer)["code"] == "area_code"
    assert columns_of(layer)["name"].lower() == "name"


def test_each_layer_of_a_geopackage_and_each_sheet_is_described(tmp_path: Path, two_areas: Frames):
    two_areas().to_file(tmp_path / "a.gpkg", layer="villages")
    lines = gpd.GeoDataFrame({"highway": ["primary"]}, geometry=[shapely.LineString([(111, 30), (112, 31)])], crs=4490)
    lines.to_file(tmp_path / "a.gpkg", layer="roads")
    with sqlite3.connect(tmp_path / "a.gpkg") as database:
        database.execute("CREATE TABLE empty_one (x)")
    found = found_in(tmp_path / "a.gpkg").document
    assert found["format"] == "gpkg"
    assert [(one["name"], one["kind"]) for one in found["layers"]] == [("villages", "polygons"), ("roads", "lines")]
    assert [one["suggested_uses"][0]["use"] for one in found["layers"]] == ["areas", "roads"]
    assert [one["datum"]["stated"] for one in found["layers"]] == ["wgs84", "cgcs2000"]

    book = openpyxl.Workbook()
    book.active.title = "网点"
    book.active.append(["网点编号", "网点名称", "经度", "纬度", "服务能力"])
    book.active.append(["W1", "塆子支行", 111.3, 30.7, 200])
    staff = book.create_sheet("人员")
    staff.append(["工号", "姓名", "岗位"])
    staff.append(["P1", "李", "网格经理"])
    book.create_sheet("Sheet3")
    book.save(tmp_path / "a.xlsx")
    layers = found_in(tmp_path / "a.xlsx").document["layers"]
    assert [one["suggested_uses"][0]["use"] for one in layers[:2]] == ["outlets", "staff"]
    assert columns_of(layers[0]) == {
        "id": "网点编号",
        "name": "网点名称",
        "lon": "经度",
        "lat": "纬度",
        "capacity": "服务能力",
    }
    assert layers[2]["unread"]["key"] == "inputs.no_rows"


def test_each_data_set_of_a_zip_is_described(tmp_path: Path, two_areas: Frames):
    two_areas().to_file(tmp_path / "villages.shp")
    (tmp_path / "outlets.csv").write_text("id,kind,lon,lat\n1,branch,111.1,30.1\n")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for part in (*tmp_path.glob("villages.*"), tmp_path / "outlets.csv"):
            archive.write(part, f"data/{part.name}")
        archive.writestr("broken.geojson", "{")
    found = found_in(tmp_path / "all.zip").document
    assert found["format"] == "zip"
    by_name = {one["name"]: one for one in found["layers"]}
    assert by_name["villages"]["suggested_uses"][0]["use"] == "areas"
    assert by_name["outlets"]["suggested_uses"][0]["use"] == "outlets"
    assert by_name["broken"]["kind"] is None
    assert by_name["broken"]["unread"]["class"] == "UnreadableFile"


def test_a_raster_is_demand(tmp_path: Path):
    values = np.zeros((20, 30), dtype="float32")
    values[3:5, 4:8] = 12.5
    frame = rasterio.transform.from_origin(111, 31, 0.01, 0.01)
    profile = {"driver": "GTiff", "height": 20, "width": 30, "count": 1, "dtype": "float32", "crs": 4326}
    with rasterio.open(tmp_path / "people.tif", "w", transform=frame, **profile) as sink:
        sink.write(values, 1)
    layer = only_layer(tmp_path / "people.tif")
    assert (layer["kind"], layer["features"], layer["values"]) == ("raster", 8, {"sum": 100.0, "max": 12.5})
    assert (layer["suggested_uses"][0]["use"], layer["datum"]["stated"]) == ("demand", "wgs84")


@pytest.mark.parametrize(
    ("name", "use", "level"),
    [
        ("county.geojson", "areas", "county"),
        ("townships.geojson", "areas", "township"),
        ("villages.geojson", "areas", "village"),
        ("outlets.csv", "outlets", None),
        ("devices.csv", "devices", None),
        ("population.csv", "demand", None),
        ("roads.geojson", "roads", None),
        ("staff.csv", "staff", None),
    ],
)
def test_the_samples_are_found_to_be_what_they_are(name: str, use: str, level: str | None):
    layer = only_layer(SAMPLES / name)
    assert (layer["suggested_uses"][0]["use"], layer["suggested_uses"][0].get("level")) == (use, level)
    assert layer["faults"]["total"] == 0


def test_columns_are_known_by_what_is_in_them(tmp_path: Path, two_areas: Frames):
    frame = two_areas(a=["420506001001", "420506001002"], b=["塆子", "漷河"], c=["220", "111"], d=[1, 2])
    frame.to_file(tmp_path / "a.gpkg")
    use = only_layer(tmp_path / "a.gpkg")["suggested_uses"][0]
    assert use == {
        "use": "areas",
        "level": "village",
        "columns": {
            ours: {"column": name, "found_by": "content"}
            for ours, name in zip(["code", "name", "settlement"], "abc", strict=True)
        },
    }
    (tmp_path / "t.csv").write_text("p,q,r,s\nA,ATM,30.12,111.51\nB,取款机,30.13,111.52\n")
    layer = only_layer(tmp_path / "t.csv")
    assert layer["suggested_uses"][0]["use"] == "devices"
    assert {ours: columns_of(layer)[ours] for ours in ("kind", "lon", "lat")} == {"kind": "q", "lon": "s", "lat": "r"}


def test_types_samples_and_what_is_missing():
    frame = pd.DataFrame(
        {
            "whole": ["1", "2", None],
            "code": ["007", "008", "009"],
            "share": [0.5, None, 2.0],
            "yes": [True, False, True],
            "text": ["x" * 200, "\x00y", "z"],
            "none": [None, None, None],
        }
    )
    found = {one.name: one for one in describe_columns(frame)}
    expected = ["integer", "text", "number", "boolean", "text", "empty"]
    assert [one.type for one in found.values()] == [ColumnType(kind) for kind in expected]
    assert [one.missing for one in found.values()] == [1, 0, 1, 0, 0, 3]
    assert found["text"].samples == ("x" * 79 + "…", "\ufffdy", "z")


def test_every_fault_of_a_table_is_told_with_its_row(tmp_path: Path):
    rows = [
        "id,kind,lon,lat,capacity,note",
        *(f"D{n},atm,111.3{n},30.7,10,{n}" for n in range(20)),
        "D1,castle,30.7,111.3,-5,1",
        ",,x,,many,two",
        "4.2E+11,pos,181.5,95,1,3",
        "D99,pos,171.5,35,1,3",
    ]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    layer = only_layer(tmp_path / "t.csv")
    assert kinds(layer) == {
        "id_twice": 1,
        "unknown_kind": 1,
        "lonlat_swapped": 1,
        "bad_number": 2,
        "no_id": 1,
        "no_kind": 1,
        "not_a_number": 1,
        "no_coordinate": 1,
        "cut_code": 1,
        "not_on_earth": 1,
        "text_among_numbers": 1,
        "far_from_others": 1,
    }
    by_kind = {fault["kind"]: fault for fault in layer["faults"]["listed"]}
    rows_of = {kind: by_kind[kind]["row"] for kind in ("id_twice", "no_id", "not_on_earth", "far_from_others")}
    assert rows_of == {"id_twice": 22, "no_id": 23, "not_on_earth": 24, "far_from_others": 25}
    assert by_kind["id_twice"]["told"]["values"]["first"] == 3
    assert by_kind["text_among_numbers"]["field"] == "note"
    assert by_kind["far_from_others"]["wgs84"] == [171.5, 35.0]


def test_every_fault_of_polygons_is_told_with_its_feature(tmp_path: Path):
    west, bow = shapely.box(111, 30, 111.1, 30.1), shapely.Polygon([(112, 30), (112.1, 30.1), (112.1, 30), (112, 30.1)])
    holed = shapely.Polygon(shapely.box(113, 30, 113.1, 30.1).exterior, [shapely.box(114, 30, 114.1, 30.1).exterior])
    shapes = [west, bow, holed, west, shapely.Point(111, 30), None]
    features = [
        {"type": "Feature", "properties": {"adcode": code}, "geometry": shape and shapely.geometry.mapping(shape)}
        for code, shape in zip(["1", "2", "3", "1", "", "5"], shapes, strict=True)
    ]
    features.append(
        {
            "type": "Feature",
            "properties": {"adcode": "6"},
            "geometry": {"type": "Polygon", "coordinates": [[[115, 30], [115.1, 30], [115.1, 30.1]]]},
        }
    )
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    layer = only_layer(tmp_path / "a.geojson")
    assert kinds(layer) == {
        "ring_open": 1,
        "ring_crosses": 1,
        "hole_outside": 1,
        "ground_twice": 1,
        "of_other_kind": 1,
        "no_geometry": 1,
        "code_twice": 1,
        "no_code": 1,
    }
    where = {fault["kind"]: fault["feature"] for fault in layer["faults"]["listed"]}
    assert where["ring_crosses"] == 1
    assert where["hole_outside"] == 2
    assert where["ground_twice"] == where["code_twice"] == 3
    assert where["of_other_kind"] == where["no_code"] == 4
    assert where["no_geometry"] == 5


def test_faults_are_listed_up_to_a_number_and_counted_all(tmp_path: Path):
    (tmp_path / "t.csv").write_text(
        "id,kind,lon,lat\n" + "".join(f"{n},{'castle' if n % 2 else 'atm'},111,30\n" for n in range(1800))
    )
    faults = only_layer(tmp_path / "t.csv")["faults"]
    assert (faults["total"], faults["kinds"], len(faults["listed"])) == (900, {"unknown_kind": 900}, MOST_LISTED)


def test_metres_are_not_taken_for_degrees(tmp_path: Path):
    (tmp_path / "t.csv").write_text("id,kind,x,y\n1,atm,37532000.5,3401000.5\n2,atm,37532100.5,3401100.5\n")
    layer = only_layer(tmp_path / "t.csv")
    assert (layer["datum"]["guess"], layer["datum"]["method"], layer["faults"]["total"]) == ("EPSG:4525", "zone", 0)
    assert layer["datum"]["extent_wgs84"] == pytest.approx([111.33, 30.73, 111.34, 30.74], abs=0.02)
    (tmp_path / "t.csv").write_text("id,kind,x,y\n1,atm,532000.5,3401000.5\n2,atm,532100.5,3401100.5\n")
    assert kinds(only_layer(tmp_path / "t.csv")) == {"metres_without_crs": 1}
    assert kinds(only_layer(tmp_path / "t.csv", "gcj02")) == {"metres_said_to_be_degrees": 1}
    assert kinds(only_layer(tmp_path / "t.csv", "EPSG:4546")) == {}


@pytest.mark.parametrize("stated", ["gbk", None, "utf-8"])
def test_text_of_gbk_comes_out_right(tmp_path: Path, stated: str | None, two_areas: Frames):
    frame = two_areas(编码=["420506001", "420506002"], 名称=["塆子村", "漷河村"])
    frame.to_file(tmp_path / "a.shp", encoding="gb18030")
    (tmp_path / "a.cpg").unlink(missing_ok=True)
    if stated:
        (tmp_path / "a.cpg").write_text(stated)
    layer = only_layer(tmp_path / "a.shp")
    assert layer["encoding"] == "gb18030"
    assert {one["name"]: one["samples"] for one in layer["columns"]}["名称"] == ["塆子村", "漷河村"]
    told = [note["key"] for note in layer["notes"]]
    assert ("inputs.wrong_cpg" in told) == (stated == "utf-8")


def test_a_preview_of_many_vertices_and_many_features_stays_small(tmp_path: Path):
    rng = np.random.default_rng(1)
    centres = rng.uniform((111, 30), (112, 31), (4_000, 2))
    shapes = shapely.buffer(shapely.points(centres), 0.003, quad_segs=16)
    frame = gpd.GeoDataFrame(
        {"code": [str(n) for n in range(4_000)], "name": ["塆子村" * 40] * 4_000}, geometry=shapes, crs=4326
    )
    frame.to_file(tmp_path / "a.gpkg")
    drawn = found_in(tmp_path / "a.gpkg").features
    assert len(drawn) == MOST_FEATURES
    assert sum(shapely.get_num_coordinates(shapely.geometry.shape(one["geometry"])) for one in drawn) <= MOST_VERTICES
    assert len(orjson.dumps(drawn)) < 1_000_000
    assert drawn[-1]["properties"]["code"] == "3999"


def test_a_file_of_which_nothing_can_be_read_is_refused(tmp_path: Path):
    for content in ("", "{", '{"type":"FeatureCollection","features":[]}', "id,id\n1,2\n", "<html></html>"):
        (tmp_path / "a.geojson").write_text(content)
        with pytest.raises(InputError):
            found_in(tmp_path / "a.geojson")


def test_the_process_ends_with_findings_or_with_one_clear_error(tmp_path: Path):
    (tmp_path / "work").mkdir()
    inspected = inspect_file(Asked(SAMPLES / "outlets.csv", "网点.csv"), tmp_path / "work", Settings())
    assert inspected.findings["layers"][0]["features"] == 41
    assert len(orjson.loads(inspected.preview.read_bytes())) == 41

    (tmp_path / "other").mkdir()
    (tmp_path / "a.bin").write_bytes(b"PAR1 but no more")
    with pytest.raises(UnreadableFile) as refused:
        inspect_file(Asked(tmp_path / "a.bin", "我的.parquet"), tmp_path / "other", Settings())
    assert "我的.parquet" in refused.value.message("zh")
    with pytest.raises(TooLarge):
        inspect_file(Asked(SAMPLES / "outlets.csv", "a"), tmp_path / "other", Settings(read_timeout_s=0.05))


def test_an_error_is_the_same_after_it_was_kept():
    error = UnreadableFile("inputs.too_many_cells", None, cells=3, columns=2)
    again = error_of(tell_error(error), "a.csv")
    assert type(again) is UnreadableFile
    assert again.message("en") == "a.csv: the row has 3 cells, the header only 2"
    assert said(tell_error(error), "zh") == error.message("zh")
    assert [plain(value) for value in (float("nan"), float("inf"), 1.5, None, Path("x"))] == [
        "nan",
        "inf",
        1.5,
        None,
        "x",
    ]
    assert clean("a\x00\ud800\nb") == "a\ufffd?\nb"
