"""Roads for distance: what of a file may be travelled, which way, how fast, and what is odd about it."""

from __future__ import annotations

import zlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.domain.plan_settings import RoadSource
from gridmap.domain.roads import Profile
from gridmap.errors import InvalidGeometry, UnreadableFile
from gridmap.geometry.datum import gcj02_from_wgs84
from gridmap.inputs.formats import Format, sniff
from gridmap.inputs.road_rules import directions, passable, speeds, stated_speed
from gridmap.inputs.roads import read_roads

GROUND = np.array([shapely.box(111.0, 30.0, 111.1, 30.1)])
NOBODY = np.empty((0, 2))


def written(folder: Path, lines: list[shapely.LineString], **columns: list[object]) -> Path:
    path = folder / "roads.geojson"
    gpd.GeoDataFrame(columns or {"n": range(len(lines))}, geometry=lines, crs=4326).to_file(path)
    return path


def raster(step: float = 0.01, count: int = 9) -> list[shapely.LineString]:
    """Streets that share a vertex at every crossing."""
    places = 111.01 + step * np.arange(count), 30.01 + step * np.arange(count)
    along = [shapely.LineString([(x, y) for x in places[0]]) for y in places[1]]
    return along + [shapely.LineString([(x, y) for y in places[1]]) for x in places[0]]


def read(path: Path, facilities: np.ndarray = NOBODY, **settings: object):
    return read_roads(RoadSource(path=path.name, **settings), path.parent, GROUND, facilities)


@pytest.mark.parametrize("column", ["highway", "fclass", "class", "等级", "道路等级"])
def test_who_travels_decides_which_classes_are_used(tmp_path: Path, column: str) -> None:
    lines = [shapely.LineString([(111.0, 30.0), (111.0 + 0.01 * n, 30.05)]) for n in range(1, 6)]
    path = written(tmp_path, lines, **{column: ["motorway", "primary", "footway", "construction", "村道"]})

    on_foot, by_car = (read(path, profile=profile)[0] for profile in ("walking", "driving"))

    assert [shapely.equals(on_foot.shapes, line).any() for line in lines] == [False, True, True, False, True]
    assert [shapely.equals(by_car.shapes, line).any() for line in lines] == [True, True, False, False, True]
    assert set(on_foot.speed_kmh) == {5.0}
    assert by_car.speed_kmh.tolist() == [100.0, 60.0, 20.0]


def test_signs_count_before_classes() -> None:
    frame = pd.DataFrame(
        {
            "access": ["no", "private", "no", None, "yes"],
            "foot": [None, "yes", "yes", "no", None],
            "motor_vehicle": [None, None, "no", None, "private"],
        }
    )
    residential = np.array(["residential"] * 5, dtype=object)
    assert passable(frame, residential, Profile.WALKING).tolist() == [False, True, True, False, True]
    assert passable(frame, residential, Profile.DRIVING).tolist() == [False, False, False, True, False]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["yes", "no", "-1", None, "1", "reverse"], "> = < = > <"),
        (["B", "F", "T"], "= > <"),
        (["T", "F", None], "> = ="),
        ([True, False, True], "> = >"),
        (["FT", "TF", ""], "> < ="),
        (["单行", "双向", "是"], "> = >"),
        ([1, 0, -1], "> = <"),
    ],
)
def test_one_way_roads_are_known_in_every_dialect(values: list[object], expected: str) -> None:
    frame = pd.DataFrame({"oneway": pd.Series(values, dtype=object)})
    ahead, against = directions(frame, np.array(["primary"] * len(values), dtype=object))
    signs = {(True, True): "=", (True, False): ">", (False, True): "<"}
    assert [signs[pair] for pair in zip(ahead.tolist(), against.tolist(), strict=True)] == expected.split()


def test_roundabouts_and_motorways_lead_one_way_unless_they_say_otherwise() -> None:
    frame = pd.DataFrame({"oneway": [None, None, "no"], "junction": ["roundabout", None, "roundabout"]})
    assert directions(frame, np.array(["tertiary", "motorway", "tertiary"], dtype=object))[1].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("said", "kmh"),
    [("50", 50), ("30_mph", 48.28032), ("30mph", 48.28032), ("50;80", 50), ("none", None), ("walk", 5), ("", None)],
)
def test_speeds_as_people_write_them(said: str, kmh: float | None) -> None:
    assert stated_speed(said) == (None if kmh is None else pytest.approx(kmh))


def test_the_plan_s_speed_comes_first_then_the_file_s_then_that_of_the_class() -> None:
    frame = pd.DataFrame({"maxspeed": ["30 mph", "70", None, None, "0"]})
    class_of = np.array(["primary", "secondary", "motorway_link", "unheard of", "residential"], dtype=object)
    assert speeds(frame, class_of, {"Primary": 33.0}).tolist() == pytest.approx([33, 70, 60, 30, 30])


def test_a_one_way_street_is_no_matter_on_foot(tmp_path: Path) -> None:
    path = written(tmp_path, raster(), oneway=["yes"] * 18)
    assert read(path)[0].backward.all()
    assert not read(path, profile="driving")[0].backward.any()


def test_roads_far_from_the_ground_are_left_out(tmp_path: Path) -> None:
    far = shapely.LineString([(112.0, 30.0), (112.1, 30.0)])
    roads, warnings = read(written(tmp_path, [*raster(), far]))
    assert len(roads.shapes) == 18
    assert warnings == ()


def test_a_file_of_unconnected_roads_is_said_to_be_one(tmp_path: Path) -> None:
    apart = [shapely.LineString([(111.0, 30.0 + n / 100), (111.05, 30.0 + n / 100)]) for n in range(5)]
    (warning,) = read(written(tmp_path, apart))[1]
    assert "5 lines in 5 parts, the largest with 20% of their length" in warning


def test_no_road_for_who_travels_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidGeometry) as refused:
        read(written(tmp_path, raster()[:2], highway=["footway", "steps"]), profile="driving")
    assert refused.value.key == "roads.none_near"


@pytest.mark.parametrize(("stated", "warned"), [("wgs84", True), ("gcj02", False)])
def test_roads_in_another_datum_are_told_by_the_facilities(tmp_path: Path, stated: str, warned: bool) -> None:
    streets = raster(0.002, 40)
    stand = np.array([shapely.get_coordinates(line.interpolate(0.33, normalized=True))[0] for line in streets[::3]])
    moved = [shapely.LineString(gcj02_from_wgs84(shapely.get_coordinates(line))) for line in streets]
    _, warnings = read(written(tmp_path, moved), stand + np.array([3e-5, 2e-5]), datum=stated)
    assert [warning for warning in warnings if 'datum = "gcj02"' in warning] == list(warnings)
    assert bool(warnings) is warned


def test_an_osm_extract_is_known_by_its_content(tmp_path: Path) -> None:
    header = b"\n\tOSMHeader\x18\x10"
    path = tmp_path / "extract.bin"
    path.write_bytes(len(header).to_bytes(4, "big") + header + zlib.compress(b"nothing of a map" * 9))
    assert sniff(path) is Format.OSM
    with pytest.raises(UnreadableFile):
        read(path)
