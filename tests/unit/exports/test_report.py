"""The report says the conclusion first, in the reader's language, with units, and shows names as they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan
from gridmap.exports.report import report_text, write_report
from gridmap.exports.sentences import gap_places, literal, summary_lines
from gridmap.exports.words import amount, area, count, distance, percent


def test_summary_in_english(plan: Plan) -> None:
    held = plan.indicators["coverage"]["all"]
    assert summary_lines(plan, Path("out"), "en") == [
        "示例网格方案 · 3 grids · 37 cells · partition exact (certificate 5f1c0a9b…)",
        f"covered: {percent(held['covered_demand_share'])} of people, {percent(held['covered_area_share'])} of ground"
        " · 1 village without a cash point · 1 outlet over capacity",
        "largest gap: 北墘村, 76 people, nearest ATM 3.1 km",
        "written to out/ — open out/index.html",
    ]


def test_summary_in_chinese(plan: Plan) -> None:
    made, covered, gap = summary_lines(plan, lang="zh")
    assert made == "示例网格方案 · 3 个网格 · 37 个单元 · 剖分精确（证书 5f1c0a9b…）"
    assert covered.startswith("覆盖：需求（人）")
    assert gap == "最大服务空白：北墘村，76 人，最近ATM距 3.1 km"


def test_an_unproved_partition_is_never_called_exact(plan: Plan) -> None:
    unproved = replace(plan, certificate={**plan.certificate, "verdict": "broken"})
    assert "NOT proved" in summary_lines(unproved, lang="en")[0]


def test_where_area_stands_in_no_share_of_people_is_claimed(plan: Plan) -> None:
    demand = {**plan.indicators["demand"], "unit": "m2", "stands_in": True, "outside": 0.0}
    text = report_text(replace(plan, indicators={**plan.indicators, "demand": demand}), "en")
    assert "people" not in text
    assert "area stands in for it" in text


@pytest.mark.parametrize("lang", catalogue.LANGUAGES)
def test_the_report_begins_with_the_conclusion_and_holds_every_section(
    plan: Plan, tmp_path: Path, lang: Language
) -> None:
    write_report(plan, tmp_path / "report.md", lang)
    lines = (tmp_path / "report.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# 示例网格方案"
    assert next(line for line in lines if line.startswith("> ")) == f"> {literal(summary_lines(plan, lang=lang)[0])}  "
    headings = (
        "attention", "gaps", "rules", "balance", "people", "levels", "coverage", "areas", "load", "warnings", "files",
        "made",
    )  # fmt: skip
    assert [line[3:] for line in lines if line.startswith("## ")] == [
        catalogue.text(f"report.heading_{heading}", lang) for heading in headings
    ]


def test_broken_rules_name_who_breaks_them(plan: Plan) -> None:
    text = report_text(plan, "en")
    assert "| Every rural village has a cash point | BROKEN | 2 | 1 | 北墘村 (990101002001) |" in text
    assert "| No rural cash point on urban ground | look | 1 | 1 | 百货 POS (D3) |" in text
    assert "rural" in text
    assert "devices.csv: 2 devices lie outside every area" in text


def test_a_plan_with_nothing_wrong_says_so(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(rings=1, gaps=False)
    calm = {**plan.indicators, "demand": {**plan.indicators["demand"], "outside": 0.0}}
    text = report_text(replace(plan, rules=plan.rules[:1], indicators=calm, report={}), "en")
    assert "Nothing: every rule holds and no ground is without service." in text
    assert "no coverage gap: every cell is within reach of a facility" in text


def test_names_cannot_mark_up_the_report(make_plan: Callable[..., Plan]) -> None:
    wicked = "a|b <script>alert(1)</script> [x](http://x) `c`\n# d"
    text = report_text(make_plan(rings=1, names={"plan": wicked, "facility": wicked, "warning": wicked}), "en")
    assert "<script>" not in text
    assert not re.search(r"(?<!\\)[\[\]`]", text.splitlines()[0])
    assert "\n# d" not in text
    assert r"a\|b \<script\>alert(1)\</script\>" in text


@pytest.mark.parametrize(
    ("east", "north", "place"),
    [(0.3, 0, "村, east"), (-0.3, 0.3, "村, north-west"), (0, -0.3, "村, south"), (0.01, 0.01, "村")],
)
def test_a_gap_is_on_the_side_where_it_lies(plan: Plan, east: float, north: float, place: str) -> None:
    box = shapely.box(99.5, -0.5, 100.5, 0.5)
    spot = shapely.Point(100 + east, north).buffer(0.05)
    areas = gpd.GeoDataFrame({"area_code": ["1"], "name": ["村"], "parent_code": [None]}, geometry=[box], crs=4326)
    small = replace(plan, areas=areas)
    assert gap_places(small, pd.DataFrame({"area_code": ["1"], "geometry": [spot]}), "en") == [place]
    wide = pd.DataFrame({"area_code": ["1"], "geometry": [box.buffer(1)]})
    assert gap_places(small, wide, "en") == ["around 村"]


def test_figures_have_units_and_separators_and_never_round_a_fault_away() -> None:
    assert [count(38468), count(None)] == ["38,468", "–"]
    assert [percent(s) for s in (1.0, 0.99999, 0.913, 0.00001, 0.0, None)] == [
        "100.0 %", "> 99.9 %", "91.3 %", "< 0.1 %", "0.0 %", "–",
    ]  # fmt: skip
    assert [area(a) for a in (1_981_400_000.0, 820_000.0, 640.0)] == ["1,981.4 km²", "0.82 km²", "640 m²"]
    assert [distance(d) for d in (640.2, 999.6, 11_840.0)] == ["640 m", "1.0 km", "11.8 km"]
    assert [amount(4120, "people", "zh"), amount(7, "tonnes", "en")] == ["4,120 人", "7 tonnes"]


def test_every_text_of_the_exports_has_both_languages_with_equal_placeholders() -> None:
    rooms = ("report.", "page.", "exports.")
    entries = {key: entry for key, entry in catalogue.entries().items() if key.startswith(rooms)}
    fields = {
        key: [set(re.findall(r"\{(\w+)\}", entry[lang])) for lang in catalogue.LANGUAGES]
        for key, entry in entries.items()
    }
    assert len(entries) > 200
    # "and N more" counts the rest in English and the whole in Chinese.
    assert {key for key, (en, zh) in fields.items() if en != zh} <= {"report.and_more"}
