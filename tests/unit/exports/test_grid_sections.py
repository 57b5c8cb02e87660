"""The report says how the grids balance, who holds them, how levels add up, and what would mend what is broken."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan, RuleResult
from gridmap.exports.grid_sections import balance_section, levels_section, people_section
from gridmap.exports.report import report_text

NORTH = "北墘村 (990101002001001)"


def test_balance_is_told_in_all_and_of_the_worst_grids(plan: Plan) -> None:
    text = balance_section(plan, "en")
    demand = plan.grids["demand"].iloc[2]
    assert "Grids drawn to a target: 2; within ± 5.0 % of it: 1 (50.0 %)." in text
    assert f"Deviation: {100 * (demand / 100 - 1):.1f} % at most" in text
    assert f"| {NORTH} | {demand:,.0f} people | 100 people | {100 * (demand / 100 - 1):+.1f} % |" in text
    assert "东塆村 (990101001001001) |" not in text
    assert "less than 25.0 %: that is proved" in text


def test_a_table_by_parent_is_shown_where_there_are_several_worst_first(plan: Plan) -> None:
    one = plan.indicators["balance"]["by_parent"][0]
    parents = [{**one, "code": "990101001001", "max": 0.01}, {**one, "max": 0.4}, {**one, "code": "", "max": 0.2}]
    figures = {**plan.indicators, "balance": {**plan.indicators["balance"], "by_parent": parents}}
    rows = [
        line for line in balance_section(replace(plan, indicators=figures), "zh").splitlines() if "| 2 | 50.0 %" in line
    ]
    assert [row.split("|")[1].strip() for row in rows] == ["虚构县 (990101)", "–", "东塆村 (990101001001)"]


@pytest.mark.parametrize("lang", catalogue.LANGUAGES)
def test_what_cannot_be_met_is_said_in_the_language_of_the_report(plan: Plan, lang: Language) -> None:
    text = balance_section(plan, lang)
    assert plan.report["shortfalls"][0]["message"] not in text
    word = {"en": "alone holds more than target", "zh": "单独就超过目标与容差"}[lang]
    assert word in text
    assert "grids.tolerance" in text
    assert {"en": "to be met: 1; see “Balance of the grids”", "zh": "有 1 项无法满足"}[lang] in report_text(plan, lang)


def test_many_shortfalls_are_cut_with_their_number(plan: Plan) -> None:
    many = replace(plan, report={**plan.report, "shortfalls": plan.report["shortfalls"] * 14})
    text = balance_section(many, "en")
    assert text.count("alone holds more") == 10
    assert text.count("What helps: raise") == 1
    assert "- **Base units heavier than a grid should be**: 14. What helps:" in text
    assert text.endswith("  - and 4 more")


def test_a_plan_without_targets_claims_no_balance(plan: Plan) -> None:
    none = {**plan.indicators["balance"], "grids": 0, "max": None, "mean": None, "by_parent": []}
    text = balance_section(replace(plan, indicators={**plan.indicators, "balance": none}, report={}), "en")
    assert text == "No grid was drawn to a target of demand, so there is no deviation to state."


def test_people_are_counted_and_the_missing_and_idle_named(plan: Plan) -> None:
    text = people_section(plan, "en")
    assert "Managers: 2; officers: 3; 5 in all, 2 of them part-time. Holding a grid: 3; holding none: 2." in text
    assert f"Grids without a manager: 1, most demand first: {NORTH}." in text
    assert f"Officers missing: 2, in 1 grids: {NORTH}." in text
    assert "People without a grid: 1: 钱墘 (O2)." in text
    assert "not in the plan: 1: X9." in text


def test_a_plan_without_a_staff_file_says_who_is_needed_and_a_full_one_that_nobody_is(plan: Plan) -> None:
    nobody = {**plan.indicators["staffing"], "people": 0}
    none = replace(plan, indicators={**plan.indicators, "staffing": nobody}, staff=plan.staff.iloc[5:])
    assert "No staff file was given" in people_section(none, "en")
    grids = plan.grids.assign(managers_missing=False, officers_missing=0)
    placed = plan.staff[plan.staff["status"] == "placed"]
    full = people_section(replace(plan, grids=grids, staff=pd.DataFrame(placed)), "en")
    assert "Every grid has its manager and its officers." in full
    assert "without" not in full


def test_levels_are_a_table_of_sums(plan: Plan) -> None:
    rows = [line.split("|")[1:4] for line in levels_section(plan, "zh").splitlines() if line.startswith("|")][2:]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["县区", "1", "3"],
        ["村社区", "3", "3"],
        ["大网格", "1", "2"],
        ["网格", "3", "3"],
        ["小网格", "2", "–"],
    ]


def test_a_broken_rule_names_ten_who_break_it_and_what_would_mend_it(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {**catalogue.entries()["rules.capacity_not_exceeded"], "mend": {"en": "move a grid", "zh": "调整网格"}}
    monkeypatch.setitem(catalogue.entries(), "rules.capacity_not_exceeded", entry)
    codes = ("A1", *(f"99{number}" for number in range(13)))
    text = report_text(replace(plan, rules=(RuleResult("capacity_not_exceeded", False, 20, codes),)), "en")
    assert "| 中心支行 (A1), 990, 991, 992, 993, 994, 995, 996, 997, 998 and 4 more |" in text
    assert "- No outlet is loaded beyond its capacity: move a grid." in text
