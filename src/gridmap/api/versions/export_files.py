"""Whole plans as files: made in the data directory, handed out, and removed, whether the client stays or not."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from threading import BoundedSemaphore
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gridmap.errors import StoreError, TooMany, UsageError
from gridmap.exports.beside import disk_faults_named

#: How long a download waits for its turn to be made, seconds.
PATIENCE_S = 10.0
_PIECE_BYTES = 1 << 20
_FOLDER, _PREFIX = "exports", "export-"
#: What is older was left by a service that was killed, seconds.
_LEFT_BEHIND_S = 86_400.0


class FileOnce(StreamingResponse):
    """A file that is sent and then removed with its folder."""

    def __init__(self, path: Path, *, media_type: str, headers: dict[str, str]) -> None:
        sized = {**headers, "Content-Length": str(path.stat().st_size), "Accept-Ranges": "none"}
        super().__init__(_pieces(path), media_type=media_type, headers=sized)
        self._folder = path.parent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; its folder goes in any case."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


@contextmanager
def folder_in(data_directory: Path) -> Iterator[Path]:
    """Yield a new folder for a file; it goes where the block fails.

    Raises
    ------
    StoreError
        If files cannot be made there; where that is, is not said.
    """
    above = data_directory / _FOLDER
    try:
        with disk_faults_named(above):
            above.mkdir(parents=True, exist_ok=True)
            _sweep(above)
            folder = Path(mkdtemp(prefix=_PREFIX, dir=above))
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except (UsageError, StoreError) as fault:
        # The disk is ours, and no fault of whoever asks.
        if fault.key in ("exports.not_writable", "exports.write_failed"):
            raise StoreError("plans.no_room") from fault
        raise


def _sweep(above: Path) -> None:
    for folder in above.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _LEFT_BEHIND_S:
                shutil.rmtree(folder, ignore_errors=True)


class Turns:
    """Files, and pieces of streams, that are made at the same time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._files, self._pieces = BoundedSemaphore(most), BoundedSemaphore(most)

    @contextmanager
    def of_file(self) -> Iterator[None]:
        """Wait for a turn to make a file.

        Raises
        ------
        TooMany
            If it does not come in time.
        """
        if not self._files.acquire(timeout=PATIENCE_S):
            raise TooMany("plans.too_many_exports", most=self._most)
        try:
            yield
        finally:
            self._files.release()

    @contextmanager
    def of_piece(self) -> Iterator[None]:
        """Wait for a turn to make a piece of a stream; pieces take no second, so that turns come soon."""
        with self._pieces:
            yield


def turns_of(request: Request) -> Turns:
    """Find the turns of the service that a request is made to."""
    state = request.app.state
    if not hasattr(state, "export_turns"):
        state.export_turns = Turns(state.service.config.max_exports)
    found: Turns = state.export_turns
    return found


def disposition(name: str, plain: str) -> str:
    """Header that names a file, in letters of any script, with a plain name for those who read no others."""
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
