"""Each class of CQL2 that the service declares, by filters that it must answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import pytest
import shapely
from shapely.geometry import mapping

from gridmap.api.features.collections import CONFORMANCE
from gridmap.domain.plan import Plan
from live_service import Live

_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf/"
POLYGON = shapely.box(111.29, 30.79, 111.31, 30.81)
LINE = shapely.LineString([(111.28, 30.78), (111.32, 30.82)])
POINT = shapely.Point(111.3, 30.8)
SEVERAL = shapely.MultiPolygon([POLYGON, shapely.box(111.2, 30.7, 111.21, 30.71)])
Grids = pd.DataFrame
TEXT: list[tuple[str, str, Callable[[Grids], pd.Series]]] = [
    ("cql2-text", "cells = 14", lambda g: g["cells"] == 14),
    ("cql2-text", "name = '东塆村'", lambda g: g["name"] == "东塆村"),
    ("basic-cql2", "cells > 10 AND has_outlet = TRUE", lambda g: (g["cells"] > 10) & g["has_outlet"]),
    ("basic-cql2", "NOT (cells < 12 OR demand >= 180)", lambda g: ~((g["cells"] < 12) | (g["demand"] >= 180))),
    ("basic-cql2", "manager_id IS NULL", lambda g: g["manager_id"].isna()),
    ("basic-cql2", "settlement <> 'rural'", lambda g: g["settlement"] != "rural"),
    ("advanced-comparison-operators", "name LIKE '东%'", lambda g: g["name"].str.startswith("东")),
    ("advanced-comparison-operators", "cells BETWEEN 12 AND 14", lambda g: g["cells"].between(12, 14)),
    ("advanced-comparison-operators", "cells IN (14, 99)", lambda g: g["cells"].isin([14, 99])),
    ("case-insensitive-comparison", "CASEI(settlement) = CASEI('RURAL')", lambda g: g["settlement"] == "rural"),
    ("accent-insensitive-comparison", "ACCENTI(settlement) = ACCENTI('rúral')", lambda g: g["settlement"] == "rural"),
    ("property-property", "demand > target_demand", lambda g: g["demand"] > g["target_demand"]),
    (
        "array-functions",
        "A_CONTAINS(cooperating_outlet_ids, ('A;2'))",
        lambda g: g["cooperating_outlet_ids"].map(lambda ids: "A;2" in ids),
    ),
    (
        "array-functions",
        "A_OVERLAPS(officer_ids, ('O1', 'none'))",
        lambda g: g["officer_ids"].map(lambda ids: "O1" in ids),
    ),
    (
        "array-functions",
        "A_EQUALS(officer_ids, ('O1'))",
        lambda g: g["officer_ids"].map(lambda ids: list(ids) == ["O1"]),
    ),
    (
        "array-functions",
        "A_CONTAINEDBY(officer_ids, ('O1', 'none'))",
        lambda g: g["officer_ids"].map(lambda ids: set(ids) <= {"O1", "none"}),
    ),
]
SPATIAL = [
    ("basic-spatial-functions", "s_intersects", POINT),
    ("basic-spatial-functions-plus", "s_intersects", LINE),
    ("basic-spatial-functions-plus", "s_intersects", POLYGON),
    ("basic-spatial-functions-plus", "s_intersects", SEVERAL),
    *(
        ("spatial-functions", f"s_{name}", POLYGON)
        for name in ("disjoint", "within", "overlaps", "contains", "touches")
    ),
    ("spatial-functions", "s_crosses", LINE),
    ("spatial-functions", "s_equals", POLYGON),
]


def test_every_class_that_is_declared_is_tried():
    declared = {one.removeprefix(_CQL2) for one in CONFORMANCE if one.startswith(_CQL2)}

    # Of two classes a part is offered: relations of collections, and lists that are no column's, are refused.
    in_part = {"spatial-functions", "array-functions"}

    assert declared | in_part == {name for name, _, _ in (*TEXT, *SPATIAL)} | {"cql2-json"}
    assert not declared & in_part


@pytest.mark.parametrize(("name", "text", "is_true"), TEXT, ids=[text for _, text, _ in TEXT])
def test_a_condition_finds_the_grids_it_holds_for(
    small: Live, plan: Plan, name: str, text: str, is_true: Callable[[Grids], pd.Series]
):
    found = small.json("/collections/made.grids/items", params={"filter": text})

    assert [one["id"] for one in found["features"]] == plan.grids[is_true(plan.grids)]["grid_code"].to_list()


@pytest.mark.parametrize(("name", "relation", "shape"), SPATIAL, ids=[f"{r} {s.geom_type}" for _, r, s in SPATIAL])
@pytest.mark.parametrize("language", ["cql2-text", "cql2-json"])
def test_a_relation_finds_the_cells_it_holds_for(
    small: Live, plan: Plan, name: str, relation: str, shape: shapely.Geometry, language: str
):
    text = f"{relation.upper()}(geometry, {shape.wkt})"
    document = {"op": relation, "args": [{"property": "geometry"}, mapping(shape)]}
    given = text if language == "cql2-text" else json.dumps(document)
    found = small.json("/collections/made.cells/items", params={"filter": given, "filter-lang": language})
    is_true = getattr(shapely, relation.removeprefix("s_"))(plan.cells.geometry.to_numpy(), shape)

    assert [one["id"] for one in found["features"]] == [row + 1 for row, holds in enumerate(is_true) if holds]


def test_relations_hold_for_some_and_not_for_others(plan: Plan):
    """What would be empty or all for every relation would prove nothing."""
    held = {
        relation: getattr(shapely, relation.removeprefix("s_"))(plan.cells.geometry.to_numpy(), shape).sum()
        for _, relation, shape in SPATIAL
    }
    assert sum(0 < count < len(plan.cells) for count in held.values()) >= 5
