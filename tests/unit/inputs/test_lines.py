"""Roads and barriers: any line file, the classes that are wanted, junctions that stay junctions, every slip refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from gridmap.domain.inputs import Lines
from gridmap.domain.plan_settings import LineSource, RoadSource
from gridmap.errors import BadValue, InvalidGeometry, MissingColumn, OutOfPlace, TooLarge, UnknownDatum, UnreadableFile
from gridmap.geometry.datum import gcj02_from_wgs84
from gridmap.geometry.lattice import to_units
from gridmap.inputs.lines import read_lines
from gridmap.settings import Settings

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"
WEST, EAST = (111.0, 30.0), (111.1, 30.0)
MAIN = shapely.LineString([WEST, EAST])
#: Ends in the middle of the main road, which has no vertex there.
SIDE = shapely.LineString([(111.04, 30.0), (111.04, 30.1)])


def roads(folder: Path, file: str = "a.gpkg", **source: object) -> tuple[Lines, tuple[str, ...]]:
    return read_lines(RoadSource.model_validate({"path": file, **source}), folder)


def barriers(folder: Path, file: str = "a.gpkg", **source: object) -> tuple[Lines, tuple[str, ...]]:
    return read_lines(LineSource.model_validate({"path": file, **source}), folder, outlines=True)


def write(path: Path, geometry: list[object], crs: object = 4326, **columns: object) -> None:
    frame = gpd.GeoDataFrame(columns or {"class": ["x"] * len(geometry)}, geometry=geometry, crs=crs)
    frame.to_file(path, driver="LIBKML" if path.suffix == ".kml" else None, encoding="UTF-8")


def vertices(lines: Lines) -> set[tuple[float, float]]:
    return {tuple(xy) for xy in shapely.get_coordinates(lines.geometry).tolist()}


def junctions(lines: Lines) -> list[tuple[float, float]]:
    """Points where three or more edges end, counted in whole lattice units."""
    ends = Counter(
        tuple(point)
        for line in lines.geometry
        for edge in zip(
            to_units(shapely.get_coordinates(line))[:-1], to_units(shapely.get_coordinates(line))[1:], strict=True
        )
        for point in map(tuple, edge)
    )
    return [point for point, count in ends.items() if count >= 3]


def test_the_sample_is_read_as_it_stands():
    lines, warnings = roads(SAMPLES, "roads.geojson", datum="wgs84")
    written = json.loads((SAMPLES / "roads.geojson").read_text("utf-8"))["features"]
    assert warnings == ()
    assert lines.source == "roads.geojson"
    assert Counter(lines.class_of) == Counter(feature["properties"]["class"] for feature in written)
    read = {(line.coords[0], line.coords[-1]) for line in lines.geometry}
    ends = [feature["geometry"]["coordinates"] for feature in written]
    assert read == {(tuple(one[0]), tuple(one[-1])) for one in ends}
    assert vertices(lines) >= {tuple(point) for one in ends for point in one}


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "fgb", "shp", "kml"])
def test_every_format_gives_the_same_lines(tmp_path, kind):
    write(tmp_path / f"a.{kind}", [MAIN, SIDE], 等级=["国道", "县道"])
    lines, _ = roads(tmp_path, f"a.{kind}")
    assert lines.class_of.tolist() == ["国道", "县道"]
    assert [line.coords[-1] for line in lines.geometry] == [EAST, (111.04, 30.1)]


def test_the_order_of_the_features_decides_nothing(tmp_path):
    rng = np.random.default_rng(7)
    walks = np.array(WEST) + np.cumsum(rng.normal(0, 0.002, (60, 9, 2)), axis=1)
    frame = gpd.GeoDataFrame({"class": [f"c{n % 4}" for n in range(60)]}, geometry=shapely.linestrings(walks), crs=4326)
    frame.to_file(tmp_path / "a.gpkg")
    frame.iloc[rng.permutation(60)].to_file(tmp_path / "b.gpkg")
    one, other = roads(tmp_path)[0], roads(tmp_path, "b.gpkg")[0]
    assert shapely.to_wkb(one.geometry).tolist() == shapely.to_wkb(other.geometry).tolist()
    assert one.class_of.tolist() == other.class_of.tolist()


def test_multilines_are_split_and_keep_their_class(tmp_path):
    write(tmp_path / "a.gpkg", [shapely.MultiLineString([MAIN, SIDE]), shapely.MultiLineString([[EAST, (111.2, 30)]])],
          fclass=["primary", "trunk"])  # fmt: skip
    lines, _ = roads(tmp_path)
    assert shapely.get_type_id(lines.geometry).tolist() == [shapely.GeometryType.LINESTRING] * 3
    assert sorted(lines.class_of) == ["primary", "primary", "trunk"]


@pytest.mark.parametrize("column", ["class", "highway", "fclass", "等级", "道路等级", "Road Class"])
def test_classes_that_are_wanted(tmp_path, column):
    write(tmp_path / "a.gpkg", [MAIN, SIDE], **{column: ["Motorway Link", "path"]})
    lines, warnings = roads(tmp_path, classes=["motorway_link"])
    assert lines.class_of.tolist() == ["Motorway Link"]
    assert warnings == ()


def test_a_column_of_classes_the_user_names(tmp_path, refused):
    write(tmp_path / "a.gpkg", [MAIN, SIDE], rang=["1", "2"], highway=["a", "b"])
    assert roads(tmp_path, class_column="rang", classes=["2"])[0].class_of.tolist() == ["2"]
    with refused(MissingColumn, "a.gpkg", '"Rang 2"', "rang, highway"):
        roads(tmp_path, class_column="Rang 2")


def test_a_class_that_no_line_has(tmp_path, refused):
    write(tmp_path / "a.gpkg", [MAIN, SIDE, MAIN], 等级=["国道", "县道", "县道"])
    with refused(BadValue, "a.gpkg", "field 等级", "高速公路, primary", "县道 (2), 国道 (1)"):
        roads(tmp_path, classes=["国道", "高速公路", "primary"])
    many = [shapely.LineString([(111, 30 + n / 100), EAST]) for n in range(25)]
    write(tmp_path / "b.gpkg", many, highway=[f"h{n:02}" for n in range(25)])
    with refused(BadValue, "h00 (1)", "h19 (1), …"):
        roads(tmp_path, "b.gpkg", classes=["x"])


def test_classes_asked_for_where_there_are_none(tmp_path, refused):
    write(tmp_path / "a.gpkg", [MAIN, SIDE], name=["a", "b"])
    assert roads(tmp_path)[0].class_of.tolist() == ["", ""]
    with refused(MissingColumn, "a.gpkg", "there are: name", "class_column"):
        roads(tmp_path, classes=["primary"])
    write(tmp_path / "b.gpkg", [MAIN, SIDE], highway=["primary", None])
    lines, warnings = roads(tmp_path, "b.gpkg", classes=["primary"])
    assert len(lines.geometry) == 1
    assert "without a class (column highway)" in warnings[0]


def test_features_of_other_classes_may_be_anything(tmp_path):
    write(tmp_path / "a.geojson", [MAIN, shapely.Point(WEST), None], highway=["primary", "crossing", "path"])
    assert len(roads(tmp_path, "a.geojson", classes=["primary"])[0].geometry) == 1


# Geometry.


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09", "EPSG:4547"])
def test_a_road_that_ends_on_another_still_does_in_every_datum(tmp_path, datum, on_lattice):
    crs = 4547 if datum == "EPSG:4547" else 4326
    main, side = gpd.GeoSeries([MAIN, SIDE], crs=4326).to_crs(crs)
    # On the straight line of the file's own plane, wherever that lies in WGS 84.
    foot = main.interpolate(0.4, normalized=True)
    write(tmp_path / "a.gpkg", [main, shapely.LineString([foot, side.coords[-1]])], crs=crs)
    lines, _ = roads(tmp_path, datum=datum)
    assert on_lattice(gpd.GeoDataFrame(geometry=lines.geometry, crs=4326))
    assert sorted(shapely.get_num_coordinates(lines.geometry)) == [2, 3]
    assert len(junctions(lines)) == 1


def test_vertices_come_to_wgs84(tmp_path):
    write(tmp_path / "a.gpkg", [shapely.transform(MAIN, gcj02_from_wgs84)])
    assert vertices(roads(tmp_path, datum="gcj02")[0]) == {WEST, EAST}


def test_an_end_that_six_decimals_left_beside_the_road_is_led_on_to_it(tmp_path):
    slanting = shapely.LineString([(111.0, 30.0), (111.1, 30.0333333)])
    foot = np.round(slanting.interpolate(0.37, normalized=True).coords[0], 6)
    assert 1e-8 < shapely.Point(foot).distance(slanting) < 1e-6
    write(tmp_path / "a.gpkg", [slanting, shapely.LineString([foot, (111.05, 30.1)])])
    assert len(junctions(roads(tmp_path)[0])) == 1
    corner = np.array(EAST) + 4e-7
    write(
        tmp_path / "b.gpkg",
        [MAIN, shapely.LineString([EAST, (111.2, 29.9)]), shapely.LineString([corner, (111.2, 30.1)])],
    )
    assert junctions(roads(tmp_path, "b.gpkg")[0]) == [tuple(to_units(np.array(EAST)))]


def test_an_end_a_metre_away_stays_loose(tmp_path):
    write(tmp_path / "a.gpkg", [MAIN, shapely.LineString([(111.04, 30.00001), (111.04, 30.1)])])
    lines, _ = roads(tmp_path)
    assert junctions(lines) == []
    assert vertices(lines) == {WEST, EAST, (111.04, 30.00001), (111.04, 30.1)}


def test_a_finely_drawn_line_is_not_joined_to_itself(tmp_path):
    steps = shapely.LineString([(111.0 + n * 4e-7, 30.0 + n % 2 * 3e-7) for n in range(50)])
    write(tmp_path / "a.gpkg", [steps])
    assert shapely.get_num_coordinates(roads(tmp_path)[0].geometry).tolist() == [50]


def test_lines_without_length_are_left_out_with_a_word(tmp_path):
    dots = [shapely.LineString([WEST, WEST]), shapely.LineString([EAST, (EAST[0] + 2e-8, EAST[1])])]
    write(tmp_path / "a.gpkg", [MAIN, *dots])
    lines, warnings = roads(tmp_path)
    assert len(lines.geometry) == 1
    assert len(warnings) == 1
    assert "a.gpkg, feature 1" in warnings[0]
    assert "2" in warnings[0].rsplit(":", 1)[1]


def test_nothing_left_is_refused(tmp_path, refused):
    write(tmp_path / "a.gpkg", [shapely.LineString([WEST, WEST])])
    with refused(InvalidGeometry, "a.gpkg", "(1)", "any length"):
        roads(tmp_path)
    write(tmp_path / "b.gpkg", [MAIN])
    with refused(InvalidGeometry, "b.gpkg", "other classes"):
        roads(tmp_path, "b.gpkg", classes=[])


@pytest.mark.parametrize("wrong", [shapely.Point(WEST), shapely.MultiPoint([WEST, EAST]), MAIN.buffer(0.01)])
def test_roads_must_be_lines(tmp_path, refused, wrong):
    write(tmp_path / "a.geojson", [MAIN, wrong])
    with refused(InvalidGeometry, "a.geojson", "feature 1", wrong.geom_type, "[barriers]"):
        roads(tmp_path, "a.geojson")


def test_a_feature_without_geometry_is_refused(tmp_path, refused):
    write(tmp_path / "a.geojson", [MAIN, None])
    with refused(InvalidGeometry, "a.geojson", "feature 1", "no geometry"):
        roads(tmp_path, "a.geojson")


def test_polygons_as_barriers_are_their_outlines(tmp_path):
    lake = shapely.Polygon(
        shapely.box(111, 30, 111.1, 30.1).exterior, [shapely.box(111.04, 30.04, 111.06, 30.06).exterior]
    )
    pond = shapely.box(111.2, 30.2, 111.21, 30.21)
    write(tmp_path / "a.gpkg", [lake, shapely.MultiPolygon([pond])], type=["lake", "pond"])
    lines, _ = barriers(tmp_path)
    assert sorted(lines.class_of) == ["lake", "lake", "pond"]
    assert shapely.is_closed(lines.geometry).all()
    assert shapely.union_all(lines.geometry).equals(shapely.union_all([lake.boundary, pond.boundary]))


def test_points_are_no_barriers(tmp_path, refused):
    write(tmp_path / "a.geojson", [MAIN, shapely.Point(WEST)])
    with refused(InvalidGeometry, "a.geojson", "feature 1", "Point"):
        barriers(tmp_path, "a.geojson")


def test_lines_are_taken_out_of_collections(tmp_path, refused):
    mixed = shapely.GeometryCollection([shapely.Point(WEST), shapely.MultiLineString([SIDE])])
    write(tmp_path / "a.geojson", [MAIN, mixed], highway=["primary", "path"])
    lines, warnings = roads(tmp_path, "a.geojson")
    assert lines.class_of.tolist() == ["primary", "path"]
    assert "a.geojson, feature 1" in warnings[0]
    write(tmp_path / "b.geojson", [shapely.GeometryCollection([shapely.Point(WEST)])])
    with refused(InvalidGeometry, "b.geojson", "feature 0", "GeometryCollection"):
        roads(tmp_path, "b.geojson")


# Files.


def test_a_gbk_shapefile(tmp_path):
    frame = gpd.GeoDataFrame(
        {"道路等级": ["一级公路", "村道"], "名称": ["路" * 40, "塆路"]}, geometry=[MAIN, SIDE], crs=4326
    )
    pyogrio.write_dataframe(frame, tmp_path / "a.shp", encoding="GBK")
    (tmp_path / "a.cpg").unlink(missing_ok=True)
    assert roads(tmp_path, "a.shp", classes=["一级公路"])[0].class_of.tolist() == ["一级公路"]


def test_wrong_datums(tmp_path, refused):
    write(tmp_path / "a.gpkg", [gpd.GeoSeries([MAIN], crs=4326).to_crs(4547)[0]], crs=4547)
    with refused(BadValue, "a.gpkg", "projected plane"):
        roads(tmp_path, datum="gcj02")
    with refused(UnknownDatum, "a.gpkg", "amap"):
        roads(tmp_path, datum="amap")
    metres = shapely.LineString([(500000.0, 3400000.0), (500100.0, 3400000.0)])
    write(tmp_path / "b.geojson", [metres])
    with refused(OutOfPlace, "b.geojson", "feature 0", "not on Earth", "EPSG:4547"):
        roads(tmp_path, "b.geojson")
    swapped = shapely.LineString([(30.0, 111.0), (30.1, 111.0)])
    write(tmp_path / "c.geojson", [swapped])
    with refused(OutOfPlace, "c.geojson", "feature 0", "swapped"):
        roads(tmp_path, "c.geojson")


def test_a_coordinate_that_is_no_number(tmp_path, refused):
    gpd.GeoDataFrame(
        {"id": ["1", "2"]}, geometry=[MAIN, shapely.LineString([WEST, (np.nan, 30)])], crs=4326
    ).to_parquet(tmp_path / "a.parquet")
    with refused(OutOfPlace, "a.parquet", "feature 1", "finite"):
        roads(tmp_path, "a.parquet")


def test_files_that_hold_nothing_of_use(tmp_path, refused, monkeypatch):
    (tmp_path / "a.csv").write_text("id,name\n1,x\n")
    with refused(UnreadableFile, "a.csv", "lines are needed", "CSV"):
        roads(tmp_path, "a.csv")
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with refused(UnreadableFile, "a.geojson", "no features"):
        roads(tmp_path, "a.geojson")
    with refused(UnreadableFile, "nowhere.gpkg", "no such file"):
        roads(tmp_path, "nowhere.gpkg")
    for layer in ("roads", "rails"):
        gpd.GeoDataFrame({"id": ["1"]}, geometry=[MAIN], crs=4326).to_file(tmp_path / "b.gpkg", layer=layer)
    with refused(UnreadableFile, "b.gpkg", "roads, rails"):
        roads(tmp_path, "b.gpkg")
    monkeypatch.setattr("gridmap.inputs.polygons.settings", lambda: Settings(max_vertices=1))
    with refused(TooLarge, "b.gpkg", "GRIDMAP_MAX_VERTICES"):
        roads(tmp_path, "b.gpkg", layer="rails")
