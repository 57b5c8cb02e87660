"""Whoever listens to a job is told every change once, in order, and may come back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from gridmap.store.accounts import Accounts
from gridmap.store.job_records import Claim, Job
from gridmap.store.jobs import Jobs
from live_service import Live
from made_jobs import OUTLETS, plan_inputs, squares, uploaded, working

ONE_STORE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def told(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Yield events: name, id, data; comments as ``{"comment": …}``."""
    found: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line:
            if found:
                yield found
            found = {}
        elif line.startswith(":"):
            found["comment"] = value
        else:
            found[name] = json.loads(value) if name == "data" else value


def listen(live: Live, job_id: str, last: str | None = None) -> list[dict[str, Any]]:
    """Return all that is told until the end."""
    headers = {} if last is None else {"Last-Event-ID": last}
    with httpx.stream("GET", f"{live.url}/jobs/{job_id}/events", headers=headers, timeout=60) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [one for one in told(answer.iter_lines()) if "data" in one]


@pytest.fixture
def jobs(live: Live) -> Jobs:
    return Jobs(live.store)


@pytest.fixture
def begun(live: Live, jobs: Jobs) -> Callable[[], Claim]:
    """Begin a job that nobody works on but the test."""
    upload = uploaded(live.store, live.service.data_directory, squares())

    def begin() -> Claim:
        body = {"inputs": {"areas": {"upload": upload}, "resolution": 7}}
        assert live.post("/processes/partition/execution", json=body).status_code == 201
        claim = jobs.claim("w", lost_after_s=60, attempts=3)
        assert claim is not None
        return claim

    return begin


def as_seen(jobs: Jobs, claim: Claim) -> Job:
    return jobs.seen([claim.job.id])[claim.job.id]


def test_a_run_is_told_from_beginning_to_end(live: Live, url: str):
    data = live.service.data_directory
    inputs = plan_inputs(uploaded(live.store, data, squares()), uploaded(live.store, data, OUTLETS, "outlets.csv"))
    job_id = live.post("/processes/plan/execution", json={"inputs": inputs}).json()["jobID"]
    with working(url, data):
        events = listen(live, job_id)

    statuses = [one["data"]["status"] for one in events]
    assert {one["event"] for one in events} == {"status"}
    assert (statuses[0], statuses[-1]) == ("accepted", "successful")
    assert "running" in statuses
    ids = [int(one["id"]) for one in events]
    assert ids == sorted(set(ids))
    shares = [one["data"]["progress"] for one in events]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    told = [one["data"] for one in events if one["data"]["status"] == "running" and one["data"]["progress"]]
    assert all("message" in one for one in told)
    assert events[-1]["data"] == live.json(f"/jobs/{job_id}")


@ONE_STORE
def test_who_comes_back_is_told_only_what_is_new(live: Live, jobs: Jobs, begun: Callable[[], Claim]):
    claim = begun()
    jobs.hear(claim, "one", 0.1)
    seen = str(as_seen(jobs, claim).sequence)
    heard: list[dict[str, Any]] = []
    listener = threading.Thread(target=lambda: heard.extend(listen(live, claim.job.id, seen)))
    listener.start()
    time.sleep(0.3)
    jobs.hear(claim, "two", 0.2)
    time.sleep(1.2)
    jobs.finish_alone(claim, {"message": {"en": "done", "zh": "完成"}, "outputs": {}, "folder": claim.token})
    listener.join(timeout=20)

    assert [(one["data"]["status"], one["data"]["message"]) for one in heard] == [
        ("running", "two"),
        ("successful", "done"),
    ]
    last = heard[-1]["id"]
    for seen_id in (last, str(int(last) + 5)):
        over = live.get(f"/jobs/{claim.job.id}/events", headers={"Last-Event-ID": seen_id})
        assert (over.status_code, over.content) == (204, b"")
    for strange in ("x", "-1", "9" * 400, "1.5"):
        assert [one["id"] for one in listen(live, claim.job.id, strange)] == [last]
    assert listen(live, claim.job.id, "1")[0]["data"]["status"] == "successful"


