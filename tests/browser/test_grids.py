"""Grids on the page: their targets, people and levels, the rules they break, and what could not be met."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from gridmap.domain.plan import Plan, RuleResult
from gridmap.exports.words import deviation
from page_driver import away_from_facilities, click_at, drawn, field, settled


def test_a_click_means_the_grid_where_grids_are_coloured(plan: Plan, opened: Any) -> None:
    row = away_from_facilities(plan, np.flatnonzero(plan.cells["grid_code"] == plan.grids["grid_code"].iloc[2]))
    grid = plan.grids.iloc[2]
    with opened(plan) as page:
        page.select_option("#measure", "deviation")
        click_at(page, *plan.cells.geometry.iloc[row].centroid.coords[0])
        assert page.inner_text("#card .type") == "Grid"
        assert field(page, "code") == grid["grid_code"]
        assert field(page, "target") == "100 people"
        assert field(page, "deviation") == deviation(grid["deviation"])
        assert field(page, "manager") == "missing"
        assert field(page, "officers") == "2 missing"
        assert "locked" in field(page, "kind")
        assert page.locator("#card [data-field=parts]").count() == 0


def test_people_are_named_and_levels_lead_up_and_down(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        page.fill("#search", plan.grids["grid_code"].iloc[0])
        page.keyboard.press("Enter")
        assert (field(page, "manager"), field(page, "officers")) == ("王塆", "赵漷")
        assert len(field(page, "sub_grids").split("\n")) == 2
        page.click("#card [data-field=sub_grids] button >> nth=0")
        assert field(page, "level") == "sub-grid"
        page.click("#card [data-field=parent] button")
        assert field(page, "code") == plan.grids["grid_code"].iloc[0]
        page.click("#card [data-field=parent] button")
        assert field(page, "grids") == "2"


def test_a_card_leads_to_the_rules_its_grid_breaks(plan: Plan, opened: Any) -> None:
    code = plan.grids["grid_code"].iloc[2]
    broken = replace(plan, rules=(*plan.rules, RuleResult("balance_within_tolerance", False, 2, (code,))))
    with opened(broken) as page:
        page.fill("#search", code)
        page.keyboard.press("Enter")
        notes = page.inner_text("#card .notes")
        assert "holds 140 people" in notes or "北墘村" in notes
        page.click("#card .notes button")
        assert page.get_attribute("#tab-rules", "aria-selected") == "true"
        assert page.locator("[data-rule=balance_within_tolerance] details[open]").count() == 1
        page.click("[data-rule=balance_within_tolerance] details button")
        assert field(page, "code") == code


def test_what_could_not_be_met_leads_to_the_map(plan: Plan, opened: Any) -> None:
    (short,) = plan.report["shortfalls"]
    with opened(plan, locale="zh-CN") as page:
        page.click("#tab-rules")
        assert "未能满足的要求：1 项" in page.inner_text("#panel")
        west, south, east, north = settled(page, lambda: page.click("#shortfalls button >> nth=0"))
        assert field(page, "code") == short["grid_code"]
        assert shapely.box(west, south, east, north).contains(plan.grids.geometry.iloc[2])
        page.click("#shortfalls button >> nth=1")
        assert field(page, "code") in (short["unit_code"], plan.areas["area_code"].iloc[3])


def test_base_units_are_a_layer_of_their_own(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        assert not page.is_checked("[data-layer=units]")
        page.check("[data-layer=units]")
        for layer in ("cells", "gaps", "grids"):
            page.uncheck(f"[data-layer={layer}]")
        row = away_from_facilities(plan, np.arange(len(plan.cells)))
        click_at(page, *plan.cells.geometry.iloc[row].centroid.coords[0])
        assert page.inner_text("#card .type") == "Base unit"
        assert field(page, "code") == plan.cells["unit_code"].iloc[row]
    villages = replace(plan, units=plan.units.assign(kind="village"))
    with opened(villages) as page:
        assert page.locator("[data-layer=units]").count() == 0


def test_deviations_are_classed_by_the_tolerance_and_grids_are_counted(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        page.select_option("#measure", "deviation")
        rows = page.locator("#classes .class").all_inner_texts()
        counts = {row.split("\n")[0].strip(): int(row.split("\n")[-1]) for row in rows}
        # One grid has no target, one deviates by 4 %, one by far more than four times the tolerance of 5 %.
        assert counts == {"no target": 1, "-5.0 % … +5.0 %": 1, "> +20.0 %": 1}
    aimless = replace(plan, grids=plan.grids.assign(deviation=np.nan, target_demand=np.nan))
    with opened(aimless) as page:
        assert page.locator("#measure option[value=deviation]").count() == 0


def test_card_and_legend_never_lie_over_each_other(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        page.fill("#search", plan.grids["grid_code"].iloc[0])
        page.keyboard.press("Enter")
        drawn(page)
        card, legend = (page.locator(name).bounding_box() for name in ("#card", "#legend"))
        assert card["y"] + card["height"] <= legend["y"]
        assert card["height"] > 240
        page.click("#card header button")
        drawn(page)
        assert page.locator("#legend").bounding_box()["height"] > legend["height"]
