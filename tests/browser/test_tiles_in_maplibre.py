"""MapLibre draws plans from the service by the address of a style alone, from both stores, and has nothing to say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route

from gridmap.cartography import STYLES
from gridmap.domain.plan import Plan
from gridmap.settings import Settings
from gridmap.store import open_store
from live_service import Live, serving
from store_fixtures import KINDS, cluster, made_tables, made_url

__all__ = ["cluster", "made_tables", "made_url"]

DIST = Path(__file__).parents[2] / "src/gridmap/viewer/node_modules/maplibre-gl/dist"
PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/maplibre/maplibre-gl.css">
<style>html, body, #map { margin: 0; width: 100%; height: 100% }</style><div id="map"></div>
<script type="module">
import * as maplibregl from "/maplibre/maplibre-gl.mjs";
const options = OPTIONS;
window.map = new maplibregl.Map({ container: "map", attributionControl: false, fadeDuration: 0, ...options });
window.faults = [];
map.on("error", (event) => faults.push(String(event.error)));
map.on("idle", () => { window.idle = true; });
</script>"""


@pytest.fixture(scope="session")
def drawing(driver: Playwright) -> Iterator[Browser]:
    """Start a Chromium that draws WebGL without a graphics card."""
    arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def wide(make_plan: Callable[..., Plan]) -> Plan:
    """3,997 cells: more than tiles of small scales hold."""
    return make_plan(rings=36, resolution=9)


