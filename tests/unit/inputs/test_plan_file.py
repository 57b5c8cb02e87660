"""Plan files: every slip of the pen gets one line that says where and what was meant."""

from __future__ import annotations

import pytest

from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.errors import BadValue, UnreadableFile
from gridmap.inputs import read_plan_file

WHOLE = """
[plan]
name = "夷陵区金融服务网格"
institution = "示例农商银行"
[areas.county]
path = "county.geojson"
datum = "gcj02"
code = "area_code"
[areas.village]
path = "villages.gpkg"
settlement = "class_code"
[facilities.outlets]
path = "outlets.csv"
datum = "bd09"
columns = { lon = "东经" }
[facilities.devices]
path = "devices.csv"
kind = "atm"
[demand]
path = "population.csv"
value = "people"
[dedicated]
path = "dedicated.geojson"
id = "编号"
[locked]
path = "locked.gpkg"
code = "网格编码"
[roads]
path = "roads.gpkg"
class_column = "等级"
classes = ["国道", "省道"]
[barriers]
path = "rivers.shp"
[staff]
path = "staff.csv"
columns = { role = "岗位" }
[previous]
path = "out-2025"
[partition]
resolution = 8
[grids]
base = "village"
target_demand = 3000
mode = "anchored"
tolerance = 0.05
[coverage]
radius_m = { branch = [1500, 5000], atm = [1000, 3000] }
distance = "geodesic"
"""
LEAST = '[plan]\nname = "x"\n[areas.county]\npath = "a.geojson"\n'


