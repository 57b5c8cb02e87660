"""What cannot be met is said: where, by how much, why, and what would help."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan_settings import GridSection
from gridmap.planning.decisions import Decisions
from gridmap.planning.districting.task import Reason, Shortfall
from gridmap.planning.findings.shortfalls import grid_report, names_of_places, shortfall_message

VILLAGE = "990101001002"


def said(decisions: Decisions, *shortfalls: Shortfall) -> list[dict[str, object]]:
    entries = grid_report(replace(decisions, grids=replace(decisions.grids, shortfalls=shortfalls)))["shortfalls"]
    return list(entries)


def test_the_report_of_a_plan_names_grid_and_unit_and_keeps_the_figures(
    rich: Decisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "en")
    report = grid_report(rich)
    assert report["bound"] == 0.25
    assert report["retired_codes"] == ["990101001001009"]
    heavy, missing = report["shortfalls"]
    message = heavy.pop("message")
    assert heavy == {
        "reason": "heavy_unit",
        "grid_code": f"{VILLAGE}001",
        "unit_code": f"{VILLAGE}-D001",
        "wanted": 200.0,
        "got": 300.0,
        "measure": "demand",
    }
    assert message.startswith(
        f"name of {VILLAGE} ({VILLAGE}001) holds 300 people instead of 200 people (+50.0 %): "
        f"name of {VILLAGE} ({VILLAGE}-D001) alone holds more than target and tolerance allow"
    )
    assert "What helps: raise grids.target_demand" in message
    assert (missing["grid_code"], missing["unit_code"]) == (None, None)
    assert missing["message"].startswith("a grid of 200 people that was asked for is not there")
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.parametrize("lang", catalogue.LANGUAGES)
@pytest.mark.parametrize("got", [300.0, 100.0])
@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_says_why_and_what_to_do_about_which_setting(
    rich: Decisions, reason: Reason, got: float, lang: Language
) -> None:
    (entry,) = said(rich, Shortfall(reason, 1, 1, 200.0, got))
    sentence = shortfall_message(entry, names_of_places(rich), "people", lang)
    assert f"{VILLAGE}001" in sentence
    assert "None" not in sentence
    assert not re.search(r"[{}]", sentence)
    settings = set(re.findall(r"grids\.(\w+)", sentence))
    assert settings <= set(GridSection.model_fields)
    assert settings or "[dedicated]" in sentence
    if reason not in (Reason.LIMITS, Reason.TOO_FEW_UNITS):
        assert f"{VILLAGE}-D001" in sentence


def test_a_heavy_unit_next_door_is_told_from_one_within(rich: Decisions) -> None:
    within, beside = said(rich, *(Shortfall(Reason.HEAVY_UNIT, 1, 0, 200.0, got) for got in (300.0, 100.0)))
    names = names_of_places(rich)
    assert "alone holds more" in shortfall_message(within, names, "people", "en")
    assert "belongs to another grid" in shortfall_message(beside, names, "people", "en")


def test_bounds_of_area_are_told_in_square_kilometres(rich: Decisions) -> None:
    grids = rich.settings.grids.model_copy(update={"max_area_m2": 5e6, "min_demand": 400.0})
    bounded = replace(rich, settings=rich.settings.model_copy(update={"grids": grids}))
    area, demand = said(
        bounded, Shortfall(Reason.LIMITS, 0, -1, 5e6, 2.75e7), Shortfall(Reason.LIMITS, 1, -1, 400.0, 300.0)
    )
    assert [area["measure"], demand["measure"]] == ["area_m2", "demand"]
    names = names_of_places(rich)
    assert "has 27.50 km², above the 5.00 km² allowed" in shortfall_message(area, names, "people", "en")
    assert "has 300 yuan, below the 400 yuan required" in shortfall_message(demand, names, "yuan", "en")
