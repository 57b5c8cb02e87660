"""Texts that look like SQL reach the databases as the values they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from gridmap.domain.access import Scope
from gridmap.domain.plan import Plan
from gridmap.store.filters import parse_filter
from gridmap.store.reading.layers import LayerReader
from gridmap.store.sql import SqlStore

HOSTILE = [
    "x'; DROP TABLE plan; --",
    "' OR 1=1 --",
    '" OR 1=1 --',
    "%(name)s",
    ":name",
    "?",
    "$1",
    "\\'; SELECT pg_sleep(10); --",
    "{name}",
    "`x`",
    "/* x */",
    "\\",
    "[a-z]*",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_a_value_and_a_name_is_a_name(store: SqlStore, make_plan: Callable[..., Plan], text: str):
    plan = make_plan(names={"grid": text})
    plan = replace(plan, grids=plan.grids.assign(**{text: [text, "x", None]}))
    reader = LayerReader(store, store.add_version("p", plan, who="li"), Scope())
    layer = reader.layer("grids")
    value, pattern = text.replace("'", "''"), text.replace("\\", "\\\\").replace("%", "\\%").replace("'", "''")
    column = '"' + text.replace('"', '""') + '"'
    if value.endswith("\\") or "\\'" in value:
        # A backslash would take the quote with it; JSON says the same.
        filters = []
    else:
        filters = [f"name = '{value}'", f"name IN ('{value}')", f"name LIKE '{pattern}'", f"{column} = '{value}'"]
    for asked in filters:
        assert reader.rows(layer, ["fid"], where=parse_filter(asked, "cql2-text", layer)) == [(1,)], asked
    for name in ("name", text):
        asked = json.dumps({"op": "=", "args": [{"op": "casei", "args": [{"property": name}]}, text.lower()]})
        assert reader.rows(layer, ["fid"], where=parse_filter(asked, "cql2-json", layer)) == [(1,)], asked
    assert [one.plan_id for one in store.plans()] == ["p"]
