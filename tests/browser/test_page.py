"""The page in a real browser: the map shows, answers and speaks, and needs nothing but its file."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely

from gridmap.domain.plan import Plan
from gridmap.exports.words import distance, percent
from page_driver import away_from_facilities, bounds, click_at, drawn, eventually, field, on_screen, pixel, settled


@pytest.mark.parametrize("covered", [True, False])
def test_a_click_shows_the_cell_under_it(plan: Plan, opened: Any, covered: bool) -> None:
    row = away_from_facilities(plan, np.flatnonzero(plan.cells["covered"] == covered))
    cell = plan.cells.iloc[row]
    with opened(plan) as page:
        click_at(page, cell.geometry.centroid.x, cell.geometry.centroid.y)
        assert page.inner_text("#card h2") == cell["cell_id"]
        assert field(page, "service") == ("within reach" if covered else "out of reach")
        assert field(page, "covered_share") == percent(cell["covered_share"])
        assert field(page, "distance") == distance(cell["distance_m"])
        atm = cell["nearest_atm_m"] < cell["nearest_branch_m"]
        assert field(page, "nearest") == ("=1+1" if atm else "中心支行")
        assert field(page, "nearest_distance") == distance(min(cell["nearest_atm_m"], cell["nearest_branch_m"]))
        assert field(page, "crossing") == str(cell["crossing_degree"])
        assert field(page, "settlement") == cell["settlement"]
        grid = plan.grids.set_index("grid_code").loc[cell["grid_code"]]
        assert field(page, "grid") == grid["name"]
        kinds = [name for name in plan.cells.columns if name.startswith("covered_by_") and cell[name]]
        assert len(field(page, "covered_by").split("\n")) == max(len(kinds), 1)
        if covered:
            page.click("#card [data-field=grid] button")
            assert field(page, "code") == cell["grid_code"]
            assert field(page, "cells") == str(grid["cells"])
        else:
            page.click("#card [data-field=gap] button")
            assert field(page, "code") == "G001"


def test_every_cell_is_found_under_its_own_middle(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        for kind in plan.facilities["kind"]:
            page.uncheck(f"[data-layer={kind}]")
        for cell in plan.cells.iloc[::4].itertuples():
            click_at(page, cell.geometry.centroid.x, cell.geometry.centroid.y)
            assert page.inner_text("#card h2") == cell.cell_id


def test_a_hole_belongs_to_nothing(plan: Plan, opened: Any) -> None:
    row = away_from_facilities(plan, np.flatnonzero(plan.cells["covered"]))
    gone = plan.cells.geometry.iloc[row]
    holed = replace(
        plan,
        cells=plan.cells.drop(index=row),
        grids=plan.grids.set_geometry(plan.grids.geometry.difference(gone.buffer(1e-6))),
        areas=plan.areas.set_geometry(plan.areas.geometry.difference(gone.buffer(1e-6))),
    )
    with opened(holed) as page:
        click_at(page, gone.centroid.x, gone.centroid.y)
        assert page.is_hidden("#card")


def test_switches_hide_layers_and_clicks_reach_what_is_left(plan: Plan, opened: Any) -> None:
    row = away_from_facilities(plan, np.flatnonzero(~plan.cells["covered"]))
    lon, lat = plan.cells.geometry.iloc[row].centroid.coords[0]
    with opened(plan) as page:
        shown = pixel(page, lon, lat)
        kinds = []
        for layer in ("cells", "gaps", "grids", "areas"):
            click_at(page, lon, lat)
            kinds.append(page.inner_text("#card .type"))
            page.uncheck(f"[data-layer={layer}]")
        click_at(page, lon, lat)
        assert kinds == ["Cell", "Coverage gap", "Grid", "Area"]
        assert page.is_hidden("#card")
        assert pixel(page, lon, lat) != shown
        for layer in ("cells", "gaps"):
            page.check(f"[data-layer={layer}]")
        drawn(page)
        assert pixel(page, lon, lat) == shown


def test_facilities_are_picked_by_their_symbol_and_switched_by_kind(plan: Plan, opened: Any) -> None:
    branch = plan.facilities.iloc[0]
    with opened(plan) as page:
        click_at(page, branch["lon"], branch["lat"])
        assert page.inner_text("#card h2") == "中心支行"
        assert field(page, "capacity") == "500 people"
        assert field(page, "radius") == "1.5 km / 5.0 km"
        page.click("#card header button")
        assert page.is_hidden("#card")
        page.uncheck("[data-layer=branch]")
        click_at(page, branch["lon"], branch["lat"])
        assert page.inner_text("#card .type") == "Cell"


@pytest.mark.parametrize(
    "measure", ["covered_share", "covered", "grid", "parent", "outlet", "demand", "nearest", "distance", "crossing"]
)
def test_each_measure_colours_the_cells_and_its_legend_counts_them_all(plan: Plan, opened: Any, measure: str) -> None:
    with opened(plan) as page:
        page.select_option("#measure", measure)
        counts = page.locator("#classes .class span:last-child").all_inner_texts()
        if measure not in ("grid", "parent", "outlet"):
            assert sum(int(number.replace(",", "")) for number in counts) == len(plan.cells)
        middles = shapely.centroid(plan.cells.geometry.to_numpy())
        page.uncheck("[data-layer=gaps]")
        page.uncheck("[data-layer=areas]")
        drawn(page)
        colours = {tuple(pixel(page, point.x, point.y)) for point in middles[::3]}
        assert len(colours) > 1


@pytest.mark.parametrize(
    ("locale", "tab", "lang"), [("zh-CN", "概览", "zh-CN"), ("en-GB", "Overview", "en"), ("fr-FR", "Overview", "en")]
)
def test_the_browser_s_language_is_spoken_and_can_be_changed(
    plan: Plan, opened: Any, locale: str, tab: str, lang: str
) -> None:
    with opened(plan, locale=locale) as page:
        assert page.inner_text("#tab-overview") == tab
        assert page.get_attribute("html", "lang") == lang
        page.click("[data-language=zh]")
        assert page.inner_text("#legend summary") == "图例与图层"
        assert page.get_attribute("[data-language=zh]", "aria-pressed") == "true"
        page.click("[data-language=en]")
        assert page.inner_text("#legend summary") == "Legend and layers"
        text = page.inner_text("body")
        assert "undefined" not in text
        assert "{" not in text


def test_gap_rows_and_rule_breakers_lead_to_the_map(plan: Plan, opened: Any) -> None:
    gap = plan.gaps.iloc[0]
    with opened(plan) as page:
        page.click("#tab-gaps")
        west, south, east, north = settled(page, lambda: page.click("[data-gap=G001]"))
        assert shapely.box(west, south, east, north).contains(gap.geometry)
        assert field(page, "nearest") == "=1+1"
        page.click("#tab-rules")
        page.click("[data-rule=rural_cash_point_per_village] summary")
        page.click("[data-rule=rural_cash_point_per_village] details button")
        assert page.inner_text("#card h2") == "北墘村"
        assert page.inner_text("[data-rule=grids_do_not_overlap] .muted") == "holds"


def test_search_finds_names_codes_and_cells_by_keyboard(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        for words, heading in [
            ("西漷", "西漷社区"),
            ("990101002001001", "北墘村"),
            ("g001", "北墘村"),
            ("a;2", "城西自助银行"),
            (plan.cells["cell_id"].iloc[5], plan.cells["cell_id"].iloc[5]),
        ]:
            page.fill("#search", words)
            assert page.get_attribute("#search", "aria-expanded") == "true"
            page.keyboard.press("Enter")
            assert page.inner_text("#card h2") == heading
            assert page.is_hidden("#found")
        page.fill("#search", "no such thing")
        assert page.inner_text("#found") == "Nothing of that name or code"
        page.keyboard.press("Escape")
        assert page.is_hidden("#found")


def test_the_map_is_moved_zoomed_and_asked_by_keyboard(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        page.focus("#map")
        page.keyboard.press("0")
        west, south, east, north = bounds(page)
        closer = settled(page, lambda: page.keyboard.press("+"))
        assert closer[2] - closer[0] == pytest.approx((east - west) / 1.4, rel=1e-3)
        moved = settled(page, lambda: page.keyboard.press("ArrowRight"))
        assert moved[0] > closer[0]
        assert moved[1] == pytest.approx(closer[1])
        again = settled(page, lambda: page.keyboard.press("0"))
        assert again == pytest.approx([west, south, east, north])
        page.keyboard.press("Enter")
        middle = shapely.Point((west + east) / 2, (south + north) / 2)
        (under,) = plan.cells["cell_id"][plan.cells.geometry.contains(middle)]
        assert page.inner_text("#card h2") == under
        page.keyboard.press("Escape")
        assert page.is_hidden("#card")


def test_every_control_is_reached_by_tab_and_has_a_name(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        nameless = page.evaluate(
            "() => [...document.querySelectorAll('button, input, select, canvas[tabindex]')]"
            ".filter((n) => !(n.textContent.trim() || n.ariaLabel || n.labels?.length)).map((n) => n.outerHTML)"
        )
        assert nameless == []
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    "() => { const on = document.activeElement; return on.id || on.dataset.layer || on.ariaLabel; }"
                )
            )
        assert {"search", "map", "tab-overview", "measure", "cells", "gaps", "branch", "Zoom in", "Show all"} <= reached


def test_the_wheel_zooms_about_the_pointer_and_a_drag_moves_the_ground(plan: Plan, opened: Any) -> None:
    lon, lat = plan.cells.geometry.iloc[3].centroid.coords[0]
    with opened(plan) as page:
        at = on_screen(page, lon, lat)
        page.mouse.move(*at)
        before = bounds(page)
        after = settled(page, lambda: page.mouse.wheel(0, -200))
        assert after[2] - after[0] < before[2] - before[0]
        assert on_screen(page, lon, lat) == pytest.approx(at, abs=1)
        page.mouse.down()
        page.mouse.move(at[0] + 60, at[1] + 40, steps=4)
        page.mouse.up()
        moved = pytest.approx((at[0] + 60, at[1] + 40), abs=1.5)
        assert eventually(page, lambda: on_screen(page, lon, lat) == moved)
        assert page.is_hidden("#card")


def test_fingers_pinch_and_tap(plan: Plan, opened: Any) -> None:
    row = away_from_facilities(plan, np.flatnonzero(plan.cells["covered"]))
    lon, lat = plan.cells.geometry.iloc[row].centroid.coords[0]
    with opened(plan, has_touch=True) as page:
        x, y = on_screen(page, lon, lat)
        hands = page.context.new_cdp_session(page)

        def touch(kind: str, *apart: float) -> None:
            points = [{"x": x + sign * gap, "y": y, "id": at} for gap in apart for at, sign in enumerate((-1, 1))]
            hands.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        before = bounds(page)
        touch("touchStart", 30)
        for gap in (40, 50, 60):
            touch("touchMove", gap)
        touch("touchEnd")
        wide, twice = before[2] - before[0], pytest.approx(2, rel=0.02)
        assert eventually(page, lambda: wide / (bounds(page)[2] - bounds(page)[0]) == twice)
        assert on_screen(page, lon, lat) == pytest.approx((x, y), abs=2)
        assert page.is_hidden("#card")
        page.touchscreen.tap(*on_screen(page, lon, lat))
        page.wait_for_selector("#card:not([hidden])")
        assert page.inner_text("#card h2") == plan.cells["cell_id"].iloc[row]


def test_light_and_dark_follow_the_system(plan: Plan, opened: Any) -> None:
    lon, lat = plan.cells.geometry.iloc[3].centroid.coords[0]
    with opened(plan, color_scheme="light") as page:
        light = pixel(page, lon, lat)
        sheet = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        page.emulate_media(color_scheme="dark")
        assert eventually(page, lambda: sum(pixel(page, lon, lat)[:3]) < sum(light[:3]))
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != sheet


def test_sharp_screens_get_sharp_maps(plan: Plan, opened: Any) -> None:
    with opened(plan, device_scale_factor=2) as page:
        assert page.evaluate("() => { const c = document.getElementById('map'); return c.width / c.clientWidth; }") == 2
        row = away_from_facilities(plan, np.flatnonzero(plan.cells["covered"]))
        click_at(page, *plan.cells.geometry.iloc[row].centroid.coords[0])
        assert page.inner_text("#card h2") == plan.cells["cell_id"].iloc[row]


WICKED = "<img src=x onerror=alert(1)></script><script>alert(2)</script>{n}$&"


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_wicked_names_are_shown_and_do_nothing(make_plan: Callable[..., Plan], opened: Any, locale: str) -> None:
    names = dict.fromkeys(("plan", "bank", "county", "village", "grid", "facility", "warning"), WICKED)
    plan = make_plan(names=names)
    with opened(plan, locale=locale) as page:
        assert page.inner_text("h1") == WICKED
        assert page.title() == WICKED
        assert WICKED in page.inner_text("#panel")
        page.fill("#search", WICKED)
        found = page.locator("#found li").all_inner_texts()
        assert len(found) >= 4
        assert all(WICKED in line for line in found)
        page.keyboard.press("Enter")
        assert page.inner_text("#card h2") == WICKED
        click_at(page, *plan.facilities.geometry.iloc[0].coords[0])
        for tab in ("gaps", "rules"):
            page.click(f"#tab-{tab}")
        assert page.locator("img, #panel script, #card script").count() == 0


def test_script_that_gets_into_the_page_all_the_same_is_not_run(plan: Plan, opened: Any) -> None:
    with opened(plan, blocked=1) as page:
        ran = page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.ran = true';"
            " document.body.append(s); return window.ran === true; }"
        )
        assert ran is False


def test_forty_thousand_cells_open_and_answer(make_plan: Callable[..., Plan], opened: Any) -> None:
    plan = make_plan(rings=114, resolution=9)
    assert len(plan.cells) > 39_000
    with opened(plan) as page:
        assert page.inner_text("[data-layer=cells] ~ .n") == f"{len(plan.cells):,}"
        cell = plan.cells.iloc[20_000]
        page.fill("#search", cell["cell_id"])
        settled(page, lambda: page.keyboard.press("Enter"))
        assert page.inner_text("#card h2") == cell["cell_id"]
        click_at(page, *cell.geometry.centroid.coords[0])
        assert page.inner_text("#card h2") == cell["cell_id"]


def test_the_page_alone_carries_the_plan(plan: Plan, opened: Any) -> None:
    with opened(plan) as page:
        data = page.evaluate("() => JSON.parse(document.getElementById('plan-data').textContent)")
    areas = np.frombuffer(base64.b64decode(data["cells"]["area_m2"]["data"]), dtype="<f4")
    assert areas == pytest.approx(plan.cells["area_m2"].to_numpy(), rel=1e-6)
