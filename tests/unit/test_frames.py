"""The Python API as a user of GeoDataFrames meets it: any CRS in, exact cells out, clear refusals."""

from __future__ import annotations

import doctest
import gc
import inspect
import subprocess
import sys
import weakref
from importlib import import_module

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gridmap
from gridmap import frames
from gridmap.errors import (
    BadValue,
    CoverageFault,
    DuplicateId,
    GridmapError,
    InvalidGeometry,
    MissingColumn,
    OutOfPlace,
    TooLarge,
)
from gridmap.frames import PartitionStream

RESOLUTION = 7
METRE_DEG = 1 / 111_320
BOXES = [shapely.box(west, 30.0, east, 30.1) for west, east in ((111.0, 111.1), (111.1, 111.2), (111.2, 111.3))]
BOW_TIE = shapely.Polygon([(111.0, 30.0), (111.1, 30.1), (111.1, 30.0), (111.0, 30.1)])


def villages(**columns: object) -> gpd.GeoDataFrame:
    given = columns or {"area_code": ["990101001001", "990101001002", "990101001003"]}
    return gpd.GeoDataFrame(given, geometry=BOXES, crs="EPSG:4326")


def dirty_villages() -> gpd.GeoDataFrame:
    """Make a gap of 0.3 m above the village in the south and an overlap of 0.4 m above the one in the south-east."""
    gap, overlap = 0.3 * METRE_DEG, 0.4 * METRE_DEG
    squares = [
        shapely.box(111.0, 30.1, 111.1, 30.2),
        shapely.box(111.1, 30.1, 111.2, 30.2),
        shapely.box(111.2, 30.1, 111.3, 30.2),
    ]
    # Along latitudes, so that the widths need no cosine.
    below = [shapely.box(111.0, 30.0, 111.2, 30.1 - gap), shapely.box(111.2, 30.0, 111.3, 30.1 + overlap)]
    # Closed on all sides: a gap that opens to the outside is not between areas.
    ends = [shapely.box(110.9, 30.0, 111.0, 30.2)]
    return gpd.GeoDataFrame(
        {"code": ["west", "mid", "east", "south", "south-east", "far-west"]},
        geometry=[*squares, *below, *ends],
        crs="EPSG:4326",
    )


def test_the_examples_in_the_docstrings_run():
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    tests = [test for name in gridmap.__all__ for test in finder.find(getattr(gridmap, name), name) if test.examples]
    assert tests
    for test in tests:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_every_public_name_is_importable_from_its_home_and_documented():
    assert set(gridmap.__all__) == set(gridmap._HOME)
    for name in gridmap.__all__:
        value = getattr(gridmap, name)
        assert value is getattr(import_module(gridmap._HOME[name]), name)
        assert inspect.getdoc(value), name
    assert set(gridmap.__all__) <= set(dir(gridmap))
    with pytest.raises(AttributeError, match="no_such_name"):
        gridmap.no_such_name  # noqa: B018


def test_the_types_of_the_public_names_are_those_of_their_homes():
    stated = inspect.getsource(gridmap)
    for name, home in gridmap._HOME.items():
        line = next(line for line in stated.splitlines() if line.strip().startswith(f"from {home} import"))
        assert name in line.replace(",", " ").split()


