"""Receiving under difficulties: a full disk, a silent or slow client, a service that goes away."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import Request

from gridmap.api.intake.receiving import Patience, Received, receive
from gridmap.errors import UsageError
from gridmap.inputs.inspection.running import FINDINGS
from live_service import Live

Messages = Callable[[], Awaitable[dict[str, Any]]]


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def received(messages: Messages, folder: Path, patience: Patience, name: str = "a.csv") -> Received:
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, messages)
    return anyio.run(receive, request, folder, name, 1_000_000, patience)


@contextmanager
def disk_of(room: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_full_disk_is_503_and_nothing_is_left(live: Live):
    with disk_of(2_000_000):
        answer = live.post("/uploads", params={"name": "a.csv"}, content=b"id\n" + b"1\n" * 2_000_000)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:gridmap:problem:uploads.disk_full")
    assert int(answer.headers["retry-after"]) > 0
    folder = live.service.data_directory
    assert [*(folder / "incoming").glob("*"), *(folder / "uploads").glob("*")] == []
    assert live.post("/uploads", params={"name": "a.csv"}, content=b"id\n1\n").status_code == 201


def test_what_comes_in_pieces_is_put_together(tmp_path: Path):
    pieces = iter([b"id\n", b"", b"1\n"])

    async def messages() -> dict[str, Any]:
        piece = next(pieces)
        return part(piece, more=piece != b"1\n")

    found = received(messages, tmp_path, Patience())
    assert (found.path.read_bytes(), found.bytes) == (b"id\n1\n", 5)


def test_a_silent_client_is_not_waited_for(tmp_path: Path):
    async def messages() -> dict[str, Any]:
        await anyio.sleep(30)
        return part(b"", more=False)

    began = time.monotonic()
    with pytest.raises(UsageError) as refused:
        received(messages, tmp_path, Patience(idle_s=0.1))
    assert refused.value.key == "uploads.stalled"
    assert time.monotonic() - began < 10


def test_a_client_that_drips_is_not_waited_for(tmp_path: Path):
    async def messages() -> dict[str, Any]:
        await anyio.sleep(0.05)
        return part(b"x", more=True)

    with pytest.raises(UsageError) as refused:
        received(messages, tmp_path, Patience(idle_s=0.3, least_rate=1_000.0))
    assert refused.value.key == "uploads.stalled"


def test_a_client_that_goes_away_is_noticed(tmp_path: Path):
    pieces = iter([part(b"id\n", more=True), {"type": "http.disconnect"}])

    async def messages() -> dict[str, Any]:
        return next(pieces)

    with pytest.raises(UsageError) as refused:
        received(messages, tmp_path, Patience())
    assert refused.value.message("en") == "the content ended after 3 bytes, before it was whole; nothing was kept"


def test_an_inspection_that_nobody_waits_for_ends(tmp_path: Path):
    table = tmp_path / "a.csv"
    table.write_text("id,lon,lat\n" + "1,111,30\n" * 300_000)
    request = {"path": str(table), "folder": str(tmp_path), "datum": None, "encoding": None, "reference": None}
    with subprocess.Popen(
        [sys.executable, "-m", "gridmap.inputs.inspection.process"], stdin=subprocess.PIPE, start_new_session=True
    ) as process:
        process.communicate(json.dumps(request).encode() + b"\n", timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / FINDINGS).exists()
