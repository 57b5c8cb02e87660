"""Workers, runs and the service killed at any moment: no job is lost, each ends once, each makes one version."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridmap.domain.access import SINGLE_USER_NAME, Identity, Role
from gridmap.store import open_store
from gridmap.store.job_records import Job, JobRequest, JobStatus
from gridmap.store.jobs import Jobs
from gridmap.store.open import upgrade_store
from gridmap.store.sql import SqlStore
from made_jobs import OUTLETS, ended, free_port, plan_inputs, served, squares, uploaded, working
from postgres_cluster import running_cluster
from store_fixtures import cluster, empty_url, kind, made_tables, made_url, store, url

__all__ = ["cluster", "empty_url", "kind", "made_tables", "made_url", "store", "url"]

TESTS = Path(__file__).parents[1]
ME = Identity(SINGLE_USER_NAME, Role.ADMINISTRATOR)
ON_POSTGIS = pytest.mark.parametrize("kind", ["postgis"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def jobs(store: SqlStore) -> Jobs:
    return Jobs(store)


@pytest.fixture
def ask(store: SqlStore, jobs: Jobs, data: Path) -> Callable[..., str]:
    """Ask for a plan; returns the job's identifier."""
    villages = uploaded(store, data, squares(2))
    outlets = uploaded(store, data, OUTLETS, "outlets.csv")

    def one(plan: str = "county", **settings: Any) -> str:
        return jobs.add(JobRequest("plan", plan_inputs(villages, outlets, plan, **settings)), ME)[0].id

    return one


def until(jobs: Jobs, job_id: str, is_so: Callable[[Job], bool], timeout_s: float = 60.0) -> Job:
    """Wait until something is so of a job."""
    deadline = time.monotonic() + timeout_s
    while True:
        job = jobs.get(job_id, ME)
        if is_so(job):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


def over(job: Job) -> bool:
    return job.status.is_end


def running(job: Job) -> bool:
    return job.status is JobStatus.RUNNING


