"""A layer with something of everything to be asked for, and a slow plain reading of CQL2 JSON to answer with."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.domain.plan import Plan

TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "Ab",
    "É",
    "é",
    "e",
    "Ж",
    "ж",
    "Я",
    "я",
    "东塆村",
    "东",
    "50%",
    "a_b",
    "it's",
    'q"q',
    "x\\y",
    "Z",
    "[",
]
LISTS = [[], ["p1"], ["p1", "p2"], ["p2"], ["张", "p;1"], ["p1", "p1"]]
WEST, SOUTH, STEP = 111.0, 30.0, 0.125


def made_asked(plan: Plan, count: int = 60) -> Plan:
    """Give a plan ``count`` grids of random values, with columns of the user's own."""
    rng = np.random.default_rng(7)

    def some(values: list[Any]) -> np.ndarray:
        found = np.empty(count, dtype=object)
        found[:] = [values[place] for place in rng.integers(len(values), size=count)]
        return found

    frame = pd.DataFrame(
        {
            "grid_code": [f"99010100100{row:04d}" for row in range(count)],
            "name": some([*TEXTS, None]),
            "kind": some(["ordinary", "dedicated", None, "a"]),
            "demand": some([0.0, 0.1, 1.5, -2.0, 1e-7, 1e18, np.nan]).astype(float),
            "target_demand": some([0.0, 1.0, 1.5, np.nan]).astype(float),
            "cells": some([0, 1, 2, -3, 2**53, 2**53 + 1]).astype("int64"),
            "has_outlet": some([True, False]).astype(bool),
            "cooperating_outlet_ids": some(LISTS),
            "officer_ids": some(LISTS),
            "own text": some([*TEXTS, None]),
            'own "number"': some([0.1, 2.0, np.nan]).astype(float),
            "own_whole": some([0, 7, 2**60]).astype("int64"),
            "own_flag": some([True, False]).astype(bool),
            "own_texts": some(LISTS),
        }
    )
    return replace(plan, grids=gpd.GeoDataFrame(frame, geometry=_shapes(count, rng), crs=4326))


def _shapes(count: int, rng: np.random.Generator) -> np.ndarray:
    """Boxes on a coarse raster, so that many touch, and some of two parts."""
    found = np.empty(count, dtype=object)
    for row in range(count):
        x, y = WEST + STEP * rng.integers(0, 8, 2)[0], SOUTH + STEP * rng.integers(0, 8)
        box = shapely.box(x, y, x + STEP * rng.integers(1, 4), y + STEP * rng.integers(1, 4))
        far = shapely.box(x + 10, y, x + 10 + STEP, y + STEP)
        found[row] = shapely.multipolygons([box, far]) if row % 9 == 0 else box
    return found


def matching(frame: gpd.GeoDataFrame, node: Any) -> list[int]:
    """Numbers of the rows that a filter is true of."""
    rows = frame.astype(object).to_dict("records")
    return [number for number, row in enumerate(rows, start=1) if truth(node, row) is True]


def truth(node: Any, row: dict[str, Any]) -> bool | None:
    """Value of a condition: None where it is neither true nor false."""
    if isinstance(node, bool):
        return node
    if "property" in node:
        return _value(node, row)
    op, args = node["op"], node["args"]
    if op == "and":
        found = [truth(one, row) for one in args]
        return False if False in found else None if None in found else True
    if op == "or":
        found = [truth(one, row) for one in args]
        return True if True in found else None if None in found else False
    if op == "not":
        found = truth(args[0], row)
        return None if found is None else not found
    if op == "isNull":
        return _value(args[0], row) is None
    if op == "between":
        return truth({"op": "and", "args": [_op(">=", args[0], args[1]), _op("<=", args[0], args[2])]}, row)
    if op == "in":
        return truth({"op": "or", "args": [_op("=", args[0], one) for one in args[1]]}, row)
    left, right = _value(args[0], row), _value(args[1], row)
    if left is None or right is None:
        return None
    return _related(op, left, right)


def _op(op: str, *args: Any) -> dict[str, Any]:
    return {"op": op, "args": list(args)}


def _related(op: str, left: Any, right: Any) -> bool:
    if op.startswith("s_"):
        return bool(getattr(shapely, op.removeprefix("s_"))(left, right))
    if op.startswith("a_"):
        one, other = set(left), set(right)
        return {"a_contains": one >= other, "a_containedBy": one <= other, "a_equals": one == other}.get(
            op, bool(one & other)
        )
    if op == "like":
        parts = re.findall(r"\\.|.", right, re.DOTALL)
        written = "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
        return re.fullmatch(written, left, re.DOTALL) is not None
    if isinstance(left, str) and op not in ("=", "<>"):
        left, right = left.encode(), right.encode()
    return {
        "=": left == right,
        "<>": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[op]


def _value(node: Any, row: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_value(one, row) for one in node]
    if not isinstance(node, dict):
        return node
    if "property" in node:
        value = row[node["property"]]
        return None if isinstance(value, float) and np.isnan(value) else value
    if "bbox" in node:
        return shapely.box(*node["bbox"])
    if "coordinates" in node:
        return shapely.geometry.shape(node)
    inner = _value(node["args"][0], row)
    if inner is None:
        return None
    if node["op"] == "casei":
        return inner.lower()
    return "".join(one for one in unicodedata.normalize("NFD", inner) if not unicodedata.combining(one))
