"""Outlets and devices as banks keep them: spreadsheets of every habit."""

from __future__ import annotations

import codecs
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import FacilitySource
from gridmap.errors import (
    BadValue,
    DuplicateId,
    InvalidGeometry,
    MissingColumn,
    OutOfPlace,
    TooLarge,
    UnknownDatum,
    UnreadableFile,
    UsageError,
)
from gridmap.geometry.datum import bd09_from_gcj02, gcj02_from_wgs84
from gridmap.inputs import read_facilities, read_points
from gridmap.inputs.facilities import KIND_WORDS, FacilityRead, kind_of
from gridmap.settings import Settings

HEADER = "id,name,kind,lon,lat,service_radius_m,capacity,institution\n"
ROWS = "W001,城关支行,branch,111.30,30.70,1200,5000,示例农商银行\nW002,自助,self_service,111.31,30.71,,,\n"


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def read(folder: Path, content: str | bytes, name: str = "outlets.csv", outlets: bool = True, **source) -> FacilityRead:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_facilities(FacilitySource(path=name, **source), folder, outlets=outlets)


def test_a_plain_file_becomes_the_frame_that_planning_reads(tmp_path):
    frame = read(tmp_path, HEADER + ROWS).facilities
    assert list(frame.columns) == [
        "facility_id", "name", "kind", "lon", "lat", "service_radius_m", "capacity", "institution",
        "branch", "line_number", "lon_given", "lat_given", "datum", "geometry",
    ]  # fmt: skip
    assert frame["facility_id"].tolist() == ["W001", "W002"]
    assert frame["name"].tolist() == ["城关支行", "自助"]
    assert frame["kind"].tolist() == ["branch", "self_service"]
    assert frame["service_radius_m"].tolist() == pytest.approx([1200, np.nan], nan_ok=True)
    assert frame["capacity"].tolist() == pytest.approx([5000, np.nan], nan_ok=True)
    assert frame["institution"].tolist() == ["示例农商银行", ""]
    assert frame["datum"].tolist() == ["wgs84", "wgs84"]
    assert shapely.get_coordinates(frame.geometry).tolist() == [[111.30, 30.70], [111.31, 30.71]]
    assert frame.crs.to_epsg() == 4326


def test_branches_and_line_numbers_are_text_or_none(tmp_path):
    plain = read(tmp_path, HEADER + ROWS).facilities
    assert plain[["branch", "line_number"]].to_numpy().tolist() == [[None, None], [None, None]]
    text = (
        "编号,类型,经度,纬度,管辖行,支付行号\n1,支行,111.3,30.7, 城区管辖支行 ,001 100 011 002\n2,支行,111.3,30.7,,\n"
    )
    found = read(tmp_path, text).facilities
    assert found["branch"].tolist() == ["城区管辖支行", None]
    assert found["line_number"].tolist() == ["001100011002", None]