@pytest.fixture(scope="module", params=KINDS)
def live(
    request: pytest.FixtureRequest,
    made_url: Callable[[str], str],
    wide: Plan,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    store = open_store(made_url(request.param))
    store.publish(store.add_version("made", wide, who="test"), who="test")
    with serving(store, Settings(data_directory=tmp_path_factory.mktemp("data"), rate_limit="")) as running:
        yield running
    store.close()


@pytest.fixture
def opened(drawing: Browser, live: Live) -> Callable[..., Any]:
    """Open a map of a style; it must log nothing, and ask for nothing but the service and its own library."""

    @contextmanager
    def open_map(style: str, **options: object) -> Iterator[Page]:
        assert DIST.is_dir(), "run npm ci in src/gridmap/viewer, or make viewer"
        session = drawing.new_context(viewport={"width": 480, "height": 360})
        complaints: list[str] = []
        asked: list[str] = []

        def library(route: Route) -> None:
            name = route.request.url.partition("?")[0].rsplit("/", 1)[1]
            kinds = {"mjs": "text/javascript", "css": "text/css"}
            route.fulfill(path=DIST / name, content_type=kinds[name.rsplit(".", 1)[1]])

        def page_of_map(route: Route) -> None:
            given = {"style": f"{live.url}/styles/{style}", **options}
            route.fulfill(body=PAGE.replace("OPTIONS", json.dumps(given)), content_type="text/html")

        session.route("**/maplibre/**", library)
        session.route("**/map-of-a-test", page_of_map)
        page = session.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda fault: complaints.append(f"error: {fault}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{live.url}/map-of-a-test")
        rested(page)
        yield page
        assert page.evaluate("() => window.faults") == []
        session.close()
        assert complaints == []
        assert [address for address in asked if not address.startswith((live.url, "blob:", "data:"))] == []

    return open_map


def rested(page: Page) -> None:
    page.wait_for_function("() => window.idle === true && window.map.loaded()", timeout=20_000)


def moved(page: Page, lon: float, lat: float, zoom: float) -> None:
    page.evaluate("() => { window.idle = false; }")
    page.evaluate("([lon, lat, zoom]) => map.jumpTo({ center: [lon, lat], zoom })", [lon, lat, zoom])
    rested(page)


def drawn(page: Page, layer: str) -> list[dict[str, Any]]:
    """Attributes of the features that a layer of the style draws on the screen."""
    script = "(layer) => map.queryRenderedFeatures({ layers: [layer] }).map((one) => one.properties)"
    return page.evaluate(script, layer)


def at(page: Page, lon: float, lat: float, layer: str) -> list[dict[str, Any]]:
    """Attributes of the features at a place; what lies in two tiles is counted once."""
    script = """([lon, lat, layer]) =>
        map.queryRenderedFeatures(map.project([lon, lat]), { layers: [layer] }).map((one) => one.properties)"""
    found = page.evaluate(script, [lon, lat, layer])
    return [one for place, one in enumerate(found) if one not in found[:place]]


def middle_of(plan: Plan) -> tuple[float, float]:
    west, south, east, north = plan.cells.total_bounds
    return (west + east) / 2, (south + north) / 2


def test_small_scales_show_sums_and_large_ones_cells(opened: Callable[..., Any], wide: Plan) -> None:
    with opened("made.demand") as page:
        moved(page, *middle_of(wide), 7)
        sums = {one["cell_id"]: one for one in drawn(page, "cells")}
        assert all(one["aggregated"] is True and one["resolution"] < 9 for one in sums.values())
        assert sum(one["cells"] for one in sums.values()) == len(wide.cells)
        assert sum(one["demand"] for one in sums.values()) == pytest.approx(wide.cells["demand"].sum())

        cell = wide.cells.iloc[1234]
        place = cell.geometry.centroid
        moved(page, place.x, place.y, 14)
        (found,) = at(page, place.x, place.y, "cells")
        assert found["cell_id"] == cell["cell_id"]
        assert found["grid_code"] == cell["grid_code"]
        assert found["demand"] == cell["demand"]
        assert "aggregated" not in found


def test_grids_are_found_by_code_and_facilities_by_kind(opened: Callable[..., Any], wide: Plan) -> None:
    with opened("made@1.rural-outlets") as page:
        moved(page, *middle_of(wide), 9)
        codes = {one["grid_code"] for one in drawn(page, "grids")}
        assert codes == set(wide.grids["grid_code"])
        for row in range(len(wide.grids)):
            place = wide.grids.geometry.iloc[row].representative_point()
            assert [one["grid_code"] for one in at(page, place.x, place.y, "grids")] == [
                wide.grids["grid_code"].iloc[row]
            ]
        lon, lat = wide.facilities.geometry.iloc[0].coords[0]
        moved(page, lon, lat, 13)
        assert {one["facility_id"] for one in drawn(page, "facilities")} >= {"A1"}
        assert {one["kind"] for one in drawn(page, "facilities")} <= {"branch", "self_service"}


@pytest.mark.parametrize("live", ["sqlite"], indirect=True)
def test_every_style_is_drawn_without_a_word(opened: Callable[..., Any], live: Live, wide: Plan) -> None:
    lon, lat = middle_of(wide)
    with opened("made.demand", center=[lon, lat], zoom=11) as page:
        seen = []
        for name in sorted(STYLES):
            page.evaluate("(url) => { window.idle = false; map.setStyle(url); }", f"{live.url}/styles/made.{name}")
            rested(page)
            seen.append(colours(page))
            assert len(seen[-1]) > 3, name
        assert all(one != other for place, one in enumerate(seen) for other in seen[:place])


@pytest.mark.parametrize("live", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("style", "named"), [("made.demand", "name"), ("made.rural-outlets", "grid_code")])
def test_text_needs_no_server_of_fonts(opened: Callable[..., Any], wide: Plan, style: str, named: str) -> None:
    grid = wide.grids.iloc[2]
    place = grid.geometry.representative_point()
    with opened(style, center=[place.x, place.y], zoom=12) as page:
        assert {one[named] for one in drawn(page, "grids-labels")} >= {grid[named]}
        with_text = colours(page)
        page.evaluate("() => { window.idle = false; map.setLayoutProperty('grids-labels', 'visibility', 'none'); }")
        rested(page)
        # Ink and halo were there, of Chinese as of digits.
        assert changed(with_text, colours(page)) > 200


def test_ground_without_a_plan_is_empty_and_nothing_is_wrong(opened: Callable[..., Any]) -> None:
    with opened("made.demand") as page:
        moved(page, 10.0, 50.0, 12)
        assert drawn(page, "cells") == []


def colours(page: Page) -> dict[str, int]:
    """Colours on the screen, and of how many pixels."""
    script = """() => new Promise((done) => { map.once("render", () => {
        const gl = map.getCanvas(), copy = document.createElement("canvas"), counts = {};
        copy.width = gl.width; copy.height = gl.height;
        const pen = copy.getContext("2d"); pen.drawImage(gl, 0, 0);
        for (const pixel of new Uint32Array(pen.getImageData(0, 0, copy.width, copy.height).data.buffer))
            counts[pixel] = (counts[pixel] ?? 0) + 1;
        done(counts);
    }); map.triggerRepaint(); })"""
    found: dict[str, int] = page.evaluate(script)
    return found


def changed(before: dict[str, int], after: dict[str, int]) -> int:
    """Pixels that have a colour that is not there, or not so often, on the other screen."""
    return sum(max(0, count - after.get(colour, 0)) for colour, count in before.items())
