"""Administrators give accounts and keys over HTTP; nobody else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from gridmap.domain.plan import Plan
from gridmap.store.accounts import Accounts
from live_service import Live

Account = Callable[..., dict[str, str]]
ROUTES = [
    ("GET", "/accounts"),
    ("POST", "/accounts"),
    ("GET", "/accounts/boss"),
    ("PATCH", "/accounts/boss"),
    ("DELETE", "/accounts/boss"),
    ("POST", "/accounts/boss/keys"),
    ("DELETE", "/accounts/boss/keys/00000000"),
    ("GET", "/audit"),
]


@pytest.fixture
def guarded(serve: Callable[..., Live]) -> Live:
    return serve(single_user=False)


@pytest.fixture
def boss(account: Account) -> dict[str, str]:
    return account("administrator", name="boss")


def test_an_account_lives_from_its_first_key_to_its_revocation(guarded: Live, boss: dict[str, str]):
    wanted = {
        "name": "王 小",
        "role": "planner",
        "areas": ["990101001", "9901010011"],
        "institutions": ["示例农商银行"],
    }
    made = guarded.post("/accounts", json=wanted, headers=boss)
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    own = {"X-API-Key": made.json()["key"]}
    assert guarded.json("/me", headers=own)["areas"] == ["990101001"]

    path = urlsplit(made.headers["location"]).path
    shown = guarded.json(path, headers=boss)
    assert shown == {name: value for name, value in made.json().items() if name != "key"}
    assert (shown["name"], shown["role"], shown["created_by"], shown["everything"]) == (
        "王 小",
        "planner",
        "boss",
        False,
    )
    assert guarded.json("/accounts", headers=boss)["accounts"][1] == shown

    changed = guarded.client.patch(path, json={"role": "viewer", "areas": []}, headers=boss)
    assert changed.status_code == 200, changed.text
    assert guarded.json("/me", headers=own)["role"] == "viewer"
    assert (changed.json()["areas"], changed.json()["institutions"]) == ([], ["示例农商银行"])

    second = guarded.post(f"{path}/keys", json={"expires_days": 90}, headers=boss)
    assert second.status_code == 201, second.text
    expires_at = datetime.fromisoformat(second.json()["expires_at"])
    assert timedelta(days=89) < expires_at - datetime.now(UTC) < timedelta(days=91)
    other = {"X-API-Key": second.json()["key"]}
    assert guarded.get("/me", headers=other).status_code == 200
    ended = guarded.client.delete(f"{path}/keys/{shown['keys'][0]['prefix']}", headers=boss)
    assert ended.json()["keys"][0]["revoked_by"] == "boss"
    assert [guarded.get("/me", headers=one).status_code for one in (own, other)] == [401, 200]

    assert guarded.client.delete(path, headers=boss).json()["revoked_by"] == "boss"
    assert guarded.get("/me", headers=other).status_code == 401
    assert guarded.post(f"{path}/keys", json={}, headers=boss).status_code == 409


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    ("role", "areas"), [("viewer", ()), ("planner", ()), ("publisher", ()), ("administrator", ("990101",))]
)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_only_administrators_of_everything_may(
    guarded: Live, account: Account, boss: dict[str, str], method: str, path: str, role: str, areas: tuple[str, ...]
):
    headers = account(role, areas)
    before = Accounts(guarded.store).list()
    answer = guarded.client.request(method, path, json={"role": "administrator"}, headers=headers)
    assert answer.status_code == 403
    assert guarded.client.request(method, path, json={"role": "administrator"}).status_code == 401
    assert Accounts(guarded.store).list() == before


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "a", "role": "king"},
        {"name": "a"},
        {"role": "viewer"},
        {"name": "a", "role": "viewer", "areas": "990101"},
        {"name": "a", "role": "viewer", "areas": ["99%"]},
        {"name": "a", "role": "viewer", "areas": ["9"]},
        {"name": "a", "role": "viewer", "areas": ["\uff11\uff12"]},
        {"name": "a", "role": "viewer", "institutions": [" "]},
        {"name": "a\nINFO root logged in", "role": "viewer"},
        {"name": "a", "role": "viewer", "expires_days": -1},
        {"name": "a", "role": "viewer", "scope": {}},
        {"name": "a", "role": "viewer", "subject": "\x00"},
    ],
)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_an_account_that_cannot_be_is_not_made(guarded: Live, boss: dict[str, str], wanted: dict[str, object]):
    answer = guarded.post("/accounts", json=wanted, headers=boss)
    assert answer.status_code == 400, answer.text
    assert "\n" not in answer.json()["detail"]
    assert [info.name for info in Accounts(guarded.store).list()] == ["boss"]


def test_conflicts_and_what_is_not_there_are_told_apart(guarded: Live, boss: dict[str, str]):
    assert guarded.post("/accounts", json={"name": "boss", "role": "viewer"}, headers=boss).status_code == 409
    assert guarded.client.delete("/accounts/boss", headers=boss).status_code == 409
    assert guarded.client.patch("/accounts/boss", json={"areas": ["99"]}, headers=boss).status_code == 409
    assert guarded.get("/accounts/nobody", headers=boss).status_code == 404
    assert guarded.client.delete("/accounts/boss/keys/00000000", headers=boss).status_code == 404
    assert guarded.get("/me", headers=boss).status_code == 200


def test_the_first_account_ends_the_single_user_and_can_make_others(live: Live):
    for less in ({"role": "publisher"}, {"role": "administrator", "areas": ["99"]}):
        assert live.post("/accounts", json={"name": "boss", **less}).status_code == 400
    assert live.json("/me") == {
        "name": "local",
        "role": "administrator",
        "areas": [],
        "institutions": [],
        "everything": True,
    }
    made = live.post("/accounts", json={"name": "boss", "role": "administrator"})
    assert made.status_code == 201
    assert made.json()["created_by"] == "local"
    assert live.get("/me").status_code == live.get("/plans").status_code == 401
    boss = {"X-API-Key": made.json()["key"]}
    assert live.post("/accounts", json={"name": "wang", "role": "viewer"}, headers=boss).status_code == 201


def test_an_account_with_a_subject_gets_no_key(guarded: Live, boss: dict[str, str]):
    made = guarded.post("/accounts", json={"name": "a", "role": "viewer", "subject": "s|1"}, headers=boss).json()
    assert (made["subject"], made["keys"], made.get("key")) == ("s|1", [], None)
    changed = guarded.client.patch("/accounts/a", json={"subject": None}, headers=boss).json()
    assert changed["subject"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_audit_is_read_through_page_by_page(guarded: Live, boss: dict[str, str], plan: Plan, limit: int):
    guarded.store.create("p", "方案", None, who="li")
    guarded.post("/accounts", json={"name": "wang", "role": "viewer"}, headers=boss)
    guarded.store.publish(guarded.store.add_version("p", plan, who="wang"), who="zhao")
    entries, path = [], f"/audit?limit={limit}"
    while path:
        page = guarded.json(path, headers=boss)
        assert len(page["entries"]) <= limit
        entries += page["entries"]
        path = next((one["href"] for one in page["links"] if one["rel"] == "next"), None)
    assert [(one["who"], one["action"], one.get("plan", one.get("account"))) for one in entries] == [
        ("zhao", "publish", "p"),
        ("wang", "add", "p"),
        ("boss", "add_key", "wang"),
        ("boss", "add", "wang"),
        ("li", "create", "p"),
        ("test", "add_key", "boss"),
        ("test", "add", "boss"),
    ]
    assert sorted((one["at"] for one in entries), reverse=True) == [one["at"] for one in entries]


@pytest.mark.parametrize("asked", ["limit=0", "limit=x", "before=1", "before=1-", "before=9999999999-1", "after=1-1"])
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_page_of_the_audit_that_cannot_be_is_refused(guarded: Live, boss: dict[str, str], asked: str):
    assert guarded.get(f"/audit?{asked}", headers=boss).status_code == 400