def test_importing_gridmap_and_its_verifier_needs_only_the_standard_library():
    script = (
        "import sys, gridmap, gridmap.verify; print([m for m in ('numpy', 'shapely', 'pandas') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_three_villages_in_degrees():
    made = gridmap.partition(villages(), RESOLUTION)
    assert made.certificate["verdict"] == "exact"
    assert list(made.cells.columns) == ["cell_id", "area_code", "area_m2", "geometry"]
    assert made.cells.crs == "EPSG:4326"
    assert not made.cells.duplicated(["cell_id", "area_code"]).any()
    assert [area["area_code"] for area in made.certificate["areas"]] == sorted(villages()["area_code"])
    assert gridmap.validate(made.cells, villages()).verdict == "valid"


def test_the_adjacency_is_that_of_touching_borders():
    made = gridmap.partition(villages(), RESOLUTION)
    found = {frozenset(pair) for pair in made.adjacency[["a", "b"]].itertuples(index=False)}
    geometry = made.cells.geometry.to_numpy()
    left, right = np.triu_indices(len(geometry), 1)
    shared = shapely.length(shapely.intersection(geometry[left], geometry[right])) > 0
    assert found == {frozenset(pair) for pair in zip(left[shared].tolist(), right[shared].tolist(), strict=True)}
    assert (made.adjacency["shared_m"] > 0).all()


@pytest.mark.parametrize("crs", ["EPSG:4547", "EPSG:4490", "EPSG:3857"])
def test_villages_in_another_crs_become_the_same_cells_within_centimetres(crs):
    made = gridmap.partition(villages().to_crs(crs), RESOLUTION)
    plain = gridmap.partition(villages(), RESOLUTION)
    assert made.certificate["verdict"] == "exact"
    assert made.cells["cell_id"].tolist() == plain.cells["cell_id"].tolist()
    assert shapely.hausdorff_distance(made.cells.geometry.to_numpy(), plain.cells.geometry.to_numpy()).max() < 2e-7


def test_without_crs_wgs84_is_meant():
    bare = villages().set_crs(None, allow_override=True)
    assert gridmap.partition(bare, RESOLUTION).certificate == gridmap.partition(villages(), RESOLUTION).certificate


def test_without_a_code_rows_are_numbered_whatever_the_index():
    bare = villages()[["geometry"]].set_index(pd.Index(["x", "y", "z"]))
    assert set(gridmap.partition(bare, RESOLUTION).cells["area_code"]) == {"0", "1", "2"}


def test_codes_are_found_under_chinese_headers_and_read_as_text():
    frame = villages(区划代码=[420506001.0, 420506002.0, 420506003.0], id=[7, 8, 9])
    made = gridmap.partition(frame, RESOLUTION)
    assert set(made.cells["area_code"]) == {"420506001", "420506002", "420506003"}
    assert gridmap.validate(made.cells, frame).verdict == "valid"


def test_a_numpy_resolution_is_a_resolution():
    made = gridmap.partition(villages(), np.int64(RESOLUTION))
    assert made.certificate == gridmap.partition(villages(), RESOLUTION).certificate


@pytest.mark.parametrize("resolution", [-1, 16, 6.5, "7", True, None])
def test_no_such_resolution(resolution):
    with pytest.raises(BadValue, match=str(resolution)):
        gridmap.partition(villages(), resolution)


@pytest.mark.parametrize(
    ("geometry", "leaf", "words"),
    [
        ([BOXES[0].centroid, *BOXES[1:]], InvalidGeometry, "Point"),
        ([BOXES[0].exterior, *BOXES[1:]], InvalidGeometry, "LinearRing"),
        ([None, *BOXES[1:]], InvalidGeometry, "no geometry"),
        ([shapely.Polygon(), *BOXES[1:]], InvalidGeometry, "no geometry"),
        ([BOW_TIE, *BOXES[1:]], InvalidGeometry, "crosses itself"),
        ([shapely.box(30.0, 111.0, 30.1, 111.1)], OutOfPlace, "swapped"),
        ([shapely.box(1e7, 1e7, 1e8, 1e8)], OutOfPlace, "1"),
        ([shapely.Polygon([(111.0, 30.0), (np.nan, 30.0), (111.0, 30.1)])], OutOfPlace, "nan"),
        ([BOXES[0], BOXES[0]], CoverageFault, "0"),
        ([], BadValue, "no areas"),
    ],
)
def test_areas_that_cannot_be_cut_are_refused_by_row(geometry, leaf, words):
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(geometry, crs="EPSG:4326"))
    with pytest.raises(GridmapError, match=words) as caught:
        gridmap.partition(frame, RESOLUTION)
    assert type(caught.value) is leaf


@pytest.mark.parametrize(
    ("codes", "leaf", "words"),
    [
        (["a", "b", "a"], DuplicateId, "feature 2.*feature 0"),
        (["a", None, "c"], BadValue, "feature 1"),
        (["4.20506E+11", "b", "c"], BadValue, "feature 0"),
    ],
)
def test_codes_that_a_certificate_cannot_hold_are_refused(codes, leaf, words):
    with pytest.raises(leaf, match=words):
        gridmap.partition(villages(area_code=codes), RESOLUTION)


