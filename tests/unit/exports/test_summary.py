"""What ``gridmap plan`` says of the grids: carved ground, balance, people, rules, what could not be met."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridmap import catalogue
from gridmap.domain.plan import Plan, RuleResult
from gridmap.exports.summary import broken_rules, finding_lines, findings_document


def test_the_summary_names_what_is_wrong_and_where(plan: Plan) -> None:
    text = "\n".join(finding_lines(plan, "en"))
    worst = plan.grids.iloc[2]
    assert "carved out first: 1 dedicated, 1 locked grids" in text
    assert f"{100 * worst['deviation']:+.1f} % in 北墘村 (990101002001001)" in text
    assert "1 of 2 grids miss their target by more than 5.0 %" in text
    assert "1 of 3 grids without a manager: 北墘村 (990101002001001) · 2 officers missing" in text
    assert "rules: 2 broken, 1 more to look at" in text
    assert "✕" in text
    assert "北墘村 (990101002001)" in text
    assert "! " in text
    assert "not met: 1" in text


def test_chinese_is_spoken(plan: Plan) -> None:
    text = "\n".join(finding_lines(plan, "zh"))
    assert "规则：2 项不满足" in text
    assert "北墘村（990101002001001）" in text
    assert "{" not in text


@pytest.mark.parametrize("lang", catalogue.LANGUAGES)
def test_a_plan_without_fault_says_so(plan: Plan, lang: catalogue.Language) -> None:
    grids = plan.grids.assign(kind="ordinary", locked=False, deviation=0.01, managers_missing=False, officers_missing=0)
    figures = {
        **plan.indicators,
        "balance": {**plan.indicators["balance"], "grids": 3, "within_tolerance": 3},
        "staffing": {**plan.indicators["staffing"], "officers_missing": 0},
    }
    rules = (RuleResult("capacity_not_exceeded", True, 2, ()),)
    sound = replace(plan, grids=grids, indicators=figures, rules=rules, report={**plan.report, "shortfalls": []})
    lines = finding_lines(sound, lang)
    assert len(lines) == 3
    assert catalogue.text("summary.rules_hold", lang) in lines
    # Equal deviations: the first code answers.
    assert "990101001001001" in lines[0]
    assert broken_rules(sound) == ()


def test_without_targets_or_people_nothing_is_made_up(plan: Plan) -> None:
    grids = plan.grids.assign(deviation=float("nan"), managers_missing=True)
    figures = {**plan.indicators, "staffing": {**plan.indicators["staffing"], "people": 0}}
    bare = replace(plan, grids=grids, indicators=figures)
    text = "\n".join(finding_lines(bare, "en"))
    assert "balance" not in text
    assert "people: none given; 3 managers and 2 officers are needed" in text
    assert findings_document(bare)["grids"]["largest_deviation"] is None


def test_the_document_lists_rules_with_what_breaks_them(plan: Plan) -> None:
    document = findings_document(plan, "en")
    assert document["rules_broken"] == ["rural_cash_point_per_village", "capacity_not_exceeded"]
    by_rule = {rule["rule"]: rule for rule in document["rules"]}
    assert by_rule["capacity_not_exceeded"]["broken_by"] == ["A1"]
    assert by_rule["no_cash_point_in_urban"]["result"] == "look"
    assert document["grids"]["without_manager_in"] == ["990101002001001"]
    assert document["grids"]["largest_deviation_in"] == "990101002001001"
    assert len(document["shortfalls"]) == 1
    assert "北墘村" in document["shortfalls"][0]
