"""Watch jobs for many listeners at once: one look at the store every half second, whatever their number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog
from fastapi.concurrency import run_in_threadpool

from gridmap.errors import StoreError
from gridmap.store.job_records import Job
from gridmap.store.jobs import Jobs

#: How often the store is looked at while somebody listens, seconds.
LOOK_S = 0.5


class JobWatch:
    """Tells listeners of changes of jobs; listeners hold neither a connection nor a thread.

    All of it runs in the event loop of the service.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._listeners: dict[str, set[asyncio.Queue[Job | None]]] = {}
        self._sequences: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        """How many listen."""
        return sum(map(len, self._listeners.values()))

    async def follow(self, job: Job) -> AsyncIterator[Job]:
        """Yield a job whenever it has changed since it was seen; ends when the job does, or is removed."""
        queue: asyncio.Queue[Job | None] = asyncio.Queue()
        self._listeners.setdefault(job.id, set()).add(queue)
        # Whoever comes later may have seen more, or less, than those who were there: all are told once.
        self._sequences.pop(job.id, None)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        last = job.sequence
        try:
            while (changed := await queue.get()) is not None:
                if changed.sequence > last:
                    last = changed.sequence
                    yield changed
                if changed.status.is_end:
                    return
        finally:
            self._leave(job.id, queue)

    def _leave(self, job_id: str, queue: asyncio.Queue[Job | None]) -> None:
        listeners = self._listeners.get(job_id, set())
        listeners.discard(queue)
        if not listeners:
            self._listeners.pop(job_id, None)
            self._sequences.pop(job_id, None)

    async def _look(self) -> None:
        while self._listeners:
            await self._tell(list(self._listeners))
            await asyncio.sleep(LOOK_S)

    async def _tell(self, watched: list[str]) -> None:
        try:
            found = await run_in_threadpool(self._jobs.seen, watched)
        except StoreError as fault:
            structlog.get_logger("gridmap.api").warning("store away", fault=fault.message("en"))
            return
        for job_id in watched:
            job = found.get(job_id)
            if job is None or job.sequence != self._sequences.get(job_id):
                if job is not None:
                    self._sequences[job_id] = job.sequence
                for queue in self._listeners.get(job_id, ()):
                    queue.put_nowait(job)
