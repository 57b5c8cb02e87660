"""Answers protect whoever reads them; requests that somebody else's page or name server brought about are refused."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from gridmap.domain.access import Role
from gridmap.errors import UsageError
from gridmap.store.accounts import Accounts
from gridmap.store.sql import SqlStore
from live_service import Live

Account = Callable[..., dict[str, str]]
Serve = Callable[..., Live]
CHANGE = {"name": "boss", "role": "administrator"}
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def guarded(serve: Serve) -> Live:
    return serve(single_user=False)


def changed(live: Live, **headers: str) -> int:
    """Try to make the first account as a page would; return the status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return live.post("/accounts", json=CHANGE, headers=named).status_code


@pytest.mark.parametrize("path", ["/", "/me", "/healthz", "/nowhere", "/plans/none", "/collections?x=1", "/api"])
def test_every_answer_bears_the_headers(live: Live, path: str):
    answer = live.get(path)
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers
    for name, _ in answer.headers.multi_items():
        assert len(answer.headers.get_list(name)) == 1, name


def test_a_bug_is_answered_with_the_headers_too(live: Live):
    @live.app.get("/bug")
    def bug() -> None:
        raise RuntimeError("secret inside")

    answer = live.get("/bug")
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert "secret" not in answer.text


def test_nothing_is_kept_for_somebody_else(guarded: Live, account: Account):
    for headers in (account("viewer"), {}):
        answer = guarded.get("/me", headers=headers)
        assert set(answer.headers["cache-control"].split(", ")) & {"private", "no-store"}
        assert {"Authorization", "X-API-Key"} <= set(answer.headers["vary"].split(", "))


def test_https_is_remembered_where_a_trusted_proxy_says_so(serve: Serve):
    told = {"X-Forwarded-Proto": "https"}
    assert "strict-transport-security" not in serve(single_user=False).get("/healthz", headers=told).headers
    behind = serve(single_user=False, trusted_proxies="127.0.0.1").get("/healthz", headers=told)
    assert behind.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.1.5:8000", "127.0.0.1.nip.io"])
def test_a_name_that_somebody_leads_here_gets_nothing_from_a_single_user(live: Live, host: str):
    for path in ("/me", "/plans", "/", "/nowhere"):
        answer = live.get(path, headers={"Host": host})
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:gridmap:problem:access.loopback_only"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]:8000", "LocalHost:8000"])
def test_this_machine_is_answered_under_its_names(live: Live, host: str):
    assert live.get("/me", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["a b", "a/b", "a@b", 'a"b', "a\\b", "localhost:x", "[::1", "", "é", "a" * 254])
@pytest.mark.parametrize("single_user", [True, False])
def test_a_host_that_cannot_be_gets_into_no_link(serve: Serve, host: str, single_user: bool):
    live = serve(single_user=single_user)
    answer = live.get("/", headers=[(b"Host", host.encode())])
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host"])
def test_behind_a_proxy_nobody_is_the_single_user(live: Live, store: SqlStore, name: str):
    assert live.get("/me", headers={name: "203.0.113.9"}).status_code == 403
    # With accounts it is no matter how a request came.
    accounts = Accounts(store)
    accounts.add("li", Role.VIEWER, who="test")
    key = accounts.new_key("li", who="test").key
    assert live.get("/me", headers={name: "203.0.113.9", "X-API-Key": key}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null", "http://[", "file://"])
def test_a_page_of_somebody_else_changes_nothing(live: Live, origin: str):
    assert changed(live, Origin=origin) == 403
    assert changed(live, Origin=origin, Sec_Fetch_Site="cross-site") == 403
    assert not Accounts(live.store).exist()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_somebody_else_changes_nothing(live: Live, site: str):
    assert changed(live, Sec_Fetch_Site=site) == 403
    assert not Accounts(live.store).exist()


@pytest.mark.parametrize("headers", [{"Origin": "own"}, {"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}])
def test_our_own_page_and_programs_may_change_something(live: Live, headers: dict[str, str]):
    own = {name: live.url if value == "own" else value for name, value in headers.items()}
    assert changed(live, **own) == 201


def test_a_page_of_somebody_else_changes_nothing_with_a_key_that_the_browser_adds(guarded: Live, account: Account):
    boss = account("administrator")
    assert guarded.post("/accounts", json=CHANGE, headers={**boss, "Origin": "https://evil.example"}).status_code == 403
    assert guarded.post("/accounts", json=CHANGE, headers=boss).status_code == 201


def test_pages_of_the_address_that_clients_use_may_change_something(serve: Serve, account: Account):
    live = serve(single_user=False, base_url="https://maps.example/gridmap")
    boss = account("administrator")
    own = {**boss, "Origin": "https://maps.example"}
    assert live.post("/accounts", json=CHANGE, headers=own).status_code == 201


def test_no_page_elsewhere_may_read_unless_its_origin_is_named(serve: Serve):
    origin = {"Origin": "https://maps.example"}
    closed = serve().get("/healthz", headers=origin)
    assert not [name for name in closed.headers if name.startswith("access-control")]
    opened = serve(cors_origins="https://maps.example, https://other.example")
    answer = opened.get("/healthz", headers=origin)
    assert answer.headers["access-control-allow-origin"] == "https://maps.example"
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    assert "ETag" in answer.headers["access-control-expose-headers"]
    stranger = opened.get("/healthz", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers


def test_refusals_can_be_read_by_the_pages_that_may_call(serve: Serve):
    live = serve(single_user=False, cors_origins="https://maps.example")
    answer = live.get("/me", headers={"Origin": "https://maps.example"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "https://maps.example"


def test_pages_that_may_call_ask_first(serve: Serve, account: Account):
    live = serve(single_user=False, cors_origins="https://maps.example")

    def asked(origin: str) -> httpx.Response:
        wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key, content-type"}
        return live.client.options("/accounts", headers={"Origin": origin, **wanted})

    assert asked("https://maps.example").status_code == 200
    assert asked("https://evil.example").status_code == 400
    page = {**account("administrator"), "Origin": "https://maps.example"}
    assert live.post("/accounts", json=CHANGE, headers=page).status_code == 201


@pytest.mark.parametrize(
    "origins", ["*", "maps.example", "https://maps.example/", "https://*.example", "null", "https://"]
)
def test_an_origin_that_is_none_is_refused_at_the_start(serve: Serve, origins: str):
    with pytest.raises(UsageError) as refused:
        serve(cors_origins=origins)
    assert origins in str(refused.value)


def test_a_header_cannot_be_split_by_what_a_client_sends(guarded: Live, account: Account):
    boss = account("administrator")
    for name in ("a%0d%0aSet-Cookie:%20a=b", "%E2%80%A8", "..%2f..", "a%00b"):
        answer = guarded.get(f"/accounts/{name}", headers=boss)
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers
        assert "\n" not in answer.json()["detail"]
        assert "\x00" not in answer.json()["detail"]
