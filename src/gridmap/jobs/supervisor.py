"""Keep worker processes running: those that die are started again, and all end with whoever runs this."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import structlog

from gridmap.errors import StoreError
from gridmap.jobs.running import environment_of
from gridmap.settings import Settings
from gridmap.store.jobs import Jobs
from gridmap.store.open import open_store

_LOOK_S = 0.2
#: A worker that lives so long has recovered from whatever ended those before it, seconds.
_SOUND_AFTER_S = 60.0
_LONGEST_PAUSE_S = 30.0
#: What a worker gets on top of the grace to write down how it left its job, seconds.
_LAST_WORDS_S = 10.0


@dataclass
class _Place:
    """A worker's place: who is in it, and when the next one may be."""

    name: str = ""
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    failures: int = 0
    not_before: float = field(default=0.0)


class Workers:
    """Worker processes of one database.

    Parameters
    ----------
    config : settings of the workers; ``database_url`` names the store
    count : how many
    """

    def __init__(self, config: Settings, count: int) -> None:
        self._config = config
        self._places = [_Place() for _ in range(count)]
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._log = structlog.get_logger("gridmap.jobs")

    @property
    def pids(self) -> list[int]:
        """Numbers of the worker processes that run."""
        return [one.process.pid for one in self._places if one.process is not None and one.process.poll() is None]

    def start(self) -> None:
        """Start them, and a thread that looks after them."""
        self._thread = threading.Thread(target=self.run, name="workers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop them; returns when they have ended."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def run(self) -> None:
        """Look after them until ``stop`` is called."""
        try:
            while not self._stopping.is_set():
                for place in self._places:
                    self._look_after(place)
                self._stopping.wait(_LOOK_S)
        finally:
            self._end_all()

    def _look_after(self, place: _Place) -> None:
        now = time.monotonic()
        if place.process is not None:
            status = place.process.poll()
            if status is None:
                return
            self._log.error("worker died", worker=place.name, status=status)
            place.failures = 1 if now - place.since > _SOUND_AFTER_S else place.failures + 1
            place.not_before = now + min(0.25 * 2**place.failures, _LONGEST_PAUSE_S)
            _close(place.process)
            place.process = None
            self._forget(place.name)
        if now >= place.not_before:
            place.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
            place.since = now
            place.process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
                [sys.executable, "-m", "gridmap.jobs.worker", place.name],
                # Held open: its end tells the worker that this process is gone.
                stdin=subprocess.PIPE,
                env={**os.environ, **environment_of(self._config)},
                # Ctrl-C on a terminal is for this process, which tells its workers in its own time.
                start_new_session=True,
            )

    def _forget(self, worker: str) -> None:
        """Let others take up its job at once; else its silence tells them a little later."""
        try:
            store = open_store(self._config.database_url)
        except StoreError as fault:
            self._log.warning("store away", fault=fault.message("en"))
            return
        try:
            Jobs(store).forget(worker)
        except StoreError as fault:
            self._log.warning("store away", fault=fault.message("en"))
        finally:
            store.close()

    def _end_all(self) -> None:
        running = [one.process for one in self._places if one.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._config.shutdown_grace_s + _LAST_WORDS_S
        for process in running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def run_workers(config: Settings, count: int, stop: threading.Event | None = None) -> None:
    """Run workers in this thread until the event is set, or until ``KeyboardInterrupt``.

    Parameters
    ----------
    config : settings of the workers; ``database_url`` names the store
    count : how many
    """
    workers = Workers(config, count)
    workers.start()
    try:
        (stop or threading.Event()).wait()
    finally:
        workers.stop()
