"""Areas as people deliver them: what is accepted, what it becomes, and what a refusal says."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import Geod

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
from gridmap.geometry.lattice import to_units
from gridmap.inputs import read_areas

WEST, EAST = shapely.box(111.0, 30.0, 111.1, 30.1), shapely.box(111.1, 30.0, 111.2, 30.1)


def two_areas(**columns: object) -> gpd.GeoDataFrame:
    given = columns or {"code": ["420506001", "420506002"], "name": ["塆子村", "漷河村"]}
    return gpd.GeoDataFrame(given, geometry=[WEST, EAST], crs=4326)


def feature(geometry: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def polygon(*rings: list[list[float]]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": list(rings)}


def collection(folder: Path, *features: dict[str, object], name: str = "a.geojson") -> Path:
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


SQUARE = [[111.0, 30.0], [111.1, 30.0], [111.1, 30.1], [111.0, 30.1], [111.0, 30.0]]
FULL_WIDTH = "".join(chr(0xFF10 + int(digit)) for digit in "0420506")
BOW_TIE = [[111.0, 30.0], [111.1, 30.1], [111.1, 30.0], [111.0, 30.1], [111.0, 30.0]]


def on_lattice(frame: gpd.GeoDataFrame) -> bool:
    coordinates = shapely.get_coordinates(frame.geometry.to_numpy())
    return bool((to_units(coordinates) / 1e7 == coordinates).all())


@pytest.mark.parametrize("kind", ["geojson", "geojsonl", "gpkg", "fgb", "parquet", "shp", "kml"])
def test_every_format_gives_the_same_areas(tmp_path, kind):
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
    assert [a.normalize() for a in areas.geometry] == [WEST.normalize(), EAST.normalize()]
    assert on_lattice(read.areas)
    assert read.areas.crs.to_epsg() == 4326
    assert read.datum == "wgs84"
    assert read.warnings == ()


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "fgb", "kml"])
def test_content_counts_not_the_extension(tmp_path, kind):
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


def test_newline_delimited_geojson_is_known_without_its_extension(tmp_path):
    lines = [json.dumps(feature(polygon(SQUARE), code=str(number))) for number in range(3)]
    (tmp_path / "a.json").write_text("\n".join(lines))
    assert read_areas(tmp_path / "a.json").areas["area_code"].tolist() == ["0", "1", "2"]


def test_geojson_with_a_byte_order_mark_or_in_gb18030(tmp_path):
    text = json.dumps(
        {"type": "FeatureCollection", "features": [feature(polygon(SQUARE), 名称="塆子村")]}, ensure_ascii=False
    )
    (tmp_path / "bom.geojson").write_bytes(text.encode("utf-8-sig"))
    assert read_areas(tmp_path / "bom.geojson").areas["name"].tolist() == ["塆子村"]
    (tmp_path / "gbk.geojson").write_bytes(text.encode("gb18030"))
    read = read_areas(tmp_path / "gbk.geojson")
    assert read.areas["name"].tolist() == ["塆子村"]
    assert "UTF-8" in read.warnings[0]


# Shapefiles.


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "GB18030"])
@pytest.mark.parametrize("with_cpg", [True, False])
def test_a_shapefile_in_any_encoding_with_and_without_cpg(tmp_path, encoding, with_cpg):
    two_areas(编码=["420506001", "420506002"], 名称=["夷陵区塆子村", "小溪塔"]).to_file(
        tmp_path / "a.shp", encoding=encoding
    )
    if not with_cpg:
        (tmp_path / "a.cpg").unlink()
    read = read_areas(tmp_path / "a.shp")
    assert read.areas["area_code"].tolist() == ["420506001", "420506002"]
    assert read.areas["name"].tolist() == ["夷陵区塆子村", "小溪塔"]
    assert read.warnings == ()


def test_a_cpg_that_lies_is_found_out(tmp_path):
    two_areas(code=["1", "2"], name=["夷陵区", "小溪塔"]).to_file(tmp_path / "a.shp", encoding="GBK")
    (tmp_path / "a.cpg").write_text("UTF-8")
    read = read_areas(tmp_path / "a.shp")
    assert read.areas["name"].tolist() == ["夷陵区", "小溪塔"]
    assert "a.shp" in read.warnings[0]
    assert "gb18030" in read.warnings[0]


def test_a_character_cut_by_the_width_of_its_field_does_not_spoil_the_encoding(tmp_path):
    """Ten bytes hold three Chinese characters of UTF-8 and a third of a fourth."""
    two_areas(code=["1", "2"], name=["夷陵区小", "小溪塔塆"]).to_file(tmp_path / "a.shp", encoding="UTF-8")
    content = (tmp_path / "a.dbf").read_bytes()
    (tmp_path / "a.cpg").unlink()
    cut = content.replace("夷陵区小".encode(), "夷陵区小".encode()[:10] + b"  ")
    assert cut != content
    (tmp_path / "a.dbf").write_bytes(cut)
    assert read_areas(tmp_path / "a.shp").areas["name"].tolist() == ["夷陵区", "小溪塔塆"]


def test_text_in_no_known_encoding_asks_for_it(tmp_path, refused):
    two_areas(code=["1", "2"], name=["abcd", "efgh"]).to_file(tmp_path / "a.shp", encoding="UTF-8")
    (tmp_path / "a.cpg").unlink()
    dbf = tmp_path / "a.dbf"
    dbf.write_bytes(dbf.read_bytes().replace(b"abcd", b"\xff\xfe\xfd\xfc"))
    with refused(BadValue, "a.shp", "utf-8, gb18030"):
        read_areas(dbf.with_suffix(".shp"))
    assert len(read_areas(tmp_path / "a.shp", encoding="latin-1").areas) == 2


def test_a_shapefile_without_index_is_read_and_left_as_it_was(tmp_path):
    two_areas().to_file(tmp_path / "a.shp")
    (tmp_path / "a.shx").unlink()
    before = sorted(entry.name for entry in tmp_path.iterdir())
    read = read_areas(tmp_path / "a.shp")
    assert len(read.areas) == 2
    assert ".shx" in read.warnings[0]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


def test_a_shapefile_without_table_numbers_its_areas(tmp_path):
    two_areas().to_file(tmp_path / "a.shp")
    (tmp_path / "a.dbf").unlink()
    read = read_areas(tmp_path / "a.shp")
    assert read.areas["area_code"].tolist() == ["0", "1"]
    assert ".dbf" in read.warnings[0]


@pytest.mark.parametrize("part", ["shp", "shx", "dbf"])
def test_a_part_of_no_bytes_is_named(tmp_path, refused, part):
    two_areas().to_file(tmp_path / "a.shp")
    (tmp_path / f"a.{part}").write_bytes(b"")
    with refused(UnreadableFile, "a.shp", "empty"):
        read_areas(tmp_path / "a.shp")


def test_a_broken_table_is_named(tmp_path, refused):
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


def test_a_zipped_shapefile_in_a_folder_within(tmp_path):
    two_areas().to_file(tmp_path / "villages.SHP".lower(), encoding="GBK")
    assert len(read_areas(zipped(tmp_path, within="data/")).areas) == 2


def test_a_zip_of_upper_case_parts_named_in_gbk(tmp_path):
    two_areas().to_file(tmp_path / "x.shp")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in ("shp", "shx", "dbf", "prj"):
            # As Windows writes it: bytes of GBK in a field meant for code page 437.
            archive.write(tmp_path / f"x.{part}", "村界".encode("gb18030").decode("cp437") + f".{part.upper()}")
    assert len(read_areas(path).areas) == 2


def test_several_shapefiles_in_a_zip_ask_which(tmp_path, refused):
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


def test_several_layers_ask_which(tmp_path, refused):
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
def test_codes_are_text_from_the_likeliest_column(tmp_path, columns, codes):
    two_areas(**columns).to_file(tmp_path / "a.gpkg")
    assert read_areas(tmp_path / "a.gpkg").areas["area_code"].tolist() == codes


def test_numbers_given_to_geojson_features_are_their_codes(tmp_path):
    features = [{**feature(polygon(SQUARE)), "id": 420506}, {**feature(polygon(SQUARE)), "id": 420507}]
    assert read_areas(collection(tmp_path, *features)).areas["area_code"].tolist() == ["420506", "420507"]


def test_columns_the_user_names(tmp_path, refused):
    two_areas(乡=["a", "b"], 类=[111.0, 220.0], 名=["甲", "乙"]).to_file(tmp_path / "a.gpkg")
    read = read_areas(tmp_path / "a.gpkg", code="乡", name="名", settlement="类", level="village")
    assert read.areas["area_code"].tolist() == ["a", "b"]
    assert read.areas["name"].tolist() == ["甲", "乙"]
    assert read.areas["settlement"].tolist() == ["111", "220"]
    assert read.areas["level"].tolist() == ["village", "village"]
    with refused(MissingColumn, "a.gpkg", "dm", "乡, 类, 名"):
        read_areas(tmp_path / "a.gpkg", code="dm")


def test_a_doubled_code_names_both_features(tmp_path, refused):
    two_areas(code=["420506", "420506"], name=["甲", "乙"]).to_file(tmp_path / "a.gpkg")
    with refused(DuplicateId, "feature 1", "feature 0", "420506", "乙"):
        read_areas(tmp_path / "a.gpkg")


def test_an_empty_code_and_one_cut_by_a_spreadsheet_are_refused(tmp_path, refused):
    two_areas(code=["420506", None]).to_file(tmp_path / "a.gpkg")
    with refused(BadValue, "feature 1", "field code", "empty"):
        read_areas(tmp_path / "a.gpkg")
    two_areas(code=["420506", "4.20506E+11"]).to_file(tmp_path / "b.gpkg")
    with refused(BadValue, "feature 1", "4.20506E+11", "spreadsheet"):
        read_areas(tmp_path / "b.gpkg")


# Datums.


def test_gcj02_is_converted_and_shared_borders_stay_shared(tmp_path):
    """A T-junction on a long edge: the vertex goes in before conversion, or the border would open by decimetres."""
    wide = shapely.box(111.0, 30.0, 111.5, 30.5)
    low, high = shapely.box(111.5, 30.0, 112.0, 30.2), shapely.box(111.5, 30.2, 112.0, 30.5)
    frame = gpd.GeoDataFrame({"code": ["w", "l", "h"]}, geometry=[wide, low, high], crs=4326)
    frame.to_file(tmp_path / "a.gpkg")
    read = read_areas(tmp_path / "a.gpkg", datum="gcj02")
    edges = [edge for area in read.areas.geometry for edge in itertools.pairwise(area.exterior.coords)]
    # Wide against low, wide against high, low against high, each both ways.
    assert sum(edge[::-1] in edges for edge in edges) == 6
    assert len(shapely.union_all(read.areas.geometry.to_numpy()).interiors) == 0
    moved_m = Geod(ellps="WGS84").inv(*wide.exterior.coords[0], *read.areas.geometry[0].exterior.coords[0])[2]
    assert 100 < moved_m < 700
    assert read.datum == "gcj02"


def test_gcj02_returns_to_where_it_was(tmp_path):
    frame = two_areas()
    given = shapely.transform(frame.geometry.to_numpy(), gcj02_from_wgs84)
    frame.set_geometry(gpd.GeoSeries(given, crs=4326)).to_file(tmp_path / "a.gpkg")
    read = read_areas(tmp_path / "a.gpkg", datum="gcj02")
    for got, meant in zip(read.areas.geometry, [WEST, EAST], strict=True):
        assert shapely.equals_exact(got.normalize(), meant.normalize(), 1.5e-7)


@pytest.mark.parametrize("datum", [None, "EPSG:4547"])
def test_a_projected_file_uses_its_own_crs(tmp_path, datum):
    two_areas().to_crs(4547).to_file(tmp_path / "a.shp")
    read = read_areas(tmp_path / "a.shp", datum=datum)
    assert read.datum == "EPSG:4547"
    assert [
        shapely.equals_exact(a.normalize(), b.normalize(), 2e-7)
        for a, b in zip(read.areas.geometry, [WEST, EAST], strict=True)
    ]
    assert shapely.hausdorff_distance(read.areas.geometry[0], WEST) < 2e-7


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_degrees_stated_for_a_projected_file_contradict_it(tmp_path, refused, datum):
    two_areas().to_crs(4547).to_file(tmp_path / "a.shp")
    with refused(BadValue, "a.shp", datum, "EPSG:4547"):
        read_areas(tmp_path / "a.shp", datum=datum)


def test_a_projection_stated_for_a_file_in_degrees_contradicts_it(tmp_path, refused):
    two_areas().to_file(tmp_path / "a.shp")
    with refused(BadValue, "a.shp", "EPSG:4547", "wgs84"):
        read_areas(tmp_path / "a.shp", datum="EPSG:4547")


def test_geojson_says_nothing_of_its_crs_so_a_projection_may_be_stated(tmp_path):
    projected = shapely.get_coordinates(two_areas().to_crs(4547).geometry[0]).tolist()
    read = read_areas(collection(tmp_path, feature(polygon(projected))), datum="EPSG:4547")
    assert shapely.hausdorff_distance(read.areas.geometry[0], WEST) < 2e-7


def test_a_stated_projection_other_than_the_files_is_taken_with_a_warning(tmp_path):
    two_areas().to_crs(4547).to_file(tmp_path / "a.shp")
    read = read_areas(tmp_path / "a.shp", datum="EPSG:4546")
    assert "EPSG:4546" in read.warnings[0]
    assert "EPSG:4547" in read.warnings[0]


def test_an_unknown_datum_lists_the_known(tmp_path, refused):
    two_areas().to_file(tmp_path / "a.gpkg")
    with refused(UnknownDatum, "a.gpkg", "mars2000", "gcj02"):
        read_areas(tmp_path / "a.gpkg", datum="mars2000")


# Coordinates.


def test_swapped_longitude_and_latitude_are_named(tmp_path, refused):
    swapped = [[y, x] for x, y in SQUARE]
    with refused(OutOfPlace, "swapped", "feature 0"):
        read_areas(collection(tmp_path, feature(polygon(swapped), code="420506")))


def test_swapped_coordinates_that_could_be_real_are_named_too(tmp_path, refused):
    """Western China turned over lies in the Arctic Ocean: within range, and no place for a bank."""
    west = [[y, x] for x, y in ([88.0, 43.0], [88.2, 43.0], [88.2, 43.2], [88.0, 43.0])]
    with refused(OutOfPlace, "swapped"):
        read_areas(collection(tmp_path, feature(polygon(west))))


@pytest.mark.parametrize("lon", [9.5, -51.2, 15.6, 179.9])
def test_other_countries_are_not_taken_for_swapped(tmp_path, lon):
    ring = [[lon + x / 100, 78.2 + y / 100] for x, y in ((0, 0), (1, 0), (1, 1), (0, 0))]
    assert len(read_areas(collection(tmp_path, feature(polygon(ring)))).areas) == 1


@pytest.mark.parametrize("bad", ["1e308", "1e400", "NaN", "-1e308"])
def test_numbers_that_are_no_place_are_refused(tmp_path, refused, bad):
    text = json.dumps({"type": "FeatureCollection", "features": [feature(polygon(SQUARE), code="7")]})
    (tmp_path / "a.geojson").write_text(text.replace("111.1, 30.1", f"{bad}, 30.1"))
    with pytest.raises((OutOfPlace, UnreadableFile)) as caught:
        read_areas(tmp_path / "a.geojson")
    assert "a.geojson" in str(caught.value)


def test_infinite_coordinates_in_a_binary_format_name_the_feature(tmp_path, refused):
    ring = np.array(SQUARE)
    ring[2] = [np.inf, 30.1]
    frame = gpd.GeoDataFrame({"code": ["7", "8"]}, geometry=[WEST, shapely.Polygon(ring)], crs=4326)
    frame.to_parquet(tmp_path / "a.parquet")
    with refused(OutOfPlace, "feature 1", "code 8", "finite"):
        read_areas(tmp_path / "a.parquet")


def test_metres_without_a_datum_ask_for_it(tmp_path, refused):
    two_areas().to_crs(4547).to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with refused(OutOfPlace, "a.shp", "not on Earth", "EPSG:4547"):
        read_areas(tmp_path / "a.shp")


def test_swapped_easting_and_northing_are_named(tmp_path, refused):
    frame = two_areas().to_crs(4547)
    turned = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    frame.set_geometry(gpd.GeoSeries(turned, crs=4547)).to_file(tmp_path / "a.shp")
    with refused(OutOfPlace, "a.shp", "swapped"):
        read_areas(tmp_path / "a.shp")


# Rings and kinds of geometry.


@pytest.mark.parametrize(
    ("rings", "said"),
    [
        ([BOW_TIE], "crosses itself"),
        ([SQUARE, [[112.0, 30.0], [112.1, 30.0], [112.1, 30.1], [112.0, 30.0]]], "outside"),
        ([SQUARE, SQUARE], "ring"),
        ([[*SQUARE[:3], [111.05, 30.0], [111.05, 29.9], [111.0, 29.9], [111.0, 30.0]]], "ring 0"),
    ],
    ids=["bow tie", "hole outside", "hole over shell", "touching"],
)
def test_an_improper_ring_is_named_with_its_place(tmp_path, refused, rings, said):
    path = collection(
        tmp_path, feature(polygon(SQUARE), code="1"), feature(polygon(*rings), code="420506", name="塆子村")
    )
    with refused(InvalidGeometry, "a.geojson", "feature 1", "code 420506", "塆子村", said, "--repair"):
        read_areas(path)


def test_the_place_of_a_crossing_is_where_it_is(tmp_path):
    with pytest.raises(InvalidGeometry) as caught:
        read_areas(collection(tmp_path, feature(polygon(BOW_TIE), code="1")))
    place = caught.value.place
    assert (place.lon, place.lat) == pytest.approx((111.05, 30.05))
    assert "111.0500000, 30.0500000" in str(caught.value)


def test_the_ring_that_crosses_is_counted_through_holes(tmp_path):
    hole = [[111.02, 30.02], [111.04, 30.04], [111.04, 30.02], [111.02, 30.04], [111.02, 30.02]]
    with pytest.raises(InvalidGeometry) as caught:
        read_areas(collection(tmp_path, feature(polygon(SQUARE, hole), code="1")))
    assert "ring 1" in str(caught.value)


def test_repair_untangles_and_says_what_changed(tmp_path):
    path = collection(tmp_path, feature(polygon(BOW_TIE), code="1"), feature(polygon(SQUARE), code="2"))
    read = read_areas(path, repair=True)
    assert shapely.is_valid(read.areas.geometry.to_numpy()).all()
    assert read.areas.geometry[0].area == pytest.approx(0.005, rel=1e-6)
    assert len(read.repaired) == 1
    assert read.repaired[0].moved_m == pytest.approx(0, abs=0.02)
    # The bow-tie's signed areas cancel, so all it has now is won.
    assert read.repaired[0].area_change_m2 == pytest.approx(0.005 * 111_320**2 * np.cos(np.radians(30.05)), rel=0.01)
    assert "feature 0" in read.warnings[0]


def test_an_open_ring_is_refused_and_closed_on_request(tmp_path, refused):
    path = collection(tmp_path, feature(polygon(SQUARE), code="1"), feature(polygon(SQUARE[:4]), code="2"))
    with refused(InvalidGeometry, "feature 1", "not closed"):
        read_areas(path)
    read = read_areas(path, repair=True)
    assert read.areas.geometry[1].normalize() == WEST.normalize()
    assert "closed" in read.warnings[0]


def test_a_ring_of_two_points_is_refused(tmp_path, refused):
    with refused(InvalidGeometry, "feature 0"):
        read_areas(collection(tmp_path, feature(polygon(SQUARE[:2]), code="1")))


@pytest.mark.parametrize("geometry", [None, polygon(), {"type": "GeometryCollection", "geometries": []}])
def test_a_feature_without_geometry_is_refused(tmp_path, refused, geometry):
    path = collection(tmp_path, feature(polygon(SQUARE), code="1"), feature(geometry, code="420506"))
    with refused(InvalidGeometry, "feature 1", "code 420506", "no geometry"):
        read_areas(path)


def test_polygons_are_taken_out_of_a_geometry_collection(tmp_path):
    inner = {"type": "GeometryCollection", "geometries": [polygon([[x + 0.2, y] for x, y in SQUARE])]}
    geometries = [polygon(SQUARE), {"type": "LineString", "coordinates": SQUARE[:2]}, inner]
    read = read_areas(collection(tmp_path, feature({"type": "GeometryCollection", "geometries": geometries}, code="1")))
    assert read.areas.geometry[0].area == pytest.approx(0.02)
    assert "feature 0" in read.warnings[0]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [111, 30]},
        {"type": "LineString", "coordinates": SQUARE},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [111, 30]}]},
    ],
)
def test_what_is_no_polygon_is_refused(tmp_path, refused, geometry):
    with refused(InvalidGeometry, "feature 0", geometry["type"]):
        read_areas(collection(tmp_path, feature(geometry, code="1")))


def test_heights_are_dropped_and_doubled_vertices_too(tmp_path):
    ring = [[*point, 5.0] for point in SQUARE]
    ring.insert(2, [111.1 + 1e-9, 30.0, 7.0])
    read = read_areas(collection(tmp_path, feature(polygon(ring), code="1")))
    assert not shapely.has_z(read.areas.geometry[0])
    assert len(read.areas.geometry[0].exterior.coords) == 5


def test_what_vanishes_on_the_lattice_is_refused(tmp_path, refused):
    tiny = [[111 + x * 2e-8, 30 + y * 2e-8] for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
    with refused(InvalidGeometry, "feature 0", "small"):
        read_areas(collection(tmp_path, feature(polygon(tiny), code="1")))


def test_a_needle_that_rounding_folds_is_mended_and_named(tmp_path):
    needle = [
        [111.0, 30.0],
        [111.1, 30.0],
        [111.1, 30.1],
        [111.05, 30.05],
        [111.05 + 3e-8, 30.2],
        [111.05 - 3e-8, 30.2],
        [111.05 - 2e-8, 30.05],
        [111.0, 30.1],
        [111.0, 30.0],
    ]
    read = read_areas(collection(tmp_path, feature(polygon(needle), code="1")))
    assert read.areas.geometry[0].is_valid
    assert on_lattice(read.areas)
    assert re.search("rounding.*1", read.warnings[0])


def test_the_file_is_not_changed_and_nothing_is_left_behind(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    path = tmp_path / "a.gpkg"
    two_areas().to_file(path)
    before = path.read_bytes()
    read_areas(path)
    shutil.copy(path, tmp_path / "b.shp")
    assert path.read_bytes() == before
    assert list(scratch.iterdir()) == []
