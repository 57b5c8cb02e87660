"""No key, token, password or address of a database gets into a log line, an answer, a metric or a repr."""

from __future__ import annotations

import io
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy.engine import make_url

from gridmap.api import Service
from gridmap.domain.access import Role
from gridmap.errors import GridmapError
from gridmap.logs import configure_logs
from gridmap.settings import Settings
from gridmap.store import open_store
from gridmap.store.accounts import Accounts
from gridmap.store.postgis import PostgisStore
from gridmap.store.sql import Limits
from live_service import serving
from made_issuer import AUDIENCE, running_issuer
from store_fixtures import cluster, kind, made_tables, made_url, url

__all__ = ["cluster", "kind", "made_tables", "made_url", "url"]
PASSWORD = "s3cret-of-the-database"  # noqa: S105
UNREACHABLE = f"postgresql://gridmap:{PASSWORD}@127.0.0.1:1/plans"


@pytest.fixture(params=["json", "text"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Log as the service does, everything and into a text."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    written = io.StringIO()
    configure_logs("debug", request.param, written)
    yield written
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def everything_told(answers: list[httpx.Response]) -> str:
    return "".join(f"{answer.status_code} {answer.headers} {answer.text}\n" for answer in answers)


def ways_to_send(key: str) -> list[dict[str, str]]:
    basic = b64encode(f"wang:{key}".encode()).decode()
    return [
        {"Authorization": f"Bearer {key}"},
        {"X-API-Key": key},
        {"Authorization": f"Basic {basic}"},
        {"Authorization": f"Token {key}"},
        {"Authorization": key},
        {"Authorization": f"Bearer {key}", "X-API-Key": key},
    ]


def test_requests_with_keys_and_tokens_leave_none_behind(url: str, log: io.StringIO, tmp_path: Path):
    store = open_store(url)
    accounts = Accounts(store)
    accounts.add("boss", Role.ADMINISTRATOR, who="test")
    good, ended = (accounts.new_key("boss", who="test") for _ in range(2))
    accounts.revoke_key(ended.prefix, who="test")
    with running_issuer() as issuer:
        tokens = [issuer.token(), issuer.token(exp=1), issuer.token(gridmap_role=None), issuer.token(iss="x")]
        config = Settings(
            data_directory=tmp_path,
            oidc_issuer=issuer.url,
            oidc_audience=AUDIENCE,
            metrics_key="the-key-of-metrics",
            rate_limit="",
            login_rate_limit="10/minute",
        )
        with serving(store, config, single_user=False) as live:
            sent = [good.key, ended.key, good.key[:-1] + "-", f"gm_00000000_{ended.key[-43:]}", *tokens]
            answers = [
                live.get(path, headers=headers)
                for key in sent
                for headers in ways_to_send(key)
                for path in ("/me", "/plans")
            ]
            answers += [live.get(f"/accounts/{key}", headers=ways_to_send(good.key)[0]) for key in sent[1:]]
            answers += [live.get("/me", params={"key": key}) for key in sent]
            answers += [live.get(f"/nowhere/{ended.key}")]
            answers += [live.post("/accounts", json={"role": key}, headers=ways_to_send(good.key)[0]) for key in sent]
            metrics = live.get("/metrics", headers={"Authorization": "Bearer the-key-of-metrics"})
            assert metrics.status_code == 200
    store.close()
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 403, 404, 429}
    told = log.getvalue()
    assert told.count("answered") > 50
    assert "credential refused" in told
    # A path is answered with the name that was not found: there the client reads its own words again.
    answered = everything_told([one for one in answers if "/accounts/" not in str(one.url)]) + metrics.text
    for secret in [key[-43:] for key in sent[:4]] + [part for token in tokens for part in token.split(".")[1:]]:
        assert secret not in told
        assert secret not in answered
    assert "the-key-of-metrics" not in told + answered
    assert b64encode(good.key.encode()).decode()[5:40] not in told + answered


def test_a_new_key_is_told_to_who_asked_for_it_and_to_nobody_else(url: str, log: io.StringIO, tmp_path: Path):
    store = open_store(url)
    with serving(store, Settings(data_directory=tmp_path), single_user=True) as live:
        made = live.post("/accounts", json={"name": "boss", "role": "administrator"})
        boss = {"X-API-Key": made.json()["key"]}
        second = live.post("/accounts/boss/keys", json={}, headers=boss)
        later = [live.get(path, headers=boss) for path in ("/accounts", "/accounts/boss", "/audit", "/me", "/metrics")]
    store.close()
    for key in (made.json()["key"], second.json()["key"]):
        assert key[-43:] not in log.getvalue() + everything_told(later)
    assert log.getvalue().count("answered") >= 6


def test_a_database_that_is_away_is_not_told_of(log: io.StringIO, tmp_path: Path):
    store = PostgisStore(make_url(UNREACHABLE).set(drivername="postgresql+psycopg"), Limits())
    with serving(store, Settings(data_directory=tmp_path), single_user=False) as live:
        key = "gm_00000000_" + "A" * 43
        answers = [live.get(path, headers={"X-API-Key": key}) for path in ("/me", "/plans", "/readyz", "/audit")]
    store.close()
    assert [answer.status_code for answer in answers] == [503] * 4
    told, answered = log.getvalue(), everything_told(answers)
    assert "store failed" in told
    assert PASSWORD not in told + answered
    assert "A" * 43 not in told + answered
    for whereabouts in ("127.0.0.1:1", "port 1", "gridmap:", "psycopg", "SELECT", "Traceback", "connection to server"):
        assert whereabouts not in answered.replace("urn:gridmap:", ""), whereabouts


def test_reprs_and_errors_hold_no_secret(tmp_path: Path):
    config = Settings(database_url=UNREACHABLE, metrics_key="the-key-of-metrics", data_directory=tmp_path)
    with pytest.raises(GridmapError) as refused:
        open_store(config.database_url)
    shown = [repr(config), str(config), repr(refused.value), str(refused.value), repr(refused.value.__cause__)]
    store = open_store(str(tmp_path / "new.sqlite"), create=True)
    accounts = Accounts(store)
    accounts.add("a", Role.VIEWER, who="test")
    key = accounts.new_key("a", who="test")
    shown += [repr(Service(store, config)), repr(key), repr(accounts), repr(accounts.find("a")), repr(accounts.list())]
    store.close()
    for text in shown:
        for secret in (PASSWORD, "the-key-of-metrics", key.key[-43:]):
            assert secret not in text


def test_a_fault_of_the_database_names_no_values(url: str, made_url: Callable[[str], str]):
    store = open_store(url)
    accounts = Accounts(store)
    accounts.add("a", Role.VIEWER, who="test")
    with pytest.raises(GridmapError) as refused:
        accounts.add("a", Role.VIEWER, subject="the-subject", who="test")
    chain, fault = [], refused.value
    while fault is not None:
        chain.append(str(fault))
        fault = fault.__cause__ or fault.__context__
    store.close()
    assert len(chain) > 1
    assert "the-subject" not in " ".join(chain)
