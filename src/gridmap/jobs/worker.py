"""Take up jobs, one after the other: ``python -m gridmap.jobs.worker NAME``, started by ``supervisor``.

Each job runs in a process of its own (``child``), and this one says every few seconds that it is there. A run that
fails says why; one that is killed, by whoever, is begun again until it has been tried often enough. A worker that is
told to stop lets its job end within the grace, else gives it back untried. It also stops when standard input ends.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import structlog

from gridmap.errors import GridmapError, LostUpdate, StoreError, StoreUnreachable, TooLarge
from gridmap.jobs.child import DONE, FAILED
from gridmap.jobs.housekeeping import Housekeeping
from gridmap.jobs.results import remove_results
from gridmap.jobs.running import Running, empty
from gridmap.settings import Settings, settings
from gridmap.store.job_records import Claim, error_document
from gridmap.store.jobs import Jobs
from gridmap.store.open import open_store
from gridmap.store.sql import SqlStore

#: How often somebody looks whether there is something to do, seconds.
_LOOK_S = 0.5
#: How often, at most, progress is written down, seconds.
_TELL_S = 0.5
_MOST_BEAT_S = 5.0
_LONGEST_PAUSE_S = 10.0
#: A claim that took longer had to wait for a busy database, as others had who wanted to say that they are there.
_BUSY_S = 1.0


class Worker:
    """Takes up jobs until it is told to stop.

    Parameters
    ----------
    store : where the jobs are
    config : settings; ``database_url`` is that of the store
    name : of this worker, for the rows of the jobs it holds
    """

    def __init__(self, store: SqlStore, config: Settings, name: str) -> None:
        self._jobs, self._config, self._name = Jobs(store), config, name
        self._housekeeping = Housekeeping(store, config)
        self._stop_by: float | None = None
        self._trusting_since = 0.0
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._log = structlog.get_logger("gridmap.jobs").bind(worker=name)
        # Six chances to be heard of before one counts as gone.
        self._beat_s = min(config.job_lost_after_s / 6, _MOST_BEAT_S)

    def stop(self) -> None:
        """Take up no other job, and let go of the one that runs if it has not ended within the grace."""
        if self._stop_by is None:
            self._stop_by = time.monotonic() + self._config.shutdown_grace_s
        # Full is as good as one.
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    def run(self) -> None:
        """Work until told to stop."""
        pause_s = _LOOK_S
        self._log.info("worker began")
        while self._stop_by is None:
            try:
                claim = self._next()
                pause_s = _LOOK_S
                if claim is None:
                    self._housekeeping.now_and_then()
            except StoreError as fault:
                self._log.warning("store away", fault=fault.message("en"))
                self._distrust()
                claim, pause_s = None, min(2 * pause_s, _LONGEST_PAUSE_S)
            if claim is not None:
                self._work(claim)
            elif self._stop_by is None:
                self._pause(pause_s)
        self._log.info("worker ended")

    def _next(self) -> Claim | None:
        began = time.monotonic()
        claim = self._jobs.claim(
            self._name,
            lost_after_s=self._config.job_lost_after_s,
            attempts=self._config.job_attempts,
            take_over=began >= self._trusting_since,
        )
        if time.monotonic() - began > _BUSY_S:
            self._distrust()
        return claim

    def _distrust(self) -> None:
        """Hold nobody's silence against them: while the database was away or busy none could be heard."""
        self._trusting_since = time.monotonic() + 2 * self._beat_s

    def _pause(self, seconds: float) -> None:
        select.select([self._wake_read], [], [], seconds)
        empty(self._wake_read)

    def _work(self, claim: Claim) -> None:
        job = claim.job
        log = self._log.bind(job=job.id, process=job.process, attempt=job.attempts)
        log.info("job began", owner=job.owner)
        began = time.monotonic()
        try:
            running = Running(claim, self._config, self._wake_read)
        except OSError as fault:
            log.error("run not started", exc_info=fault)
            self._fail(claim, StoreError("jobs.system_refused", reason=fault.strerror or type(fault).__name__))
            return
        try:
            self._attend(claim, running, log)
        finally:
            running.close()
            self._clear_up(claim)
            log.info("job left", seconds=round(time.monotonic() - began, 2))

    def _attend(self, claim: Claim, running: Running, log: structlog.stdlib.BoundLogger) -> None:
        """Watch a run to its end."""
        began = heard = looked = time.monotonic()
        told = None
        while True:
            status = running.wait(min(self._beat_s, _TELL_S))
            if status is not None:
                self._ended(claim, running, status, log)
                return
            now = time.monotonic()
            if self._stop_by is not None and now >= self._stop_by:
                running.kill()
                log.info("job given back")
                self._surely(lambda: self._jobs.give_back(claim, counted=False))
                return
            if now - began > self._config.job_timeout_s:
                running.kill()
                self._fail(claim, TooLarge("jobs.too_slow", limit_s=f"{self._config.job_timeout_s:g}"))
                return
            try:
                if running.report != told or now - heard >= self._beat_s:
                    said, told, heard = running.report if running.report != told else None, running.report, now
                    self._jobs.hear(claim, said.stage if said else None, said.share if said else None)
                elif now - looked >= 2 * _TELL_S:
                    looked = now
                    if not self._jobs.holds(claim):
                        raise LostUpdate("jobs.claim_lost", id=claim.job.id)
            except LostUpdate:
                # It may also just have ended, and be about to say so.
                if running.wait(_TELL_S) is None:
                    running.kill()
                    log.info("job dismissed or lost")
                return
            except StoreError as fault:
                log.warning("store away", fault=fault.message("en"))
                self._distrust()

    def _ended(self, claim: Claim, running: Running, status: int, log: structlog.stdlib.BoundLogger) -> None:
        ended = running.ended or {}
        if ended.get("as") == FAILED:
            error = ended["error"]
            if ended.get("log"):
                log.error("job failed", fault=error["detail"]["en"], traceback=ended["log"])
            else:
                log.info("job failed", fault=error["detail"]["en"])
            self._surely(lambda: self._jobs.fail(claim, error))
        elif ended.get("as") == DONE:
            log.info("job done")
        elif self._stop_by is not None:
            # Whoever stops the service may end runs too.
            log.info("job given back", status=status)
            self._surely(lambda: self._jobs.give_back(claim, counted=False))
        elif claim.job.attempts >= self._config.job_attempts:
            log.error("run crashed", status=status)
            self._fail(claim, StoreError("jobs.crashed", attempts=claim.job.attempts, status=_words(status)))
        else:
            log.error("run crashed", status=status)
            self._surely(lambda: self._jobs.give_back(claim, counted=True))

    def _fail(self, claim: Claim, error: GridmapError) -> None:
        self._surely(lambda: self._jobs.fail(claim, error_document(error)))

    def _surely(self, action: Callable[[], None]) -> None:
        """Write it down, however long the database is away; one who is told to stop waits no longer than the grace."""
        pause_s = _LOOK_S
        while True:
            try:
                action()
            except LostUpdate:
                return
            except StoreError as fault:
                self._log.warning("store away", fault=fault.message("en"))
                if self._stop_by is not None and time.monotonic() >= self._stop_by:
                    return
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                return

    def _clear_up(self, claim: Claim) -> None:
        """Remove what a run wrote that did not end well."""
        try:
            job = self._jobs.seen([claim.job.id]).get(claim.job.id)
        except StoreError:
            return
        kept = job is not None and (job.result or {}).get("folder") == claim.token
        if not kept:
            remove_results(self._config.data_directory, claim.job.id, claim.token)


