"""A disk that is full, memory that runs out: the job fails in words, and nothing half-written is left."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gridmap.domain.access import SINGLE_USER_NAME, Identity, Role
from gridmap.store import open_store
from gridmap.store.job_records import Job, JobRequest, JobStatus
from gridmap.store.jobs import Jobs
from gridmap.store.open import upgrade_store
from gridmap.store.sql import SqlStore
from made_jobs import OUTLETS, plan_inputs, squares, uploaded, working
from postgres_cluster import running_cluster
from store_fixtures import cluster, empty_url, kind, made_tables, made_url, store, url

__all__ = ["cluster", "empty_url", "kind", "made_tables", "made_url", "store", "url"]

ME = Identity(SINGLE_USER_NAME, Role.ADMINISTRATOR)
#: Address space that the libraries fit into, and millions of cells do not.
ENOUGH_FOR_LIBRARIES = 3_000_000_000
ON_SQLITE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextmanager
def no_file_beyond(most_bytes: int) -> Iterator[None]:
    """Limit the files of processes started in the block, which meets them as a disk that is full."""
    held, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (held, hard))


def run(jobs: Jobs, job_id: str, timeout_s: float = 90.0) -> Job:
    deadline = time.monotonic() + timeout_s
    while not (job := jobs.get(job_id, ME)).status.is_end:
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
    return job


def assert_failed_in_words(job: Job, data: Path, key: str) -> None:
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error["key"] == key, job.error
    for text in job.error["detail"].values():
        assert str(data) not in text
        assert "Traceback" not in text
        assert "INSERT" not in text
    assert not list((data / "results").glob("*/*"))
    assert list((data / "work").iterdir()) == []


@ON_SQLITE
@pytest.mark.slow
@pytest.mark.parametrize("form", ["geojson", "gpkg"])
def test_a_disk_that_is_full_of_results(store: SqlStore, url: str, data: Path, form: str):
    jobs, file = Jobs(store), Path(url.removeprefix("sqlite:///"))
    inputs = {"areas": {"upload": uploaded(store, data, squares(4))}, "resolution": 11, "format": form}
    job_id = jobs.add(JobRequest("partition", inputs), ME)[0].id
    most = max(path.stat().st_size for path in file.parent.iterdir()) + 150_000
    with no_file_beyond(most), working(url, data):
        job = run(jobs, job_id)
    assert_failed_in_words(job, data, "exports.write_failed")
    again = jobs.add(JobRequest("partition", inputs), ME)[0].id
    with working(url, data):
        assert run(jobs, again).status is JobStatus.SUCCESSFUL


@ON_SQLITE
def test_a_disk_that_is_full_as_the_plan_is_stored(store: SqlStore, url: str, data: Path):
    jobs, file = Jobs(store), Path(url.removeprefix("sqlite:///"))
    given = uploaded(store, data, squares(4)), uploaded(store, data, OUTLETS, "outlets.csv")
    inputs = plan_inputs(*given, partition={"resolution": 10})
    job_id = jobs.add(JobRequest("plan", inputs), ME)[0].id
    most = max(path.stat().st_size for path in file.parent.iterdir()) + 200_000
    with no_file_beyond(most), working(url, data):
        job = run(jobs, job_id)
    assert_failed_in_words(job, data, "store.failed")
    assert store.plans() == []


@pytest.mark.slow
def test_a_database_whose_disk_is_full_as_the_plan_is_stored(data: Path):
    with running_cluster() as small:
        small.execute("CREATE DATABASE small")
        upgrade_store(small.url("small"))
        small.stop()
        small.start(most_file_bytes=1_200_000)
        store = open_store(small.url("small"))
        jobs = Jobs(store)
        given = uploaded(store, data, squares(4, size=0.02)), uploaded(store, data, OUTLETS, "outlets.csv")
        inputs = plan_inputs(*given, partition={"resolution": 11})
        job_id = jobs.add(JobRequest("plan", inputs), ME)[0].id
        with working(small.url("small"), data):
            job = run(jobs, job_id)
        assert_failed_in_words(job, data, "store.failed")
        assert store.plans() == []
        store.close()


@ON_SQLITE
@pytest.mark.slow
def test_memory_that_runs_out(store: SqlStore, url: str, data: Path):
    jobs = Jobs(store)
    inputs = {"areas": {"upload": uploaded(store, data, squares(1, size=0.05))}, "resolution": 14}
    job_id = jobs.add(JobRequest("partition", inputs), ME)[0].id
    with working(url, data, job_memory_bytes=ENOUGH_FOR_LIBRARIES, job_attempts=1):
        job = run(jobs, job_id, 200.0)
    assert_failed_in_words(job, data, "jobs.out_of_memory")
