"""Runs that can be asked for: OGC API Processes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gridmap.api.answers import JSON, href, json_answer, link
from gridmap.api.bodies import body_of, documented
from gridmap.api.dependencies import AskedLanguage, Asking, Plans, TheService
from gridmap.api.routing import router
from gridmap.api.runs import events, jobs
from gridmap.api.runs.job_documents import status_document
from gridmap.domain.access import Role
from gridmap.errors import NotStored, Place, UsageError
from gridmap.jobs.processes import PROCESSES, Process
from gridmap.jobs.processes.checking import checked_inputs
from gridmap.jobs.processes.description import description_of, summary_of
from gridmap.jobs.processes.process import Asker
from gridmap.store.job_records import JobRequest
from gridmap.store.jobs import Jobs

#: Not ``core``: results come as a document unless ``raw`` is asked for, where the standard has it the other way round.
CONFORMANCE: tuple[str, ...] = (
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/ogc-process-description",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/job-list",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/dismiss",
)
EXECUTE_REL = "http://www.opengis.net/def/rel/ogc/1.0/execute"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_EXAMPLE = {"inputs": {"areas": {"upload": "0123456789abcdef0123456789abcdef"}, "resolution": 8}}
_LIST = {
    "type": "object",
    "required": ["processes", "links"],
    "properties": {"processes": {"type": "array", "items": {"type": "object", "required": ["id", "version"]}}},
}
_PROCESS = {"type": "object", "required": ["id", "version", "inputs", "outputs"]}


class AskedOutput(BaseModel):
    """How one output is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transmissionMode: Literal["value", "reference"] | None = None  # noqa: N815 - the standard's name


class Execution(BaseModel):
    """What is asked of a process."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, AskedOutput] = Field(default_factory=dict)
    response: Literal["document", "raw"] = "document"


routes = router()


@routes.get(
    "/processes",
    tags=["processes"],
    responses={200: {"description": "processes", "content": {JSON: {"schema": _LIST}}}},
)
def list_processes(
    request: Request,
    _identity: Asking,
    lang: AskedLanguage,
    limit: Annotated[int, Query(ge=1, description="most processes of a page")] = 100,
) -> Response:
    """List what can be run."""
    shown = [
        {**summary_of(one, lang), "links": [link(request, "self", f"/processes/{one.id}", title=one.title(lang))]}
        for one in list(PROCESSES.values())[:limit]
    ]
    return json_answer({"processes": shown, "links": [link(request, "self", "/processes")]}, vary="Accept-Language")


@routes.get(
    "/processes/{process_id}",
    tags=["processes"],
    responses={200: {"description": "a process", "content": {JSON: {"schema": _PROCESS}}}},
)
def process(request: Request, process_id: str, _identity: Asking, lang: AskedLanguage) -> Response:
    """Describe a process: its inputs and outputs."""
    found = _process(process_id)
    own = f"/processes/{found.id}"
    links = [
        link(request, "self", own),
        link(request, EXECUTE_REL, f"{own}/execution"),
        link(request, "up", "/processes"),
    ]
    return json_answer({**description_of(found, lang), "links": links}, vary="Accept-Language")


@routes.post(
    "/processes/{process_id}/execution",
    tags=["processes"],
    status_code=201,
    responses={
        201: {
            **jobs.STATUS_ANSWER,
            "headers": {"Location": {"description": "address of the job", "schema": {"type": "string"}}},
        }
    },
    openapi_extra=documented(Execution, _EXAMPLE),
)
def execute(
    request: Request,
    process_id: str,
    service: TheService,
    plans: Plans,
    lang: AskedLanguage,
    asked: Annotated[Execution, Depends(body_of(Execution))],
    prefer: Annotated[str, Header(description="`respond-async`; no run is answered while it is waited for")] = "",
    idempotency_key: Annotated[
        str | None, Header(description="of the client's own: the same request with it is the same job")
    ] = None,
) -> Response:
    """Ask for a run: it is recorded before the answer, which says where to look how it stands."""
    found = _process(process_id)
    plans.require(Role.PLANNER)
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        raise UsageError("jobs.bad_key")
    checked_inputs(found, asked.inputs, Asker(service.store, plans.identity))
    outputs = {"outputs": _asked_outputs(found, asked), "response": asked.response}
    job, _ = Jobs(service.store).add(
        JobRequest(found.id, asked.inputs, outputs, lang),
        plans.identity,
        key=idempotency_key,
        most=service.config.job_limit,
    )
    headers = {"Location": href(request, f"/jobs/{job.id}"), "Cache-Control": "no-store"}
    if "respond-async" in prefer:
        headers["Preference-Applied"] = "respond-async"
    return json_answer(status_document(request, job, lang), 201, **headers)


def _process(process_id: str) -> Process:
    if process_id not in PROCESSES:
        raise NotStored("jobs.no_process", id=process_id[:80], known=", ".join(PROCESSES))
    return PROCESSES[process_id]


def _asked_outputs(process: Process, asked: Execution) -> dict[str, str | None]:
    """Refuse outputs that there are not, and ways they cannot be handed out."""
    known = {one.name: one for one in process.outputs}
    for name, output in asked.outputs.items():
        place = Place(field=f"outputs.{name[:80]}")
        if name not in known:
            raise UsageError("jobs.unknown_output", place, known=", ".join(known))
        if output.transmissionMode == "value" and not known[name].by_value:
            raise UsageError("jobs.by_reference_only", place)
    if asked.response == "raw" and len(asked.outputs or known) != 1:
        raise UsageError("jobs.raw_is_one", Place(field="response"), known=", ".join(known))
    return {name: output.transmissionMode for name, output in asked.outputs.items()}


routes.include_router(jobs.routes)
routes.include_router(events.routes)
