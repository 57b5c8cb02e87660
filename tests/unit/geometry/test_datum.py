"""Datums: the formulas against figures from elsewhere, the inverses against the forward formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pyproj import CRS, Geod

from gridmap.errors import Place, UnknownDatum
from gridmap.geometry.datum import (
    Datum,
    bd09_from_gcj02,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    wgs84_from_gcj02,
)

GEOD = Geod(ellps="WGS84")


def metres_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(GEOD.inv(*one.T, *other.T)[2])


@pytest.fixture(scope="module")
def mainland() -> np.ndarray:
    random = np.random.default_rng(1)
    return np.column_stack([random.uniform(75, 134, 20_000), random.uniform(18.5, 53, 20_000)])


def plain_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """Forward formula as it is printed everywhere, one point at a time."""
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    d_lat += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    d_lat += (20.0 * math.sin(y * pi) + 40.0 * math.sin(y / 3.0 * pi)) * 2.0 / 3.0
    d_lat += (160.0 * math.sin(y / 12.0 * pi) + 320 * math.sin(y * pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    d_lon += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    d_lon += (20.0 * math.sin(x * pi) + 40.0 * math.sin(x / 3.0 * pi)) * 2.0 / 3.0
    d_lon += (150.0 * math.sin(x / 12.0 * pi) + 300.0 * math.sin(x / 30.0 * pi)) * 2.0 / 3.0
    a, ee = 6378245.0, 0.00669342162296594323
    rad = lat / 180.0 * pi
    magic = 1 - ee * math.sin(rad) ** 2
    d_lat = (d_lat * 180.0) / ((a * (1 - ee)) / (magic * math.sqrt(magic)) * pi)
    d_lon = (d_lon * 180.0) / (a / math.sqrt(magic) * math.cos(rad) * pi)
    return lon + d_lon, lat + d_lat


def test_forward_is_the_printed_formula(mainland):
    expected = np.array([plain_gcj02(lon, lat) for lon, lat in mainland[:500]])
    assert np.allclose(gcj02_from_wgs84(mainland[:500]), expected, rtol=0, atol=1e-12)


def test_offsets_are_those_measured_elsewhere(mainland):
    """GCJ-02 is off by 21 to 701 m, BD-09 by 695 to 1,516 m."""
    gcj02 = gcj02_from_wgs84(mainland)
    off = metres_between(mainland, gcj02)
    assert 15 < off.min() < 40
    assert 650 < off.max() < 750
    off = metres_between(mainland, bd09_from_gcj02(gcj02))
    assert 650 < off.min() < 760
    assert 1450 < off.max() < 1600


def test_inverse_of_gcj02_returns_within_a_hundredth_of_a_millimetre(mainland):
    assert metres_between(mainland, wgs84_from_gcj02(gcj02_from_wgs84(mainland))).max() < 1e-5


def test_inverse_of_bd09_returns_within_a_hundredth_of_a_millimetre(mainland):
    assert metres_between(mainland, gcj02_from_bd09(bd09_from_gcj02(mainland))).max() < 1e-5


def test_outside_china_gcj02_is_wgs84():
    abroad = np.array([[9.52, 47.14], [-51.2, -30.0], [139.7, 35.7], [103.8, 0.5], [120.0, 56.0]])
    assert np.array_equal(gcj02_from_wgs84(abroad), abroad)
    assert np.array_equal(wgs84_from_gcj02(abroad), abroad)


def test_the_given_array_is_not_changed(mainland):
    before = mainland.copy()
    for convert in (gcj02_from_wgs84, wgs84_from_gcj02, bd09_from_gcj02, gcj02_from_bd09):
        convert(mainland)
    assert np.array_equal(mainland, before)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("wgs84", "wgs84"),
        ("WGS-84", "wgs84"),
        ("EPSG:4326", "wgs84"),
        ("cgcs2000", "cgcs2000"),
        ("epsg:4490", "cgcs2000"),
        ("GCJ-02", "gcj02"),
        ("bd09", "bd09"),
        ("EPSG:4547", "EPSG:4547"),
    ],
)
def test_a_users_word_for_a_datum(said, name):
    assert Datum.parse(said).name == name


@pytest.mark.parametrize("said", ["wgs85", "EPSG:999999", "EPSG:5773", "", "EPSG:", "beijing54"])
def test_an_unknown_datum_lists_the_known(said):
    with pytest.raises(UnknownDatum) as caught:
        Datum.parse(said, Place(file="outlets.csv"))
    assert "gcj02" in str(caught.value)
    assert "EPSG:n" in str(caught.value)
    assert "outlets.csv" in str(caught.value)


def test_cgcs2000_is_wgs84_in_numbers(mainland):
    assert np.array_equal(Datum.parse("cgcs2000").to_wgs84(mainland), mainland)


def test_gauss_krueger_comes_back_as_degrees():
    """A place at the central meridian 114 E of EPSG:4547: easting is the false easting of 500 km."""
    lonlat = Datum.parse("EPSG:4547").to_wgs84(np.array([[500_000.0, 3_400_000.0]]))
    assert lonlat[0, 0] == pytest.approx(114.0, abs=1e-9)
    assert lonlat[0, 1] == pytest.approx(30.72, abs=0.01)


def test_bd09_goes_through_both_formulas(mainland):
    bd09 = bd09_from_gcj02(gcj02_from_wgs84(mainland))
    assert metres_between(mainland, Datum.parse("bd09").to_wgs84(bd09)).max() < 1e-4


@pytest.mark.parametrize("code", [4547, 4490, 4326, 4214])
def test_a_files_own_crs_is_recognised_from_its_prj(code):
    wkt = CRS.from_epsg(code).to_wkt("WKT1_ESRI")
    datum = Datum.of_crs(wkt)
    assert datum.name == {4490: "cgcs2000", 4326: "wgs84"}.get(code, f"EPSG:{code}")
    assert datum.is_projected == (code == 4547)
