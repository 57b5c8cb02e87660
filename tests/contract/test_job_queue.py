"""Jobs are recorded once, held by one worker at a time, and end once; the same on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gridmap.domain.access import Identity, Role, Scope
from gridmap.domain.plan import Plan
from gridmap.errors import LostUpdate, NotStored, StoreConflict, TooMany, UsageError
from gridmap.store import open_store
from gridmap.store.job_records import Claim, JobFilter, JobRequest, JobStatus, error_document
from gridmap.store.jobs import Jobs
from gridmap.store.sql import SqlStore

LI = Identity("li", Role.PLANNER, Scope(("990101",), ("示例银行",)))
WANG = Identity("wang", Role.PLANNER)
CHIEF = Identity("chief", Role.ADMINISTRATOR)
ERROR = error_document(UsageError("jobs.no_job", id="x"))


@pytest.fixture
def jobs(store: SqlStore) -> Jobs:
    return Jobs(store)


@pytest.fixture
def others(url: str) -> Iterator[Jobs]:
    """Queue as another process sees it."""
    store = open_store(url)
    yield Jobs(store)
    store.close()


def asked(number: int = 1, process: str = "partition") -> JobRequest:
    return JobRequest(process, {"resolution": number}, {}, "zh")


def claimed(jobs: Jobs, worker: str = "w", lost_after_s: float = 30.0, **more: bool) -> Claim:
    claim = jobs.claim(worker, lost_after_s=lost_after_s, attempts=3, **more)
    assert claim is not None
    return claim


def test_a_job_is_kept_as_it_was_asked_for(jobs: Jobs, others: Jobs):
    added, is_new = jobs.add(asked(), LI)

    assert is_new
    assert others.get(added.id, LI) == added
    assert (added.status, added.sequence, added.progress, added.attempts) == (JobStatus.ACCEPTED, 1, 0.0, 0)
    assert (added.inputs, added.language) == ({"resolution": 1}, "zh")
    assert added.identity == LI


def test_a_key_names_one_request_of_its_owner(jobs: Jobs):
    first, _ = jobs.add(asked(), LI, key="k")

    assert jobs.add(asked(), LI, key="k") == (first, False)
    with pytest.raises(StoreConflict) as refused:
        jobs.add(asked(2), LI, key="k")
    assert refused.value.key == "jobs.key_used"
    assert jobs.add(asked(2), WANG, key="k")[1]
    assert jobs.add(asked(), LI)[1]
    assert len(jobs.page(CHIEF)) == 3


def test_a_race_with_one_key_gives_one_job(jobs: Jobs, others: Jobs):
    at_once = threading.Barrier(8)

    def ask(queue: Jobs) -> str:
        at_once.wait()
        return queue.add(asked(), LI, key="k", most=1)[0].id

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [jobs, others] * 4))

    assert len(set(answers)) == 1
    assert len(jobs.page(LI)) == 1


def test_one_owner_has_so_many_unfinished_jobs_and_no_more_however_fast_they_ask(jobs: Jobs, others: Jobs):
    at_once = threading.Barrier(8)

    def ask(number: int) -> bool:
        at_once.wait()
        try:
            (jobs, others)[number % 2].add(asked(number), LI, most=3)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 3
    jobs.add(asked(), WANG, most=3)
    jobs.dismiss(jobs.page(LI)[0].id, LI)
    jobs.add(asked(), LI, most=3)


def test_jobs_are_taken_up_in_the_order_they_came(jobs: Jobs, others: Jobs):
    ids = [jobs.add(asked(number), LI)[0].id for number in range(3)]

    taken = [claimed(jobs, "one"), claimed(others, "two"), claimed(jobs, "one")]

    assert [claim.job.id for claim in taken] == ids
    assert {claim.job.status for claim in taken} == {JobStatus.RUNNING}
    assert [claim.job.worker for claim in taken] == ["one", "two", "one"]
    assert jobs.claim("one", lost_after_s=30.0, attempts=3) is None


def test_twenty_jobs_and_many_workers_each_is_held_once(jobs: Jobs, others: Jobs):
    ids = {jobs.add(asked(number), LI)[0].id for number in range(20)}
    held: list[str] = []

    def work(number: int) -> None:
        queue = (jobs, others)[number % 2]
        while (claim := queue.claim(f"w{number}", lost_after_s=30.0, attempts=3)) is not None:
            held.append(claim.job.id)
            queue.finish_alone(claim, {"outputs": {}})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    assert len(held) == 20
    assert set(held) == ids
    assert jobs.counts()[JobStatus.SUCCESSFUL] == 20


def test_progress_is_seen_and_numbered(jobs: Jobs):
    job_id = jobs.add(asked(), LI)[0].id
    claim = claimed(jobs)
    before = jobs.get(job_id, LI)
    jobs.hear(claim, "partition", 0.25)
    jobs.hear(claim)
    after = jobs.get(job_id, LI)

    assert (after.stage, after.progress) == ("partition", 0.25)
    assert after.sequence == before.sequence + 1
    assert after.updated_at >= before.updated_at
    jobs.hear(claim, progress=7.0)
    assert jobs.get(job_id, LI).progress == 1.0


def test_who_is_silent_too_long_loses_the_job_and_can_end_it_no_more(jobs: Jobs, others: Jobs):
    job_id = jobs.add(asked(), LI)[0].id
    stalled = claimed(jobs, "stalled")
    time.sleep(0.3)
    assert others.claim("b", lost_after_s=0.2, attempts=3, take_over=False) is None
    second = claimed(others, "b", 0.2)

    assert second.job.id == job_id
    assert second.job.attempts == 2
    assert not jobs.holds(stalled)
    assert others.holds(second)
    for late in (
        lambda: jobs.hear(stalled, "x", 0.5),
        lambda: jobs.finish_alone(stalled, {}),
        lambda: jobs.fail(stalled, ERROR),
        lambda: jobs.give_back(stalled, counted=True),
    ):
        with pytest.raises(LostUpdate):
            late()
    others.finish_alone(second, {"outputs": {"x": 1}})
    assert jobs.get(job_id, LI).result == {"outputs": {"x": 1}}
    for again in (lambda: others.finish_alone(second, {}), lambda: others.fail(second, ERROR)):
        with pytest.raises(LostUpdate):
            again()
    assert jobs.get(job_id, LI).status is JobStatus.SUCCESSFUL


def test_who_is_heard_of_keeps_the_job(jobs: Jobs, others: Jobs):
    jobs.add(asked(), LI)
    claim = claimed(jobs)
    for _ in range(4):
        time.sleep(0.1)
        jobs.hear(claim)
        assert others.claim("b", lost_after_s=0.3, attempts=3) is None


def test_what_a_late_worker_writes_is_rolled_back_with_its_claim(jobs: Jobs, others: Jobs, store: SqlStore, plan: Plan):
    jobs.add(asked(), LI)
    stalled = claimed(jobs)
    others.forget("w")
    second = claimed(others, "b")

    def write(queue: Jobs, claim: Claim) -> None:
        store.add_version("p", plan, who="li", also=lambda connection, _made: queue.finish(connection, claim, {}))

    with pytest.raises(LostUpdate):
        write(jobs, stalled)
    with pytest.raises(NotStored):
        store.versions("p")
    write(others, second)
    assert len(store.versions("p")) == 1


def test_a_job_whose_workers_go_away_each_time_fails_in_words(jobs: Jobs):
    job_id = jobs.add(asked(), LI)[0].id
    for attempt in (1, 2, 3):
        assert claimed(jobs, "w").job.attempts == attempt
        assert jobs.forget("w") == 1
    assert jobs.claim("w", lost_after_s=30.0, attempts=3) is None

    failed = jobs.get(job_id, LI)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert failed.error["key"] == "jobs.lost_too_often"
    assert "3" in failed.error["detail"]["zh"]


def test_what_is_given_back_is_taken_up_again_first(jobs: Jobs):
    first, second = (jobs.add(asked(number), LI)[0].id for number in range(2))
    jobs.give_back(claimed(jobs), counted=False)
    again = claimed(jobs)

    assert again.job.id == first
    assert again.job.attempts == 1
    jobs.give_back(again, counted=True)
    assert claimed(jobs).job.attempts == 2
    assert claimed(jobs).job.id == second


def test_a_job_can_be_called_off_before_and_while_it_runs(jobs: Jobs, others: Jobs):
    waiting, running = (jobs.add(asked(number), LI)[0].id for number in range(2))
    assert others.dismiss(waiting, LI)[1]
    claim = claimed(jobs)
    assert claim.job.id == running
    job, is_new = others.dismiss(running, LI)

    assert (job.status, is_new) == (JobStatus.DISMISSED, True)
    assert not jobs.holds(claim)
    with pytest.raises(LostUpdate):
        jobs.finish_alone(claim, {})
    assert jobs.get(running, LI).status is JobStatus.DISMISSED
    assert others.dismiss(running, LI) == (jobs.get(running, LI), False)
    assert jobs.claim("w", lost_after_s=0.0, attempts=3) is None


def test_only_what_has_ended_is_removed(jobs: Jobs):
    job_id = jobs.add(asked(), LI, key="k")[0].id
    with pytest.raises(NotStored):
        jobs.remove(job_id, LI)
    jobs.dismiss(job_id, LI)
    jobs.remove(job_id, LI)
    with pytest.raises(NotStored):
        jobs.get(job_id, LI)
    assert jobs.add(asked(2), LI, key="k")[1]


def test_jobs_of_others_are_as_if_they_were_not_there(jobs: Jobs):
    own, foreign = jobs.add(asked(), LI)[0].id, jobs.add(asked(), WANG)[0].id
    words = set()
    for action in (jobs.get, jobs.dismiss, jobs.remove):
        for job_id in (foreign, "0" * 32):
            with pytest.raises(NotStored) as refused:
                action(job_id, LI)
            words.add(refused.value.message("en").replace(job_id, "ID"))
    assert len(words) == 1
    assert [job.id for job in jobs.page(LI)] == [own]
    assert {job.id for job in jobs.page(CHIEF)} == {own, foreign}
    # One whose reach is not the whole is no administrator of everybody.
    assert jobs.page(Identity("half", Role.ADMINISTRATOR, Scope(("99",)))) == []
    assert jobs.dismiss(foreign, CHIEF)[1]


def test_the_list_is_paged_and_filtered(jobs: Jobs):
    ids = [jobs.add(asked(number, "plan" if number % 2 else "partition"), LI)[0].id for number in range(7)]
    claim = claimed(jobs)
    time.sleep(0.12)
    jobs.finish_alone(claim, {})
    claimed(jobs)

    pages, after = [], None
    while page := jobs.page(LI, limit=3, after=after):
        pages.append([job.id for job in page])
        after = (page[-1].created_at, page[-1].id)
    assert [one for page in pages for one in page] == ids[::-1]
    assert [len(page) for page in pages] == [3, 3, 1]

    def found(**wanted: object) -> list[str]:
        return [job.id for job in jobs.page(LI, JobFilter(**wanted))][::-1]

    assert found(statuses=frozenset({JobStatus.SUCCESSFUL})) == ids[:1]
    assert found(statuses=frozenset({JobStatus.RUNNING, JobStatus.SUCCESSFUL})) == ids[:2]
    assert found(processes=frozenset({"plan"})) == ids[1::2]
    assert found(processes=frozenset()) == []
    third = jobs.get(ids[2], LI).created_at
    assert found(created=(third, None)) == ids[2:]
    assert found(created=(None, third)) == ids[:3]
    assert found(created=(third, third + timedelta(microseconds=1)))[0] == ids[2]
    assert found(duration_s=(0.1, 5.0))[:1] == ids[:1]
    assert found(duration_s=(60.0, None)) == []
    assert set(found(duration_s=(None, 60.0))) == set(ids[:2])


def test_old_jobs_are_removed_once_they_have_ended(jobs: Jobs):
    ended, waiting = (jobs.add(asked(number), LI)[0].id for number in range(2))
    jobs.dismiss(ended, LI)

    assert jobs.remove_old(timedelta(days=1)) == []
    assert jobs.remove_old(timedelta(0)) == [ended]
    assert [job.id for job in jobs.page(LI)] == [waiting]


def test_many_are_looked_at_at_once(jobs: Jobs):
    ids = [jobs.add(asked(number), LI)[0].id for number in range(3)]

    assert set(jobs.seen([*ids[:2], "none"])) == set(ids[:2])
    assert jobs.seen([]) == {}
