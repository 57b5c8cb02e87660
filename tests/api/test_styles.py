"""Styles over HTTP: listed, loaded by their address alone, explained, with symbols."""

from __future__ import annotations

import struct
import zlib

import httpx
import numpy as np
import pytest

from gridmap.cartography import STYLES
from gridmap.domain.plan import Plan
from live_service import Live

STYLE = "application/vnd.mapbox.style+json"


def test_every_style_of_a_plan_is_listed_and_leads_to_what_it_says(published: Live) -> None:
    listed = published.json("/styles")["styles"]
    assert [one["id"] for one in listed] == [f"made.{name}" for name in STYLES]
    assert published.json("/styles?plan=made")["styles"] == listed
    for one in listed:
        links = {link["rel"]: link for link in one["links"]}
        style = published.get(links["stylesheet"]["href"])
        assert style.headers["content-type"] == links["stylesheet"]["type"] == STYLE
        assert style.json()["name"] == one["title"]
        metadata = published.get(links["describedby"]["href"]).json()
        assert metadata["id"] == one["id"]
        assert metadata["title"] == one["title"]
        assert metadata["stylesheets"][0]["link"]["href"] == links["stylesheet"]["href"]


@pytest.mark.parametrize("name", sorted(STYLES))
def test_a_style_draws_from_layers_and_attributes_that_its_tiles_have(published: Live, name: str) -> None:
    style = published.json(f"/styles/made@1.{name}")
    assert style["version"] == 8
    assert "glyphs" not in style
    (source,) = style["sources"].values()
    tilejson = published.get(source["url"]).json()
    held = {one["id"]: set(one["fields"]) for one in tilejson["vector_layers"]}
    assert set(STYLES[name].layers) == set(held)
    assert len({layer["id"] for layer in style["layers"]}) == len(style["layers"])
    drawn = [layer for layer in style["layers"] if layer["type"] != "background"]
    assert {layer["source-layer"] for layer in drawn} == set(held)
    for layer in drawn:
        used = attributes_used(layer)
        assert used <= held[layer["source-layer"]], (layer["id"], used - held[layer["source-layer"]])
    index = published.get(f"{style['sprite']}.json").json()
    for layer in drawn:
        pattern = layer.get("paint", {}).get("fill-pattern")
        assert pattern is None or pattern in index


def attributes_used(expression: object) -> set[str]:
    if isinstance(expression, dict):
        return set().union(*(attributes_used(one) for one in expression.values()))
    if isinstance(expression, list):
        if len(expression) == 2 and expression[0] == "get":
            return {expression[1]}
        return set().union(*(attributes_used(one) for one in expression))
    return set()


@pytest.mark.parametrize("name", sorted(STYLES))
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_the_legend_explains_in_both_languages_what_is_drawn(published: Live, name: str) -> None:
    metadata = published.json(f"/styles/made.{name}/metadata")
    style = published.json(f"/styles/made.{name}")
    legend = metadata["legend"]
    assert style["metadata"]["gridmap:legend"] == legend
    assert all(set(one["label"]) == {"en", "zh"} and all(one["label"].values()) for one in legend)
    index = published.json("/sprites/symbols.json")
    assert all(one["sign"] in index for one in legend if one["kind"] in ("symbol", "hatching"))
    text = str(style["layers"])
    assert all(one["colour"] in text for one in legend if one["kind"] in ("ground", "line"))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_titles_are_in_the_language_asked_for(published: Live) -> None:
    zh = published.json("/styles/made.demand/metadata", headers={"Accept-Language": "zh"})
    en = published.json("/styles/made.demand/metadata", headers={"Accept-Language": "en"})
    assert zh["title"] == "示例网格方案 · 需求密度"
    assert en["title"] == "示例网格方案 · Demand"
    assert zh["description"] != en["description"]


def test_classes_of_demand_lie_about_the_mean_of_the_plan(published: Live, plan: Plan) -> None:
    mean = plan.grids["demand"].sum() / plan.grids["area_m2"].sum() * 1e6
    layers = published.json("/styles/made.demand")["layers"]
    (cells,) = [layer for layer in layers if layer["id"] == "cells"]
    breaks = [one for one in cells["paint"]["fill-color"][3] if isinstance(one, int | float)]
    assert breaks == sorted(breaks)
    assert breaks[0] < mean < breaks[-1]


@pytest.mark.parametrize(
    "path",
    [
        "/styles/made.nothing",
        "/styles/other.demand",
        "/styles/made@9.demand",
        "/styles/demand",
        "/styles/made.demand.x/metadata",
        "/styles?plan=other",
    ],
)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_is_no_style_is_not_there(published: Live, path: str) -> None:
    answer = published.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_other_languages_of_styles_are_refused(published: Live) -> None:
    assert published.get("/styles/made.demand?f=sld").status_code == 400
    assert published.get("/sprites/others.png").status_code == 400


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_styles_of_a_version_are_kept(published: Live) -> None:
    pinned, current = published.get("/styles/made@1.demand"), published.get("/styles/made.demand")
    assert "immutable" in pinned.headers["cache-control"]
    assert "no-cache" in current.headers["cache-control"]
    again = published.get("/styles/made.demand", headers={"If-None-Match": current.headers["etag"]})
    assert again.status_code == 304
    assert "version=1" in current.json()["sources"]["plan"]["url"]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["symbols", "symbols@2x"])
def test_symbols_lie_in_the_picture_where_the_index_says(published: Live, name: str) -> None:
    index, picture = published.json(f"/sprites/{name}.json"), pixels(published.get(f"/sprites/{name}.png"))
    for entry in index.values():
        x, y, width, height = (entry[side] for side in ("x", "y", "width", "height"))
        cut = picture[y : y + height, x : x + width]
        assert cut.shape[:2] == (height, width)
        assert 0.1 < (cut[..., 3] > 127).mean() < 0.9
        assert entry["pixelRatio"] == (2 if name.endswith("2x") else 1)


def pixels(answer: httpx.Response) -> np.ndarray:
    """Read a PNG of eight bits and four channels whose lines are not filtered."""
    body = answer.content
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", body[16:24])
    start = body.index(b"IDAT")
    (length,) = struct.unpack(">I", body[start - 4 : start])
    lines = np.frombuffer(zlib.decompress(body[start + 4 : start + 4 + length]), np.uint8)
    return lines.reshape(height, 1 + 4 * width)[:, 1:].reshape(height, width, 4)
