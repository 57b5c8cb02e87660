"""Areas as people deliver them: formats, shapefiles, codes and names; what is accepted, and what a refusal says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pandas as pd
import pyogrio
import pytest

from gridmap.errors import (
    BadValue,
    DuplicateId,
    MissingColumn,
    UnreadableFile,
)
from gridmap.inputs import read_areas

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[111.0, 30.0], [111.1, 30.0], [111.1, 30.1], [111.0, 30.1], [111.0, 30.0]]],
}
FULL_WIDTH = "".join(chr(0xFF10 + int(digit)) for digit in "0420506")


@pytest.mark.parametrize("kind", ["geojson", "geojsonl", "gpkg", "fgb", "parquet", "shp", "kml"])
def test_every_format_gives_the_same_areas(tmp_path, kind, two_areas, west, east, on_lattice):
    path = tmp_path / f"villages.{kind}"
    if kind == "parquet":
        two_areas().to_parquet(path)
    else:
        driver = {"geojsonl": "GeoJSONSeq", "kml": "LIBKML"}.get(kind)
        columns = {"area_code": ["420506001", "420506002"], "名称": ["塆子村", "漷河村"]}
        frame = two_areas(**columns) if kind == "kml" else two_areas()
        frame.to_file(path, driver=driver, encoding="UTF-8")
    read = read_areas(path)
    # FlatGeobuf sorts its features by place.
    areas = read.areas.sort_values("area_code")
    assert areas["area_code"].tolist() == ["420506001", "420506002"]
    assert areas["name"].tolist() == ["塆子村", "漷河村"]
    assert areas["level"].tolist() == ["township", "township"]
    assert areas["settlement"].tolist() == [None, None]
    assert [a.normalize() for a in areas.geometry] == [west.normalize(), east.normalize()]
    assert on_lattice(read.areas)
    assert read.areas.crs.to_epsg() == 4326
    assert read.datum == "wgs84"
    assert read.warnings == ()


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "fgb", "kml"])
def test_content_counts_not_the_extension(tmp_path, kind, two_areas):
    true = tmp_path / f"true.{kind}"
    two_areas().to_file(true, driver="LIBKML" if kind == "kml" else None)
    true.rename(tmp_path / "wrong.shp")
    assert len(read_areas(tmp_path / "wrong.shp").areas) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty (0 bytes)"),
        (b"\n \n", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "no format"),
        (b"<html><body>not found</body></html>", "<html>"),
        (b"[1, 2, 3]", "no format"),
        (b'{"type": "FeatureCollection", "features": [', "cannot be read"),
        (b'{"hello": "world"}', "begins like GeoJSON"),
        (b'{"type": "FeatureCollection", "features": []}', "no features"),
        (b"%PDF-1.7 ...", "polygons"),
        (b"id,lon,lat\n1,111,30\n", "polygons"),
    ],
)
def test_what_is_no_map_is_refused_by_name(tmp_path, refused, content, said):
    (tmp_path / "a.geojson").write_bytes(content)
    with refused(UnreadableFile, "a.geojson", said):
        read_areas(tmp_path / "a.geojson")


def test_a_missing_file_and_a_folder_are_refused(tmp_path, refused):
    with refused(UnreadableFile, "nowhere.shp", "no such file"):
        read_areas(tmp_path / "nowhere.shp")
    with refused(UnreadableFile, tmp_path.name, "folder"):
        read_areas(tmp_path)


def test_newline_delimited_geojson_is_known_without_its_extension(tmp_path, feature):
    lines = [json.dumps(feature(SQUARE, code=str(number))) for number in range(3)]
    (tmp_path / "a.json").write_text("\n".join(lines))
    assert read_areas(tmp_path / "a.json").areas["area_code"].tolist() == ["0", "1", "2"]


def test_geojson_with_a_byte_order_mark_or_in_gb18030(tmp_path, feature):
    text = json.dumps({"type": "FeatureCollection", "features": [feature(SQUARE, 名称="塆子村")]}, ensure_ascii=False)
    (tmp_path / "bom.geojson").write_bytes(text.encode("utf-8-sig"))
    assert read_areas(tmp_path / "bom.geojson").areas["name"].tolist() == ["塆子村"]
    (tmp_path / "gbk.geojson").write_bytes(text.encode("gb18030"))
    read = read_areas(tmp_path / "gbk.geojson")
    assert read.areas["name"].tolist() == ["塆子村"]
    assert "UTF-8" in read.warnings[0]


# Shapefiles.


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "GB18030"])
@pytest.mark.parametrize("with_cpg", [True, False])
def test_a_shapefile_in_any_encoding_with_and_without_cpg(tmp_path, encoding, with_cpg, two_areas):
    two_areas(编码=["420506001", "420506002"], 名称=["夷陵区塆子村", "小溪塔"]).to_file(
        tmp_path / "a.shp", encoding=encoding
    )
    if not with_cpg:
        (tmp_path / "a.cpg").unlink()
    read = read_areas(tmp_path / "a.shp")
    assert read.areas["area_code"].tolist() == ["420506001", "420506002"]
    assert read.areas["name"].tolist() == ["夷陵区塆子村", "小溪塔"]
    assert read.warnings == ()


def test_a_cpg_that_lies_is_found_out(tmp_path, two_areas):
    two_areas(code=["1", "2"], name=["夷陵区", "小溪塔"]).to_file(tmp_path / "a.shp", encoding="GBK")
    (tmp_path / "a.cpg").write_text("UTF-8")
    read = read_areas(tmp_path / "a.shp")
    assert read.areas["name"].tolist() == ["夷陵区", "小溪塔"]
    assert "a.shp" in read.warnings[0]
    assert "gb18030" in read.warnings[0]


def test_a_character_cut_by_the_width_of_its_field_does_not_spoil_the_encoding(tmp_path, two_areas):
    """Ten bytes hold three Chinese characters of UTF-8 and a third of a fourth."""
    two_areas(code=["1", "2"], name=["夷陵区小", "小溪塔塆"]).to_file(tmp_path / "a.shp", encoding="UTF-8")
    content = (tmp_path / "a.dbf").read_bytes()
    (tmp_path / "a.cpg").unlink()
    cut = content.replace("夷陵区小".encode(), "夷陵区小".encode()[:10] + b"  ")
    assert cut != content
    (tmp_path / "a.dbf").write_bytes(cut)
    assert read_areas(tmp_path / "a.shp").areas["name"].tolist() == ["夷陵区", "小溪塔塆"]


def test_text_in_no_known_encoding_asks_for_it(tmp_path, refused, two_areas):
    two_areas(code=["1", "2"], name=["abcd", "efgh"]).to_file(tmp_path / "a.shp", encoding="UTF-8")
    (tmp_path / "a.cpg").unlink()
    dbf = tmp_path / "a.dbf"
    dbf.write_bytes(dbf.read_bytes().replace(b"abcd", b"\xff\xfe\xfd\xfc"))
    with refused(BadValue, "a.shp", "utf-8, gb18030"):
        read_areas(dbf.with_suffix(".shp"))
    assert len(read_areas(tmp_path / "a.shp", encoding="latin-1").areas) == 2


def test_a_shapefile_without_index_is_read_and_left_as_it_was(tmp_path, two_areas):
    two_areas().to_file(tmp_path / "a.shp")
    (tmp_path / "a.shx").unlink()
    before = sorted(entry.name for entry in tmp_path.iterdir())
    read = read_areas(tmp_path / "a.shp")
    assert len(read.areas) == 2
    assert ".shx" in read.warnings[0]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


def test_a_shapefile_without_table_numbers_its_areas(tmp_path, two_areas):
    two_areas().to_file(tmp_path / "a.shp")
    (tmp_path / "a.dbf").unlink()
    read = read_areas(tmp_path / "a.shp")
    assert read.areas["area_code"].tolist() == ["0", "1"]
    assert ".dbf" in read.warnings[0]


@pytest.mark.parametrize("part", ["shp", "shx", "dbf"])
def test_a_part_of_no_bytes_is_named(tmp_path, refused, part, two_areas):
    two_areas().to_file(tmp_path / "a.shp")
    (tmp_path / f"a.{part}").write_bytes(b"")
    with refused(UnreadableFile, "a.shp", "empty"):
        read_areas(tmp_path / "a.shp")


def test_a_broken_table_is_named(tmp_path, refused, two_areas):
    two_areas().to_file(tmp_path / "a.shp")
    (tmp_path / "a.dbf").write_bytes(b"\x03" + bytes(20))
    with refused(UnreadableFile, "a.shp", ".dbf"):
        read_areas(tmp_path / "a.shp")


def zipped(folder: Path, name: str = "a.zip", within: str = "") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(folder.iterdir()):
            if part != path:
                archive.write(part, within + part.name)
    return path


def test_a_zipped_shapefile_in_a_folder_within(tmp_path, two_areas):
    two_areas().to_file(tmp_path / "villages.SHP".lower(), encoding="GBK")
    assert len(read_areas(zipped(tmp_path, within="data/")).areas) == 2


def test_a_zip_of_upper_case_parts_named_in_gbk(tmp_path, two_areas):
    two_areas().to_file(tmp_path / "x.shp")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in ("shp", "shx", "dbf", "prj"):
            # As Windows writes it: bytes of GBK in a field meant for code page 437.
            archive.write(tmp_path / f"x.{part}", "村界".encode("gb18030").decode("cp437") + f".{part.upper()}")
    assert len(read_areas(path).areas) == 2


def test_several_shapefiles_in_a_zip_ask_which(tmp_path, refused, two_areas):
    two_areas().to_file(tmp_path / "villages.shp")
    two_areas(code=["1", "2"]).to_file(tmp_path / "towns.shp")
    path = zipped(tmp_path)
    with refused(UnreadableFile, "a.zip", "towns, villages", "layer"):
        read_areas(path)
    assert read_areas(path, layer="towns").areas["area_code"].tolist() == ["1", "2"]
    with refused(UnreadableFile, "a.zip", "towns, villages", "hamlets"):
        read_areas(path, layer="hamlets")


def test_a_zip_without_data_says_what_it_holds(tmp_path, refused):
    (tmp_path / "readme.txt").write_text("hello")
    with refused(UnreadableFile, "a.zip", "readme.txt"):
        read_areas(zipped(tmp_path))


def test_several_layers_ask_which(tmp_path, refused, two_areas):
    two_areas().to_file(tmp_path / "a.gpkg", layer="villages")
    two_areas(code=["1", "2"]).to_file(tmp_path / "a.gpkg", layer="towns")
    pyogrio.write_dataframe(pd.DataFrame({"x": [1]}), tmp_path / "a.gpkg", layer="notes")
    with refused(UnreadableFile, "a.gpkg", "villages, towns"):
        read_areas(tmp_path / "a.gpkg")
    assert read_areas(tmp_path / "a.gpkg", layer="towns").areas["area_code"].tolist() == ["1", "2"]


# Codes and names.


@pytest.mark.parametrize(
    ("columns", "codes"),
    [
        ({"code": [42.0, 420506.0]}, ["42", "420506"]),
        ({"code": [1, 2]}, ["1", "2"]),
        ({"ADCODE": [FULL_WIDTH, "042 0507"]}, ["0420506", "0420507"]),
        ({"id": ["x", "y"], "行政区划代码": ["420506001001", "420506001002"]}, ["420506001001", "420506001002"]),
        ({"area_code": ["a", "b"], "code": ["c", "d"]}, ["a", "b"]),
        ({"name": ["n", "m"]}, ["0", "1"]),
    ],
)
def test_codes_are_text_from_the_likeliest_column(tmp_path, columns, codes, two_areas):
    two_areas(**columns).to_file(tmp_path / "a.gpkg")
    assert read_areas(tmp_path / "a.gpkg").areas["area_code"].tolist() == codes


def test_numbers_given_to_geojson_features_are_their_codes(tmp_path, feature, collection):
    features = [{**feature(SQUARE), "id": 420506}, {**feature(SQUARE), "id": 420507}]
    assert read_areas(collection(tmp_path, *features)).areas["area_code"].tolist() == ["420506", "420507"]


def test_columns_the_user_names(tmp_path, refused, two_areas):
    two_areas(乡=["a", "b"], 类=[111.0, 220.0], 名=["甲", "乙"]).to_file(tmp_path / "a.gpkg")
    read = read_areas(tmp_path / "a.gpkg", code="乡", name="名", settlement="类", level="village")
    assert read.areas["area_code"].tolist() == ["a", "b"]
    assert read.areas["name"].tolist() == ["甲", "乙"]
    assert read.areas["settlement"].tolist() == ["111", "220"]
    assert read.areas["level"].tolist() == ["village", "village"]
    with refused(MissingColumn, "a.gpkg", "dm", "乡, 类, 名"):
        read_areas(tmp_path / "a.gpkg", code="dm")


def test_a_doubled_code_names_both_features(tmp_path, refused, two_areas):
    two_areas(code=["420506", "420506"], name=["甲", "乙"]).to_file(tmp_path / "a.gpkg")
    with refused(DuplicateId, "feature 1", "feature 0", "420506", "乙"):
        read_areas(tmp_path / "a.gpkg")


def test_an_empty_code_and_one_cut_by_a_spreadsheet_are_refused(tmp_path, refused, two_areas):
    two_areas(code=["420506", None]).to_file(tmp_path / "a.gpkg")
    with refused(BadValue, "feature 1", "field code", "empty"):
        read_areas(tmp_path / "a.gpkg")
    two_areas(code=["420506", "4.20506E+11"]).to_file(tmp_path / "b.gpkg")
    with refused(BadValue, "feature 1", "4.20506E+11", "spreadsheet"):
        read_areas(tmp_path / "b.gpkg")
