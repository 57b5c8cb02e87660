"""What ``gridmap explain`` says: the figures in words, every reason, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridmap import catalogue
from gridmap.exports.explanation import explanation_document, explanation_lines
from gridmap.planning.explaining.explain import explain
from gridmap.planning.explaining.explanation import Drawing, Explanation, Objection, Outcome, Verdict
from made_board import board_plan, middle


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    board = np.array([list("AABB"), list("AAAB"), list("AABB")], dtype=object)
    plan = board_plan(
        board,
        target=6.0,
        outlets={"A": (0, 0), "B": (0, 3)},
        asked={"count": 2, "mode": "free", "tolerance": 0.9},
    )
    return explain(plan, *middle(1, 2))


def test_the_conclusion_and_every_figure_stand_in_the_lines(explanation: Explanation) -> None:
    lines = explanation_lines(explanation, "people", "en")
    text = "\n".join(lines)
    assert "grid A (A) · 7 people, target 6 people, +16.7 %" in text
    assert "  + grid B (B): better by itself" in text
    assert "grid A: 7 people (+16.7 %) → 6 people (+0.0 %) · grid B: 5 people (-16.7 %) → 6 people (+0.0 %)" in text
    assert re.search(r"borders between grids -1\.9 km · outlet outlet B \d\.\d km away \(-\d", text)
    assert lines[-1].startswith("By itself it would do better in grid B")
    assert "open ground: each cell is a unit of its own" in text


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("unit", ["people", "m2"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_reason_and_verdict_has_words(
    explanation: Explanation, lang: catalogue.Language, unit: str, verdict: Verdict
) -> None:
    (move,) = explanation.alternatives
    for objection in Objection:
        one = replace(move, verdict=verdict, objections=(objection,), outlet=None)
        for outcome, drawn in [
            *((outcome, Drawing.FREE) for outcome in Outcome),
            *((Outcome.EVEN, d) for d in Drawing),
        ]:
            said = replace(explanation, alternatives=(one,), outcome=outcome, drawn=drawn, outlet=None, barriers=True)
            for line in explanation_lines(said, unit, lang):
                assert "{" not in line
                assert "None" not in line


def test_only_what_forbids_a_move_is_named_where_something_does(explanation: Explanation) -> None:
    (move,) = explanation.alternatives
    objections = (Objection.BREAKS, Objection.BALANCE, Objection.BORDER)
    forbidden = replace(move, verdict=Verdict.FORBIDDEN, objections=objections)
    text = "\n".join(explanation_lines(replace(explanation, alternatives=(forbidden,)), "people", "en"))
    assert "not possible: grid A would fall into" in text
    assert "deviation would be" not in text
    worse = replace(move, verdict=Verdict.WORSE, objections=objections[1:])
    text = "\n".join(explanation_lines(replace(explanation, alternatives=(worse,)), "people", "en"))
    assert "worse: the larger deviation would be" in text
    assert "would grow by" not in text


def test_the_document_is_plain_data(explanation: Explanation) -> None:
    document: dict[str, Any] = explanation_document(explanation, "people")
    assert document["demand_unit"] == "people"
    assert document["alternatives"][0]["other"]["demand_after"] == 6.0
    assert document["alternatives"][0]["verdict"] == "better"
