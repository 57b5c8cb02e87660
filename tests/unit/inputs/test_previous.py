"""The plan before this one: its directory, its grids in any file, or a list of codes; what is retired stays known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from gridmap.domain.inputs import PreviousGrids
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import PreviousSource
from gridmap.errors import BadValue, DuplicateId, InvalidGeometry, MissingColumn, OutOfPlace, TooLarge, UnreadableFile
from gridmap.exports.plan_directory import write_plan
from gridmap.geometry.datum import gcj02_from_wgs84
from gridmap.inputs.previous import read_previous
from gridmap.settings import Settings

CODES = ("990101001001001", "990101001002001")


def read(folder: Path, file: str = "a.gpkg", **source: str) -> tuple[PreviousGrids, tuple[str, ...]]:
    return read_previous(PreviousSource(path=file, **source), folder)


def table(folder: Path, text: str, **source: str) -> tuple[PreviousGrids, tuple[str, ...]]:
    (folder / "codes.csv").write_text(text, encoding="utf-8")
    return read(folder, "codes.csv", **source)


# A directory of ours.


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Path:
    directory = tmp_path_factory.mktemp("previous") / "out"
    write_plan(plan, directory)
    return directory


@pytest.fixture
def directory(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "out"))


def change_report(directory: Path, **changed: object) -> None:
    path = directory / "report.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changed}), encoding="utf-8")


def test_a_plan_directory_gives_its_grids_point_for_point(directory, plan):
    previous, warnings = read(directory.parent, "out")
    grids = plan.grids.sort_values("grid_code")
    assert previous.codes == tuple(grids["grid_code"])
    assert previous.geometry is not None
    for read_back, made in zip(previous.geometry, grids.geometry, strict=True):
        assert shapely.get_parts(read_back.normalize()).tolist() == shapely.get_parts(made.normalize()).tolist()
    assert (previous.source, warnings) == ("out", ())


def test_the_retired_codes_of_its_report_stay_retired(directory, plan):
    held = plan.grids["grid_code"].iloc[0]
    change_report(directory, retired_codes=["990101001001009", "990101001001004", held])
    assert read(directory.parent, "out")[0].retired == ("990101001001004", "990101001001009")


def test_sub_grids_and_super_grids_stand_apart(directory, plan):
    nested = read(directory.parent, "out")[0].nested
    made = plan.levels[plan.levels["level"].isin(["sub", "super"])].sort_values("code")
    assert len(made) == 3
    assert nested is not None
    assert (nested.codes, nested.retired, nested.nested) == (tuple(made["code"]), (), None)
    assert shapely.equals(nested.geometry, made.geometry.to_numpy()).all()


def test_a_plan_without_nested_levels_has_none(directory, plan):
    areas = plan.levels[plan.levels["level"].isin(["county", "village", "grid"])]
    pyogrio.write_dataframe(areas, directory / "plan.gpkg", layer="levels", append=False)
    assert read(directory.parent, "out")[0].nested is None


@pytest.mark.parametrize("missing", ["plan.gpkg", "report.json"])
def test_a_directory_that_lacks_a_part_is_no_plan(directory, refused, missing):
    (directory / missing).unlink()
    with refused(UnreadableFile, "out", missing, "gridmap plan"):
        read(directory.parent, "out")


def test_a_directory_of_something_else_is_no_plan(directory, refused):
    change_report(directory, made_by="somebody")
    with refused(UnreadableFile, "out", "report.json"):
        read(directory.parent, "out")
    with refused(UnreadableFile, "out", "plan.gpkg: Grids"):
        change_report(directory, made_by="gridmap")
        read(directory.parent, "out", layer="Grids")


def test_a_broken_report_is_refused(directory, refused, monkeypatch):
    change_report(directory, retired_codes=["990101001001004", "12"])
    with refused(BadValue, "out/report.json", "field retired_codes", '"12"'):
        read(directory.parent, "out")
    change_report(directory, retired_codes="990101001001004")
    with refused(BadValue, "out/report.json", "field retired_codes"):
        read(directory.parent, "out")
    for content in ("{", "[" * 100_000, "\x00"):
        (directory / "report.json").write_text(content)
        with refused(UnreadableFile, "out/report.json", "cannot be read"):
            read(directory.parent, "out")
    (directory / "report.json").write_text(" " * 101)
    monkeypatch.setattr("gridmap.inputs.previous.settings", lambda: Settings(max_file_bytes=100))
    with refused(TooLarge, "out/report.json", "GRIDMAP_MAX_FILE_BYTES"):
        read(directory.parent, "out")


# Grids in any file.


def test_grids_of_any_file_by_code(tmp_path, two_areas, west, east):
    two_areas(网格编码=CODES[::-1], 名称=["甲", "乙"]).to_file(tmp_path / "a.gpkg")
    previous, warnings = read(tmp_path)
    assert previous.codes == CODES
    assert [one.normalize() for one in previous.geometry] == [east.normalize(), west.normalize()]
    assert (previous.retired, previous.source, warnings) == ((), "a.gpkg", ())


def test_the_order_of_the_features_decides_nothing(tmp_path, two_areas):
    frame = two_areas(grid_code=CODES)
    frame.to_file(tmp_path / "a.gpkg")
    frame.iloc[::-1].to_file(tmp_path / "b.gpkg")
    one, other = read(tmp_path)[0], read(tmp_path, "b.gpkg")[0]
    assert one.codes == other.codes
    assert shapely.to_wkb(one.geometry).tolist() == shapely.to_wkb(other.geometry).tolist()


def test_a_datum_and_a_gbk_shapefile(tmp_path, west, east):
    moved = shapely.transform(np.array([west, east]), gcj02_from_wgs84)
    frame = gpd.GeoDataFrame({"网格编码": CODES, "状态": ["在用", "已停用"]}, geometry=moved, crs=4326)
    pyogrio.write_dataframe(frame, tmp_path / "a.shp", encoding="GBK")
    (tmp_path / "a.cpg").unlink(missing_ok=True)
    previous, _ = read(tmp_path, "a.shp", datum="gcj02")
    assert previous.codes == CODES[:1]
    assert previous.retired == CODES[1:]
    assert previous.geometry[0].normalize() == west.normalize()


def test_retired_grids_need_no_ground(tmp_path, west):
    frame = gpd.GeoDataFrame({"grid_code": CODES, "retired": [False, True]}, geometry=[west, None], crs=4326)
    frame.to_file(tmp_path / "a.gpkg")
    assert read(tmp_path)[0].codes == CODES[:1]
    frame = gpd.GeoDataFrame({"grid_code": CODES, "retired": [True, True]}, geometry=[west, None], crs=4326)
    frame.to_file(tmp_path / "b.gpkg")
    previous, _ = read(tmp_path, "b.gpkg")
    assert (previous.codes, previous.retired, len(previous.geometry)) == ((), CODES, 0)


def test_slips_in_a_file_of_grids(tmp_path, refused, two_areas, west):
    two_areas(grid_code=[CODES[0], "99010100100"]).to_file(tmp_path / "a.gpkg")
    with refused(BadValue, "a.gpkg", "feature 1", "field grid_code", '"99010100100"', "15 digits"):
        read(tmp_path)
    two_areas(grid_code=[CODES[0]] * 2).to_file(tmp_path / "a.gpkg")
    with refused(DuplicateId, "a.gpkg", "feature 1", CODES[0], "feature 0", "dissolve"):
        read(tmp_path)
    two_areas(name=["a", "b"]).to_file(tmp_path / "a.gpkg")
    with refused(MissingColumn, "a.gpkg", "grid codes", "name"):
        read(tmp_path)
    frame = gpd.GeoDataFrame({"grid_code": CODES}, geometry=[west, shapely.Point(111, 30)], crs=4326)
    frame.to_file(tmp_path / "a.geojson")
    with refused(InvalidGeometry, "a.geojson", "feature 1", CODES[1], "Point"):
        read(tmp_path, "a.geojson")
    frame = gpd.GeoDataFrame({"grid_code": CODES[:1]}, geometry=[shapely.box(30, 111, 31, 112)], crs=4326)
    frame.to_file(tmp_path / "b.geojson")
    with refused(OutOfPlace, "b.geojson", "feature 0", CODES[0], "swapped"):
        read(tmp_path, "b.geojson")


# Lists of codes.


@pytest.mark.parametrize(
    ("header", "in_force", "retired"),
    [
        ("retired", "no", "yes"), ("retired", "", "1"), ("retired", "False", "TRUE"), ("是否停用", "否", "是"),
        ("状态", "在用", "停用"), ("status", "Active", "retired"), ("网格状态", "", "已撤销"),
    ],
)  # fmt: skip
def test_a_list_says_what_is_retired(tmp_path, header, in_force, retired):
    previous, warnings = table(tmp_path, f"网格编码,{header}\n{CODES[1]},{retired}\n{CODES[0]},{in_force}\n")
    assert (previous.codes, previous.retired, previous.geometry) == (CODES[:1], CODES[1:], None)
    assert len(warnings) == 1
    assert "codes.csv: codes without ground" in warnings[0]


def test_a_list_of_nothing_but_codes(tmp_path):
    previous, _ = table(tmp_path, f"grid_code\nYiling-002\n{CODES[0]}.0\n")
    assert previous.codes == (CODES[0], "Yiling-002")
    assert previous.retired == ()


@pytest.mark.parametrize(
    ("text", "leaf", "words"),
    [
        (f"grid_code\n{CODES[0]}\n\n{CODES[0]}\n", DuplicateId, ["row 4", "field grid_code", "row 2"]),
        ("grid_code\n9.90101E+14\n", BadValue, ["row 2", "9.90101E+14", "spreadsheet"]),
        ("grid_code\n990101001001000\n", BadValue, ["row 2", "990101001001000", "15 digits"]),
        (f"grid_code,name\n{CODES[0]},x\n,y\n", BadValue, ["row 3", "field grid_code", "empty"]),
        (f"grid_code,状态\n{CODES[0]},草稿\n", BadValue, ["row 2", "field 状态", '"草稿"', "停用", "rename"]),
        (f"网格,name\n{CODES[0]},x\n", MissingColumn, ["网格, name", "grid_code"]),
        ("grid_code\n", UnreadableFile, ["no rows"]),
        ("", UnreadableFile, ["empty"]),
    ],
)
def test_slips_in_a_list(tmp_path, refused, text, leaf, words):
    with refused(leaf, "codes.csv", *words):
        table(tmp_path, text)


def test_what_is_neither(tmp_path, refused):
    (tmp_path / "a.tif").write_bytes(b"II*\x00" + bytes(100))
    with refused(UnreadableFile, "a.tif", "GeoTIFF"):
        read(tmp_path, "a.tif")
    with refused(UnreadableFile, "nowhere", "no such file"):
        read(tmp_path, "nowhere")