def test_a_stream_gives_what_the_whole_gives():
    stream = PartitionStream(villages(), RESOLUTION)
    assert len(stream) == 3
    cells = pd.concat(list(stream), ignore_index=True)
    whole = gridmap.partition(villages(), RESOLUTION)
    key = ["area_code", "cell_id"]
    pd.testing.assert_frame_equal(
        cells.sort_values(key, ignore_index=True), whole.cells.sort_values(key, ignore_index=True)
    )
    assert stream.certificate == whole.certificate


def test_a_stream_holds_no_frame_that_was_taken():
    held: list[weakref.ref[gpd.GeoDataFrame]] = []
    for frame in PartitionStream(villages(), RESOLUTION):
        gc.collect()
        assert [reference for reference in held if reference() is not None] == []
        held.append(weakref.ref(frame))
        del frame
    assert len(held) == 3


def test_dirty_areas_are_refused_with_both_names_width_and_place():
    with pytest.raises(CoverageFault) as caught:
        gridmap.partition(dirty_villages(), RESOLUTION)
    said = str(caught.value)
    lines = [line for line in said.splitlines() if line.lstrip().startswith("- ")]
    assert len(lines) == 2
    gap = next(line for line in lines if "gap" in line)
    overlap = next(line for line in lines if "overlap" in line)
    assert [float(line.split(" m wide")[0].split()[-1]) for line in (gap, overlap)] == pytest.approx(
        [0.3, 0.4], rel=0.02
    )
    assert all(name in gap for name in ("west", "mid", "south"))
    assert all(name in overlap for name in ("east", "south-east"))
    assert all(f"at 111.{digit}" in line for line, digit in ((gap, ""), (overlap, "2")))


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4547"])
def test_repair_closes_what_is_narrow_and_says_so(crs):
    mended = gridmap.repair_areas(dirty_villages().to_crs(crs), file="villages.shp")
    assert mended.crs == "EPSG:4326"
    assert mended["code"].tolist() == dirty_villages()["code"].tolist()
    assert any("villages.shp: 2 faults" in warning for warning in mended.attrs["warnings"]), mended.attrs
    assert gridmap.partition(mended, RESOLUTION).certificate["verdict"] == "exact"


def test_repair_leaves_what_is_wider_and_partition_still_refuses_it():
    mended = gridmap.repair_areas(dirty_villages(), tolerance_m=0.35)
    with pytest.raises(CoverageFault) as caught:
        gridmap.partition(mended, RESOLUTION)
    assert "overlap" in str(caught.value)
    assert "gap" not in str(caught.value)


def test_repair_of_sound_areas_changes_and_says_nothing():
    mended = gridmap.repair_areas(villages())
    assert mended.attrs["warnings"] == []
    assert shapely.equals(mended.geometry.to_numpy(), np.array(BOXES)).all()


def test_repair_untangles_rings_and_says_so():
    frame = gpd.GeoDataFrame({"code": ["a"]}, geometry=[BOW_TIE], crs="EPSG:4326")
    mended = gridmap.repair_areas(frame)
    assert mended.geometry.is_valid.all()
    assert len(mended.attrs["warnings"]) == 1


