"""``GET /plans/{plan_id}/diff``: what changed between two versions, for whom all of both is in reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from gridmap.domain.access import Role, Scope
from gridmap.domain.plan import Plan
from gridmap.planning.differences.compare import difference_of
from gridmap.store.accounts import Accounts
from live_service import Live


@pytest.fixture(scope="module")
def changed(plan: Plan) -> Plan:
    """Return the plan with three cells, and the outline of the two grids, changed."""
    codes, cells = plan.grids["grid_code"].tolist(), plan.cells.copy()
    own = np.flatnonzero(cells["grid_code"] == codes[2])[:3]
    cells.loc[own, "grid_code"] = codes[0]
    return replace(plan, cells=cells)


@pytest.fixture
def two(live: Live, plan: Plan, changed: Plan) -> Live:
    """Serve a plan with two published versions and a draft."""
    for content in (plan, changed):
        live.store.publish(live.store.add_version("made", content, who="li"), who="li")
    live.store.add_version("made", plan, who="li")
    return live


def test_the_version_in_force_is_compared_with_the_one_before(two: Live, plan: Plan, changed: Plan):
    answer = two.json("/plans/made/diff")
    told = difference_of(plan, changed)

    assert (answer["from"], answer["to"]) == (1, 2)
    assert answer["way"] == "cells"
    assert [(one["code_from"], one["code_to"], one["cells"]) for one in answer["moves"]] == [
        (one.code_from, one.code_to, one.cells) for one in told.moves
    ]
    assert len(told.moves) == 1
    assert answer["totals"]["moved_demand"] == told.totals.moved_demand > 0
    assert two.json("/plans/made/diff?from=1&to=2")["totals"] == answer["totals"]
    assert two.json("/plans/made/diff?from=1&to=3")["moves"] == []
    back = two.json("/plans/made/diff?from=2&to=1")
    assert [(one["code_to"], one["code_from"]) for one in back["moves"]] == [
        (one.code_from, one.code_to) for one in told.moves
    ]
    for link in answer["links"]:
        assert two.client.get(link["href"]).status_code == 200, link


def test_the_ground_that_changed_hands_comes_as_geojson(two: Live, plan: Plan, changed: Plan):
    answer = two.get("/plans/made/diff?f=geojson")
    (feature,) = answer.json()["features"]
    moved = plan.cells.geometry[(plan.cells["grid_code"] != changed.cells["grid_code"]).to_numpy()]

    assert answer.headers["content-type"] == "application/geo+json"
    assert feature["properties"]["cells"] == 3
    shape = shapely.geometry.shape(feature["geometry"])
    assert shape.area == pytest.approx(moved.union_all().area)
    assert shape.symmetric_difference(moved.union_all()).area < 1e-12


def test_what_is_known_is_not_sent_again(two: Live):
    final, open_end, draft = (f"/plans/made/diff?{one}" for one in ("from=1&to=2", "", "from=1&to=3"))
    answers = {path: two.get(path) for path in (final, open_end, draft)}

    assert "immutable" in answers[final].headers["cache-control"]
    assert "no-cache" in answers[open_end].headers["cache-control"]
    assert "no-cache" in answers[draft].headers["cache-control"]
    for path, answer in answers.items():
        again = two.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert two.get(f"{final}&f=geojson").headers["etag"] != answers[final].headers["etag"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/plans/none/diff", 404),
        ("/plans/made/diff?to=1", 404),
        ("/plans/made/diff?from=1&to=9", 404),
        ("/plans/made/diff?from=9", 404),
        ("/plans/made/diff?from=0", 400),
        ("/plans/made/diff?from=x", 400),
        ("/plans/made/diff?f=pdf", 400),
        ("/plans/made/diff?before=1", 400),
    ],
)
def test_what_cannot_be_compared_is_a_problem(two: Live, path: str, status: int):
    answer = two.get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_reach_over_a_part_of_the_plan_sees_no_difference(two: Live):
    tag = two.get("/plans/made/diff").headers["etag"]
    accounts = Accounts(two.store)
    accounts.add("boss", Role.ADMINISTRATOR, who="test")
    accounts.add("wang", Role.VIEWER, Scope(area_prefixes=("990101001",)), who="test")
    whole, part = ({"X-API-Key": accounts.new_key(name, who="test").key} for name in ("boss", "wang"))

    assert two.get("/plans/made/diff", headers=whole).status_code == 200
    for headers in (part, {**part, "If-None-Match": tag}):
        answer = two.get("/plans/made/diff", headers=headers)
        assert answer.status_code == 404, answer.text
        assert "990101002" not in answer.text


def test_who_sees_no_drafts_compares_none(two: Live):
    accounts = Accounts(two.store)
    accounts.add("wang", Role.VIEWER, who="test")
    key = {"X-API-Key": accounts.new_key("wang", who="test").key}

    assert two.get("/plans/made/diff?from=1&to=2", headers=key).status_code == 200
    assert two.get("/plans/made/diff?from=1&to=3", headers=key).status_code == 404
