"""Tokens of the issuer open what their claims say, and nothing else that looks like one opens anything."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridmap.api.access.tokens import ALGORITHMS, Tokens
from gridmap.domain.access import Role, checked_scope
from gridmap.errors import UsageError
from gridmap.settings import Settings
from gridmap.store.accounts import Accounts
from live_service import Live
from made_issuer import AUDIENCE, Issuer, running_issuer

Serve = Callable[..., Live]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def live(serve: Serve, issuer: Issuer) -> Live:
    return serve(single_user=False, oidc_issuer=issuer.url, oidc_audience=AUDIENCE, login_rate_limit="")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds to add to the clock that keys are kept by."""
    added, really = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: really() + added[0])
    return added


def asked(live: Live, token: str) -> httpx.Response:
    return live.get("/me", headers={"Authorization": f"Bearer {token}"})


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def test_a_token_gives_role_and_reach_by_its_claims(live: Live, issuer: Issuer):
    token = issuer.token(gridmap_role="planner", gridmap_areas=["990101001"], gridmap_institutions="甲银行,Bank of A")
    assert asked(live, token).json() == {
        "name": "oidc:a1|wang",
        "role": "planner",
        "areas": ["990101001"],
        "institutions": ["Bank of A", "甲银行"],
        "everything": False,
    }
    assert asked(live, issuer.token()).json()["everything"] is True


@pytest.mark.parametrize("algorithm", [one for one in ALGORITHMS if one[2:] in ("256", "DSA")])
def test_signatures_that_only_the_issuer_can_make_are_accepted(live: Live, issuer: Issuer, algorithm: str):
    issuer.make_key("other", algorithm)
    assert asked(live, issuer.token(key="other")).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 256},
    ],
)
def test_a_token_that_is_not_for_us_now_is_refused(live: Live, issuer: Issuer, claims: dict[str, Any]):
    answer = asked(live, issuer.token(**claims))
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:gridmap:problem:access.refused"


def test_clocks_may_differ_by_half_a_minute(live: Live, issuer: Issuer):
    now = int(time.time())
    assert asked(live, issuer.token(exp=now - 20, nbf=now + 20)).status_code == 200
    assert asked(live, issuer.token(exp=now - 40)).status_code == 401