def _words(status: int) -> str:
    try:
        return signal.Signals(-status).name if status < 0 else str(status)
    except ValueError:
        return str(status)


def main(name: str) -> None:
    """Work until told to stop, or until whoever started this process is gone."""
    from gridmap.logs import configure_logs

    config = settings()
    configure_logs(config.log_level, config.log_format)
    alone = threading.Event()
    threading.Thread(target=_watch_parent, args=(alone,), daemon=True).start()
    store = _opened(config, alone)
    if store is None:
        return
    worker = Worker(store, config, name)

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=_stop_alone, args=(worker, alone), daemon=True).start()
    try:
        worker.run()
    finally:
        store.close()


def _opened(config: Settings, alone: threading.Event) -> SqlStore | None:
    """Open the store, however long it is away; None where whoever started this process is gone meanwhile."""
    pause_s = _LOOK_S
    while not alone.is_set():
        try:
            return open_store(config.database_url)
        except StoreUnreachable as fault:
            structlog.get_logger("gridmap.jobs").warning("store away", fault=fault.message("en"))
            alone.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return None


def _watch_parent(alone: threading.Event) -> None:
    """Wait until standard input ends: whoever started this process is gone."""
    while os.read(0, 1):
        pass
    alone.set()


def _stop_alone(worker: Worker, alone: threading.Event) -> None:
    alone.wait()
    worker.stop()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except GridmapError as refused:
        sys.exit(f"gridmap: {refused}")
