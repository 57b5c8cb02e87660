"""Look into one file, in a process of its own that ends with its group when it takes too long or too much.

Run as ``python -m gridmap.inputs.inspection.process``: takes a request as a line of JSON on standard input, writes the
findings and the preview into the folder that the request names. Standard input stays open for as long as anybody waits:
when it ends, so does this process. What GDAL reads is read by a process further down.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import orjson

from gridmap.errors import GridmapError, Place, StoreError, TooLarge
from gridmap.geometry.datum import Datum
from gridmap.inputs.inspection.findings import look_into
from gridmap.inputs.inspection.reference import read_reference
from gridmap.inputs.inspection.running import FINDINGS, PREVIEW
from gridmap.inputs.inspection.telling import tell_error
from gridmap.settings import settings

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main() -> None:
    """Serve the one request."""
    request = json.loads(sys.stdin.readline())
    _limit_self()
    threading.Thread(target=_end_when_left, daemon=True).start()
    folder = Path(request["folder"])
    answer = _serve(request, folder)
    # Written beside and renamed, so that what is there is whole.
    beside = folder / f"{FINDINGS}.part"
    beside.write_bytes(orjson.dumps(answer))
    beside.rename(folder / FINDINGS)


def _end_when_left() -> None:
    sys.stdin.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _serve(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    limits = settings()
    try:
        reference = None if request["reference"] is None else read_reference(request["reference"])
        stated = None if request["datum"] is None else Datum.parse(request["datum"])
        found = look_into(Path(request["path"]), stated, request["encoding"], reference)
        (folder / PREVIEW).write_bytes(orjson.dumps(found.features))
    except GridmapError as error:
        return {"error": tell_error(error)}
    except MemoryError:
        limit_mb = f"{limits.read_memory_bytes / 1e6:,.0f}"
        return {"error": tell_error(TooLarge("inputs.too_much_memory", Place(), limit_mb=limit_mb))}
    except OSError as error:
        if error.errno not in _FULL:
            raise
        return {"error": tell_error(StoreError("uploads.disk_full"))}
    return found.document


def _limit_self() -> None:
    """Cap memory and what is written; leave no core file."""
    limits = settings()
    for kind, limit in (
        (resource.RLIMIT_AS, limits.read_memory_bytes),
        (resource.RLIMIT_FSIZE, limits.max_file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


if __name__ == "__main__":
    try:
        main()
        # No waiting for the thread that watches standard input.
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        # Whatever libraries do at the end of a broken process is not waited for.
        os._exit(70)
