"""The queue of jobs: recorded once, held by one worker at a time, ended once.

A worker holds a job by the token of its claim. Whoever changes the job names the token; once another worker has taken
the job up, or it was dismissed, the token is worth nothing and ``LostUpdate`` is raised: what the late worker was about
to write in the same transaction is rolled back with it.

Moments are told by one clock, that of the database server; with a file, that of the machine which all its workers
share. Clocks of other machines do not count. Should that one clock jump, a job may be begun twice, but ends once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from gridmap.domain.access import Identity, Role
from gridmap.errors import LostUpdate, NotStored, StoreConflict, StoreError, TooMany
from gridmap.store.job_records import Claim, Job, JobFilter, JobRequest, JobStatus, error_document
from gridmap.store.models import Instant
from gridmap.store.service_tables import job
from gridmap.store.sql import SqlStore

_SHOWN = [job.c[name] for name in Job.__dataclass_fields__]
_UNFINISHED = (JobStatus.ACCEPTED.value, JobStatus.RUNNING.value)
#: A claim is let go of.
_NOBODY = {"worker": None, "claim": None, "heard_at": None}


class Jobs:
    """Jobs of a store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def add(
        self, request: JobRequest, identity: Identity, *, key: str | None = None, most: int | None = None
    ) -> tuple[Job, bool]:
        """Record a job; returns it, and whether it is new.

        Parameters
        ----------
        key : of the client's own: the same request with the same key is the same job, however often it comes
        most : unfinished jobs that one owner may have

        Raises
        ------
        StoreConflict
            If the owner used the key for another request.
        TooMany
            If the owner has as many unfinished jobs as they may.
        """
        digest = _digest(request)
        with self._store.writing() as connection:
            if connection.dialect.name == "postgresql":
                # Those of one owner take turns: neither is a key used twice, nor the limit passed.
                turn = func.hashtextextended(f"gridmap.job:{identity.name}", 0)
                connection.execute(select(func.pg_advisory_xact_lock(turn)))
            if key is not None:
                known = connection.execute(
                    select(*_SHOWN, job.c.request_digest).where(
                        job.c.owner == identity.name, job.c.idempotency_key == key
                    )
                ).first()
                if known is not None and known[-1] != digest:
                    raise StoreConflict("jobs.key_used", key=key[:80])
                if known is not None:
                    return _job(known[:-1]), False
            if most is not None:
                self._require_room(connection, identity.name, most)
            moment = _moment(connection)
            values = {
                "id": secrets.token_hex(16),
                "process": request.process,
                "owner": identity.name,
                "role": identity.role.value,
                "area_prefixes": list(identity.scope.area_prefixes),
                "institutions": list(identity.scope.institutions),
                "language": request.language,
                "inputs": dict(request.inputs),
                "outputs": dict(request.outputs),
                "idempotency_key": key,
                "request_digest": digest,
                "status": JobStatus.ACCEPTED.value,
                "sequence": 1,
                "progress": 0.0,
                "attempts": 0,
                "created_at": moment,
                "updated_at": moment,
            }
            connection.execute(insert(job).values(values))
            return _found(connection, job.c.id == values["id"])[0], True

    def _require_room(self, connection: Connection, owner: str, most: int) -> None:
        counted = select(func.count()).select_from(job).where(job.c.owner == owner, job.c.status.in_(_UNFINISHED))
        if connection.execute(counted).scalar_one() >= most:
            raise TooMany("jobs.too_many", most=most)

    def claim(self, worker: str, *, lost_after_s: float, attempts: int, take_over: bool = True) -> Claim | None:
        """Take up the oldest job that waits, or whose worker was silent for long; None where there is none.

        Parameters
        ----------
        worker : name of who takes it
        lost_after_s : silence after which a worker counts as gone, seconds
        attempts : a job that was begun so often fails instead
        take_over : whether to look for silent workers at all
        """
        silence = timedelta(seconds=lost_after_s)
        with self._store.reading() as connection:
            # A look costs no writer's turn, and mostly there is nothing to do.
            open_to_all = _open_to_all(_moment(connection) - silence if take_over else None)
            if connection.execute(select(job.c.id).where(open_to_all).limit(1)).first() is None:
                return None
        while True:
            with self._store.writing() as connection:
                moment = _moment(connection)
                next_one = (
                    select(job.c.id, job.c.attempts)
                    .where(_open_to_all(moment - silence if take_over else None))
                    .order_by(job.c.created_at, job.c.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                found = connection.execute(next_one).first()
                if found is None:
                    return None
                if found.attempts < attempts:
                    return _taken(connection, found.id, worker, moment)
                gone = StoreError("jobs.lost_too_often", attempts=found.attempts)
                _end(connection, job.c.id == found.id, JobStatus.FAILED, error=error_document(gone))

    def hear(self, claim: Claim, stage: str | None = None, progress: float | None = None) -> None:
        """Note that a worker is there, and what its job has come to.

        Raises
        ------
        LostUpdate
            If the claim is lost: the job was dismissed, or taken up by another.
        """
        with self._store.writing() as connection:
            moment = _moment(connection)
            values: dict[str, Any] = {"heard_at": moment}
            if stage is not None or progress is not None:
                values |= {"updated_at": moment, "sequence": job.c.sequence + 1}
                values |= {"stage": stage} if stage is not None else {}
                values |= {"progress": min(max(progress, 0.0), 1.0)} if progress is not None else {}
            _change(connection, claim, values)

    def holds(self, claim: Claim) -> bool:
        """Whether a claim is still worth anything; a look only."""
        with self._store.reading() as connection:
            return connection.execute(select(job.c.id).where(_held(claim))).first() is not None

    def finish(self, connection: Connection, claim: Claim, result: dict[str, Any]) -> None:
        """End a job well, in the transaction that writes what it made.

        Raises
        ------
        LostUpdate
            If the claim is lost; let it end the transaction.
        """
        if not _end(connection, _held(claim), JobStatus.SUCCESSFUL, result=result, progress=1.0):
            raise LostUpdate("jobs.claim_lost", id=claim.job.id)

    def finish_alone(self, claim: Claim, result: dict[str, Any]) -> None:
        """End a job well that wrote nothing into the store; raises as ``finish``."""
        with self._store.writing() as connection:
            self.finish(connection, claim, result)

    def fail(self, claim: Claim, error: dict[str, Any]) -> None:
        """End a job with an error, as ``error_document`` makes it; raises as ``hear``."""
        with self._store.writing() as connection:
            if not _end(connection, _held(claim), JobStatus.FAILED, error=error):
                raise LostUpdate("jobs.claim_lost", id=claim.job.id)

    def give_back(self, claim: Claim, *, counted: bool) -> None:
        """Let others take a job up; raises as ``hear``.

        Parameters
        ----------
        counted : whether it counts as begun
        """
        with self._store.writing() as connection:
            taken_back = {} if counted else {"attempts": job.c.attempts - 1}
            _change(connection, claim, {**_waiting(_moment(connection)), **taken_back})

    def forget(self, worker: str) -> int:
        """Let others take up at once what a worker held that is known to be gone; returns how many jobs."""
        with self._store.writing() as connection:
            held = and_(job.c.worker == worker, job.c.status == JobStatus.RUNNING.value)
            return connection.execute(update(job).where(held).values(_waiting(_moment(connection)))).rowcount

    def dismiss(self, job_id: str, identity: Identity) -> tuple[Job, bool]:
        """Call a job off, if it has not ended; returns it, and whether it was called off now.

        Whoever runs it notices, and can write nothing any more.

        Raises
        ------
        NotStored
            If there is no such job, or it is another's.
        """
        with self._store.writing() as connection:
            mine = and_(job.c.id == job_id, _visible_to(identity))
            ended = _end(connection, and_(mine, job.c.status.in_(_UNFINISHED)), JobStatus.DISMISSED)
            return self._the_one(connection, job_id, identity), ended

    def remove(self, job_id: str, identity: Identity) -> None:
        """Remove a job that has ended; its files are its caller's to remove. Raises as ``dismiss``."""
        with self._store.writing() as connection:
            ended = job.c.status.not_in(_UNFINISHED)
            gone = connection.execute(delete(job).where(job.c.id == job_id, _visible_to(identity), ended))
            if gone.rowcount != 1:
                raise NotStored("jobs.no_job", id=job_id[:80])

    def get(self, job_id: str, identity: Identity) -> Job:
        """Find a job; raises as ``dismiss``."""
        with self._store.reading() as connection:
            return self._the_one(connection, job_id, identity)

    def _the_one(self, connection: Connection, job_id: str, identity: Identity) -> Job:
        found = _found(connection, and_(job.c.id == job_id, _visible_to(identity)))
        if not found:
            raise NotStored("jobs.no_job", id=job_id[:80])
        return found[0]

    def page(
        self,
        identity: Identity,
        wanted: JobFilter | None = None,
        *,
        limit: int = 100,
        after: tuple[datetime, str] | None = None,
    ) -> list[Job]:
        """List jobs, newest first: one's own, for administrators all.

        Parameters
        ----------
        after : moment of recording and identifier of the last job of the page before
        """
        with self._store.reading() as connection:
            conditions = [_visible_to(identity), *_wanted(connection, wanted or JobFilter())]
            if after is not None:
                place = tuple_(job.c.created_at, job.c.id)
                conditions.append(place < tuple_(*_bound(after)))
            asked = select(*_SHOWN).where(*conditions).order_by(job.c.created_at.desc(), job.c.id.desc()).limit(limit)
            return [_job(row) for row in connection.execute(asked)]

    def seen(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Find jobs by their identifiers, whosever they are; those that are gone are missing."""
        with self._store.reading() as connection:
            return {one.id: one for one in _found(connection, job.c.id.in_(list(job_ids)))}

    def counts(self) -> dict[JobStatus, int]:
        """Count the jobs of each status."""
        with self._store.reading() as connection:
            rows = connection.execute(select(job.c.status, func.count()).group_by(job.c.status))
            counted = {str(status): int(count) for status, count in rows}
        return {status: counted.get(status.value, 0) for status in JobStatus}

    def remove_old(self, keep: timedelta) -> list[str]:
        """Remove jobs that ended longer ago; returns their identifiers, whose files are the caller's to remove."""
        with self._store.writing() as connection:
            old = job.c.finished_at < _moment(connection) - keep
            return list(connection.execute(delete(job).where(old).returning(job.c.id)).scalars())


def _digest(request: JobRequest) -> str:
    asked = [request.process, request.inputs, request.outputs]
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _moment(connection: Connection) -> datetime:
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    told: datetime = connection.execute(select(func.clock_timestamp(type_=Instant))).scalar_one()
    return told


def _visible_to(identity: Identity) -> ColumnElement[bool]:
    everything = identity.role is Role.ADMINISTRATOR and identity.scope.is_whole
    return job.c.id.is_not(None) if everything else job.c.owner == identity.name


def _open_to_all(silent_since: datetime | None) -> ColumnElement[bool]:
    waits = job.c.status == JobStatus.ACCEPTED.value
    if silent_since is None:
        return waits
    return or_(waits, and_(job.c.status == JobStatus.RUNNING.value, job.c.heard_at < silent_since))


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(job.c.id == claim.job.id, job.c.claim == claim.token, job.c.status == JobStatus.RUNNING.value)


def _taken(connection: Connection, job_id: str, worker: str, moment: datetime) -> Claim:
    token = secrets.token_hex(16)
    values = {"worker": worker, "claim": token, "heard_at": moment, "started_at": moment, "updated_at": moment}
    begun = {"status": JobStatus.RUNNING.value, "sequence": job.c.sequence + 1, "attempts": job.c.attempts + 1}
    anew = {"stage": None, "progress": 0.0}
    connection.execute(update(job).where(job.c.id == job_id).values(**values, **begun, **anew))
    return Claim(_found(connection, job.c.id == job_id)[0], token)


def _waiting(moment: datetime) -> dict[str, Any]:
    back = {"status": JobStatus.ACCEPTED.value, "stage": None, "progress": 0.0, "started_at": None}
    return {**back, **_NOBODY, "updated_at": moment, "sequence": job.c.sequence + 1}


def _change(connection: Connection, claim: Claim, values: dict[str, Any]) -> None:
    if connection.execute(update(job).where(_held(claim)).values(values)).rowcount != 1:
        raise LostUpdate("jobs.claim_lost", id=claim.job.id)


def _end(connection: Connection, which: ColumnElement[bool], status: JobStatus, **values: Any) -> bool:
    """End a job, if it is one of those; whether it was."""
    moment = _moment(connection)
    ended = {"status": status.value, "finished_at": moment, "updated_at": moment, "sequence": job.c.sequence + 1}
    return connection.execute(update(job).where(which).values(**ended, **_NOBODY, **values)).rowcount == 1


def _wanted(connection: Connection, wanted: JobFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses is not None:
        conditions.append(job.c.status.in_([status.value for status in wanted.statuses]))
    if wanted.processes is not None:
        conditions.append(job.c.process.in_(list(wanted.processes)))
    earliest, latest = wanted.created
    if earliest is not None:
        conditions.append(job.c.created_at >= earliest)
    if latest is not None:
        conditions.append(job.c.created_at <= latest)
    least, most = wanted.duration_s
    if least is not None:
        conditions.append(_duration_s(connection) >= least)
    if most is not None:
        conditions.append(_duration_s(connection) <= most)
    return conditions


def _duration_s(connection: Connection) -> ColumnElement[float]:
    """Seconds from the beginning to the end, or to now; null for what has not begun."""
    end = func.coalesce(job.c.finished_at, _bound((_moment(connection), ""))[0])
    if connection.dialect.name == "postgresql":
        return func.date_part("epoch", end - job.c.started_at, type_=Double())
    return func.round((func.julianday(end) - func.julianday(job.c.started_at)) * 86400.0, 3, type_=Double())


def _bound(place: tuple[datetime, str]) -> tuple[Any, Any]:
    moment, job_id = place
    return literal(moment, Instant()), literal(job_id)


def _found(connection: Connection, which: ColumnElement[bool]) -> list[Job]:
    return [_job(row) for row in connection.execute(select(*_SHOWN).where(which))]


def _job(row: Any) -> Job:
    values = dict(zip(Job.__dataclass_fields__, row, strict=True))
    return Job(**{**values, "status": JobStatus(values["status"])})
