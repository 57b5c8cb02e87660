"""What is asked of the list of jobs, in the words of OGC API Processes."""

from __future__ import annotations

import base64
import math
import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from gridmap.errors import UsageError
from gridmap.store.job_records import Job, JobFilter, JobStatus

_CURSOR = re.compile(r"([0-9T:.+-]{20,40})~([0-9a-f]{32})")

Texts = Annotated[list[str] | None, Query(description="one or several, separated by commas")]
Seconds = Annotated[float | None, Query(ge=0, description="seconds that a job ran, or has been running")]
Moment = Annotated[str | None, Query(alias="datetime", description="an instant, or an interval as a/b, ../b or a/..")]
Cursor = Annotated[str | None, Query(description="where the page begins, as the link to it says")]


def filter_of(
    kinds: list[str] | None,
    processes: list[str] | None,
    statuses: list[str] | None,
    moment: str | None,
    least_s: float | None,
    most_s: float | None,
) -> JobFilter:
    """Make a filter of parameters.

    Raises
    ------
    UsageError
        If one of them is none.
    """
    wanted = _apart(processes)
    if kinds is not None and "process" not in (_apart(kinds) or ()):
        # Every job is the run of a process.
        wanted = frozenset()
    for name, seconds in (("minDuration", least_s), ("maxDuration", most_s)):
        if seconds is not None and not math.isfinite(seconds):
            raise UsageError("api.bad_parameter", name=name, reason=str(seconds))
    return JobFilter(_statuses(statuses), wanted, _interval(moment), (least_s, most_s))


def _apart(texts: list[str] | None) -> frozenset[str] | None:
    return None if texts is None else frozenset(one for text in texts for one in text.split(","))


def _statuses(texts: list[str] | None) -> frozenset[JobStatus] | None:
    asked = _apart(texts)
    if asked is None:
        return None
    known = {status.value: status for status in JobStatus}
    for one in sorted(asked - set(known)):
        raise UsageError("jobs.no_status", value=one[:40], known=", ".join(known))
    return frozenset(known[one] for one in asked)


def _interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    if text is None:
        return None, None
    first, slash, last = text.partition("/")
    begin, end = _instant(first, text), _instant(last if slash else first, text)
    if (slash and begin is None and end is None) or (not slash and begin is None):
        raise UsageError("jobs.bad_datetime", value=text[:80])
    if begin is not None and end is not None and begin > end:
        raise UsageError("jobs.bad_datetime", value=text[:80])
    return begin, end


def _instant(text: str, whole: str) -> datetime | None:
    if text in ("", ".."):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError("jobs.bad_datetime", value=whole[:80]) from None


def cursor_after(job: Job) -> str:
    """Cursor of the page that follows a job."""
    text = f"{job.created_at.astimezone(UTC).isoformat()}~{job.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> tuple[datetime, str] | None:
    """Read a cursor.

    Raises
    ------
    UsageError
        If it is none of ours.
    """
    if cursor is None:
        return None
    try:
        padded = cursor[:120] + "=" * (-len(cursor[:120]) % 4)
        found = _CURSOR.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii"))
        if found is not None:
            return datetime.fromisoformat(found[1]).astimezone(UTC), found[2]
    except (ValueError, OverflowError):
        pass
    raise UsageError("jobs.bad_cursor")