def test_a_line_number_kept_as_a_number_is_still_text(tmp_path, refused):
    rows = [
        ["id", "kind", "lon", "lat", "联行号"],
        [1, "branch", 111.3, 30.7, 102100099996.0],
        [2, "atm", 111.3, 30.7, None],
    ]
    workbook(tmp_path / "a.xlsx", a=rows)
    found = read_facilities(FacilitySource(path="a.xlsx"), tmp_path, outlets=True).facilities
    assert found["line_number"].tolist() == ["102100099996", None]
    with refused(BadValue, "outlets.csv", "row 2", "line_number", "1.021E+11"):
        read(tmp_path, "id,kind,lon,lat,line_number\n1,branch,111,30,1.021E+11\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_any_chinese_encoding(tmp_path, encoding):
    assert read(tmp_path, (HEADER + ROWS).encode(encoding)).facilities["name"].tolist() == ["城关支行", "自助"]


def test_the_encoding_the_user_states(tmp_path, refused):
    big5 = "id,name,kind,lon,lat\n1,網點,branch,111.3,30.7\n".encode("big5")
    assert read(tmp_path, big5, encoding="big5").facilities["name"].tolist() == ["網點"]
    with refused(BadValue, "outlets.csv", "klingon"):
        read(tmp_path, big5, encoding="klingon")


def test_bytes_that_are_no_text_are_refused(tmp_path, refused):
    with refused(BadValue, "outlets.csv", "gb18030"):
        read(tmp_path, b"id,name\n1,\xff\xff\xff\xfe\n")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", chr(0xFF0C)])
def test_any_delimiter(tmp_path, delimiter):
    assert len(read(tmp_path, (HEADER + ROWS).replace(",", delimiter)).facilities) == 2


def test_chinese_headers_units_and_full_width_numbers(tmp_path):
    text = "编号,网点名称,网点类型,经度（°）,纬度（°）,服务半径（米）,服务能力,所属机构\n"
    text += f'{full_width("007")},城关,营业网点,{full_width("111.30")},30.70°,"1,500","{full_width("12,000")}",农商行\n'
    frame = read(tmp_path, text).facilities
    assert frame["facility_id"].tolist() == ["007"]
    assert frame.loc[0, ["kind", "lon", "lat", "service_radius_m", "capacity", "institution"]].tolist() == [
        "branch", 111.30, 30.70, 1500.0, 12000.0, "农商行",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lon", "lat"),
    [("lng", "lat"), ("x", "y"), ("Longitude", "LATITUDE"), ("经度", "纬度"), (" lon ", "lat(deg)"), ("X", "Y")],
)
def test_the_usual_names_of_coordinates(tmp_path, lon, lat):
    assert len(read(tmp_path, f"id,kind,{lon},{lat}\n1,atm,111.3,30.7\n", outlets=False).facilities) == 1


def test_columns_the_user_names(tmp_path, refused):
    text = "终端,种,E,N\n1,atm,111.3,30.7\n"
    columns = {"id": "终端", "kind": "种", "lon": "E", "lat": "N"}
    assert read(tmp_path, text, outlets=False, columns=columns).facilities["lon"].tolist() == [111.3]
    with refused(MissingColumn, "outlets.csv", "东", "终端, 种, E, N"):
        read(tmp_path, text, columns={**columns, "lon": "东"})
    with refused(UsageError, "colour", "service_radius_m"):
        read(tmp_path, text, columns={"colour": "E"})


@pytest.mark.parametrize("kind", list(FacilityKind))
def test_every_kind_is_known_by_identifier_and_word(kind):
    for word in (kind.value, kind.value.upper(), full_width(kind.value), f" {kind.value.replace('_', ' ')} "):
        assert kind_of(word) is kind
    for word in KIND_WORDS[kind]:
        assert kind_of(word) is kind


def test_the_words_of_the_field():
    said = [
        "网点",
        "支行",
        "营业网点",
        "自助银行",
        "ATM",
        "自动取款机",
        "取款机",
        "POS",
        "助农取款点",
        "助农服务点",
        "自助终端",
    ]
    assert [str(kind_of(word)) for word in said] == [
        "branch", "branch", "branch", "self_service", "atm", "atm", "atm", "pos",
        "rural_cash_point", "rural_cash_point", "self_service_terminal",
    ]  # fmt: skip


def test_no_word_means_two_kinds():
    words = [word for words in KIND_WORDS.values() for word in words]
    assert len(words) == len(set(words))


def test_an_unknown_kind_names_the_row_and_the_known_kinds(tmp_path, refused):
    with refused(BadValue, "outlets.csv", "row 3", "field kind", "金库", "rural_cash_point"):
        read(tmp_path, "id,kind,lon,lat\n1,branch,111,30\n2,金库,111,30\n")
    with refused(BadValue, "row 2", "empty"):
        read(tmp_path, "id,kind,lon,lat\n1,,111,30\n3,atm,111,30\n")


def test_one_kind_for_a_file_without_the_column(tmp_path, refused):
    text = "id,lon,lat\n1,111.3,30.7\n"
    assert read(tmp_path, text, kind="pos", outlets=False).facilities["kind"].tolist() == ["pos"]
    with refused(MissingColumn, "outlets.csv", "kind", "id, lon, lat"):
        read(tmp_path, text)


@pytest.mark.parametrize("missing", ["id", "lon", "lat"])
def test_a_missing_column_is_named_beside_those_there_are(tmp_path, refused, missing):
    columns = {"id": "1", "kind": "atm", "lon": "111.3", "lat": "30.7"}
    del columns[missing]
    with refused(MissingColumn, "outlets.csv", f'"{missing}"', "kind"):
        read(tmp_path, ",".join(columns) + "\n" + ",".join(columns.values()) + "\n")


def test_a_doubled_id_names_both_rows(tmp_path, refused):
    with refused(DuplicateId, "row 4", "row 2", "7"):
        read(tmp_path, "id,kind,lon,lat\n7,atm,111,30\n8,atm,111,30\n7.0,atm,111,30\n")


def test_ids_a_spreadsheet_spoilt(tmp_path, refused):
    with refused(BadValue, "row 2", "6.21E+15"):
        read(tmp_path, "id,kind,lon,lat\n6.21E+15,atm,111,30\n")
    with refused(BadValue, "row 2", "empty"):
        read(tmp_path, "id,kind,lon,lat\n,atm,111,30\n2,atm,111,30\n")


def test_rows_are_counted_as_a_spreadsheet_shows_them(tmp_path, refused):
    """Blank rows and a line break within quotes count as the rows they take."""
    text = 'id,name,kind,lon,lat\n\n1,"two\nlines",atm,111,30\n,,,,\n2,b,atm,111,here\n'
    with refused(BadValue, "row 5", "field lat", "here"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("lon", "lat", "leaf", "said"),
    [
        ("", "30.7", BadValue, "empty"),
        ("east", "30.7", BadValue, "east"),
        ("nan", "30.7", OutOfPlace, "finite"),
        ("1e308", "30.7", OutOfPlace, "not on Earth"),
        ("1e999", "30.7", OutOfPlace, "finite"),
        ("111,302", "30.7", OutOfPlace, "not on Earth"),
        ("30.7", "111.3", OutOfPlace, "swapped"),
        ("181", "30", OutOfPlace, "not on Earth"),
    ],
)
def test_coordinates_that_cannot_be_meant(tmp_path, refused, lon, lat, leaf, said):
    with refused(leaf, "outlets.csv", "row 3", said):
        read(tmp_path, f'id,kind,lon,lat\n1,atm,111.3,30.7\n2,atm,"{lon}",{lat}\n')


def test_a_whole_file_with_swapped_columns_of_western_china(tmp_path, refused):
    with refused(OutOfPlace, "swapped"):
        read(tmp_path, "id,kind,lon,lat\n1,atm,43.8,87.6\n2,atm,39.5,76.0\n")


@pytest.mark.parametrize("bad", ["-5", "nan", "inf", "many", "0"])
def test_a_radius_must_be_a_length(tmp_path, refused, bad):
    with refused(BadValue, "outlets.csv", "row 2", "service_radius_m"):
        read(tmp_path, f"id,kind,lon,lat,service_radius_m\n1,atm,111,30,{bad}\n")


@pytest.mark.parametrize("bad", ["-5", "nan", "inf", "many"])
def test_a_capacity_must_be_a_number(tmp_path, refused, bad):
    with refused(BadValue, "outlets.csv", "row 2", "capacity", bad):
        read(tmp_path, f"id,kind,lon,lat,capacity\n1,atm,111,30,{bad}\n")


def test_datums_of_tables(tmp_path, refused):
    bd09 = bd09_from_gcj02(gcj02_from_wgs84(np.array([[111.30, 30.70]])))[0].tolist()
    frame = read(tmp_path, f"id,kind,lon,lat\n1,atm,{bd09[0]},{bd09[1]}\n", datum="BD-09").facilities
    assert frame.loc[0, ["lon", "lat"]].tolist() == pytest.approx([111.30, 30.70], abs=1e-9)
    assert frame.loc[0, ["lon_given", "lat_given"]].tolist() == bd09
    assert frame.loc[0, "datum"] == "bd09"
    with refused(UnknownDatum, "outlets.csv", "baidu"):
        read(tmp_path, HEADER + ROWS, datum="baidu")


def test_a_table_in_metres(tmp_path, refused):
    frame = read(tmp_path, "id,kind,x,y\n1,atm,500000,3400000\n", datum="EPSG:4547").facilities
    assert frame["lon"].tolist() == pytest.approx([114.0])
    with refused(OutOfPlace, "row 2", "swapped"):
        read(tmp_path, "id,kind,x,y\n1,atm,3400000,500000\n", datum="EPSG:4547")


def test_rows_of_the_other_sort_are_kept_with_a_warning(tmp_path):
    text = "id,kind,lon,lat\n1,atm,111,30\n2,branch,111,30\n"
    outlets, devices = read(tmp_path, text), read(tmp_path, text, outlets=False)
    assert len(outlets.facilities) == len(devices.facilities) == 2
    assert "atm" in outlets.warnings[0]
    assert "branch" in devices.warnings[0]


# Shapes of tables.


@pytest.mark.parametrize(
    ("content", "leaf", "said"),
    [
        (b"", UnreadableFile, "empty"),
        (b"id,kind,lon,lat\n", UnreadableFile, "no rows"),
        (b"id,kind,lon,lat\n1,atm,111,30,extra\n", BadValue, "5 cells"),
        (b"id,id,lon,lat\n1,atm,111,30\n", BadValue, "twice"),
        (b"id,kind,lon,lat\n1,atm,111,\x0030\n", UnreadableFile, "no format"),
    ],
)
def test_broken_tables(tmp_path, refused, content, leaf, said):
    with refused(leaf, "outlets.csv", said):
        read(tmp_path, content)


def test_empty_cells_at_the_end_of_a_row_do_not_matter(tmp_path):
    assert len(read(tmp_path, "id,kind,lon,lat\n1,atm,111,30,,\n").facilities) == 1
    assert len(read(tmp_path, "id,kind,lon,lat,name\n1,atm,111,30\n").facilities) == 1


def test_a_table_beyond_the_limits_is_refused_with_the_limit(tmp_path, refused, monkeypatch):
    with refused(TooLarge, "1,000"):
        read(tmp_path, ",".join(f"c{number}" for number in range(1001)) + "\n1\n")
    monkeypatch.setattr("gridmap.inputs.tables.settings", lambda: Settings(max_table_rows=1))
    with refused(TooLarge, "GRIDMAP_MAX_TABLE_ROWS"):
        read(tmp_path, HEADER + ROWS)


def workbook(path: Path, **sheets: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def test_a_workbook_with_numbers_as_numbers(tmp_path):
    rows = [["编号", "类型", "经度", "纬度", "服务半径"], [420506001, "取款机", 111.3, 30.7, 500], [None] * 5]
    workbook(tmp_path / "a.xlsx", 机具=rows)
    frame = read_facilities(FacilitySource(path="a.xlsx"), tmp_path, outlets=False).facilities
    assert frame["facility_id"].tolist() == ["420506001"]
    assert frame["service_radius_m"].tolist() == [500.0]


def test_sheets_of_a_workbook(tmp_path, refused):
    table = [["id", "kind", "lon", "lat"], ["1", "atm", 111.3, 30.7]]
    workbook(tmp_path / "a.xlsx", notes=[["hello"], ["world"]], devices=table)
    first = read_facilities(FacilitySource(path="a.xlsx", layer="devices"), tmp_path, outlets=False)
    assert len(first.facilities) == 1
    with refused(MissingColumn, "a.xlsx", "layer notes"):
        read_facilities(FacilitySource(path="a.xlsx"), tmp_path, outlets=False)
    with refused(UnreadableFile, "a.xlsx", "notes, devices"):
        read_facilities(FacilitySource(path="a.xlsx", layer="x"), tmp_path, outlets=False)


def test_a_broken_workbook(tmp_path, refused):
    workbook(tmp_path / "a.xlsx", a=[["id"], ["1"]])
    content = (tmp_path / "a.xlsx").read_bytes()
    (tmp_path / "a.xlsx").write_bytes(content[: len(content) // 2] + content[len(content) // 2 + 100 :])
    with refused(UnreadableFile, "a.xlsx"):
        read_points(tmp_path / "a.xlsx")


# Point files.


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "shp", "kml"])
def test_point_features(tmp_path, kind):
    columns = {"编号": ["1", "2"], "类型": ["网点", "支行"], "名称": ["甲", "乙"]}
    second = shapely.Point(111.31, 30.71)
    points = [shapely.Point(111.3, 30.7), second if kind == "shp" else shapely.MultiPoint([second])]
    frame = gpd.GeoDataFrame(columns, geometry=points, crs=4326)
    frame.to_file(tmp_path / f"a.{kind}", driver="LIBKML" if kind == "kml" else None, encoding="UTF-8")
    found = read_facilities(FacilitySource(path=f"a.{kind}"), tmp_path, outlets=True).facilities
    assert found["name"].tolist() == ["甲", "乙"]
    assert found["lon"].tolist() == [111.3, 111.31]


def test_features_that_are_no_points_are_refused(tmp_path, refused):
    frame = gpd.GeoDataFrame({"id": ["1"], "kind": ["atm"]}, geometry=[shapely.box(111, 30, 112, 31)], crs=4326)
    frame.to_file(tmp_path / "a.gpkg")
    with refused(InvalidGeometry, "a.gpkg", "feature 0", "Polygon"):
        read_points(tmp_path / "a.gpkg")


def test_a_point_of_nan_is_refused(tmp_path, refused):
    frame = gpd.GeoDataFrame({"id": ["1"]}, geometry=[shapely.Point(np.nan, 30)], crs=4326)
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises((OutOfPlace, InvalidGeometry)) as caught:
        read_points(tmp_path / "a.parquet")
    assert "feature 0" in str(caught.value)


def test_a_raster_holds_no_facilities(tmp_path, refused):
    (tmp_path / "a.tif").write_bytes(b"II*\x00" + bytes(100))
    with refused(UnreadableFile, "a.tif", "GeoTIFF"):
        read_points(tmp_path / "a.tif")


def test_byte_order_marks_are_not_part_of_the_first_header(tmp_path):
    text = codecs.BOM_UTF8 + "编号,类型,经度,纬度\n1,atm,111.3,30.7\n".encode("utf-8-sig")
    assert len(read(tmp_path, text, outlets=False).facilities) == 1
