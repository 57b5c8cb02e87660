"""Staff lists as personnel offices keep them: headers and words of every habit, every slip refused by row and field."""

from __future__ import annotations

import csv
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
import shapely

from gridmap.domain.inputs import Staff
from gridmap.domain.kinds import Employment, StaffRole
from gridmap.domain.plan_settings import StaffSource
from gridmap.errors import BadValue, DuplicateId, MissingColumn, UnreadableFile, UsageError
from gridmap.inputs.staff import EMPLOYMENT_WORDS, ROLE_WORDS, read_staff

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"
MANAGER, OFFICER = StaffRole.MANAGER, StaffRole.OFFICER
FULL_TIME, PART_TIME = Employment.FULL_TIME, Employment.PART_TIME


def read(
    folder: Path, content: str | bytes, file: str = "staff.csv", **source: object
) -> tuple[Staff, tuple[str, ...]]:
    (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_staff(StaffSource.model_validate({"path": file, **source}), folder)


def test_the_sample_is_read_as_it_stands():
    staff, warnings = read_staff(StaffSource(path="staff.csv"), SAMPLES)
    with (SAMPLES / "staff.csv").open(encoding="utf-8", newline="") as table:
        rows = sorted(csv.DictReader(table), key=lambda row: row["id"])
    assert warnings == ()
    assert staff.source == "staff.csv"
    assert list(staff.ids) == [row["id"] for row in rows]
    assert list(staff.names) == [row["name"] for row in rows]
    assert [role.value for role in staff.roles] == [row["role"] for row in rows]
    assert [one.value for one in staff.employment] == [row["employment"] for row in rows]
    assert list(staff.outlet_ids) == [row["outlet_id"] for row in rows]
    assert set(staff.grid_codes) == {()}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_chinese_headers_in_any_encoding(tmp_path, encoding):
    text = "工号,姓名,岗位,用工形式,网点编号,网格编码\n007,王漷生,网格经理,全职,W001,990101001001001;990101001002001\n"
    staff, warnings = read(tmp_path, text.replace("漷", "国" if encoding == "gbk" else "漷").encode(encoding))
    assert staff.ids == ("007",)
    assert staff.names[0] in ("王漷生", "王国生")
    assert (staff.roles, staff.employment, staff.outlet_ids) == ((MANAGER,), (FULL_TIME,), ("W001",))
    assert staff.grid_codes == (("990101001001001", "990101001002001"),)
    assert warnings == ()


@pytest.mark.parametrize("between", [";", "；", "、", " ", ", ", "|", "; "])
def test_several_grids_in_one_cell(tmp_path, between):
    one, other = "990101001001001", "Yiling-002"
    cell = between.join([one, other, one])
    staff, _ = read(tmp_path, f'id,role,employment,grid_code\n1,officer,part_time,"{cell}"\n')
    assert staff.grid_codes == ((one, other),)


@pytest.mark.parametrize("role", list(StaffRole))
def test_every_role_is_known_by_identifier_and_word(tmp_path, role):
    for word in (role.value, role.value.upper(), f" {role.value} ", *ROLE_WORDS[role]):
        assert read(tmp_path, f"id,role,employment\n1,{word},全职\n")[0].roles == (role,)


@pytest.mark.parametrize("employment", list(Employment))
def test_every_employment_is_known_by_identifier_and_word(tmp_path, employment):
    for word in (employment.value, employment.value.replace("_", "-").title(), *EMPLOYMENT_WORDS[employment]):
        assert read(tmp_path, f"编号,角色,用工\n1,网格员,{word}\n")[0].employment == (employment,)


def test_a_role_that_tells_the_employment(tmp_path):
    staff, warnings = read(tmp_path, "id,role\n1,专职网格员\n2,兼职网格员\n3,Part-time officer\n")
    assert staff.roles == (OFFICER,) * 3
    assert staff.employment == (FULL_TIME, PART_TIME, PART_TIME)
    assert warnings == ()


def test_employment_that_nothing_tells_counts_as_full_time_with_a_word(tmp_path):
    staff, warnings = read(tmp_path, "id,role,employment\n1,officer,\n2,officer,part_time\n3,manager,\n")
    assert staff.employment == (FULL_TIME, PART_TIME, FULL_TIME)
    assert len(warnings) == 1
    assert "staff.csv: 2 people" in warnings[0]


def test_only_an_identifier_and_a_role_are_needed(tmp_path, refused):
    staff, _ = read(tmp_path, "id,role\n1,officer\n")
    assert (staff.names, staff.outlet_ids, staff.grid_codes) == (("",), ("",), ((),))
    with refused(MissingColumn, "staff.csv", '"role"', "id, name", 'columns = { role = "…" }'):
        read(tmp_path, "id,name\n1,x\n")
    with refused(MissingColumn, "staff.csv", '"id"', "role, name"):
        read(tmp_path, "role,name\nofficer,x\n")


def test_the_order_of_the_rows_decides_nothing(tmp_path):
    rows = ["3,c,officer,part_time,W2,", "1,a,manager,full_time,W1,X-001", "2,b,officer,full_time,W1,"]
    header = "id,name,role,employment,outlet_id,grid_code\n"
    there, back = (read(tmp_path, header + "\n".join(some))[0] for some in (rows, rows[::-1]))
    assert there == back
    assert there.ids == ("1", "2", "3")


def test_columns_the_user_names(tmp_path, refused):
    text = "证号,id,身份\n7,x,网格员\n"
    assert read(tmp_path, text, columns={"id": "证号", "role": "身份"})[0].ids == ("7",)
    with refused(MissingColumn, "staff.csv", '"身分"', "证号, id, 身份"):
        read(tmp_path, text, columns={"role": "身分"})
    with refused(UsageError, "salary", "outlet_id"):
        read(tmp_path, text, columns={"salary": "证号"})


@pytest.mark.parametrize(
    ("rows", "leaf", "words"),
    [
        ("1,manager\n2,officer\n1.0,officer\n", DuplicateId, ["row 4", "field id", "1", "row 2", "one row"]),
        ("1,manager\n,officer\n", BadValue, ["row 3", "field id", "empty"]),
        ("1,manager\n2,\n", BadValue, ["row 3", "field role", "empty", "manager (网格经理)"]),
        ("1,行长\n", BadValue, ["row 2", "field role", '"行长"', "officer (网格员)"]),
        ("4.2E+17,manager\n", BadValue, ["row 2", "field id", "4.2E+17", "spreadsheet"]),
    ],
)
def test_bad_rows_are_refused_by_row_and_field(tmp_path, refused, rows, leaf, words):
    with refused(leaf, "staff.csv", *words):
        read(tmp_path, "id,role\n" + rows)


def test_bad_values_of_the_other_columns(tmp_path, refused):
    with refused(BadValue, "row 2", "field employment", '"退休"', "part_time (兼职)"):
        read(tmp_path, "id,role,employment\n1,officer,退休\n")
    with refused(BadValue, "row 2", "field grid_code", "9.90101E+14", "text"):
        read(tmp_path, "id,role,grid_code\n1,officer,X-001;9.90101E+14\n")
    with refused(BadValue, "row 2", "field 网点编号", "1E+09"):
        read(tmp_path, "id,role,网点编号\n1,officer,1E+09\n")


def test_a_workbook_keeps_names_of_forty_characters_and_numbers_whole(tmp_path, refused):
    name = "漷" * 40
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active.append(["说明"])
    book.active.append(["二〇二六年名单"])
    sheet = book.create_sheet("名单")
    for row in (["工号", "姓名", "角色", "用工", "网格编码"], [17, name, "网格员", "兼职", 990101001001001]):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    staff, _ = read_staff(StaffSource(path="a.xlsx", layer="名单"), tmp_path)
    assert staff.ids == ("17",)
    assert staff.names == (name,)
    assert staff.grid_codes == (("990101001001001",),)
    with refused(MissingColumn, "a.xlsx", "layer 说明", '"id"'):
        read_staff(StaffSource(path="a.xlsx"), tmp_path)
    with refused(UnreadableFile, "a.xlsx", "说明, 名单"):
        read_staff(StaffSource(path="a.xlsx", layer="人员"), tmp_path)


def test_files_that_hold_nothing_of_use(tmp_path, refused):
    with refused(UnreadableFile, "staff.csv", "empty"):
        read(tmp_path, "")
    with refused(UnreadableFile, "staff.csv", "no rows"):
        read(tmp_path, "id,role\n")
    with refused(BadValue, "staff.csv", "gb18030"):
        read(tmp_path, b"id,role\n1,\xff\xff\xff\xfe\n")
    with refused(UnreadableFile, "nowhere.csv", "no such file"):
        read_staff(StaffSource(path="nowhere.csv"), tmp_path)
    gpd.GeoDataFrame({"id": ["1"]}, geometry=[shapely.Point(111, 30)], crs=4326).to_file(tmp_path / "a.geojson")
    with refused(UnreadableFile, "a.geojson", "a table is needed", "GeoJSON"):
        read_staff(StaffSource(path="a.geojson"), tmp_path)
