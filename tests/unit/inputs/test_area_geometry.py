"""Where areas lie and what their rings are: datums, coordinates, rings; what is accepted, and what is refused."""

from __future__ import annotations

import itertools
import json
import re
import shutil

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from gridmap.errors import (
    BadValue,
    InvalidGeometry,
    OutOfPlace,
    UnknownDatum,
    UnreadableFile,
)
from gridmap.geometry.datum import gcj02_from_wgs84
from gridmap.inputs import read_areas

SQUARE = [[111.0, 30.0], [111.1, 30.0], [111.1, 30.1], [111.0, 30.1], [111.0, 30.0]]
BOW_TIE = [[111.0, 30.0], [111.1, 30.1], [111.1, 30.0], [111.0, 30.1], [111.0, 30.0]]


def polygon(*rings: list[list[float]]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": list(rings)}


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


def test_gcj02_returns_to_where_it_was(tmp_path, two_areas, west, east):
    frame = two_areas()
    given = shapely.transform(frame.geometry.to_numpy(), gcj02_from_wgs84)
    frame.set_geometry(gpd.GeoSeries(given, crs=4326)).to_file(tmp_path / "a.gpkg")
    read = read_areas(tmp_path / "a.gpkg", datum="gcj02")
    for got, meant in zip(read.areas.geometry, [west, east], strict=True):
        assert shapely.equals_exact(got.normalize(), meant.normalize(), 1.5e-7)


@pytest.mark.parametrize("datum", [None, "EPSG:4547"])
def test_a_projected_file_uses_its_own_crs(tmp_path, datum, two_areas, west, east):
    two_areas().to_crs(4547).to_file(tmp_path / "a.shp")
    read = read_areas(tmp_path / "a.shp", datum=datum)
    assert read.datum == "EPSG:4547"
    assert [
        shapely.equals_exact(a.normalize(), b.normalize(), 2e-7)
        for a, b in zip(read.areas.geometry, [west, east], strict=True)
    ]
    assert shapely.hausdorff_distance(read.areas.geometry[0], west) < 2e-7


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_degrees_stated_for_a_projected_file_contradict_it(tmp_path, refused, datum, two_areas):
    two_areas().to_crs(4547).to_file(tmp_path / "a.shp")
    with refused(BadValue, "a.shp", datum, "EPSG:4547"):
        read_areas(tmp_path / "a.shp", datum=datum)


def test_a_projection_stated_for_a_file_in_degrees_contradicts_it(tmp_path, refused, two_areas):
    two_areas().to_file(tmp_path / "a.shp")
    with refused(BadValue, "a.shp", "EPSG:4547", "wgs84"):
        read_areas(tmp_path / "a.shp", datum="EPSG:4547")


def test_geojson_says_nothing_of_its_crs_so_a_projection_may_be_stated(tmp_path, two_areas, west, feature, collection):
    projected = shapely.get_coordinates(two_areas().to_crs(4547).geometry[0]).tolist()
    read = read_areas(collection(tmp_path, feature(polygon(projected))), datum="EPSG:4547")
    assert shapely.hausdorff_distance(read.areas.geometry[0], west) < 2e-7


def test_a_stated_projection_other_than_the_files_is_taken_with_a_warning(tmp_path, two_areas):
    two_areas().to_crs(4547).to_file(tmp_path / "a.shp")
    read = read_areas(tmp_path / "a.shp", datum="EPSG:4546")
    assert "EPSG:4546" in read.warnings[0]
    assert "EPSG:4547" in read.warnings[0]


def test_an_unknown_datum_lists_the_known(tmp_path, refused, two_areas):
    two_areas().to_file(tmp_path / "a.gpkg")
    with refused(UnknownDatum, "a.gpkg", "mars2000", "gcj02"):
        read_areas(tmp_path / "a.gpkg", datum="mars2000")


# Coordinates.


def test_swapped_longitude_and_latitude_are_named(tmp_path, refused, feature, collection):
    swapped = [[y, x] for x, y in SQUARE]
    with refused(OutOfPlace, "swapped", "feature 0"):
        read_areas(collection(tmp_path, feature(polygon(swapped), code="420506")))


def test_swapped_coordinates_that_could_be_real_are_named_too(tmp_path, refused, feature, collection):
    """Western China turned over lies in the Arctic Ocean: within range, and no place for a bank."""
    turned = [[y, x] for x, y in ([88.0, 43.0], [88.2, 43.0], [88.2, 43.2], [88.0, 43.0])]
    with refused(OutOfPlace, "swapped"):
        read_areas(collection(tmp_path, feature(polygon(turned))))


@pytest.mark.parametrize("lon", [9.5, -51.2, 15.6, 179.9])
def test_other_countries_are_not_taken_for_swapped(tmp_path, lon, feature, collection):
    ring = [[lon + x / 100, 78.2 + y / 100] for x, y in ((0, 0), (1, 0), (1, 1), (0, 0))]
    assert len(read_areas(collection(tmp_path, feature(polygon(ring)))).areas) == 1


@pytest.mark.parametrize("bad", ["1e308", "1e400", "NaN", "-1e308"])
def test_numbers_that_are_no_place_are_refused(tmp_path, refused, bad, feature):
    text = json.dumps({"type": "FeatureCollection", "features": [feature(polygon(SQUARE), code="7")]})
    (tmp_path / "a.geojson").write_text(text.replace("111.1, 30.1", f"{bad}, 30.1"))
    with pytest.raises((OutOfPlace, UnreadableFile)) as caught:
        read_areas(tmp_path / "a.geojson")
    assert "a.geojson" in str(caught.value)


def test_infinite_coordinates_in_a_binary_format_name_the_feature(tmp_path, refused, west):
    ring = np.array(SQUARE)
    ring[2] = [np.inf, 30.1]
    frame = gpd.GeoDataFrame({"code": ["7", "8"]}, geometry=[west, shapely.Polygon(ring)], crs=4326)
    frame.to_parquet(tmp_path / "a.parquet")
    with refused(OutOfPlace, "feature 1", "code 8", "finite"):
        read_areas(tmp_path / "a.parquet")


def test_metres_without_a_datum_ask_for_it(tmp_path, refused, two_areas):
    two_areas().to_crs(4547).to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with refused(OutOfPlace, "a.shp", "not on Earth", "EPSG:4547"):
        read_areas(tmp_path / "a.shp")


def test_swapped_easting_and_northing_are_named(tmp_path, refused, two_areas):
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
def test_an_improper_ring_is_named_with_its_place(tmp_path, refused, rings, said, feature, collection):
    path = collection(
        tmp_path, feature(polygon(SQUARE), code="1"), feature(polygon(*rings), code="420506", name="塆子村")
    )
    with refused(InvalidGeometry, "a.geojson", "feature 1", "code 420506", "塆子村", said, "--repair"):
        read_areas(path)


def test_the_place_of_a_crossing_is_where_it_is(tmp_path, feature, collection):
    with pytest.raises(InvalidGeometry) as caught:
        read_areas(collection(tmp_path, feature(polygon(BOW_TIE), code="1")))
    place = caught.value.place
    assert (place.lon, place.lat) == pytest.approx((111.05, 30.05))
    assert "111.0500000, 30.0500000" in str(caught.value)


def test_the_ring_that_crosses_is_counted_through_holes(tmp_path, feature, collection):
    hole = [[111.02, 30.02], [111.04, 30.04], [111.04, 30.02], [111.02, 30.04], [111.02, 30.02]]
    with pytest.raises(InvalidGeometry) as caught:
        read_areas(collection(tmp_path, feature(polygon(SQUARE, hole), code="1")))
    assert "ring 1" in str(caught.value)


def test_repair_untangles_and_says_what_changed(tmp_path, feature, collection):
    path = collection(tmp_path, feature(polygon(BOW_TIE), code="1"), feature(polygon(SQUARE), code="2"))
    read = read_areas(path, repair=True)
    assert shapely.is_valid(read.areas.geometry.to_numpy()).all()
    assert read.areas.geometry[0].area == pytest.approx(0.005, rel=1e-6)
    assert len(read.repaired) == 1
    assert read.repaired[0].moved_m == pytest.approx(0, abs=0.02)
    # The bow-tie's signed areas cancel, so all it has now is won.
    assert read.repaired[0].area_change_m2 == pytest.approx(0.005 * 111_320**2 * np.cos(np.radians(30.05)), rel=0.01)
    assert "feature 0" in read.warnings[0]


def test_an_open_ring_is_refused_and_closed_on_request(tmp_path, refused, west, feature, collection):
    path = collection(tmp_path, feature(polygon(SQUARE), code="1"), feature(polygon(SQUARE[:4]), code="2"))
    with refused(InvalidGeometry, "feature 1", "not closed"):
        read_areas(path)
    read = read_areas(path, repair=True)
    assert read.areas.geometry[1].normalize() == west.normalize()
    assert "closed" in read.warnings[0]


def test_a_ring_of_two_points_is_refused(tmp_path, refused, feature, collection):
    with refused(InvalidGeometry, "feature 0"):
        read_areas(collection(tmp_path, feature(polygon(SQUARE[:2]), code="1")))


@pytest.mark.parametrize("geometry", [None, polygon(), {"type": "GeometryCollection", "geometries": []}])
def test_a_feature_without_geometry_is_refused(tmp_path, refused, geometry, feature, collection):
    path = collection(tmp_path, feature(polygon(SQUARE), code="1"), feature(geometry, code="420506"))
    with refused(InvalidGeometry, "feature 1", "code 420506", "no geometry"):
        read_areas(path)


def test_polygons_are_taken_out_of_a_geometry_collection(tmp_path, feature, collection):
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
def test_what_is_no_polygon_is_refused(tmp_path, refused, geometry, feature, collection):
    with refused(InvalidGeometry, "feature 0", geometry["type"]):
        read_areas(collection(tmp_path, feature(geometry, code="1")))


def test_heights_are_dropped_and_doubled_vertices_too(tmp_path, feature, collection):
    ring = [[*point, 5.0] for point in SQUARE]
    ring.insert(2, [111.1 + 1e-9, 30.0, 7.0])
    read = read_areas(collection(tmp_path, feature(polygon(ring), code="1")))
    assert not shapely.has_z(read.areas.geometry[0])
    assert len(read.areas.geometry[0].exterior.coords) == 5


def test_what_vanishes_on_the_lattice_is_refused(tmp_path, refused, feature, collection):
    tiny = [[111 + x * 2e-8, 30 + y * 2e-8] for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
    with refused(InvalidGeometry, "feature 0", "small"):
        read_areas(collection(tmp_path, feature(polygon(tiny), code="1")))


def test_a_needle_that_rounding_folds_is_mended_and_named(tmp_path, feature, collection, on_lattice):
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


def test_the_file_is_not_changed_and_nothing_is_left_behind(tmp_path, monkeypatch, two_areas):
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
