"""Start the inspection of a file, wait for it, and turn however it ends into findings or one clear error."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

from gridmap.errors import InputError, Place, TooLarge, UnreadableFile
from gridmap.inputs.formats import sniff
from gridmap.inputs.inspection.telling import error_of
from gridmap.settings import Settings

#: Files that the process leaves in its folder.
FINDINGS, PREVIEW = "findings.json", "preview.json"
_MODULE = "gridmap.inputs.inspection.process"
#: Settings that the process must know; it is told none of the others, which hold secrets.
_TOLD = ("max_vertices", "max_file_bytes", "max_table_rows", "read_timeout_s", "read_memory_bytes")
_COMPLAINT, _MOST_SAID = "complaint.txt", 4_000
_log = structlog.get_logger("gridmap.inputs")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about a file.

    Attributes
    ----------
    path : the file
    name : as its owner knows it
    datum : that its owner says it is in
    encoding : of its text, where its owner says it
    reference : as ``read_reference`` takes it
    """

    path: Path
    name: str
    datum: str | None = None
    encoding: str | None = None
    reference: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Inspected:
    """What was found, and the file that a preview is drawn from."""

    findings: dict[str, Any]
    preview: Path


def inspect_file(asked: Asked, folder: Path, limits: Settings) -> Inspected:
    """Look into a file.

    Parameters
    ----------
    folder : to work in, on a disk with room for the file unpacked; what is left there is the caller's to remove
    limits : settings that bound time, memory and sizes

    Raises
    ------
    InputError
        If nothing in the file can be read; its leaf says why.
    StoreError
        If the disk is full.
    """
    request = {
        "path": str(asked.path.resolve()),
        "folder": str(folder.resolve()),
        "datum": asked.datum,
        "encoding": asked.encoding,
        "reference": asked.reference,
    }
    place = Place(file=asked.name)
    try:
        # What shows by its first bytes needs no process.
        sniff(asked.path)
    except InputError as error:
        error.place = place
        raise
    with (folder / _COMPLAINT).open("wb") as complaint:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaint,
            env=_environment(folder, limits),
            cwd=folder,
            start_new_session=True,
        )
    try:
        _hand_over(process, request)
        process.wait(limits.read_timeout_s)
    except subprocess.TimeoutExpired:
        raise TooLarge("inputs.too_slow", place, limit_s=f"{limits.read_timeout_s:g}") from None
    finally:
        _end(process)
    answer = _answer(folder)
    if answer is None:
        said = (folder / _COMPLAINT).read_bytes()[-_MOST_SAID:]
        _log.warning(
            "inspection ended without an answer", status=process.returncode, said=said.decode(errors="replace")
        )
        if b"MemoryError" in said or b"bad_alloc" in said:
            raise TooLarge("inputs.too_much_memory", place, limit_mb=f"{limits.read_memory_bytes / 1e6:,.0f}")
        raise UnreadableFile("inputs.reader_crashed", place, status=process.returncode)
    if "error" in answer:
        raise error_of(answer["error"], asked.name)
    return Inspected(answer, folder / PREVIEW)


def _hand_over(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    """Give the process its request; what stays open tells it that it is still wanted."""
    if process.stdin is not None:
        # One that is gone already is found out when it is waited for.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()


def _environment(folder: Path, limits: Settings) -> dict[str, str]:
    environment = {
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(folder.resolve()),
        "PROJ_NETWORK": "OFF",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **{f"GRIDMAP_{name.upper()}": str(getattr(limits, name)) for name in _TOLD},
    }
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process with those that it started, which outlive it where it was stopped."""
    # Once it is waited for, its number may be another's.
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _answer(folder: Path) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = orjson.loads((folder / FINDINGS).read_bytes())
    except (OSError, ValueError):
        return None
    return answer
