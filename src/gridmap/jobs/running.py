"""A run as its worker sees it: a process that reports, that can be ended, and that ends somehow."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gridmap.jobs.results import work_folder
from gridmap.settings import Settings
from gridmap.store.job_records import Claim

_MOST_UNREAD = 10_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a run said last: what it is doing, and the share of the whole that is done."""

    stage: str | None
    share: float


class Running:
    """The process of a job.

    Parameters
    ----------
    claim : by which the job is held
    config : settings of the worker
    wake : file descriptor that ends waiting when something can be read from it
    """

    def __init__(self, claim: Claim, config: Settings, wake: int) -> None:
        self.report: Report | None = None
        #: What the run said it came to; None if it ended without a word.
        self.ended: dict[str, Any] | None = None
        self._scratch = work_folder(config.data_directory, claim.token)
        self._scratch.mkdir(parents=True, exist_ok=True)
        language = {"GRIDMAP_LANGUAGE": claim.job.language}
        # What is unpacked and staged lies with the data, not on a small disk of the system's.
        folders = {"TMPDIR": str(self._scratch.resolve())}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gridmap.jobs.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment_of(config), **language, **folders},
            start_new_session=True,
        )
        self._unread = b""
        self._pipe = self._process.stdout.fileno() if self._process.stdout else -1
        os.set_blocking(self._pipe, False)
        self._wake = wake
        self._selector = selectors.DefaultSelector()
        for descriptor in (self._pipe, wake):
            self._selector.register(descriptor, selectors.EVENT_READ)
        request = {
            "job": claim.job.id,
            "token": claim.token,
            "database_url": config.database_url,
            "data_directory": str(config.data_directory.absolute()),
            "memory_bytes": config.job_memory_bytes,
        }
        if self._process.stdin is not None:
            # Where it ended at once, that is noticed as it is waited for.
            with suppress(BrokenPipeError):
                self._process.stdin.write(orjson.dumps(request) + b"\n")
                self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """Number of the process, and of its group."""
        return self._process.pid

    def wait(self, timeout_s: float) -> int | None:
        """Wait for reports; returns the exit status once it has ended, negative for a signal."""
        for key, _ in self._selector.select(timeout_s):
            if key.fd == self._pipe and not self._read():
                self._selector.unregister(self._pipe)
                return self._process.wait()
            if key.fd == self._wake:
                empty(self._wake)
        return None

    def _read(self) -> bool:
        """Take in what was said; False at the end."""
        try:
            part = os.read(self._pipe, 65536)
        except BlockingIOError:
            return True
        *lines, self._unread = (self._unread + part).split(b"\n")
        for line in lines:
            said = orjson.loads(line)
            if "ended" in said:
                self.ended = said["ended"]
            else:
                self.report = Report(said["stage"], said["share"])
        return bool(part) and len(self._unread) < _MOST_UNREAD

    def kill(self) -> None:
        """End it and all that it started; it holds nothing that it would have to put in order."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def close(self) -> None:
        """Leave nothing behind: neither processes nor what they laid out."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def empty(pipe: int) -> None:
    """Take out of a pipe what woke somebody, lest it wake them again."""
    with suppress(BlockingIOError):
        while os.read(pipe, 4096):
            pass


def environment_of(config: Settings) -> dict[str, str]:
    """Environment in which another process has these settings."""
    found = {}
    for name in Settings.model_fields:
        value = getattr(config, name)
        if value is not None:
            shown = value.get_secret_value() if hasattr(value, "get_secret_value") else value
            found[f"GRIDMAP_{name.upper()}"] = str(shown.absolute() if isinstance(shown, Path) else shown)
    return found
