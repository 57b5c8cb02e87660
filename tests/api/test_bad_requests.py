"""Bad requests, each answered as stated, with a problem document that names what is wrong."""

from __future__ import annotations

import pytest

from live_service import Live

ITEMS = "/collections/made.grids/items"
#: What is asked, the status, a word that the answer must have.
BAD = [
    ("/nowhere", 404, ""),
    ("/collections/other.grids", 404, "other.grids"),
    ("/collections/made.nothing", 404, "made.nothing"),
    ("/collections/made@9.grids/items", 404, "made@9.grids"),
    ("/collections/made@0.grids/items", 404, "made@0.grids"),
    ("/collections/made/items", 404, "made"),
    ("/collections/../etc.grids", 404, ""),
    (f"{ITEMS}/none", 404, "none"),
    ("/collections/made.cells/items/99999999999999999999", 404, ""),
    ("/collections?nonsense=1", 400, "nonsense"),
    ("/collections?limit=0", 400, "limit"),
    ("/collections?offset=-1", 400, "offset"),
    ("/collections?plan=other", 404, "other"),
    ("/collections/made.grids?nonsense=1", 400, "nonsense"),
    (f"{ITEMS}?nonsense=1", 400, "nonsense"),
    (f"{ITEMS}?Limit=1", 400, "Limit"),
    (f"{ITEMS}?limit=0", 400, "limit"),
    (f"{ITEMS}?limit=-1", 400, "limit"),
    (f"{ITEMS}?limit=1.5", 400, "limit"),
    (f"{ITEMS}?limit=many", 400, "limit"),
    (f"{ITEMS}?limit=", 400, "limit"),
    (f"{ITEMS}?limit=%D9%A1", 400, "limit"),
    (f"{ITEMS}?limit=1&limit=2", 400, "limit"),
    (f"{ITEMS}?bbox=", 400, "bbox"),
    (f"{ITEMS}?bbox=1,2,3", 400, "bbox"),
    (f"{ITEMS}?bbox=1,2,3,4,5", 400, "bbox"),
    (f"{ITEMS}?bbox=1,2,3,4,5,6,7", 400, "bbox"),
    (f"{ITEMS}?bbox=a,b,c,d", 400, "bbox"),
    (f"{ITEMS}?bbox=1_0,2,30,4", 400, "bbox"),
    (f"{ITEMS}?bbox=nan,0,1,1", 400, "bbox"),
    (f"{ITEMS}?bbox=0,0,inf,1", 400, "bbox"),
    (f"{ITEMS}?bbox=0,0,1e999,1", 400, "bbox"),
    (f"{ITEMS}?bbox=111,31,112,30", 400, "bbox"),
    (f"{ITEMS}?bbox=111,30,9,112,31,0", 400, "bbox"),
    (f"{ITEMS}?bbox=200,30,112,31", 400, "bbox"),
    (f"{ITEMS}?bbox=1,2,3,4&bbox-crs=EPSG:4490", 400, "bbox-crs"),
    (f"{ITEMS}?bbox=2,2,1,3&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857", 400, "bbox"),
    (f"{ITEMS}?crs=http://www.opengis.net/def/crs/EPSG/0/32649", 400, "crs"),
    (f"{ITEMS}?crs=", 400, "crs"),
    (f"{ITEMS}?datetime=yesterday", 400, "datetime"),
    (f"{ITEMS}?datetime=2026-13-01", 400, "datetime"),
    (f"{ITEMS}?datetime=2026-02-30T00:00:00Z", 400, "datetime"),
    (f"{ITEMS}?datetime=2026-02-03T00:00:00", 400, "datetime"),
    (f"{ITEMS}?datetime=/", 400, "datetime"),
    (f"{ITEMS}?datetime=2026-01-02/2026-01-01", 400, "datetime"),
    (f"{ITEMS}?datetime=2026-01-01/2026-01-02/2026-01-03", 400, "datetime"),
    (f"{ITEMS}?datetime=..", 400, "datetime"),
    (f"{ITEMS}?f=xml", 400, "f"),
    (f"{ITEMS}?skipGeometry=maybe", 400, "skipGeometry"),
    (f"{ITEMS}?properties=nothing", 400, "nothing"),
    (f"{ITEMS}?cells=three", 400, "cells"),
    (f"{ITEMS}?area_m2=nan", 400, "area_m2"),
    (f"{ITEMS}?has_outlet=yes", 400, "has_outlet"),
    (f"{ITEMS}?grid_code=%00", 400, "grid_code"),
    (f"{ITEMS}?filter=nothing='x'", 400, "nothing"),
    (f"{ITEMS}?filter=grid_code=", 400, "11"),
    (f"{ITEMS}?filter=pg_sleep(1)=1", 400, "pg_sleep"),
    (f"{ITEMS}?filter=cells=1&filter-lang=cql-text", 400, "filter-lang"),
    (f"{ITEMS}?filter=cells=1&filter-crs=EPSG:4490", 400, "filter-crs"),
    (f"{ITEMS}?cursor=", 400, "cursor"),
    (f"{ITEMS}?cursor=abc", 400, "cursor"),
    (f"{ITEMS}?cursor=%F0%9F%98%80", 400, "cursor"),
    (f"{ITEMS}?cursor=MS4xLjAwMDAwMDAwMDAwMDAwMDA", 400, "cursor"),
    (f"{ITEMS}/990101001001001?crs=x", 400, "crs"),
    (f"{ITEMS}/990101001001001?limit=1", 400, "limit"),
    ("/conformance?f=xml", 400, "f"),
    ("/api?f=yaml", 400, "f"),
    ("/?f=xml", 400, "f"),
]


@pytest.mark.parametrize(("path", "status", "word"), BAD, ids=[path for path, _, _ in BAD])
def test_a_bad_request_is_a_problem_that_names_what_is_wrong(small: Live, path: str, status: int, word: str):
    for language in ("en", "zh"):
        answer = small.get(path, headers={"Accept-Language": language})

        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert word in answer.json()["detail"]
        for never in ("SELECT", "sqlite", "psycopg", "Traceback", ".py", "layer_"):
            assert never not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_method_that_is_none_is_a_problem(small: Live, method: str):
    answer = small.client.request(method, ITEMS)

    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_limit_above_the_maximum_is_clamped(small: Live):
    for limit in ("10001", "9" * 30):
        answer = small.json(f"/collections/made.cells/items?limit={limit}")
        assert answer["numberReturned"] == answer["numberMatched"] == 37


def test_the_service_lives_after_all_of_them(small: Live):
    for path, _, _ in BAD:
        small.get(path)

    assert small.json("/collections/made.grids/items")["numberMatched"] == 3
