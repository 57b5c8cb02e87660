"""Drive the page of a plan in a browser: places on the screen, clicks, colours, fields of the card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from playwright.sync_api import Page

from gridmap.domain.plan import Plan


def bounds(page: Page) -> list[float]:
    return [float(degrees) for degrees in page.get_attribute("#map", "data-bounds").split(",")]


def on_screen(page: Page, lon: float, lat: float) -> tuple[float, float]:
    west, south, east, north = bounds(page)
    box = page.locator("#map").bounding_box()
    return (
        box["x"] + box["width"] * (lon - west) / (east - west),
        box["y"] + box["height"] * (north - lat) / (north - south),
    )


def click_at(page: Page, lon: float, lat: float) -> None:
    page.mouse.click(*on_screen(page, lon, lat))
    drawn(page)


def drawn(page: Page) -> None:
    """Wait for the drawing that was asked for: it stands in the queue of frames before this one."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def eventually(page: Page, holds: Callable[[], bool]) -> bool:
    """Whether ``holds`` within seconds: a moved map is drawn anew only when it rests."""
    for _ in range(250):
        if holds():
            return True
        page.wait_for_timeout(20)
    return False


def settled(page: Page, act: Callable[[], Any]) -> list[float]:
    """Act, wait until the map is drawn anew at another place, and return its bounds."""
    before = page.get_attribute("#map", "data-bounds")
    act()
    page.wait_for_function("old => document.getElementById('map').dataset.bounds !== old", arg=before)
    return bounds(page)


def field(page: Page, name: str) -> str:
    return page.inner_text(f"#card [data-field={name}]")


def pixel(page: Page, lon: float, lat: float) -> list[int]:
    x, y = on_screen(page, lon, lat)
    box = page.locator("#map").bounding_box()
    script = """([x, y]) => {
        const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        copy.drawImage(document.getElementById("map"), -x * devicePixelRatio, -y * devicePixelRatio);
        return [...copy.getImageData(0, 0, 1, 1).data];
    }"""
    return page.evaluate(script, [x - box["x"], y - box["y"]])


def away_from_facilities(plan: Plan, rows: Any) -> int:
    """Row, among some, of the cell whose middle is farthest from every facility."""
    middles = shapely.centroid(plan.cells.geometry.to_numpy()[rows])
    far = shapely.distance(middles[:, None], plan.facilities.geometry.to_numpy()[None, :]).min(axis=1)
    return int(rows[np.argmax(far)])
