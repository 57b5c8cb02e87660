"""The ledger holds numbers as numbers, words in the reader's language, and no formula of anybody's."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from gridmap.catalogue import Language
from gridmap.domain.plan import Plan
from gridmap.exports.ledger import write_ledger

SHEETS: dict[Language, list[str]] = {
    "en": ["Grids", "Staff", "Organisation", "Levels", "Areas", "Outlets", "Devices", "Assignments", "Gaps", "Rules"],
    "zh": ["网格", "人员", "组织", "层级", "行政区划", "网点", "电子机具", "网格分配", "服务空白", "规则"],
}


def ledger(plan: Plan, tmp_path: Path, lang: Language) -> openpyxl.Workbook:
    write_ledger(plan, tmp_path / "ledger.xlsx", lang)
    return openpyxl.load_workbook(tmp_path / "ledger.xlsx")


def rows_of(book: openpyxl.Workbook, sheet: str) -> list[dict[str, object]]:
    heads, *rows = book[sheet].iter_rows(values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in rows]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_sheet_a_kind_of_object_with_frozen_headers_in_the_language(
    plan: Plan, tmp_path: Path, lang: Language
) -> None:
    book = ledger(plan, tmp_path, lang)
    assert book.sheetnames == SHEETS[lang]
    assert all(sheet.freeze_panes == "B2" and sheet["A1"].font.bold for sheet in book)
    counts = [len(list(sheet.iter_rows())) - 1 for sheet in book]
    assert counts == [3, 8, 8, 10, 4, 2, 3, 4, 1, 4]


def test_one_row_a_grid_with_codes_as_text_and_figures_as_numbers(plan: Plan, tmp_path: Path) -> None:
    first = rows_of(ledger(plan, tmp_path, "en"), "Grids")[0]
    grid = plan.grids.iloc[0]
    assert first["Grid code"] == "990101001001001"
    assert first["Area (km²)"] == pytest.approx(grid["area_m2"] / 1e6)
    assert first["Demand (people)"] == grid["demand"]
    assert first["Ground covered"] == 1.0
    assert first["Primary outlet"] == "中心支行"
    assert first["Cooperating outlets"] == "城西自助银行 (A;2)"
    assert first["Kind"] == "ordinary"
    assert first["Has an outlet"] == "yes"


def test_grids_state_target_people_and_the_load_of_their_outlet(plan: Plan, tmp_path: Path) -> None:
    first, second, third = rows_of(ledger(plan, tmp_path, "en"), "Grids")
    assert first["Target (people)"] == pytest.approx(first["Demand (people)"] / 1.04)
    assert first["Deviation from target"] == 0.04
    assert second["Target (people)"] is second["Deviation from target"] is None
    assert first["Load of its outlet"] == pytest.approx(first["Demand (people)"] / 500)
    assert second["Load of its outlet"] is None
    assert (first["Manager id"], first["Manager"], first["Officer ids"]) == ("M;1", "王塆", "赵漷 (O1)")
    assert (third["Manager"], third["Manager missing"], third["Officers missing"]) == (None, "yes", 2)
    assert [row["Locked"] for row in (first, second, third)] == ["no", "no", "yes"]
    assert second["Kind"] == "dedicated"


def test_people_and_levels_have_sheets_of_their_own(plan: Plan, tmp_path: Path) -> None:
    book = ledger(plan, tmp_path, "zh")
    staff = rows_of(book, "人员")
    assert [row["状态"] for row in staff].count("缺员") == 3
    assert staff[0]["名称"] == "=李四"
    assert staff[1] | {"网格编码": ""} == {
        "人员编号": "M;1", "名称": "王塆", "角色": "网格管理员", "用工形式": "全职", "网点编号": "A1",
        "网点": "中心支行", "网格编码": "", "网格": "东塆村", "状态": "已上岗",
    }  # fmt: skip
    nodes = rows_of(book, "组织")
    assert [row["类型"] for row in nodes] == ["总行", "管辖支行", *["网点"] * 2, *["人员"] * 4]
    assert nodes[2]["上级名称"] == "城区管辖行"
    assert nodes[2]["负荷率"] == pytest.approx(nodes[2]["需求（人）"] / 500)
    assert nodes[3]["负荷率"] is nodes[7]["负荷率"] is None
    levels = rows_of(book, "层级")
    assert [row["层级"] for row in levels] == ["县区", *["村社区"] * 3, "大网格", *["网格"] * 3, *["小网格"] * 2]
    assert levels[-1]["上级代码"] == "990101001001001"
    assert levels[-1]["上级名称"] == "东塆村"


def test_outlets_state_what_they_hold_and_gaps_where_they_lie(plan: Plan, tmp_path: Path) -> None:
    book = ledger(plan, tmp_path, "zh")
    outlets = rows_of(book, "网点")
    assert [row["主责网格数"] for row in outlets] == [1, 2]
    assert outlets[0]["服务能力（人）"] == 500
    assert outlets[1]["服务能力（人）"] is None
    assert rows_of(book, "服务空白")[0]["所在区划"] == "北墘村"
    assert rows_of(book, "规则")[1]["不满足者"] == "北墘村 (990101002001)"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1", "bell\a\x00end"])
def test_text_of_the_user_s_never_becomes_a_formula(make_plan: Callable[..., Plan], tmp_path: Path, name: str) -> None:
    book = ledger(make_plan(rings=1, names={"grid": name, "facility": name, "village": name}), tmp_path, "en")
    cell = book["Grids"]["B2"]
    assert cell.data_type == "s"
    assert cell.value.strip() == "".join(letter for letter in name if letter >= " ").strip()
    assert book["Outlets"]["B2"].data_type == "s"
    if name[0] in "=+-@\t":
        assert cell.quotePrefix
    with zipfile.ZipFile(tmp_path / "ledger.xlsx") as archive:
        sheets = [archive.read(entry) for entry in archive.namelist() if "worksheets/" in entry]
    assert not any(b"<f>" in sheet or b"<f " in sheet for sheet in sheets)