@pytest.mark.parametrize("tolerance_m", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_a_tolerance_that_is_none(tolerance_m):
    with pytest.raises(BadValue):
        gridmap.repair_areas(villages(), tolerance_m)


def test_validate_takes_axis_order_for_what_it_is_and_no_more():
    cells = gridmap.partition(villages(), RESOLUTION).cells
    assert gridmap.validate(cells.set_crs("OGC:CRS84", allow_override=True), villages()).verdict == "valid"
    with pytest.raises(BadValue, match="EPSG:4547"):
        gridmap.validate(cells.to_crs("EPSG:4547"), villages())
    assert gridmap.validate(cells, villages().to_crs("EPSG:4547")).verdict == "valid"
    with pytest.raises(BadValue):
        gridmap.validate(cells, villages().set_crs(None, allow_override=True))


def test_a_piece_in_another_area_than_it_names_is_a_fault():
    cells = gridmap.partition(villages(), RESOLUTION).cells
    swapped = cells.assign(area_code=cells["area_code"].str.replace("001003", "001002"))
    assert gridmap.validate(swapped, villages()).verdict == "invalid"
    # Areas without a code of their own cannot be told apart: only the ground counts.
    assert gridmap.validate(swapped, villages()[["geometry"]]).verdict == "valid"


def test_columns_that_name_pieces_and_areas_may_be_chosen():
    cells = gridmap.partition(villages(), RESOLUTION).cells.assign(tag=lambda frame: "p" + frame.index.astype(str))
    areas = villages(nr=["990101001001", "990101001002", "990101001003"], code=["x", "y", "z"])
    assert gridmap.validate(cells, areas).verdict == "valid"  # x, y, z are another system of codes: no labels
    assert gridmap.validate(cells, areas, code_column="nr").verdict == "valid"
    mislabelled = cells.assign(area_code=["990101001001", *(["990101001009"] * (len(cells) - 1))])
    assert gridmap.validate(mislabelled, areas, code_column="nr").verdict == "invalid"
    report = gridmap.validate(cells.drop(index=0), areas, id_column="tag", code_column="nr")
    assert {name for fault in report.faults for name in fault.ids} & {"990101001001", *cells["tag"]}
    for wrong in ({"id_column": "nothing"}, {"code_column": "nothing"}):
        with pytest.raises(MissingColumn, match="nothing"):
            gridmap.validate(cells, areas, **wrong)


def test_fix_closes_narrow_faults_and_proves_it():
    pieces = dirty_villages()
    mended, fixed = gridmap.fix(pieces)
    assert fixed.before.verdict == "invalid"
    assert fixed.after.verdict == "valid"
    assert gridmap.validate(mended).verdict == "valid"
    assert list(mended.columns) == list(pieces.columns)


def test_read_areas_keeps_its_warnings_on_the_frame(tmp_path):
    villages().to_file(tmp_path / "villages.geojson")
    read = frames.read_areas(tmp_path / "villages.geojson", datum="wgs84")
    assert read["area_code"].tolist() == villages()["area_code"].tolist()
    assert read.attrs["warnings"] == []


def test_villages_are_proved_against_their_townships_by_the_beginning_of_their_codes() -> None:
    villages = gpd.GeoDataFrame(
        {"area_code": ["990101001001", "990101001002", "990101002001"]},
        geometry=[shapely.box(west, 30, east, 30.1) for west, east in ((111, 111.1), (111.1, 111.2), (111.2, 111.3))],
        crs="EPSG:4326",
    )
    townships = gpd.GeoDataFrame(
        {"area_code": ["990101001", "990101002"]},
        geometry=[shapely.box(111, 30, 111.2, 30.1), shapely.box(111.2, 30, 111.3, 30.1)],
        crs="EPSG:4326",
    )
    assert gridmap.validate(villages, townships).verdict == "valid"
    swapped = villages.assign(area_code=["990101001001", "990101002002", "990101002001"])
    report = gridmap.validate(swapped, townships)
    assert {str(fault.kind) for fault in report.faults} == {"gap", "outside"}
    assert "990101002002" in {name for fault in report.faults for name in fault.ids}


def test_an_area_of_too_many_cells_is_refused_with_the_limit() -> None:
    county = gpd.GeoDataFrame({"area_code": ["990101"]}, geometry=[shapely.box(111, 30, 111.5, 30.5)], crs="EPSG:4326")
    with pytest.raises(TooLarge, match=r"990101.*resolution 14.*10,000,000"):
        gridmap.partition(county, 14)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4547"])
def test_areas_finer_than_the_lattice_or_in_another_plane_prove_their_own_partition(crs: str) -> None:
    drawn = gpd.GeoDataFrame(
        {"area_code": ["990101001001", "990101001002"]},
        geometry=[
            shapely.Polygon([(111.0123456789, 30.0), (111.1, 30.0234567891), (111.0777777777, 30.1), (111.0, 30.09)]),
            shapely.Polygon([(111.1, 30.0234567891), (111.2, 30.0333333333), (111.0777777777, 30.1)]),
        ],
        crs="EPSG:4326",
    ).to_crs(crs)
    report = gridmap.validate(gridmap.partition(drawn, RESOLUTION).cells, drawn)
    assert report.verdict == "valid"
    assert "rounded" in {remark.kind for remark in report.warnings}
    moved = drawn.translate(*((0.001, 0) if crs == "EPSG:4326" else (100, 0)))
    assert gridmap.validate(gridmap.partition(drawn, RESOLUTION).cells, drawn.set_geometry(moved)).verdict == "invalid"
