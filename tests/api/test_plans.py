"""Plans are made, changed, published and retired over HTTP: never unproved, never half, no change unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gridmap.domain.plan import Plan
from gridmap.store.proof import prove_again
from live_service import Live
from made_certificate import certified


@pytest.fixture(scope="module")
def proved(plan: Plan) -> Plan:
    """Give the small plan a certificate that holds."""
    return certified(plan)


NEW = {"id": "yiling", "name": "夷陵区金融服务网格", "institution": "示例农商银行"}
ONLY_SQLITE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def link(document: dict[str, Any], rel: str) -> str:
    return next(one["href"] for one in document["links"] if one["rel"] == rel)


def test_a_plan_is_made_and_found(live: Live):
    made = live.post("/plans", json=NEW)

    assert made.status_code == 201
    assert made.headers["location"] == f"{live.url}/plans/yiling"
    found = live.get(made.headers["location"])
    assert found.json() == made.json()
    assert found.headers["etag"] == made.headers["etag"]
    assert {name: found.json()[name] for name in NEW} == NEW
    assert found.json()["current"] is None
    assert [plan["id"] for plan in live.json("/plans")["plans"]] == ["yiling"]
    assert live.json("/plans/yiling/versions")["versions"] == []
    assert [one["action"] for one in live.json("/plans/yiling/audit")["changes"]] == ["create"]
    assert problem(live.post("/plans", json=NEW), 409)["type"] == "urn:gridmap:problem:store.plan_exists"


def test_a_plan_that_is_held_is_not_sent_again(published: Live):
    for path in ("/plans/made", "/plans/made/versions/1", "/plans/made/versions/2"):
        tag = published.get(path).headers["etag"]
        assert not tag.startswith("W/")
        again = published.get(path, headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert again.headers["etag"] == tag


def test_lists_come_in_pages(live: Live, plan: Plan):
    for number in range(5):
        live.post("/plans", json={"id": f"p{number}", "name": "n"})
    found, path = [], "/plans?limit=2"
    while path:
        page = live.json(path)
        assert len(page["plans"]) <= 2
        found += [one["id"] for one in page["plans"]]
        path = next((one["href"] for one in page["links"] if one["rel"] == "next"), "")
    assert found == [f"p{number}" for number in range(5)]

    for _ in range(3):
        live.store.add_version("p0", plan, who="test")
    page = live.json("/plans/p0/versions?limit=2")
    assert [one["number"] for one in page["versions"]] == [3, 2]
    assert [one["number"] for one in live.json(link(page, "next"))["versions"]] == [1]
    page = live.json("/plans/p0/audit?limit=3")
    assert [one["action"] for one in page["changes"]] == ["create", "add", "add"]
    assert [one["action"] for one in live.json(link(page, "next"))["changes"]] == ["add"]


def test_a_plan_is_renamed_by_who_has_seen_it(live: Live):
    tag = live.post("/plans", json=NEW).headers["etag"]
    change = {"name": "二期"}

    assert problem(live.client.patch("/plans/yiling", json=change), 428)["mend"]
    assert problem(live.client.patch("/plans/yiling", json=change, headers={"If-Match": '"other"'}), 412)
    assert problem(live.client.patch("/plans/yiling", json=change, headers={"If-Match": f"W/{tag}"}), 412)
    changed = live.client.patch("/plans/yiling", json=change, headers={"If-Match": f'"x", {tag}'})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["institution"]) == ("二期", NEW["institution"])
    assert problem(live.client.patch("/plans/yiling", json={"name": "三期"}, headers={"If-Match": tag}), 412)
    given = live.client.patch(
        "/plans/yiling", json={"institution": None}, headers={"If-Match": changed.headers["etag"]}
    )
    assert (given.json()["name"], given.json()["institution"]) == ("二期", None)
    assert given.json() == live.json("/plans/yiling")


def test_a_version_tells_what_it_holds(published: Live, plan: Plan):
    found = published.json("/plans/made/versions/1")

    assert (found["status"], found["number"], found["published_by"]) == ("published", 1, "test")
    assert found["certificate_digest"] == plan.certificate["digest"]
    assert found["features"]["cells"] == len(plan.cells)
    assert found["features"]["staff"] == len(plan.staff)
    assert "row" not in found
    listed = published.json("/plans/made/versions")
    assert listed["current"] == 1
    assert [(one["number"], one["status"]) for one in listed["versions"]] == [(2, "draft"), (1, "published")]


def test_a_draft_is_proved_and_published_and_the_one_before_comes_back(live: Live, proved: Plan):
    for _ in range(2):
        live.store.add_version("made", proved, who="test")
    first = live.post("/plans/made/publish", json={"version": 1, "lock_version": 1})
    assert first.status_code == 200, first.text
    assert (first.json()["in_force"], first.json()["replaced"]) == (1, None)
    assert first.json()["certificate_digest"] == proved.certificate["digest"]

    tag = live.get("/plans/made/versions/2").headers["etag"]
    second = live.post("/plans/made/publish", json={"version": 2}, headers={"If-Match": tag})
    assert (second.json()["in_force"], second.json()["replaced"]) == (2, 1)
    assert second.headers["etag"] == live.get("/plans/made/versions/2").headers["etag"]
    assert live.json("/plans/made")["current"] == 2
    assert problem(live.post("/plans/made/publish", json={"version": 2, "lock_version": 2}), 409)

    retired = live.post("/plans/made/retire", json={"version": 2, "lock_version": 2})
    assert retired.json()["in_force"] == 1
    assert live.json("/plans/made")["current"] == 1
    assert problem(live.post("/plans/made/retire", json={"version": 2, "lock_version": 3}), 409)
    # The second version has the content of the first, which was proved.
    actions = [one["action"] for one in live.json("/plans/made/audit")["changes"]]
    assert actions == ["create", "add", "add", "prove", "publish", "publish", "retire"]


def test_what_cannot_be_proved_is_not_published(published: Live):
    """The certificate of the plan made by hand is none."""
    refused = problem(published.post("/plans/made/publish", json={"version": 2, "lock_version": 1}), 409)

    assert refused["type"] == "urn:gridmap:problem:store.not_proved"
    found = published.json("/plans/made/versions/2")
    assert (found["status"], found["lock_version"]) == ("draft", 1)
    assert "prove" not in [one["action"] for one in published.json("/plans/made/audit")["changes"]]


@ONLY_SQLITE
def test_a_proof_holds_for_what_was_proved_alone(live: Live, proved: Plan):
    draft = live.store.add_version("made", proved, who="test")
    live.post("/plans/made/publish", json={"version": 1, "lock_version": draft.lock_version})
    live.store.add_version("made", replace(proved, cells=proved.cells.iloc[1:]), who="test")

    refused = problem(live.post("/plans/made/publish", json={"version": 2, "lock_version": 1}), 409)
    assert refused["type"] == "urn:gridmap:problem:store.not_proved"
    assert live.json("/plans/made")["current"] == 1


@ONLY_SQLITE
def test_a_large_plan_is_proved_in_a_process_of_its_own(live: Live, proved: Plan, monkeypatch):
    monkeypatch.setattr("gridmap.api.versions.proving.FEW_CELLS", 10)
    live.store.add_version("made", proved, who="test")
    live.store.add_version("made", replace(proved, cells=proved.cells.iloc[1:]), who="test")

    assert live.post("/plans/made/publish", json={"version": 1, "lock_version": 1}).status_code == 200
    problem(live.post("/plans/made/publish", json={"version": 2, "lock_version": 1}), 409)
    assert prove_again(proved, apart=True) == proved.certificate["digest"]


@ONLY_SQLITE
def test_a_long_proof_goes_on_while_the_client_asks_again(live: Live, proved: Plan, monkeypatch):
    monkeypatch.setattr("gridmap.api.versions.plans.PATIENCE_S", 0.001)
    live.store.add_version("made", proved, who="test")
    statuses = []
    for _ in range(300):
        answer = live.post("/plans/made/publish", json={"version": 1, "lock_version": 1})
        statuses.append(answer.status_code)
        if answer.status_code != 202:
            break
        assert answer.headers["retry-after"]
        assert live.json("/plans/made/versions/1")["status"] == "draft"
        threading.Event().wait(0.1)
    assert statuses[0] == 202
    assert statuses[-1] == 200
    actions = [one["action"] for one in live.json("/plans/made/audit")["changes"]]
    assert actions == ["create", "add", "prove", "publish"]


def test_of_many_who_publish_at_once_one_does(live: Live, proved: Plan):
    live.store.add_version("made", proved, who="test")
    with ThreadPoolExecutor(6) as pool:
        asked = [
            pool.submit(
                httpx.post, f"{live.url}/plans/made/publish", json={"version": 1, "lock_version": 1}, timeout=60
            )
            for _ in range(6)
        ]
        statuses = sorted(one.result().status_code for one in asked)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {409, 412}
    actions = [one["action"] for one in live.json("/plans/made/audit")["changes"]]
    assert actions == ["create", "add", "prove", "publish"]


def test_nobody_publishes_or_removes_what_they_have_not_seen(published: Live, plan: Plan):
    store = published.store
    path = "/plans/made/versions/2"
    tag = published.get(path).headers["etag"]
    store.replace_draft(store.version("made", 2), plan, who="other")

    assert published.get(path).headers["etag"] != tag
    problem(published.post("/plans/made/publish", json={"version": 2}), 428)
    problem(published.post("/plans/made/publish", json={"version": 2, "lock_version": 1}), 412)
    problem(published.post("/plans/made/publish", json={"version": 2}, headers={"If-Match": tag}), 412)
    problem(published.client.delete(path), 428)
    problem(published.client.delete(path, headers={"If-Match": tag}), 412)
    removed = published.client.delete(path, headers={"If-Match": published.get(path).headers["etag"]})
    assert (removed.status_code, removed.content) == (204, b"")
    problem(published.get(path), 404)
    tag = published.get("/plans/made/versions/1").headers["etag"]
    problem(published.client.delete("/plans/made/versions/1", headers={"If-Match": tag}), 409)


@ONLY_SQLITE
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**NEW, "colour": "red"}, "colour"),
        ({"id": "a"}, "name"),
        ({**NEW, "name": 7}, "name"),
        ({**NEW, "name": "  "}, "name"),
        ({**NEW, "name": "a\x00b"}, "name"),
        ({**NEW, "name": "n" * 201}, "name"),
        ({**NEW, "id": "../etc"}, "../etc"),
        ({**NEW, "id": "A B"}, "A B"),
        ([], "body"),
        ("text", "body"),
    ],
)
def test_bodies_are_refused_by_the_place_of_their_fault(live: Live, body: Any, said: str):
    assert said in str(problem(live.post("/plans", json=body), 400))
    assert live.json("/plans")["plans"] == []


@ONLY_SQLITE
@pytest.mark.parametrize(
    ("content", "kind_of_body", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"id": NaN}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json", 400),
        (b" " * 1_000_001, "application/json", 413),
        (b'{"id": "a", "name": "b"}', "text/plain", 415),
        (b"id=a&name=b", "application/x-www-form-urlencoded", 415),
        (b'{"id": "a", "name": "b"}', "", 415),
    ],
)
def test_what_is_no_json_is_a_clear_problem(live: Live, content: bytes, kind_of_body: str, status: int):
    problem(live.post("/plans", content=content, headers={"Content-Type": kind_of_body}), status)
    assert live.get("/plans").status_code == 200


@ONLY_SQLITE
def test_a_body_without_an_end_is_cut_off(live: Live):
    def endless():
        for _ in range(4000):
            yield b" " * 65_536
        pytest.fail("the service takes in whatever is sent")

    try:
        answer = live.post("/plans", content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
    except httpx.TransportError:
        # The service may hang up on who goes on sending.
        pass
    assert live.get("/plans").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/plans/none", 404),
        ("/plans/none/versions", 404),
        ("/plans/made/versions/9", 404),
        ("/plans/made/versions/0", 400),
        ("/plans/made/versions/x", 400),
        ("/plans/made/versions/99999999999999999999", 400),
        ("/plans/a%00b", 404),
        ("/plans/a'%20OR%201=1", 404),
        ("/plans?limit=0", 400),
        ("/plans?limit=x", 400),
        ("/plans?lmit=1", 400),
        ("/plans/made/audit?offset=-1", 400),
    ],
)
def test_what_is_not_there_or_makes_no_sense(published: Live, path: str, status: int):
    problem(published.get(path), status)


def test_roles_and_scopes(live: Live, proved: Plan, account: Callable[..., dict[str, str]]):
    live.store.publish(live.store.add_version("made", proved, who="test"), who="test")
    live.store.add_version("made", proved, who="test")
    viewer, planner, publisher = account("viewer"), account("planner"), account("publisher")
    town = account("publisher", ("990101002",))
    other = account("publisher", (), ("别家银行",))

    assert live.get("/plans").status_code == 401
    problem(live.post("/plans", json=NEW, headers=viewer), 403)
    assert live.post("/plans", json=NEW, headers=planner).status_code == 201
    # Drafts are not there for those who only look.
    assert [one["number"] for one in live.json("/plans/made/versions", headers=viewer)["versions"]] == [1]
    problem(live.get("/plans/made/versions/2", headers=viewer), 404)
    problem(live.get("/plans/made/audit", headers=viewer), 403)
    change = {"version": 2, "lock_version": 1}
    problem(live.post("/plans/made/publish", json=change, headers=planner), 403)
    for headers in (town, other):
        assert live.post("/plans/made/publish", json=change, headers=headers).status_code in (403, 404)
    assert live.json("/plans", headers=other)["plans"] == []
    problem(live.get("/plans/made", headers=other), 404)
    seen = live.json("/plans/made/versions/1", headers=town)
    assert seen["certificate_digest"] is None
    assert 0 < seen["features"]["cells"] < len(proved.cells)
    assert live.post("/plans/made/publish", json=change, headers=publisher).status_code == 200
    entry = live.json("/plans/made/audit", headers=planner)["changes"][-1]
    assert (entry["action"], entry["who"]) == ("publish", "publisher-3")


@ONLY_SQLITE
def test_problems_are_said_in_the_language_asked_for(live: Live):
    said = [
        problem(live.client.patch("/plans/none", json={}, headers={"Accept-Language": lang}), 404)["detail"]
        for lang in ("en", "zh")
    ]
    assert said[0].isascii()
    assert "方案" in said[1]
