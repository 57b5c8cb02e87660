"""Where clients begin: the landing page, conformance, the OpenAPI document, and the same for people."""

from __future__ import annotations

import re

import jsonschema
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_30

from gridmap.api.app import ROOMS
from gridmap.api.openapi import routes_of, schema_of_3_0
from gridmap.api.pages import item_page, items_page
from live_service import Live

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_the_landing_page_leads_to_everything_there_is(small: Live):
    document = small.json("/")
    links = {one["rel"]: one for one in document["links"]}

    assert {"self", "service-desc", "conformance", "data"} <= set(links)
    for one in document["links"]:
        answer = small.get(one["href"])
        assert answer.status_code == 200, one
        assert answer.headers["content-type"] == one["type"]


def test_every_room_declares_its_conformance(small: Live):
    declared = small.json("/conformance")["conformsTo"]

    assert declared == sorted(set(declared))
    assert set(declared) == {one for room in ROOMS for one in getattr(room, "CONFORMANCE", ())}
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in declared


def test_the_document_is_openapi_3_0(small: Live):
    answer = small.get("/api")
    document = answer.json()

    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert document["openapi"] == "3.0.3"
    assert document["servers"] == [{"url": small.url}]
    jsonschema.Draft4Validator(OPENAPI_30).validate(document)
    text = answer.text
    for of_3_1 in ('"type":"null"', '"const":', '"prefixItems":', '"$defs":', '"contentMediaType":'):
        assert of_3_1 not in text


def test_every_reference_of_the_document_leads_somewhere(small: Live):
    document = small.json("/api")
    for reference in set(re.findall(r'"\$ref":"#/([^"]+)"', small.get("/api").text)):
        place = document
        for name in reference.split("/"):
            place = place[name]


def test_the_document_names_every_route_and_every_problem(small: Live):
    paths = small.json("/api")["paths"]
    named = {"{collection_id}": "{collectionId}", "{feature_id}": "{featureId}"}
    for method, path in routes_of(small.app):
        for ours, theirs in named.items():
            path = path.replace(ours, theirs)
        operation = paths[path][method.lower()]
        variables = set(re.findall(r"\{(\w+)\}", path))
        assert variables == {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}, path
        for status in ("400", "401", "403", "404", "429", "500", "503"):
            assert status in operation["responses"], (path, status)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        (
            {"anyOf": [{"$ref": "#/x"}, {"type": "null"}], "default": None},
            {"allOf": [{"$ref": "#/x"}], "nullable": True},
        ),
        ({"type": ["integer", "null"]}, {"type": "integer", "nullable": True}),
        ({"const": 3}, {"enum": [3]}),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0, "exclusiveMinimum": True}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        ({"type": "string", "contentMediaType": "x/y"}, {"type": "string", "format": "binary"}),
        (
            {"type": "object", "properties": {"const": {"type": "array", "prefixItems": [{}]}}},
            {"type": "object", "properties": {"const": {"type": "array", "items": {}}}},
        ),
        ({"additionalProperties": True, "items": False}, {"additionalProperties": True, "items": {"not": {}}}),
    ],
)
def test_schemas_are_turned_into_those_of_openapi_3_0(given: dict, expected: dict):
    assert schema_of_3_0(given) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/conformance",
        "/collections",
        "/collections/made.grids",
        "/collections/made.grids/items",
        "/collections/made.grids/items/990101001001001",
        "/collections/made.staff/items",
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_browsers_get_a_page_that_loads_nothing(small: Live, path: str, language: str):
    headers = {"Accept": BROWSER, "Accept-Language": language}
    page, asked = small.get(path, headers=headers), small.get(f"{path}?f=html", headers={"Accept-Language": language})

    assert page.headers["content-type"] == asked.headers["content-type"] == "text/html; charset=utf-8"
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<script|<img|<link|\bsrc=|@import|url\(", page.text)
    for address in re.findall(r'href="([^"]+)"', page.text):
        assert address.startswith(small.url)


def test_pages_show_values_as_text(small: Live):
    page = small.get("/collections/made.facilities/items?f=html").text

    assert "城西自助银行" in page
    assert f"{small.url}/collections/made.facilities/items/A%3B2" in page
    assert "3 features" in small.get("/collections/made.grids/items?f=html", headers={"Accept-Language": "en"}).text


def test_pages_escape_what_users_wrote():
    feature = {"id": "<i>", "properties": {"<b>name</b>": "<script>alert(1)</script>", "ids": ['"', "&"]}}
    document = {"features": [feature], "links": [], "numberMatched": 1, "numberReturned": 1}

    for page in (items_page("<u>", document, "en"), item_page("<u>", feature, [], "en")):
        assert not re.search("<(i|b|u|script)>", page)
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/geo+json, application/json", "x/y"])
def test_clients_get_json_unless_they_ask_for_pages(small: Live, accept: str):
    assert "json" in small.get("/collections/made.grids/items", headers={"Accept": accept}).headers["content-type"]
    assert "json" in small.get("/", headers={"Accept": "text/html;q=0.1, application/json"}).headers["content-type"]


def test_links_begin_with_the_address_that_clients_know(serve):
    live = serve(base_url="https://maps.example.org/gridmap/")

    assert live.json("/api")["servers"] == [{"url": "https://maps.example.org/gridmap"}]
    for one in live.json("/")["links"]:
        assert one["href"].startswith("https://maps.example.org/gridmap/")
