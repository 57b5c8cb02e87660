"""Jobs: the list of them, how each stands, what it made, and calling it off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import Query, Request, Response
from fastapi.responses import FileResponse

from gridmap.api.answers import JSON, asked_again, json_answer, link
from gridmap.api.dependencies import AskedLanguage, Asking, TheService
from gridmap.api.problems import PROBLEM
from gridmap.api.routing import router
from gridmap.api.runs.job_documents import (
    by_reference,
    href_of,
    problem_of_job,
    ready_outputs,
    results_document,
    status_document,
    value_of,
    wanted_outputs,
)
from gridmap.api.runs.job_filters import Cursor, Moment, Seconds, Texts, cursor_after, filter_of, place_of
from gridmap.errors import NotStored
from gridmap.jobs.results import remove_results, result_file
from gridmap.store.job_records import Job, JobStatus
from gridmap.store.jobs import Jobs

_MOST_ON_A_PAGE = 1000
_STATUS: dict[str, Any] = {
    "type": "object",
    "required": ["jobID", "status", "type", "links"],
    "properties": {
        "jobID": {"type": "string"},
        "processID": {"type": "string"},
        "type": {"type": "string", "enum": ["process"]},
        "status": {"type": "string", "enum": [status.value for status in JobStatus]},
        "message": {"type": "string"},
        "progress": {"type": "integer", "minimum": 0, "maximum": 100},
        "links": {"type": "array", "items": {"type": "object"}},
    },
}
STATUS_ANSWER: dict[str, Any] = {"description": "statusInfo", "content": {JSON: {"schema": _STATUS}}}
_LIST_ANSWER = {
    "description": "jobs, newest first",
    "content": {
        JSON: {
            "schema": {
                "type": "object",
                "required": ["jobs", "links"],
                "properties": {"jobs": {"type": "array", "items": _STATUS}, "links": {"type": "array"}},
            }
        }
    },
}
_PROBLEM = {"description": "why the job failed", "content": {PROBLEM: {"schema": {"type": "object"}}}}
#: Statuses of the errors that a job may fail with, beside those that every route has.
_FAILURES: dict[int | str, dict[str, Any]] = dict.fromkeys((409, 412, 413, 422), _PROBLEM)

routes = router()


@routes.get("/jobs", tags=["processes"], responses={200: _LIST_ANSWER})
def list_jobs(
    request: Request,
    service: TheService,
    identity: Asking,
    lang: AskedLanguage,
    kinds: Annotated[Texts, Query(alias="type")] = None,
    processes: Annotated[Texts, Query(alias="processID")] = None,
    status: Texts = None,
    moment: Moment = None,
    least_s: Annotated[Seconds, Query(alias="minDuration")] = None,
    most_s: Annotated[Seconds, Query(alias="maxDuration")] = None,
    limit: Annotated[int, Query(ge=1, description="most jobs of a page")] = 100,
    cursor: Cursor = None,
) -> Response:
    """List one's own jobs, newest first; administrators see all."""
    wanted = filter_of(kinds, processes, status, moment, least_s, most_s)
    most = min(limit, _MOST_ON_A_PAGE)
    found = Jobs(service.store).page(identity, wanted, limit=most + 1, after=place_of(cursor))
    links = [link(request, "self", "/jobs" + _query(request))]
    if len(found) > most:
        links.append(link(request, "next", "/jobs" + _query(request, cursor=cursor_after(found[most - 1]))))
    document = {"jobs": [status_document(request, job, lang) for job in found[:most]], "links": links}
    return json_answer(document, 200, **asked_again())


def _query(request: Request, **more: str) -> str:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in more]
    return f"?{urlencode([*asked, *more.items()])}" if asked or more else ""


@routes.get("/jobs/{job_id}", tags=["processes"], responses={200: STATUS_ANSWER})
def job(request: Request, job_id: str, service: TheService, identity: Asking, lang: AskedLanguage) -> Response:
    """Tell where a job stands."""
    found = Jobs(service.store).get(job_id, identity)
    return json_answer(status_document(request, found, lang), 200, **asked_again())


@routes.delete("/jobs/{job_id}", tags=["processes"], responses={200: STATUS_ANSWER})
def dismiss(request: Request, job_id: str, service: TheService, identity: Asking, lang: AskedLanguage) -> Response:
    """Call a job off; one that has ended is removed with the files it made."""
    jobs = Jobs(service.store)
    found, is_dismissed_now = jobs.dismiss(job_id, identity)
    document = status_document(request, found, lang)
    if not is_dismissed_now:
        jobs.remove(job_id, identity)
        remove_results(service.data_directory, found.id)
        document = {**document, "status": JobStatus.DISMISSED.value, "links": [link(request, "up", "/jobs")]}
    return json_answer(document)


@routes.get(
    "/jobs/{job_id}/results",
    tags=["processes"],
    responses={
        200: {"description": "outputs by name: values, and links", "content": {JSON: {"schema": {"type": "object"}}}},
        204: {"description": "the one output that was asked for raw, as a link in a header"},
        **_FAILURES,
    },
)
def results(request: Request, job_id: str, service: TheService, identity: Asking, lang: AskedLanguage) -> Response:
    """Tell what a job made, or why it failed."""
    found = Jobs(service.store).get(job_id, identity)
    if found.status is JobStatus.FAILED:
        problem = problem_of_job(found, lang)
        return json_answer(problem, problem["status"], media_type=PROBLEM, cache_control="no-store")
    if found.outputs.get("response") == "raw":
        return _raw(request, found, service.data_directory)
    return json_answer(results_document(request, found, lang), 200, **asked_again())


def _raw(request: Request, job: Job, data_directory: Path) -> Response:
    """One output as it is: the value itself, or nothing but a link."""
    ((name, output),) = wanted_outputs(job, ready_outputs(job)).items()
    if by_reference(job, name, output):
        kind = output.get("type", JSON)
        found = f'<{href_of(request, job, name)}>; rel="item"; type="{kind}"'
        return Response(status_code=204, headers={"Link": found, **asked_again()})
    return _output(request, job, name, output, data_directory)


@routes.get(
    "/jobs/{job_id}/results/{name}",
    tags=["processes"],
    responses={
        200: {"description": "the output", "content": {"*/*": {"schema": {}}}},
        206: {"description": "the part that was asked for", "content": {"*/*": {"schema": {}}}},
        416: {"description": "there is no such part", "content": {"text/plain": {"schema": {"type": "string"}}}},
    },
    response_class=Response,
)
def result(request: Request, job_id: str, name: str, service: TheService, identity: Asking) -> Response:
    """Hand out one output; parts of a file where ``Range`` asks for them."""
    found = Jobs(service.store).get(job_id, identity)
    if found.status is JobStatus.FAILED:
        raise NotStored("jobs.no_output", name=name[:80])
    output = ready_outputs(found).get(name)
    if output is None:
        raise NotStored("jobs.no_output", name=name[:80])
    return _output(request, found, name, output, service.data_directory)


def _output(request: Request, job: Job, name: str, output: dict[str, Any], data_directory: Path) -> Response:
    if "file" not in output:
        return Response(orjson.dumps(value_of(request, name, output)), 200, asked_again(), JSON)
    path, kind = result_file(data_directory, job, name)
    return FileResponse(path, media_type=kind, filename=path.name, headers=asked_again())
