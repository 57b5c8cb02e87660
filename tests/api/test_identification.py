"""Whoever asks is known by a key, sent in one of three ways; nothing else lets anybody in."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gridmap.api.access.loopback import check_binding, decide_single_user, is_loopback
from gridmap.domain.access import Role
from gridmap.errors import UsageError
from gridmap.settings import Settings
from gridmap.store import accounts as accounts_module
from gridmap.store.accounts import Accounts
from gridmap.store.sql import SqlStore
from live_service import Live

Account = Callable[..., dict[str, str]]
LOOPBACK = ("127.0.0.1", "localhost", "::1", "127.9.9.9")
ELSEWHERE = ("0.0.0.0", "::", "192.168.1.5", "maps.example")  # noqa: S104


def key_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.fixture
def guarded(serve: Callable[..., Live]) -> Live:
    """Serve with accounts and without a single user."""
    return serve(single_user=False)


def test_a_key_is_taken_in_each_way_that_clients_can_send_it(guarded: Live, account: Account):
    headers = account("viewer", ("990101001",), ("示例农商银行",), name="王")
    key = key_of(headers)
    ways = [headers, {"X-API-Key": key}, basic("", key), basic("anybody", key), {"authorization": f"bEARER  {key}"}]
    for way in ways:
        assert guarded.json("/me", headers=way) == {
            "name": "王",
            "role": "viewer",
            "areas": ["990101001"],
            "institutions": ["示例农商银行"],
            "everything": False,
        }


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_two_keys_are_one_too_many(guarded: Live, account: Account):
    one, other = account("viewer"), account("administrator")
    for both in (
        [("Authorization", one["Authorization"]), ("X-API-Key", key_of(other))],
        [("Authorization", one["Authorization"]), ("Authorization", other["Authorization"])],
        [("X-API-Key", key_of(one)), ("X-API-Key", key_of(one))],
    ):
        answer = guarded.get("/me", headers=both)
        assert answer.status_code == 400
        assert answer.json()["type"] == "urn:gridmap:problem:access.two_credentials"


def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(
    guarded: Live, account: Account, monkeypatch: pytest.MonkeyPatch
):
    accounts, end = Accounts(guarded.store), datetime.now(UTC) + timedelta(hours=1)
    good = key_of(account("viewer", name="a"))
    account("viewer", name="gone")
    of_gone = accounts.new_key("gone", who="test").key
    accounts.revoke("gone", who="test")
    revoked, expired = accounts.new_key("a", who="test"), accounts.new_key("a", who="test", expires_at=end)
    accounts.revoke_key(revoked.prefix, who="test")
    monkeypatch.setattr(accounts_module, "now", lambda: end)
    unknown = f"gm_00000000_{good[-43:]}"
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    bad = [revoked.key, expired.key, of_gone, unknown, wrong, "gm_x", "a.b.c", good + " " + good, "é"]
    answers = [guarded.get("/me", headers=[(b"Authorization", f"Bearer {key}".encode())]) for key in bad]
    answers += [guarded.get("/me", headers={"X-API-Key": revoked.key}), guarded.get("/me", headers=basic("a", wrong))]
    answers += [guarded.get("/me", headers={"Authorization": value}) for value in ("Digest x", "Basic %", "Basic /w==")]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    told = {answer.headers["www-authenticate"] for answer in answers}
    assert told == {'Bearer realm="gridmap", error="invalid_token", Basic realm="gridmap", charset="UTF-8"'}
    assert guarded.get("/me", headers={"X-API-Key": good}).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_who_sends_nothing_is_told_how_to_ask_but_pages_raise_no_prompt(guarded: Live):
    told = guarded.get("/me")
    assert told.status_code == 401
    assert told.headers["www-authenticate"] == 'Bearer realm="gridmap", Basic realm="gridmap", charset="UTF-8"'
    to_page = guarded.get("/me", headers={"Sec-Fetch-Mode": "cors"})
    assert to_page.headers["www-authenticate"] == 'Bearer realm="gridmap"'


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_key_in_the_address_is_no_key(guarded: Live, account: Account):
    key = key_of(account("viewer"))
    for name in ("key", "api_key", "access_token", "token"):
        answer = guarded.get(f"/me?{name}={key}")
        assert answer.status_code in (400, 401)
        assert key not in answer.text


def test_the_single_user_goes_with_the_first_account_and_does_not_come_back(live: Live, store: SqlStore):
    assert live.json("/me")["name"] == "local"
    Accounts(store).add("a", Role.VIEWER, who="test")
    assert live.get("/me").status_code == 401
    Accounts(store).revoke("a", who="test")
    assert live.get("/me").status_code == 401


def test_a_wrong_key_is_refused_where_none_is_needed(live: Live):
    assert live.get("/me", headers={"X-API-Key": "gm_00000000_" + "A" * 43}).status_code == 401


def test_only_loopback_without_accounts_and_issuer_is_for_a_single_user(store: SqlStore):
    alone = Settings()
    for host in LOOPBACK:
        assert decide_single_user(store, alone, host)
        check_binding(store, alone, host)
    for host in ELSEWHERE:
        assert not decide_single_user(store, alone, host)
    for config in (
        Settings(single_user=False),
        Settings(oidc_issuer="https://id.example", oidc_audience="gridmap"),
        Settings(trusted_proxies="127.0.0.1"),
        Settings(base_url="https://maps.example/gridmap"),
    ):
        assert not decide_single_user(store, config, "127.0.0.1")
    assert decide_single_user(store, Settings(base_url="http://localhost:8000"), "127.0.0.1")
    Accounts(store).add("a", Role.ADMINISTRATOR, who="test")
    assert not decide_single_user(store, alone, "127.0.0.1")


def test_other_machines_are_not_served_where_anybody_could_do_anything(store: SqlStore):
    for host in ELSEWHERE:
        with pytest.raises(UsageError) as refused:
            check_binding(store, Settings(), host)
        assert host in refused.value.message("en")
        assert "gridmap user add" in (refused.value.mend("en") or "")
        check_binding(store, Settings(oidc_issuer="https://id.example"), host)
    Accounts(store).add("a", Role.ADMINISTRATOR, who="test")
    for host in ELSEWHERE:
        check_binding(store, Settings(), host)


@pytest.mark.parametrize("host", [*LOOPBACK, "[::1]", "LOCALHOST", "::ffff:127.0.0.1"])
def test_what_is_this_machine(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize("host", [*ELSEWHERE, "localhost.evil.example", "127.0.0.1.evil.example", "", "2130706433"])
def test_what_is_not_this_machine(host: str):
    assert not is_loopback(host)
