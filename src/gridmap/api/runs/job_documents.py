"""Jobs as OGC API Processes writes them: status, results, and the problem of one that failed."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import Request

from gridmap import catalogue, errors
from gridmap.api.answers import JSON, link
from gridmap.api.problems import status_of
from gridmap.errors import NotStored, StoreError
from gridmap.jobs.results import said_of
from gridmap.store.job_records import Job, JobStatus

RESULTS_REL = "http://www.opengis.net/def/rel/ogc/1.0/results"
EXCEPTIONS_REL = "http://www.opengis.net/def/rel/ogc/1.0/exceptions"
EVENTS = "text/event-stream"


def status_document(request: Request, job: Job, lang: catalogue.Language) -> dict[str, Any]:
    """Tell where a job stands (``statusInfo``)."""
    own = f"/jobs/{job.id}"
    document: dict[str, Any] = {
        "processID": job.process,
        "type": "process",
        "jobID": job.id,
        "status": job.status.value,
        "progress": int(job.progress * 100),
        "created": _moment(job.created_at),
        "updated": _moment(job.updated_at),
        "owner": job.owner,
        "attempts": job.attempts,
    }
    message = said_of(job, lang)
    if message is not None:
        document["message"] = message
    for name, moment in (("started", job.started_at), ("finished", job.finished_at)):
        if moment is not None:
            document[name] = _moment(moment)
    links = [link(request, "self", own), link(request, "up", "/jobs")]
    if not job.status.is_end:
        links.append(link(request, "monitor", f"{own}/events", kind=EVENTS))
    elif job.status is JobStatus.SUCCESSFUL:
        links.append(link(request, RESULTS_REL, f"{own}/results"))
    elif job.status is JobStatus.FAILED:
        links.append(link(request, EXCEPTIONS_REL, f"{own}/results"))
    return {**document, "links": links}


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def results_document(request: Request, job: Job, lang: catalogue.Language) -> dict[str, Any]:
    """Tell what a job made: values, and links to files; only what was asked for."""
    wanted = wanted_outputs(job, ready_outputs(job))
    return {name: _shown(request, job, name, output, lang) for name, output in wanted.items()}


def wanted_outputs(job: Job, made: dict[str, Any]) -> dict[str, Any]:
    """Pick the outputs that were asked for, all where none was named."""
    asked = job.outputs.get("outputs") or {}
    return {name: output for name, output in made.items() if not asked or name in asked}


def ready_outputs(job: Job) -> dict[str, Any]:
    """Return the outputs of a job that ended well.

    Raises
    ------
    NotStored
        If it has not ended, or was dismissed.
    """
    if job.status is JobStatus.SUCCESSFUL and job.result is not None:
        outputs: dict[str, Any] = job.result["outputs"]
        return outputs
    if job.status is JobStatus.DISMISSED:
        raise NotStored("jobs.was_dismissed", id=job.id)
    raise NotStored("jobs.not_ready", id=job.id)


def by_reference(job: Job, name: str, output: dict[str, Any]) -> bool:
    """Whether an output is handed out as a link."""
    mode = (job.outputs.get("outputs") or {}).get(name)
    return "file" in output if mode is None else mode == "reference"


def _shown(request: Request, job: Job, name: str, output: dict[str, Any], lang: catalogue.Language) -> dict[str, Any]:
    if by_reference(job, name, output):
        return reference(request, job, name, output, lang)
    return {"value": value_of(request, name, output), "mediaType": JSON}


def reference(
    request: Request, job: Job, name: str, output: dict[str, Any], lang: catalogue.Language
) -> dict[str, Any]:
    """Link to an output."""
    title = catalogue.text(f"jobs.output_{name}", lang)
    return {"href": href_of(request, job, name), "type": output.get("type", JSON), "title": title}


def href_of(request: Request, job: Job, name: str) -> str:
    """Address of an output."""
    found: str = link(request, "item", f"/jobs/{job.id}/results/{name}")["href"]
    return found


def value_of(request: Request, name: str, output: dict[str, Any]) -> Any:
    """Value of an output that is JSON; that of a version leads to it."""
    value = output["value"]
    if name != "version":
        return value
    plan, cells = f"/plans/{value['plan']}", f"/collections/{value['plan']}@{value['version']}.cells"
    links = [link(request, "item", plan), link(request, "collection", cells)]
    return {**value, "links": links}


def problem_of_job(job: Job, lang: catalogue.Language) -> dict[str, Any]:
    """Problem document of a job that failed, with the status that the same error of a request would have."""
    error = job.error or {}
    kind = getattr(errors, error["kind"], StoreError)
    status = status_of(kind(error["key"]))
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        # To ask again later changes nothing.
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    members = {
        "type": f"urn:gridmap:problem:{error['key']}",
        "title": status.phrase,
        "status": int(status),
        "detail": error["detail"][lang],
    }
    if error["mend"][lang]:
        members["mend"] = error["mend"][lang]
    if error["place"]:
        members["place"] = error["place"]
    return members
