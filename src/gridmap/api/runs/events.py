"""Progress of a job as server-sent events: each names the state it tells of, so that a listener can come back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from gridmap import catalogue
from gridmap.api.access.identification import identify
from gridmap.api.dependencies import AskedLanguage, Asking, TheService
from gridmap.api.routing import router
from gridmap.api.runs.job_documents import EVENTS, status_document
from gridmap.api.runs.watching import JobWatch
from gridmap.errors import InputError, StoreError
from gridmap.store.job_records import Job
from gridmap.store.jobs import Jobs

#: Comments that keep the connection open, every so many seconds.
_PING_S = 15
#: Who listens is identified anew every so many seconds: a key may have been revoked.
_IDENTIFIED_FOR_S = 15.0

routes = router()


@routes.get(
    "/jobs/{job_id}/events",
    tags=["processes"],
    responses={
        200: {
            "description": "events `status`, with statusInfo as data",
            "content": {EVENTS: {"schema": {"type": "string"}}},
        },
        204: {"description": "nothing will change any more, and the listener has seen all"},
    },
)
async def events(
    request: Request,
    job_id: str,
    service: TheService,
    identity: Asking,
    lang: AskedLanguage,
    last_event_id: Annotated[str | None, Header(description="id of the last event that was seen")] = None,
) -> Response:
    """Tell how a job stands whenever that changes, until it ends."""
    jobs = Jobs(service.store)
    job = await run_in_threadpool(jobs.get, job_id, identity)
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 10 else 0
    if job.status.is_end and seen >= job.sequence:
        # To a listener this says that there is no use in coming back.
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store"}
    return EventSourceResponse(_told(request, jobs, job, seen, lang), ping=_PING_S, headers=headers)


async def _told(
    request: Request, jobs: Jobs, job: Job, seen: int, lang: catalogue.Language
) -> AsyncIterator[ServerSentEvent]:
    if job.sequence > seen:
        yield _event(request, job, lang)
    if job.status.is_end:
        return
    identified = time.monotonic()
    async for changed in _watch_of(request, jobs).follow(job):
        if time.monotonic() - identified > _IDENTIFIED_FOR_S:
            try:
                await run_in_threadpool(lambda: jobs.get(job.id, identify(request)))
            except (InputError, StoreError):
                return
            identified = time.monotonic()
        yield _event(request, changed, lang)


def _watch_of(request: Request, jobs: Jobs) -> JobWatch:
    state = request.app.state
    if not hasattr(state, "job_watch"):
        state.job_watch = JobWatch(jobs)
    watch: JobWatch = state.job_watch
    return watch


def _event(request: Request, job: Job, lang: catalogue.Language) -> ServerSentEvent:
    data = orjson.dumps(status_document(request, job, lang)).decode()
    return ServerSentEvent(data, event="status", id=str(job.sequence))
