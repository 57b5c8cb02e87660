"""The page carries the plan bit for bit in little room, and nothing in it can end its data block."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.plan import Plan
from gridmap.exports.page import page_text
from gridmap.exports.page.packing import colours_apart, neighbours, rings_of, shared_corners, varints, zigzag
from gridmap.exports.page.payload import page_payload


def decoded(text: str) -> list[int]:
    """Read LEB128 one byte at a time: the oracle."""
    values, value, shift = [], 0, 0
    for byte in base64.b64decode(text):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value, shift = 0, 0
    return values


def running(text: str) -> list[int]:
    sums, at = [], 0
    for value in decoded(text):
        at += -(value + 1) // 2 if value % 2 else value // 2
        sums.append(at)
    return sums


@given(st.lists(st.integers(0, 2**35 - 1)))
def test_varints_read_back(values: list[int]) -> None:
    assert decoded(varints(np.array(values, dtype=np.int64))) == values


@given(st.lists(st.integers(-(2**33), 2**33)))
def test_zigzag_folds_signs_in(values: list[int]) -> None:
    folded = zigzag(np.array(values, dtype=np.int64)).tolist()
    assert folded == [2 * value if value >= 0 else -2 * value - 1 for value in values]


def data_of(page: str) -> dict[str, Any]:
    block = re.search(r'<script type="application/json" id="plan-data">(.*?)</script>', page, re.DOTALL)
    assert block
    return json.loads(block[1])


@pytest.mark.parametrize("layer", ["cells", "grids", "areas", "gaps"])
def test_every_corner_of_every_layer_reads_back_to_its_lattice_point(plan: Plan, layer: str) -> None:
    data = data_of(page_text(plan))
    x, y = (np.array(running(data["corners"][axis])) + data["origin"][k] for k, axis in enumerate("xy"))
    packed = data["rings"][layer]
    corner, sizes, rings = running(packed["corners"]), decoded(packed["sizes"]), decoded(packed["rings"])
    polygons = getattr(plan, layer).geometry
    assert packed["count"] == len(polygons) == len(rings)
    at_ring, at = 0, 0
    for polygon, many in zip(polygons, rings, strict=True):
        found = []
        for size in sizes[at_ring : at_ring + many]:
            found += [(x[k], y[k]) for k in corner[at : at + size]]
            at += size
        at_ring += many
        ring_ends = np.cumsum(
            [len(ring.coords) for part in shapely.get_parts(polygon) for ring in shapely.get_rings(part)]
        )
        expected = np.delete(np.rint(shapely.get_coordinates(polygon) * 1e7), ring_ends - 1, axis=0)
        assert np.array_equal(found, expected)


def test_corners_are_shared() -> None:
    squares = shapely.box([0, 1, 0], [0, 0, 1], [1, 2, 1], [1, 1, 2])
    corners, layers = shared_corners({"squares": rings_of(squares), "whole": rings_of(shapely.box([0], [0], [1], [1]))})
    assert len(corners) == 8
    assert neighbours(layers["squares"], np.arange(3)).tolist() == [[0, 1], [0, 2]]


def test_neighbours_get_unlike_colours_when_colours_suffice() -> None:
    side = 12
    number = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1),
            np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1),
        ]
    )
    colour = np.array(colours_apart(side * side, pairs, 8))
    assert not (colour[pairs[:, 0]] == colour[pairs[:, 1]]).any()
    assert np.bincount(colour, minlength=8).min() > 0


def test_shares_that_are_not_all_never_read_as_all(plan: Plan) -> None:
    cells = plan.cells.assign(covered_share=[0.0, 1e-8, 0.5, 1 - 1e-8, 1.0, 3e-16, 1 - 3e-16, *[1.0] * 30])
    payload = page_payload(
        Plan(**{**{name: getattr(plan, name) for name in plan.__dataclass_fields__}, "cells": cells})
    )
    steps = np.frombuffer(base64.b64decode(payload["cells"]["covered_share"]["data"]), dtype="<u2")
    assert steps[:7].tolist() == [0, 1, 32768, 65534, 65535, 0, 65535]


WICKED = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>{{script}}"


def test_names_cannot_end_the_data_block_or_reach_the_template(make_plan: Callable[..., Plan]) -> None:
    names = dict.fromkeys(("plan", "bank", "county", "village", "grid", "facility", "warning"), WICKED)
    page = page_text(make_plan(rings=1, names=names))
    assert page.count("</script>") == 2
    assert "<img" not in page
    assert "<!--" not in page
    assert data_of(page)["plan"]["name"] == WICKED
    assert data_of(page)["facilities"]["name"][0] == WICKED


def test_the_page_names_no_address_outside_itself(plan: Plan) -> None:
    page = page_text(plan)
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", page)
    assert "default-src 'none'" in page


def test_every_word_that_the_script_asks_for_is_in_the_catalogue(plan: Plan) -> None:
    page = page_text(plan)
    texts = data_of(page)["texts"]
    asked = set(re.findall(r"""\bt\("(\w+)""", page))
    asked |= {f"field_{key}" for key in re.findall(r"""^\s+\["(\w+)", """, page, re.MULTILINE)}
    assert len(asked) > 70
    for lang in ("en", "zh"):
        assert asked <= texts[lang].keys()


def test_a_county_of_twenty_thousand_cells_stays_under_six_megabytes(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(rings=82, resolution=9)
    assert len(plan.cells) > 20_000
    assert len(page_text(plan).encode()) < 6_000_000
