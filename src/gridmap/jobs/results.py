"""Where files of jobs lie in the data directory: results by job and claim, and what is only needed while one runs.

A run writes into a folder named by its claim, and only the job that ends well names the folder: what a worker that
lost its claim has written is nobody's result.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from gridmap import catalogue
from gridmap.errors import NotStored, StoreError
from gridmap.jobs.processes.process import Made
from gridmap.store.job_records import Job

RESULTS, WORK = "results", "work"
_NAME = re.compile(r"[0-9a-f]{32}")


def results_folder(data_directory: Path, job_id: str, token: str | None = None) -> Path:
    """Folder of a job's files, or of those of one claim."""
    _require_names(job_id, *([token] if token else []))
    folder = data_directory / RESULTS / job_id
    return folder / token if token else folder


def work_folder(data_directory: Path, token: str) -> Path:
    """Folder that is gone when the run ends."""
    _require_names(token)
    return data_directory / WORK / token


def _require_names(*names: str) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise StoreError("jobs.bad_name")


def result_document(made: Made, values: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Tell what a run made, as the row of its job holds it."""
    documents = {name: {"value": value} for name, value in {**values, **made.values}.items()}
    files = {name: {"file": file, "type": kind} for name, (file, kind) in made.files.items()}
    document = {"message": dict(made.message), "outputs": {**documents, **files}, "folder": token}
    # Numbers of numpy become those of JSON.
    plain: dict[str, Any] = orjson.loads(
        orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS, default=str)
    )
    return plain


def keep_for_good(folder: Path) -> None:
    """Bring the files of a folder to the disk, before a row says that they are there."""
    for path in (*sorted(folder.iterdir()), folder, folder.parent):
        held = os.open(path, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)


def result_file(data_directory: Path, job: Job, output: str) -> tuple[Path, str]:
    """Find the file of an output of a job that ended well, and its media type.

    Raises
    ------
    NotStored
        If there is none.
    """
    result = job.result or {}
    found = result.get("outputs", {}).get(output, {})
    if "file" in found:
        path = results_folder(data_directory, job.id, result["folder"]) / found["file"]
        if path.is_file():
            return path, found["type"]
    raise NotStored("jobs.no_output", name=output[:80])


def remove_results(data_directory: Path, job_id: str, token: str | None = None) -> None:
    """Remove the files of a job, or those of one claim."""
    shutil.rmtree(results_folder(data_directory, job_id, token), ignore_errors=True)
    if token is not None:
        # Another claim may have its own folder there.
        with suppress(OSError):
            results_folder(data_directory, job_id).rmdir()


def said_of(job: Job, lang: catalogue.Language) -> str | None:
    """Tell in one line where a job stands."""
    if job.error is not None:
        return str(job.error["detail"][lang])
    if job.result is not None:
        return str(job.result["message"][lang])
    return job.stage
