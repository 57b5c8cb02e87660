"""What a job is as it lies in the store, and what is asked of the list of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from gridmap import catalogue
from gridmap.domain.access import Identity, Role, Scope
from gridmap.errors import GridmapError, InputError, PlanError


class JobStatus(StrEnum):
    """Where a job stands; the last three are ends."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    DISMISSED = "dismissed"

    @property
    def is_end(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (JobStatus.ACCEPTED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is asked for.

    Attributes
    ----------
    process : identifier of the process
    inputs : its inputs, checked
    outputs : which of its outputs are wanted and how
    language : of what the job says
    """

    process: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    language: catalogue.Language = "en"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was seen.

    Attributes
    ----------
    sequence : grows with every change that can be seen
    stage : what is being done, worded in ``language``
    progress : share that is done, 0 to 1
    attempts : how often it was begun
    result : ``{"message": {language: text}, "outputs": {name: output}}`` of a job that ended well
    error : as ``error_document`` makes it, of one that failed
    """

    id: str
    process: str
    owner: str
    role: str
    area_prefixes: list[str]
    institutions: list[str]
    language: catalogue.Language
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    status: JobStatus
    sequence: int
    stage: str | None
    progress: float
    attempts: int
    worker: str | None
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    finished_at: datetime | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None

    @property
    def identity(self) -> Identity:
        """Whoever asked, with the reach they had then."""
        return Identity(self.owner, Role(self.role), Scope(tuple(self.area_prefixes), tuple(self.institutions)))


@dataclass(frozen=True, slots=True)
class Claim:
    """A job, held by one worker: nobody without the token may change it."""

    job: Job
    token: str


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs of the list are wanted; None for all.

    Attributes
    ----------
    created : earliest and latest moment of recording, borders included
    duration_s : least and most seconds that a job ran, or has been running
    """

    statuses: frozenset[JobStatus] | None = None
    processes: frozenset[str] | None = None
    created: tuple[datetime | None, datetime | None] = (None, None)
    duration_s: tuple[float | None, float | None] = (None, None)


def error_document(error: GridmapError) -> dict[str, Any]:
    """Tell an error in every language; where our own files are is told to nobody."""
    place = error.place
    if place is not None and isinstance(error, (InputError, PlanError)):
        known = {name: value for name, value in asdict(place).items() if value is not None}
        if "file" in known:
            known["file"] = PurePath(known["file"]).name
        error.place = type(place)(**known)
    else:
        known, error.place = {}, None
    return {
        "kind": type(error).__name__,
        "key": error.key,
        "detail": {lang: error.message(lang) for lang in catalogue.LANGUAGES},
        "mend": {lang: error.mend(lang) for lang in catalogue.LANGUAGES},
        "place": known,
    }
