"""CQL2 is read as others read it, and refused in words where it is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import cql2
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.domain.crs import CGCS2000, CRS84, WEB_MERCATOR, gauss_kruger_at
from gridmap.domain.filters import All, AnyOf, Comparison, Filter, Fixed, Operator, Property, Spatial
from gridmap.domain.layers import LAYER_BY_NAME, ColumnType
from gridmap.errors import UsageError
from gridmap.store.filters import parse_filter, queryables_of
from gridmap.store.filters.text import read_text

GRIDS, STAFF = LAYER_BY_NAME["grids"], LAYER_BY_NAME["staff"]
Refused = Callable[..., Any]


def read(text: str, **options: Any) -> Filter:
    return parse_filter(text, "cql2-text", GRIDS, **options)


NAMES = st.sampled_from(["a", "name", "b2", "东", '"a b"', '"q""q"', "x.y:z"])
NUMBERS = st.sampled_from(["1", "-2", "1.5", "5.", "1e3", "-1.5E-3", "0", "--1"])
STRINGS = st.sampled_from(["'x'", "''", "'it''s'", "'东 (AND'", "'50%'"])
SCALARS = st.one_of(NAMES, NUMBERS, STRINGS, st.sampled_from(["TRUE", "false", "CASEI(name)", "accenti('É')"]))
SHAPES = st.sampled_from(
    [
        "POINT(1 2)",
        "point (-1.5 2.5)",
        "POINT Z(1 2 3)",
        "LINESTRING(0 0, 1 1)",
        "POLYGON((0 0,1 0,1 1,0 0),(0.1 0.1,0.2 0.1,0.2 0.2,0.1 0.1))",
        "MULTIPOINT(1 2,3 4)",
        "MULTIPOINT((1 2),(3 4))",
        "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
        "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
        "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))",
        "BBOX(1,2,3,4)",
        "bbox(-1, 2.5, 3, 4)",
    ]
)
PREDICATES = st.one_of(
    st.builds("{} {} {}".format, SCALARS, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), SCALARS),
    st.builds("{} {}LIKE {}".format, NAMES, st.sampled_from(["", "NOT "]), STRINGS),
    st.builds("{} {}IN ({}, {})".format, NAMES, st.sampled_from(["", "not "]), SCALARS, SCALARS),
    st.builds("{} BETWEEN {} AND {}".format, NAMES, NUMBERS, NUMBERS),
    st.builds("{} IS {}NULL".format, NAMES, st.sampled_from(["", "NOT "])),
    st.builds("{}(geometry, {})".format, st.sampled_from(["S_INTERSECTS", "s_within", "S_TOUCHES"]), SHAPES),
    st.builds("{}(tags, ('a', {}))".format, st.sampled_from(["A_CONTAINS", "a_overlaps", "A_EQUALS"]), STRINGS),
    st.sampled_from(["TRUE", "false", "flag"]),
)
CONDITIONS = st.recursive(
    PREDICATES,
    lambda inner: st.one_of(
        st.builds("{} AND {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("NOT ({})".format, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)


def is_chain(node: Any, name: str) -> bool:
    return isinstance(node, dict) and node.get("op") == name


def flat(node: Any) -> Any:
    """Objects without what may be said in two ways: chains of chains, capitals of operators, floats that are whole."""
    if isinstance(node, list):
        return [flat(one) for one in node]
    if isinstance(node, dict) and "op" in node:
        name, args = node["op"].lower(), flat(node["args"])
        if name in ("and", "or"):
            args = [part for one in args for part in (one["args"] if is_chain(one, name) else [one])]
        return {"op": name, "args": args}
    if isinstance(node, dict):
        return {key: flat(value) for key, value in node.items()}
    return float(node) if isinstance(node, int) and not isinstance(node, bool) else node


@given(text=CONDITIONS)
@settings(max_examples=200, deadline=None)
def test_text_is_read_as_a_parser_of_others_reads_it(text: str):
    assert flat(read_text(text)) == flat(cql2.parse_text(text).to_json())


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("demand >= 100", {"op": ">=", "args": [{"property": "demand"}, 100]}),
        ("100 <= demand", {"op": ">=", "args": [{"property": "demand"}, 100]}),
        (
            "name LIKE '东%' AND NOT has_outlet",
            {
                "op": "and",
                "args": [
                    {"op": "like", "args": [{"property": "name"}, "东%"]},
                    {"op": "not", "args": [{"property": "has_outlet"}]},
                ],
            },
        ),
        ("CASEI(name) = casei('AB')", {"op": "=", "args": [{"op": "casei", "args": [{"property": "name"}]}, "ab"]}),
        (
            "S_WITHIN(POINT(1 2), geometry)",
            {"op": "s_contains", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [1, 2]}]},
        ),
        ("cells BETWEEN 1 AND 2", {"op": "between", "args": [{"property": "cells"}, 1, 2]}),
        ("'a' IN ('b', name)", {"op": "or", "args": [False, {"op": "=", "args": [{"property": "name"}, "a"]}]}),
        ("A_CONTAINEDBY(('x'), officer_ids)", {"op": "a_contains", "args": [{"property": "officer_ids"}, ["x"]]}),
    ],
)
def test_both_languages_say_the_same(text: str, document: Any):
    assert read(text) == parse_filter(json.dumps(document), "cql2-json", GRIDS)


def test_a_filter_knows_its_columns_by_their_types():
    cells = Property("cells", ColumnType.INTEGER)
    assert read("cells > 3 OR TRUE") == AnyOf((Comparison(Operator.GREATER, cells, (3,)), Fixed(True)))
    assert read("id = 'x'") == read("grid_code = 'x'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["character 1"]),
        ("demand >", ["character 9"]),
        ("demand = = 1", ["character 10", "="]),
        ("demand 1", ["character 8", "1"]),
        ("name = 'x", ["character 8", "closing quote"]),
        ('"name = 1', ["character 1", "closing quote"]),
        ("name = 'x' AND", ["character 15"]),
        ("(name = 'x'", ["character 12"]),
        ("name = 'x')", ["character 11", ")"]),
        ("name = 'x';", ["character 11", ";"]),
        ("demand = 1 = 2", ["character 12"]),
        ("demnd = 1", ["demnd", "demand"]),
        ("DEMAND = 1", ["DEMAND", "demand"]),
        ("geometri IS NULL", ["geometri", "geometry"]),
        ("nam LIKE 'x'", ["nam", "name"]),
        ("demand = 'x'", ["demand (number)", "x (text)"]),
        ("name = 1", ["name (text)", "1 (number)", "single quotes"]),
        ("has_outlet = 1", ["has_outlet (boolean)", "1 (number)"]),
        ("name < demand", ["name (text)", "demand (number)"]),
        ("name = TRUE", ["name (text)", "True (boolean)"]),
        ("cells IN (1, 'x')", ["cells", "x (text)"]),
        ("demand LIKE '1%'", ["LIKE"]),
        ("name LIKE name", ["LIKE"]),
        ("name LIKE 'x\\'", ["backslash"]),
        ("name = NULL", ["IS NULL"]),
        ("name IN (NULL)", ["IS NULL"]),
        ("officer_ids = 'x'", ["officer_ids is a list", "A_CONTAINS"]),
        ("A_CONTAINS(name, ('x'))", ["name (text)", "no list"]),
        ("A_CONTAINS(officer_ids, (1))", ["officer_ids", "texts"]),
        ("CASEI(demand) = 'x'", ["demand (number) is no text"]),
        ("demand + 1 = 2", ["compute"]),
        ("demand = 2 * 3", ["compute"]),
        ("-demand = 2", ["compute"]),
        ("a-b = 2", ["compute", "double quotes"]),
        ("demand DIV 2 = 1", ["compute"]),
        ("pg_sleep(10)", ["pg_sleep"]),
        ("S_INTERSECT(geometry, POINT(1 1))", ["S_INTERSECT", "s_intersects"]),
        ("T_AFTER(name, DATE('2020-01-01'))", ["dates"]),
        ("name > TIMESTAMP('2020-01-01T00:00:00Z')", ["dates"]),
        ("name", ["no condition"]),
        ("1", ["no condition"]),
        ("NOT 'x'", ["no condition"]),
        ("demand = 1e999", ["1e999", "finite"]),
        ("demand = " + "9" * 400, ["finite"]),
        ("demand = NaN", ["NaN"]),
        ("CASEI(name, name) = 'x'", ["casei", "1", "2"]),
        ("S_INTERSECTS(geometry)", ["s_intersects", "2", "1"]),
        ("S_INTERSECTS(geometry, geometry)", ["geometry"]),
        ("S_INTERSECTS(POINT(1 1), POINT(1 1))", ["written out"]),
        ("S_INTERSECTS(geometry, 'POINT(1 1)')", ["POINT(1 1)"]),
        ("S_INTERSECTS(geometry, POINT EMPTY)", ["EMPTY"]),
        ("S_INTERSECTS(geometry, POINT(1))", ["Point"]),
        ("S_INTERSECTS(geometry, POINT(30.8 111.3))", ["Earth", "order of the axes"]),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 1 1)))", ["ring"]),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", ["not valid"]),
        ("S_INTERSECTS(geometry, LINESTRING(1 1))", ["LineString"]),
        ("S_INTERSECTS(geometry, BBOX(1, 2, 3))", ["BBOX"]),
        ("S_INTERSECTS(geometry, BBOX(1, 4, 3, 2))", ["BBOX"]),
        ("S_INTERSECTS(geometry, BBOX(1, 2, 3, name))", ["no number"]),
        ("S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 2 2)))", ["collection"]),
    ],
)
def test_what_cannot_be_asked_is_refused_with_words(text: str, words: list[str], refused: Refused):
    with refused(UsageError, *words):
        read(text)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "nul",
        "[]",
        "null",
        "1",
        '"x"',
        "{}",
        '{"op": "="}',
        '{"op": 1, "args": []}',
        '{"op": "and", "args": []}',
        '{"op": "=", "args": [1]}',
        '{"op": "in", "args": [{"property": "name"}, "x"]}',
        '{"property": 5}',
        '{"op": "=", "args": [{"property": ["name"]}, "x"]}',
        '{"op": "=", "args": [{"property": "name"}, {"date": "2020-01-01"}]}',
        '{"op": "=", "args": [{"property": "name"}, {"x": 1}]}',
        '{"op": "=", "args": [{"property": "name"}, "\\u0000"]}',
        '{"op": "=", "args": [{"property": "name"}, "\\ud800"]}',
        '{"op": "=", "args": [{"property": "demand"}, NaN]}',
        '{"op": "=", "args": [{"property": "demand"}, 1e999]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point"}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Circle", "coordinates": [1, 2]}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": ["Point"], "coordinates": [1, 2]}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": []}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": ["1", 2]}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [true, 2]}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": "1,2,3,4"}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "GeometryCollection", "geometries": []}]}',
    ],
)
def test_json_that_is_no_filter_is_refused(document: str, refused: Refused):
    with refused(UsageError):
        parse_filter(document, "cql2-json", GRIDS)


def shape(text: str, crs: Any) -> Any:
    found = read(f"S_INTERSECTS(geometry, {text})", crs=crs)
    assert isinstance(found, Spatial)
    return shapely.from_wkb(found.wkb)


def test_geometries_come_in_the_order_of_axes_of_their_system():
    assert shape("POINT(111.3 30.8)", CRS84).coords[0] == (111.3, 30.8)
    assert shape("POINT(30.8 111.3)", CGCS2000).coords[0] == (111.3, 30.8)
    assert shape("BBOX(30.5, 111, 31, 111.5)", CGCS2000).bounds == (111.0, 30.5, 111.5, 31.0)
    x, y = shape("POINT(12389859.34 3608000)", WEB_MERCATOR).coords[0]
    assert (round(x, 5), 30 < y < 31) == (111.3, True)
    zone = gauss_kruger_at(111.3)
    lon, lat = shape("POINT(3408863.55 528695.3)", zone).coords[0]
    assert abs(lon - 111.3) < 1e-3
    assert abs(lat - 30.8) < 1e-3


def test_the_straight_edges_of_a_projected_box_are_followed():
    zone = gauss_kruger_at(111.3)
    box = shape("BBOX(3300000, 400000, 3400000, 600000)", zone)
    # The southern edge bends by hundreds of metres in degrees.
    south = [lat for lon, lat in box.exterior.coords if lat < 30]
    assert len(south) > 150
    assert max(south) - min(south) > 0.003


def test_a_box_over_the_antimeridian_is_two():
    box = shape("BBOX(170, -10, -170, 10)", CRS84)
    assert box.geom_type == "MultiPolygon"
    assert shapely.contains_xy(box, [175, -175, 0], [0, 0, 0]).tolist() == [True, True, False]


def test_boxes_without_width_or_height_are_lines_and_points():
    assert shape("BBOX(1, 2, 1, 2)", CRS84).geom_type == "Point"
    assert shape("BBOX(1, 2, 3, 2)", CRS84).geom_type == "LineString"
    assert shape("BBOX(1, 2, 0, 3, 4, 9)", CRS84).bounds == (1, 2, 3, 4)


def test_numbers_keep_every_digit():
    (value,) = read("cells = 9007199254740993").values  # type: ignore[union-attr]
    assert value == 2**53 + 1
    assert read("demand BETWEEN 1 AND 2") == All(tuple(map(read, ("demand >= 1", "demand <= 2"))))


def test_queryables_list_what_may_be_named():
    found = queryables_of(GRIDS, {"demand": "需求"})
    properties = found["properties"]

    assert list(properties) == [*(column.name for column in GRIDS.columns), "geometry"]
    assert properties["demand"] == {"title": "需求", "type": "number"}
    assert properties["grid_code"]["x-ogc-role"] == "id"
    assert properties["geometry"]["x-ogc-role"] == "primary-geometry"
    assert properties["officer_ids"]["items"] == {"type": "string"}
    assert "geometry" not in queryables_of(STAFF)["properties"]
    for name in properties:
        read(f"{name} IS NULL")