def test_the_plan_file_of_the_reference_is_read(tmp_path):
    (tmp_path / "plan.toml").write_text(WHOLE, encoding="utf-8")
    plan = read_plan_file(tmp_path / "plan.toml")
    assert plan.plan.name == "夷陵区金融服务网格"
    assert list(plan.areas) == [AreaLevel.COUNTY, AreaLevel.VILLAGE]
    assert plan.areas[AreaLevel.COUNTY].datum == "gcj02"
    assert plan.areas[AreaLevel.VILLAGE].datum is None
    assert plan.facilities.devices is not None
    assert plan.facilities.devices.kind is FacilityKind.ATM
    assert plan.coverage.radius_of(FacilityKind.BRANCH, SettlementClass.RURAL) == 5000
    assert plan.partition.resolution == 8
    assert plan.roads is not None
    assert plan.roads.classes == ["国道", "省道"]
    assert plan.locked is not None
    assert plan.locked.code == "网格编码"
    assert plan.staff is not None
    assert plan.staff.columns == {"role": "岗位"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_plan_file_saved_by_windows(tmp_path, encoding):
    (tmp_path / "plan.toml").write_bytes(WHOLE.replace("\n", "\r\n").encode(encoding))
    assert read_plan_file(tmp_path / "plan.toml").plan.institution == "示例农商银行"


@pytest.mark.parametrize(
    ("added", "field", "words"),
    [
        ("[partition]\nresolutoin = 8", "partition.resolutoin", ['"resolution"']),
        ("[partitions]\nresolution = 8", "partitions", ['"partition"']),
        ("[coverage]\nradius_m = { branches = [1, 2] }", "coverage.radius_m.branches", ['"branch"']),
        ("[areas.vilage]\npath = 'x'", "areas.vilage", ['"village"']),
        ("[facilities.outlet]\npath = 'x'", "facilities.outlet", ['"outlets"']),
        ("[facilities.outlets]\npath = 'x'\ncolum = 'x'", "facilities.outlets.colum", ['"columns"']),
        ("[road]\npath = 'x'", "road", ['"roads"']),
        ("[roads]\npath = 'x'\nclass = 'x'", "roads.class", ['"classes"']),
        ("[locked]\npath = 'x'\nid = 'x'", "locked.id", ["code"]),
        ("[zzz]\nq = 1", "zzz", ["areas", "coverage", "partition"]),
    ],
)
def test_an_unknown_key_suggests_the_nearest(tmp_path, refused, added, field, words):
    (tmp_path / "plan.toml").write_text(LEAST + added)
    with refused(BadValue, "plan.toml", f"field {field}", *words):
        read_plan_file(tmp_path / "plan.toml")


def test_a_misspelt_key_counts_before_the_one_it_leaves_missing(tmp_path, refused):
    (tmp_path / "plan.toml").write_text(LEAST.replace("path", "pfad"))
    with refused(BadValue, "pfad", '"path"'):
        read_plan_file(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    ("added", "field", "words"),
    [
        ("[partition]\nresolution = 16", "partition.resolution", ["16", "≤ 15"]),
        ("[partition]\nresolution = 'nine'", "partition.resolution", ["nine", "whole number"]),
        ("[partition]\nresolution = 8.5", "partition.resolution", ["8.5", "whole number"]),
        ("[grids]\nmode = 'loose'", "grids.mode", ["loose", "anchored", "free"]),
        ("[grids]\ntolerance = 0", "grids.tolerance", ["> 0"]),
        ("[grids]\ntarget_demand = 'many'", "grids.target_demand", ["a number"]),
        ("[coverage]\nradius_m = { atm = [1000, inf] }", "coverage.radius_m.atm", ["inf"]),
        ("[coverage]\nradius_m = { atm = [1000] }", "coverage.radius_m.atm", []),
        ("[coverage]\nradius_m = { atm = 1000 }", "coverage.radius_m.atm", ["[urban, rural]"]),
        ("[demand]\npath = ''", "demand.path", ["not empty"]),
        ("[demand]\npath = 7", "demand.path", ["text in quotes"]),
        ("[profile]\ndefault_settlement = 'city'", "profile.default_settlement", ["urban"]),
        ("[roads]\npath = 'x'\nclasses = 'primary'", "roads.classes", ["list of texts"]),
        ("[barriers]\npath = 'x'\nclasses = ['primary', 7]", "barriers.classes.[1]", ["text in quotes"]),
        ("[staff]\npath = 'x'\ncolumns = 'id'", "staff.columns", ["a table"]),
        ("[facilities.devices]\npath = 'x'\nkind = 'bank'", "facilities.devices.kind", ["rural_cash_point"]),
    ],
)
def test_a_bad_value_says_what_is_needed(tmp_path, refused, added, field, words):
    (tmp_path / "plan.toml").write_text(LEAST + added)
    with refused(BadValue, "plan.toml", f"field {field}", *words):
        read_plan_file(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[areas.county]\npath = 'a'", ["plan"]),
        ("[plan]\nname = 'x'", ["areas"]),
        ("[plan]\nname = 'x'\n[areas]", ["areas", "at least one"]),
        ("[plan]\nname = 'x'\n[areas.county]\ncode = 'x'", ["path", "areas.county"]),
        ("plan = 3\n[areas.county]\npath = 'a'", ["plan", "a table"]),
    ],
)
def test_a_missing_key_is_named(tmp_path, refused, text, words):
    (tmp_path / "plan.toml").write_text(text)
    with refused(BadValue, "plan.toml", *words):
        read_plan_file(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[plan]\nname = 夷陵", ["line 2"]),
        ("[plan]\nname = 'x'\nname = 'y'", ["line 3"]),
        ("[plan\nname = 'x'", ["line 1"]),
        ("[plan]\nname = '''x", ["ends too early"]),
        ("a = " + "[" * 5000, ["plan.toml"]),
        ("", ["empty"]),
    ],
)
def test_what_is_no_toml_says_where(tmp_path, refused, text, words):
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    with refused(UnreadableFile, "plan.toml", *words):
        read_plan_file(tmp_path / "plan.toml")


def test_a_missing_plan_file_and_a_folder(tmp_path, refused):
    with refused(UnreadableFile, "plan.toml", "no such file"):
        read_plan_file(tmp_path / "plan.toml")
    with refused(UnreadableFile, "folder"):
        read_plan_file(tmp_path)
