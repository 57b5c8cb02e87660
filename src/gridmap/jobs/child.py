"""Run one job in a process of its own: ``python -m gridmap.jobs.child``, started by a worker and by nobody else.

It takes a request as one line of JSON on standard input, tells what it is doing as lines of JSON on standard output,
and ends when standard input ends: a worker that was killed leaves nothing running behind.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

#: How the last line of a run begins: what it came to.
DONE, LOST, FAILED = "done", "lost", "failed"
_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0


def main() -> None:
    """Serve the one request."""
    # Where all processes of a service are told to stop at once, this one is given the grace that its worker has.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    request = _request()
    _limit_memory(request["memory_bytes"])
    reports = os.dup(1)
    # What libraries print is no report.
    os.dup2(2, 1)
    threading.Thread(target=_end_with_worker, daemon=True).start()

    def report(**said: Any) -> None:
        os.write(reports, orjson.dumps(said) + b"\n")

    from gridmap.logs import configure_logs
    from gridmap.settings import settings

    configure_logs(settings().log_level, settings().log_format)
    report(ended=_ended(request, report))
    # Nothing is left to be done; taking down large frames one by one would only take time.
    os._exit(0)


def _request() -> dict[str, Any]:
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            os._exit(1)
        line += part
    request: dict[str, Any] = orjson.loads(line)
    return request


def _limit_memory(most_bytes: int) -> None:
    for kind, limit in ((resource.RLIMIT_AS, most_bytes), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _end_with_worker() -> None:
    while os.read(0, 1):
        pass
    # The whole group: the readers of files that were started here end too.
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _ended(request: dict[str, Any], report: Callable[..., None]) -> dict[str, Any]:
    """Run it; what it came to is said in words, whatever happens."""
    from gridmap.errors import GridmapError, LostUpdate, StoreError, TooLarge
    from gridmap.store.job_records import error_document

    try:
        _run(request, report)
    except LostUpdate:
        return {"as": LOST}
    except MemoryError:
        error: GridmapError = TooLarge("jobs.out_of_memory", limit_mb=f"{request['memory_bytes'] / 1e6:,.0f}")
    except GridmapError as refused:
        error = refused
    except OSError as fault:
        error = StoreError("jobs.system_refused", reason=fault.strerror or type(fault).__name__)
    except Exception:
        error = StoreError("jobs.bug")
        return {"as": FAILED, "error": error_document(error), "log": traceback.format_exc()}
    else:
        return {"as": DONE}
    log = "".join(traceback.format_exception(error)) if isinstance(error, StoreError) else None
    document = error_document(error)
    return {"as": FAILED, "error": _without_paths(document, request["data_directory"]), "log": log}


def _without_paths(document: dict[str, Any], folder: str) -> dict[str, Any]:
    """Drivers name files in full; where ours lie is nobody's business."""
    text = orjson.dumps(document).decode()
    for path in {folder, str(Path(folder).resolve())}:
        text = text.replace(orjson.dumps(f"{path}/").decode()[1:-1], "")
    hidden: dict[str, Any] = orjson.loads(text)
    return hidden


def _run(request: dict[str, Any], report: Callable[..., None]) -> None:
    from gridmap.jobs.processes import PROCESSES
    from gridmap.jobs.processes.checking import checked_inputs
    from gridmap.jobs.processes.process import Run
    from gridmap.jobs.results import results_folder, work_folder
    from gridmap.progress import stage_name
    from gridmap.store.job_records import Claim
    from gridmap.store.jobs import Jobs
    from gridmap.store.open import open_store

    store = patiently(lambda: open_store(request["database_url"]))
    jobs = Jobs(store)
    job = patiently(lambda: jobs.seen([request["job"]])).get(request["job"])
    if job is None:
        return
    claim, data = Claim(job, request["token"]), Path(request["data_directory"])
    folder = results_folder(data, job.id, claim.token)
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(
        store,
        job.identity,
        data,
        folder,
        work_folder(data, claim.token),
        lambda stage, share: report(stage=stage_name(stage), share=share),
    )
    process = PROCESSES[job.process]
    # Checked anew: an upload may be gone since.
    made = process.run(checked_inputs(process, job.inputs, run.asker), run)
    _save(jobs, claim, made, run)


def _save(jobs: Any, claim: Any, made: Any, run: Any) -> None:
    """End the job in the transaction that writes what it made; a database that is away for a while is waited for.

    Where it went away as it was about to confirm, the second try finds the claim lost, and writes nothing.
    """
    from gridmap.jobs.results import keep_for_good, result_document

    if made.files:
        keep_for_good(run.folder)
    else:
        run.folder.rmdir()
        # Another claim may be making its own folder there.
        with suppress(OSError):
            run.folder.parent.rmdir()

    def finish(connection: Any, version: Any) -> None:
        shown = {"plan": version.plan_id, "version": version.number, "status": version.status.value}
        values = {"version": {**shown, "digest": version.digest}}
        jobs.finish(connection, claim, result_document(made, values, claim.token))

    def save() -> None:
        if made.save is not None:
            made.save(finish)
        else:
            jobs.finish_alone(claim, result_document(made, {}, claim.token))

    patiently(save)


def patiently(action: Callable[[], Any]) -> Any:
    """Do it again and again while the database is away; the worker ends what takes too long."""
    from gridmap.errors import StoreUnreachable

    pause_s = _PAUSE_S
    while True:
        try:
            return action()
        except StoreUnreachable:
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


if __name__ == "__main__":
    main()