@ONE_STORE
def test_who_listens_to_a_job_that_is_called_off_or_removed_is_told_so(live: Live, begun: Callable[[], Claim]):
    claim = begun()
    heard: list[dict[str, Any]] = []
    listener = threading.Thread(target=lambda: heard.extend(listen(live, claim.job.id)))
    listener.start()
    time.sleep(0.3)
    for _ in range(2):
        assert live.client.delete(f"/jobs/{claim.job.id}").status_code == 200
    listener.join(timeout=20)

    assert not listener.is_alive()
    assert heard[0]["data"]["status"] == "running"
    assert live.get(f"/jobs/{claim.job.id}/events").status_code == 404


@ONE_STORE
def test_many_listeners_are_told_by_one_look_at_the_store(live: Live, jobs: Jobs, begun: Callable[[], Claim]):
    claims = [begun() for _ in range(2)]
    looks: list[str] = []
    with live.store.reading() as connection:
        engine = connection.engine
    many = 120
    with ThreadPoolExecutor(many) as pool:
        listening = [pool.submit(listen, live, claims[number % 2].job.id) for number in range(many)]
        time.sleep(2.5)

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "FROM job" in statement:
                looks.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        threads = {thread.name for thread in threading.enumerate() if "AnyIO" in thread.name}
        time.sleep(3.0)
        event.remove(engine, "before_cursor_execute", note)
        # The service answers others meanwhile, though its pools of threads and connections are far smaller.
        assert live.get("/jobs").status_code == 200
        for claim in claims:
            jobs.hear(claim, "late", 0.9)
        time.sleep(1.0)
        for claim in claims:
            jobs.dismiss(claim.job.id, claim.job.identity)
        heard = [one.result(timeout=30) for one in listening]

    assert 1 <= len(looks) <= 7, looks
    assert len(threads) <= 41
    for events in heard:
        assert [(one["data"]["status"], one["data"].get("message")) for one in events][-2:] == [
            ("running", "late"),
            ("dismissed", "late"),
        ]


@ONE_STORE
def test_a_listener_whose_key_is_revoked_is_told_no_more(
    live: Live,
    jobs: Jobs,
    account: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("gridmap.api.runs.events._IDENTIFIED_FOR_S", 0.0)
    account("administrator")
    li = account("planner", name="li")
    upload = uploaded(live.store, live.service.data_directory, squares(), owner="li")
    body = {"inputs": {"areas": {"upload": upload}, "resolution": 7}}
    job_id = live.post("/processes/partition/execution", json=body, headers=li).json()["jobID"]
    claim = jobs.claim("w", lost_after_s=60, attempts=3)
    assert claim is not None
    with httpx.stream("GET", f"{live.url}/jobs/{job_id}/events", headers=li, timeout=20) as answer:
        events = told(answer.iter_lines())
        assert next(events)["data"]["status"] == "running"
        jobs.hear(claim, "one", 0.1)
        assert next(events)["data"]["message"] == "one"
        Accounts(live.store).revoke("li", who="test")
        jobs.hear(claim, "two", 0.2)
        assert [one for one in events if "data" in one] == []


@ONE_STORE
def test_a_broken_off_listener_leaves_nothing_behind(live: Live, begun: Callable[[], Claim]):
    claim = begun()
    for _ in range(3):
        with httpx.stream("GET", f"{live.url}/jobs/{claim.job.id}/events", timeout=20) as answer:
            assert next(told(answer.iter_lines()))["data"]["status"] == "running"
    deadline = time.monotonic() + 10
    while live.app.state.job_watch.listeners and time.monotonic() < deadline:
        time.sleep(0.1)
    assert live.app.state.job_watch.listeners == 0
