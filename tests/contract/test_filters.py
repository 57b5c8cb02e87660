"""Both stores find the features that a filter is true of, and no others, whatever is asked of whatever values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap.domain.access import Scope
from gridmap.domain.plan import Plan
from gridmap.errors import UsageError
from gridmap.store import open_store
from gridmap.store.boxes import box_shape
from gridmap.store.filters import bounds_of, parse_filter
from gridmap.store.reading.layers import LayerReader
from made_asked import LISTS, SOUTH, STEP, TEXTS, WEST, made_asked, matching


@dataclass
class Asked:
    """Both stores with the same grids."""

    plan: Plan
    readers: list[LayerReader]

    def found(self, text: str, language: str = "cql2-json") -> list[list[int]]:
        """Numbers of the grids each store finds."""
        answers = []
        for reader in self.readers:
            layer = reader.layer("grids")
            rows = reader.rows(layer, ["fid"], where=parse_filter(text, language, layer))
            answers.append([number for (number,) in rows])
        return answers


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, cluster, make_plan: Callable[..., Plan]) -> Iterator[Asked]:
    cluster.execute("CREATE DATABASE filters TEMPLATE made_tables")
    path = tmp_path_factory.mktemp("filters") / "store.sqlite"
    plan = made_asked(make_plan())
    stores: list[Any] = [open_store(str(path), create=True), open_store(cluster.url("filters"))]
    yield Asked(plan, [LayerReader(store, store.add_version("p", plan, who="li"), Scope()) for store in stores])
    for store in stores:
        store.close()


def named(name: str) -> dict[str, str]:
    return {"property": name}


def op(name: str, *args: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args)}


COMPARING = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
TEXT_COLUMNS = st.sampled_from(["name", "kind", "own text"])
NUMBER_COLUMNS = st.sampled_from(["demand", "target_demand", "cells", 'own "number"', "own_whole"])
LIST_COLUMNS = st.sampled_from(["cooperating_outlet_ids", "officer_ids", "own_texts"])
NUMBERS = st.sampled_from([0, 1, 1.5, 0.1, -2, 2.0, -0.5, 7, 2**53, 2**53 + 1, 2**60, 2**63, 1e18, 1e30, -1e30, 1e-7])
WORDS = st.sampled_from([*TEXTS, "ordinary"])
PATTERNS = st.sampled_from(
    ["%", "_", "a%", "%b", "A%", "_b", "50\\%", "a\\_b", "东%", "%村", "", "[%", "%'%", "é", "\\a%"]
)
PLACES = st.integers(-1, 10).map(lambda step: step * STEP)


def positions() -> st.SearchStrategy[list[float]]:
    return st.tuples(PLACES, PLACES).map(lambda at: [WEST + at[0], SOUTH + at[1]])


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, Any]:
    x, y = draw(positions())
    width, height = (STEP * draw(st.integers(1, 5)) for _ in range(2))
    ring = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]
    return draw(
        st.sampled_from(
            [
                {"type": "Point", "coordinates": [x, y]},
                {"type": "MultiPoint", "coordinates": [[x, y], [x + width, y + height]]},
                {"type": "LineString", "coordinates": [[x, y], [x + width, y + height]]},
                {"type": "Polygon", "coordinates": [ring]},
                {"type": "Polygon", "coordinates": [ring[:3] + ring[:1]]},
                {"type": "MultiPolygon", "coordinates": [[ring], [[[at[0] + 3, at[1]] for at in ring]]]},
                {"bbox": [x, y, x + width, y + height]},
            ]
        )
    )


def folded_as(names: tuple[str, ...]) -> Callable[[Any], Any]:
    def fold(node: Any) -> Any:
        for name in names:
            node = op(name, node)
        return node

    return fold


@st.composite
def texts_compared(draw: st.DrawFn) -> dict[str, Any]:
    fold = folded_as(draw(st.sampled_from([(), (), ("casei",), ("accenti",), ("accenti", "casei")])))
    column = fold(named(draw(TEXT_COLUMNS)))
    kind = draw(st.sampled_from(["compare", "compare", "like", "in", "column", "turned"]))
    if kind == "like":
        return op("like", column, fold(draw(PATTERNS)))
    if kind == "in":
        return op("in", column, [fold(one) for one in draw(st.lists(WORDS, min_size=1, max_size=3))])
    if kind == "column":
        return op(draw(COMPARING), column, fold(named(draw(TEXT_COLUMNS))))
    sides = [column, fold(draw(WORDS))]
    return op(draw(COMPARING), *(sides[::-1] if kind == "turned" else sides))


@st.composite
def numbers_compared(draw: st.DrawFn) -> dict[str, Any]:
    column = named(draw(NUMBER_COLUMNS))
    kind = draw(st.sampled_from(["compare", "compare", "between", "in", "turned"]))
    if kind == "between":
        return op("between", column, draw(NUMBERS), draw(NUMBERS))
    if kind == "in":
        return op("in", column, draw(st.lists(NUMBERS, min_size=0, max_size=4)))
    sides = [column, draw(NUMBERS)]
    return op(draw(COMPARING), *(sides[::-1] if kind == "turned" else sides))


LEAVES = st.one_of(
    texts_compared(),
    numbers_compared(),
    st.builds(op, COMPARING, st.just(named("demand")), st.just(named("target_demand"))),
    st.builds(op, COMPARING, st.just(named("cells")), st.just(named("own_whole"))),
    st.builds(
        op, st.sampled_from(["=", "<>"]), st.sampled_from([named("has_outlet"), named("own_flag")]), st.booleans()
    ),
    st.sampled_from([named("has_outlet"), named("own_flag")]),
    st.builds(
        lambda name: op("isNull", named(name)),
        st.sampled_from(["name", "demand", "own text", 'own "number"', "own_texts", "officer_ids", "parent_code"]),
    ),
    st.builds(
        lambda name, column, values: op(name, named(column), values),
        st.sampled_from(["a_contains", "a_containedBy", "a_equals", "a_overlaps"]),
        LIST_COLUMNS,
        st.one_of(st.sampled_from(LISTS), LIST_COLUMNS.map(named)),
    ),
    st.builds(
        lambda name, shape: op(name, named("geometry"), shape),
        st.sampled_from(
            ["s_intersects", "s_disjoint", "s_within", "s_contains", "s_touches", "s_crosses", "s_overlaps", "s_equals"]
        ),
        shapes(),
    ),
    st.booleans(),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: op("and", *parts), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: op("or", *parts), st.lists(inner, min_size=2, max_size=3)),
        inner.map(lambda one: op("not", one)),
    ),
    max_leaves=5,
)


@given(node=TREES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_stores_find_what_a_plain_reading_finds(asked: Asked, node: Any):
    frame = asked.plan.grids.assign(parent_code=None)
    expected = matching(frame, node)

    assert asked.found(json.dumps(node)) == [expected, expected]


@given(node=TREES)
@settings(max_examples=100, deadline=None)
def test_what_a_filter_matches_meets_the_bounds_it_implies(asked: Asked, node: Any):
    box = bounds_of(parse_filter(json.dumps(node), "cql2-json", asked.readers[0].layer("grids")))
    frame = asked.plan.grids.assign(parent_code=None)
    if box is not None:
        met = frame.geometry.intersects(box_shape(box)).to_numpy()
        assert all(met[number - 1] for number in matching(frame, node))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'É'", lambda grid: grid["name"] == "É"),
        ("CASEI(name) = CASEI('É')", lambda grid: grid["name"] in ("É", "é")),
        ("ACCENTI(CASEI(name)) = 'e'", lambda grid: grid["name"] in ("É", "é", "e")),
        ("casei(name) = casei('Я')", lambda grid: grid["name"] in ("Я", "я")),
        ("CASEI(name) LIKE CASEI('AB%')", lambda grid: str(grid["name"]).lower().startswith("ab")),
        ("name LIKE 'a%'", lambda grid: str(grid["name"]).startswith("a")),
        ("name LIKE '50\\%'", lambda grid: grid["name"] == "50%"),
        ("name = 'it''s'", lambda grid: grid["name"] == "it's"),
        ("name = 'it\\'s'", lambda grid: grid["name"] == "it's"),
        ("name NOT LIKE '东%'", lambda grid: grid["name"] is not None and not grid["name"].startswith("东")),
        ("name IS NOT NULL", lambda grid: grid["name"] is not None),
        ("\"own text\" = 'a'", lambda grid: grid["own text"] == "a"),
        ('"own ""number""" = 0.1', lambda grid: grid['own "number"'] == 0.1),
        ("own_whole = 1152921504606846976", lambda grid: grid["own_whole"] == 2**60),
        ("own_whole = 1152921504606846977", lambda grid: False),
        ("cells = 9007199254740993", lambda grid: grid["cells"] == 2**53 + 1),
        ("cells < 0.5 AND cells > -1e300", lambda grid: grid["cells"] < 0.5),
        ("demand BETWEEN -2 AND 0.1", lambda grid: -2 <= grid["demand"] <= 0.1),
        (
            "demand NOT BETWEEN -2 AND 0.1",
            lambda grid: not -2 <= grid["demand"] <= 0.1 and grid["demand"] == grid["demand"],
        ),
        ("NOT has_outlet", lambda grid: not grid["has_outlet"]),
        ("has_outlet = FALSE OR own_flag", lambda grid: not grid["has_outlet"] or grid["own_flag"]),
        ("A_CONTAINS(officer_ids, ('p1'))", lambda grid: "p1" in grid["officer_ids"]),
        ("A_CONTAINEDBY(('p1'), officer_ids)", lambda grid: "p1" in grid["officer_ids"]),
        ("A_OVERLAPS(officer_ids, ('p1', '张'))", lambda grid: {"p1", "张"} & set(grid["officer_ids"])),
        ("A_EQUALS(officer_ids, own_texts)", lambda grid: set(grid["officer_ids"]) == set(grid["own_texts"])),
        ("id = '990101001000003'", lambda grid: grid["grid_code"] == "990101001000003"),
        ("id IN ('990101001000003', grid_code)", lambda grid: True),
        ("name > kind", lambda grid: None not in (grid["name"], grid["kind"]) and grid["name"] > grid["kind"]),
        ("1 = 1 AND 'abc' LIKE 'a%' AND TRUE", lambda grid: True),
        ("geometry IS NULL", lambda grid: False),
        ("area_m2 IS NULL", lambda grid: True),
    ],
)
def test_texts_of_every_sort_are_answered(asked: Asked, text: str, expected: Callable[[dict[str, Any]], object]):
    rows = asked.plan.grids.astype(object).where(asked.plan.grids.notna(), None).to_dict("records")
    numbers = [number for number, row in enumerate(rows, 1) if _holds(expected, row)]

    assert asked.found(text, "cql2-text") == [numbers, numbers]