def children(pid: int) -> list[int]:
    """List the processes that any thread of a process started."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError):
            found += [int(one) for one in thread.read_text().split()]
    return found


def alive(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def gone(pids: list[int], timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def assert_ended_once(store: SqlStore, job: Job, plan: str = "county") -> None:
    """One version, one entry of the audit, both whole; the job names them."""
    assert job.status is JobStatus.SUCCESSFUL, job
    (version,) = store.versions(plan)
    assert [entry.action for entry in store.audit(plan)] == ["create", "add"]
    assert job.result is not None
    assert job.result["outputs"]["version"]["value"]["digest"] == version.digest
    assert store.read(version).certificate["verdict"] == "exact"


@pytest.mark.parametrize(
    ("kind", "victim", "delays"),
    [
        ("postgis", "worker", (1.5,)),
        pytest.param("sqlite", "run", (1.5,), marks=pytest.mark.slow),
        pytest.param("sqlite", "worker", (0.3, 2.0), marks=pytest.mark.slow),
        pytest.param("postgis", "run", (0.3, 2.0), marks=pytest.mark.slow),
    ],
    indirect=["kind"],
)
def test_what_is_killed_is_begun_again_and_ends_once(
    store: SqlStore, jobs: Jobs, url: str, data: Path, ask: Callable[..., str], victim: str, delays: tuple[float, ...]
):
    for number, delay in enumerate(delays):
        job_id = ask(f"p{number}")
        with working(url, data) as workers:
            until(jobs, job_id, running)
            time.sleep(delay)
            (worker,) = workers.pids
            runs = children(worker)
            kill(worker if victim == "worker" else runs[0])
            # Neither a run nor the readers that it started outlive it.
            assert gone(runs)
            job = until(jobs, job_id, over)
        assert_ended_once(store, job, f"p{number}")
        assert job.attempts == 2


@ON_SQLITE
def test_a_run_that_is_killed_each_time_fails_in_words(
    jobs: Jobs, store: SqlStore, url: str, data: Path, ask: Callable[..., str]
):
    job_id = ask()
    with working(url, data, job_attempts=2) as workers:
        killed = 0
        while not over(jobs.get(job_id, ME)):
            for pid in workers.pids:
                for run in children(pid):
                    kill(run)
                    killed += 1
            time.sleep(0.05)
        job = jobs.get(job_id, ME)

    assert (job.status, job.attempts, killed >= 2) == (JobStatus.FAILED, 2, True)
    assert job.error is not None
    assert job.error["key"] == "jobs.crashed"
    assert "SIGKILL" in job.error["detail"]["en"]
    assert store.plans() == []


@pytest.mark.slow
@ON_POSTGIS
def test_a_worker_that_stalls_and_comes_back_changes_nothing(
    store: SqlStore, jobs: Jobs, url: str, data: Path, ask: Callable[..., str]
):
    job_id = ask()
    with working(url, data, count=2) as workers:
        first = until(jobs, job_id, running)
        (stalled,) = [pid for pid in workers.pids if children(pid)]
        for pid in (stalled, *children(stalled)):
            os.kill(pid, signal.SIGSTOP)
        runs = children(stalled)
        job = until(jobs, job_id, lambda one: one.attempts == 2)
        assert job.worker != first.worker
        for pid in (stalled, *runs):
            os.kill(pid, signal.SIGCONT)
        job = until(jobs, job_id, over)
        # The stalled run is ended by its worker, which has lost the job.
        assert gone(runs)
    assert_ended_once(store, job)


@pytest.mark.slow
@ON_SQLITE
def test_a_worker_that_is_told_to_stop_gives_its_job_back_untried(
    store: SqlStore, jobs: Jobs, url: str, data: Path, ask: Callable[..., str]
):
    job_id = ask()
    with working(url, data, shutdown_grace_s=0.2) as workers:
        until(jobs, job_id, running)
        time.sleep(0.5)
        runs = children(workers.pids[0])
    assert gone(runs, 0.5)
    given_back = jobs.get(job_id, ME)
    assert (given_back.status, given_back.attempts, given_back.worker) == (JobStatus.ACCEPTED, 0, None)
    with working(url, data, shutdown_grace_s=60.0) as workers:
        until(jobs, job_id, running)
        # Told to stop, with time enough: what runs is brought to its end.
    job = jobs.get(job_id, ME)
    assert_ended_once(store, job)
    assert job.attempts == 1
    assert list((data / "work").iterdir()) == []


@ON_SQLITE
def test_a_run_that_is_called_off_is_ended_and_leaves_nothing(
    store: SqlStore, jobs: Jobs, url: str, data: Path, ask: Callable[..., str]
):
    job_id = ask()
    with working(url, data) as workers:
        until(jobs, job_id, running)
        time.sleep(1.0)
        runs = children(workers.pids[0])
        jobs.dismiss(job_id, ME)
        assert gone(runs, 5.0)
        time.sleep(0.3)
        assert list((data / "work").iterdir()) == []
        assert not list((data / "results").glob("*"))
    assert jobs.get(job_id, ME).status is JobStatus.DISMISSED
    assert store.plans() == []


@ON_SQLITE
def test_a_run_that_takes_too_long_is_ended_in_words(jobs: Jobs, url: str, data: Path, ask: Callable[..., str]):
    job_id = ask()
    with working(url, data, job_timeout_s=0.6):
        job = until(jobs, job_id, over)

    assert (job.status, job.attempts) == (JobStatus.FAILED, 1)
    assert job.error is not None
    assert job.error["key"] == "jobs.too_slow"
    assert "0.6 s" in job.error["detail"]["en"]


@ON_SQLITE
def test_a_service_that_is_killed_leaves_no_process_and_loses_no_job(
    store: SqlStore, jobs: Jobs, url: str, data: Path, ask: Callable[..., str]
):
    job_id, port = ask(), free_port()
    with served(url, data, port) as process:
        until(jobs, job_id, running)
        time.sleep(0.5)
        workers = children(process.pid)
        runs = [run for worker in workers for run in children(worker)]
        kill(process.pid)
        assert runs
        # A worker that lost its service gives the job back within the grace, or ends it.
        with served(url, data, port), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            status = ended(client, job_id)
        assert gone([*workers, *runs], 30.0)
    assert status["status"] == "successful"
    assert_ended_once(store, jobs.get(job_id, ME))


def test_a_worker_whose_service_was_killed_before_it_found_the_store_ends():
    worker = subprocess.Popen(
        [sys.executable, "-m", "gridmap.jobs.worker", "w"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GRIDMAP_DATABASE_URL": "postgresql://gridmap@127.0.0.1:1/none"},
    )
    assert worker.stdin is not None
    worker.stdin.close()
    try:
        assert worker.wait(timeout=60) == 0
    finally:
        worker.kill()


@pytest.mark.slow
def test_twenty_moments_at_which_anything_is_killed(
    store: SqlStore, jobs: Jobs, url: str, data: Path, ask: Callable[..., str]
):
    chance = random.Random(20261122)  # noqa: S311 - of nobody's secrets
    for number in range(20):
        job_id, port = ask(f"p{number}"), free_port()
        victim = chance.choice(("worker", "run", "service"))
        with served(url, data, port, 2) as process:
            until(jobs, job_id, lambda job: running(job) or over(job))
            time.sleep(chance.uniform(0.0, 3.5))
            workers = children(process.pid)
            runs = [run for worker in workers for run in children(worker)]
            victims = {"worker": workers, "run": runs, "service": [process.pid]}[victim]
            for pid in victims:
                kill(pid)
            if victim == "service":
                with served(url, data, port, 2):
                    job = until(jobs, job_id, over)
            else:
                job = until(jobs, job_id, over)
        assert gone([*workers, *runs], 30.0)
        assert_ended_once(store, job, f"p{number}")


@pytest.mark.slow
def test_two_workers_run_twenty_jobs_once_each(
    store: SqlStore, jobs: Jobs, url: str, data: Path, ask: Callable[..., str]
):
    ids = [ask(f"p{number}") for number in range(20)]
    with working(url, data, count=2, job_lost_after_s=20.0):
        ended_jobs = [until(jobs, job_id, over, 300.0) for job_id in ids]

    for number, job in enumerate(ended_jobs):
        assert_ended_once(store, job, f"p{number}")
        assert job.attempts == 1


@pytest.mark.slow
def test_a_database_that_restarts_under_a_run_is_found_again(data: Path):
    with running_cluster() as own:
        own.execute("CREATE DATABASE own")
        upgrade_store(own.url("own"))
        store = open_store(own.url("own"))
        jobs = Jobs(store)
        villages = uploaded(store, data, squares(2))
        outlets = uploaded(store, data, OUTLETS, "outlets.csv")
        job_id = jobs.add(JobRequest("plan", plan_inputs(villages, outlets)), ME)[0].id
        with working(own.url("own"), data, count=2):
            until(jobs, job_id, running)
            own.stop("immediate")
            time.sleep(2.5)
            own.start()
            job = until(jobs, job_id, over)
        assert_ended_once(store, job)
        # That nobody was heard of meanwhile was held against nobody.
        assert job.attempts == 1
        store.close()