def test_signatures_that_others_can_make_are_refused(live: Live, issuer: Issuer):
    issuer.make_key("rsa", "RS256")
    public = issuer.keys["rsa"][1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    good = issuer.token()
    head, body, signature = good.split(".")
    stranger = Issuer(issuer.url)
    stranger.make_key("one")
    # PyJWT refuses to sign with a public key; who forges does not ask it.
    secret = base64.urlsafe_b64encode(public).decode().rstrip("=")
    forged = [
        stranger.token(),
        f"{part({'alg': 'none', 'kid': 'one'})}.{body}.",
        f"{part({'alg': 'None', 'kid': 'one'})}.{body}.",
        f"{head}.{body}.",
        f"{head}.{part(issuer.claims(gridmap_role='administrator'))}.{signature}",
        jwt.encode(issuer.claims(), secret, "HS256", headers={"kid": "rsa"}),
        jwt.encode(issuer.claims(), public.hex(), "HS256", headers={"kid": "one"}),
        f"{part({'alg': 'ES256', 'kid': 'rsa'})}.{body}.{signature}",
        f"{part({'alg': 'ES256', 'kid': 'one', 'jwk': stranger.published()['keys'][0]})}.{body}.{signature}",
        f"{part({'alg': 'ES256'})}.{body}.{signature}",
        f"{part({'alg': ['ES256'], 'kid': ['one']})}.{body}.{signature}",
        "..",
        "a.b.c",
        "eyJ.eyJ.x" * 3000,
    ]
    assert [asked(live, token).status_code for token in forged] == [401] * len(forged)
    assert asked(live, good).status_code == 200


def test_keys_that_a_token_names_itself_are_not_fetched(live: Live, issuer: Issuer):
    with running_issuer() as stranger:
        token = stranger.token(iss=issuer.url, headers={"jku": f"{stranger.url}/keys", "x5u": f"{stranger.url}/keys"})
        assert asked(live, token).status_code == 401
        assert stranger.asked == []


@pytest.mark.parametrize("missing", ["gridmap_role", "gridmap_areas", "gridmap_institutions"])
@pytest.mark.parametrize("value", [None, "", [], {}, 7, [7], True])
def test_a_token_without_role_or_reach_is_told_what_is_missing(live: Live, issuer: Issuer, missing: str, value: Any):
    answer = asked(live, issuer.token(**{missing: value}))
    assert answer.status_code == 403
    assert missing in answer.json()["detail"]


@pytest.mark.parametrize("areas", [["99%"], ["9"], "everything", ["*x"]])
def test_a_reach_that_is_none_is_not_everything(live: Live, issuer: Issuer, areas: Any):
    assert asked(live, issuer.token(gridmap_areas=areas)).status_code == 403


def test_of_several_roles_the_highest_counts(serve: Serve, issuer: Issuer):
    live = serve(
        single_user=False,
        oidc_issuer=issuer.url,
        oidc_audience=AUDIENCE,
        oidc_role_claim="realm_access.roles",
        oidc_areas_claim="https://bank.example/areas",
    )
    claims = {
        "realm_access": {"roles": ["offline_access", "publisher", "viewer"]},
        "https://bank.example/areas": ["99"],
    }
    found = asked(live, issuer.token(**claims)).json()
    assert (found["role"], found["areas"]) == ("publisher", ["99"])


def test_an_account_of_the_subject_counts_instead_of_the_claims(live: Live, issuer: Issuer):
    accounts = Accounts(live.store)
    accounts.add("王", Role.PLANNER, checked_scope(["990101002"]), subject="a1|wang", who="test")
    token = issuer.token(gridmap_role="administrator")
    found = asked(live, token).json()
    assert (found["name"], found["role"], found["areas"]) == ("王", "planner", ["990101002"])
    assert asked(live, issuer.token(gridmap_role=None, gridmap_areas=None)).status_code == 200
    accounts.revoke("王", who="test")
    assert asked(live, token).status_code == 401
    assert asked(live, issuer.token(sub="a1|li")).status_code == 200


def test_a_subject_called_like_an_account_is_somebody_else(live: Live, issuer: Issuer):
    Accounts(live.store).add("a1|wang".replace("|", "."), Role.ADMINISTRATOR, who="test")
    assert asked(live, issuer.token(sub="a1.wang")).json()["name"] == "oidc:a1.wang"


def test_keys_of_ours_go_on_beside_tokens(live: Live):
    accounts = Accounts(live.store)
    accounts.add("li", Role.VIEWER, who="test")
    assert asked(live, accounts.new_key("li", who="test").key).json()["name"] == "li"


def test_keys_are_fetched_once_and_for_a_new_one_at_most_once_a_minute(live: Live, issuer: Issuer, clock: list[float]):
    assert [asked(live, issuer.token()).status_code for _ in range(5)] == [200] * 5
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    issuer.make_key("two")
    stranger = Issuer(issuer.url)
    stranger.make_key("three")
    fresh = issuer.token(key="two")
    assert asked(live, fresh).status_code == 401
    clock[0] += 61
    assert asked(live, fresh).status_code == 200
    assert [asked(live, stranger.token(key="three")).status_code for _ in range(5)] == [401] * 5
    assert issuer.asked.count("/keys") == 2


def test_a_key_that_is_withdrawn_is_refused_when_keys_are_fetched_again(live: Live, issuer: Issuer, clock: list[float]):
    issuer.make_key("two")
    token = issuer.token(key="two")
    assert asked(live, token).status_code == 200
    del issuer.keys["two"]
    clock[0] += 301
    assert asked(live, token).status_code == 401


def test_an_issuer_that_is_away_is_not_taken_for_a_refusal(live: Live, issuer: Issuer, clock: list[float]):
    issuer.is_away = True
    answer = asked(live, issuer.token())
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert issuer.url not in answer.text
    asked(live, issuer.token())
    assert len(issuer.asked) == 1, "it is left alone for a while"
    issuer.is_away = False
    clock[0] += 11
    assert asked(live, issuer.token()).status_code == 200


def test_keys_are_good_for_an_hour_where_the_issuer_is_away(live: Live, issuer: Issuer, clock: list[float]):
    assert asked(live, issuer.token()).status_code == 200
    issuer.is_away = True
    for seconds, status in ((301, 200), (3000, 200), (400, 503)):
        clock[0] += seconds
        assert asked(live, issuer.token(exp=int(time.time()) + 9999)).status_code == status


@pytest.mark.parametrize(
    "discovery", [{"issuer": "https://elsewhere.example"}, {"jwks_uri": "http://keys.example/"}, {"jwks_uri": None}]
)
def test_a_discovery_document_that_leads_astray_is_not_followed(live: Live, issuer: Issuer, discovery: dict[str, Any]):
    issuer.discovery.update(discovery)
    assert asked(live, issuer.token()).status_code == 503
    assert "/keys" not in issuer.asked


def test_the_address_of_the_keys_may_be_set(serve: Serve, issuer: Issuer):
    live = serve(single_user=False, oidc_issuer=issuer.url, oidc_audience=AUDIENCE, oidc_jwks_url=f"{issuer.url}/keys")
    assert asked(live, issuer.token()).status_code == 200
    assert issuer.asked == ["/keys"]


@pytest.mark.parametrize(
    "settings",
    [
        {"oidc_issuer": "https://id.example"},
        {"oidc_issuer": "http://id.example", "oidc_audience": "a"},
        {"oidc_issuer": "id.example", "oidc_audience": "a"},
        {"oidc_issuer": "file:///etc/passwd", "oidc_audience": "a"},
        {"oidc_issuer": "https://id.example", "oidc_audience": "a", "oidc_jwks_url": "http://id.example/keys"},
    ],
)
def test_settings_that_would_not_be_safe_are_refused_at_the_start(settings: dict[str, str]):
    with pytest.raises(UsageError) as refused:
        Tokens(Settings(**settings))
    assert "GRIDMAP_OIDC" in str(refused.value)


def test_no_shared_secret_is_among_the_algorithms():
    assert not [one for one in ALGORITHMS if one.upper() == "NONE" or one.startswith("HS")]