def _holds(expected: Callable[[dict[str, Any]], object], row: dict[str, Any]) -> bool:
    try:
        return bool(expected(row))
    except TypeError:
        # Compared with what is missing.
        return False


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("S_INTERSECTS", "GEOMETRYCOLLECTION(POINT(111.0625 30.0625), LINESTRING(111.3 30.3, 111.9 30.4))"),
        ("S_DISJOINT", "GEOMETRYCOLLECTION(POINT(111.0625 30.0625), LINESTRING(111.3 30.3, 111.9 30.4))"),
        (
            "S_WITHIN",
            "GEOMETRYCOLLECTION(POLYGON((111 30, 111.5 30, 111.5 31, 111 31, 111 30)), "
            "POLYGON((111.5 30, 112 30, 112 31, 111.5 31, 111.5 30)))",
        ),
    ],
)
def test_collections_are_taken_together(asked: Asked, condition: str, parts: str):
    shape = shapely.unary_union(shapely.from_wkt(parts))
    relates = getattr(shapely, condition.removeprefix("S_").lower())
    expected = [row for row, one in enumerate(asked.plan.grids.geometry, 1) if relates(one, shape)]

    assert 0 < len(expected) < len(asked.plan.grids)
    assert asked.found(f"{condition}(geometry, {parts})", "cql2-text") == [expected, expected]


def test_the_longest_lists_and_chains_are_answered(asked: Asked):
    every = list(range(1, 61))
    for text in (
        "cells IN (" + ",".join("1" for _ in range(1900)) + ",0,2,-3,9007199254740992,9007199254740993)",
        "demand IS NULL OR " + " OR ".join(f"demand={number}" for number in range(280)) + " OR demand <> 5",
        "NOT (" + " AND ".join(f"cells={number}" for number in range(250)) + ")",
        "name IN (" + ",".join("'x'" for _ in range(900)) + ") OR name IS NULL OR name <> ''  OR name = ''",
    ):
        assert asked.found(text, "cql2-text") == [every, every]


def test_a_layer_whose_features_go_by_number_is_asked_by_id(asked: Asked):
    for reader in asked.readers:
        layer = reader.layer("cells")
        assert reader.rows(layer, ["fid"], where=parse_filter("id > 3 AND id <= 5", "cql2-text", layer)) == [(4,), (5,)]


def test_what_has_no_geometry_is_not_asked_where_it_lies(asked: Asked, refused: Any):
    for reader in asked.readers:
        with refused(UsageError, "no geometry"):
            parse_filter("S_INTERSECTS(geometry, POINT(1 1))", "cql2-text", reader.layer("staff"))
