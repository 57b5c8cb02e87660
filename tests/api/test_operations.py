"""Health, readiness, metrics, and the id that goes with every request."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator

import pytest
import structlog
from fastapi import FastAPI, Request
from prometheus_client.parser import text_string_to_metric_families

from gridmap.api import Service, create_app
from gridmap.logs import HIDDEN, configure_logs, hide_secrets
from gridmap.settings import Settings
from gridmap.store.sql import SqlStore
from live_service import Live, serving


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict]]]:
    """Entries of the log so far."""
    stream = io.StringIO()
    configure_logs("debug", "json", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()


def test_a_service_that_runs_is_healthy_and_ready(live: Live):
    assert live.json("/healthz") == {"status": "ok"}
    assert live.json("/readyz") == {"status": "ok", "checks": {"store": "ok", "data_directory": "ok"}}


def test_a_service_without_its_tables_is_not_ready_and_says_no_more(live: Live):
    with live.store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")

    answer = live.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "unready", "checks": {"store": "failed", "data_directory": "ok"}}
    assert live.get("/healthz").status_code == 200


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_data_directory_that_is_a_file_is_not_ready(serve: Callable[..., Live]):
    live = serve()
    folder = live.service.data_directory
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way")

    assert live.get("/readyz").json()["checks"]["data_directory"] == "failed"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_metrics_count_requests_by_route_and_never_by_what_clients_make_up(live: Live):
    for path in ("/healthz", "/healthz", "/made/up/by/somebody"):
        live.get(path)

    answer = live.get("/metrics")
    samples = {
        (sample.name, sample.labels.get("route"), sample.labels.get("status")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }

    assert samples["gridmap_requests_total", "/healthz", "200"] == 2
    assert samples["gridmap_requests_total", "none", "404"] == 1
    assert not [name for name in samples if "made" in str(name)]
    assert "# TYPE gridmap_jobs gauge" in answer.text


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_metrics_are_for_this_machine_or_who_has_the_key(serve: Callable[..., Live]):
    live = serve(single_user=False, metrics_key="made-up-key")
    behind_proxy = {"X-Forwarded-For": "203.0.113.7"}

    assert live.get("/metrics").status_code == 200
    assert live.get("/metrics", headers=behind_proxy).status_code == 403
    for key, status in (("made-up-key", 200), ("another", 403)):
        headers = {**behind_proxy, "Authorization": f"Bearer {key}"}
        assert live.get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_every_answer_bears_an_id_and_a_given_one_if_it_is_harmless(live: Live, logged):
    own = live.get("/healthz").headers["x-request-id"]
    given = live.get("/nowhere", headers={"X-Request-ID": "proxy-17"}).headers["x-request-id"]
    refused = live.get("/healthz", headers={"X-Request-ID": "a b<script>"}).headers["x-request-id"]

    assert given == "proxy-17"
    assert len({own, refused}) == 2
    assert all(one.isalnum() and len(one) == 32 for one in (own, refused))
    entry = next(line for line in logged() if line.get("request_id") == "proxy-17")
    assert (entry["event"], entry["status"], entry["path"]) == ("answered", 404, "/nowhere")


def test_a_bug_is_answered_with_its_id_and_without_its_cause(made_url, tmp_path, logged):
    def broken(_request: Request) -> None:
        raise RuntimeError("the inner workings")

    from gridmap.store import open_store

    store = open_store(made_url("sqlite"))
    with serving(store, Settings(data_directory=tmp_path)) as live:
        live.app.add_api_route("/broken", broken)
        answer = live.get("/broken")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "inner workings" not in answer.text
    request_id = answer.headers["x-request-id"]
    assert any("inner workings" in json.dumps(line) for line in logged() if line.get("request_id") == request_id)


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("used gm_AbCd1234_" + "x" * 43, f"used gm_AbCd1234_{HIDDEN}"),
        ("postgresql://me:pa55@db/plans", f"postgresql://me:{HIDDEN}@db/plans"),
        ("Bearer eyJhbGciOi.eyJzdWIi.c2ln", f"Bearer eyJhbGciOi.{HIDDEN}"),
        ("sqlite:///gridmap.sqlite at 12:30", "sqlite:///gridmap.sqlite at 12:30"),
    ],
)
def test_secrets_do_not_reach_the_log(said: str, hidden: str, logged):
    assert hide_secrets(said) == hidden
    structlog.get_logger("x").warning("seen", text=said, nested={"deep": said}, authorization="Bearer whatever")
    line = logged()[-1]

    assert line["text"] == hidden
    assert line["authorization"] == HIDDEN
    if said != hidden:
        assert said not in json.dumps(line)


def test_applications_keep_their_metrics_apart(store: SqlStore, tmp_path):
    apps: list[FastAPI] = [create_app(Service(store, Settings(data_directory=tmp_path))) for _ in range(2)]

    assert apps[0].state.metrics.registry is not apps[1].state.metrics.registry
