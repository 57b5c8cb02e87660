"""Rows of plans, versions and the audit: made, found, and claimed for a change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gridmap.errors import LostUpdate, NotStored, StoreConflict
from gridmap.store.content import DOCUMENTS, Content
from gridmap.store.models import audit_entry, plan, plan_version
from gridmap.store.protocols import PlanInfo, Status, VersionInfo

_SHOWN = [name for name in VersionInfo.__dataclass_fields__ if name not in ("row", "status")]
_VERSIONS = select(plan_version.c.id, plan_version.c.status, *(plan_version.c[name] for name in _SHOWN)).order_by(
    plan_version.c.number
)


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def version_values(content: Content) -> dict[str, Any]:
    """Columns of ``plan_version`` that hold a plan."""
    documents = {name: content.documents[name] for name in DOCUMENTS}
    return {**documents, "columns": content.columns, "digest": content.digest}


def insert_plan(connection: Connection, plan_id: str, name: str, institution: str | None, who: str) -> bool:
    """Make a plan; False where it is there."""
    values = {"id": plan_id, "name": name, "institution": institution, "created_at": now(), "created_by": who}
    if connection.execute(select(plan.c.id).where(plan.c.id == plan_id)).first():
        return False
    try:
        # A savepoint: somebody else may be making it at the same time.
        with connection.begin_nested():
            connection.execute(insert(plan).values(values))
    except IntegrityError:
        return False
    note(connection, who, "create", plan_id, None, None, None)
    return True


def note(
    connection: Connection, who: str, action: str, plan_id: str, version: int | None, *digests: str | None
) -> None:
    """Write down a change; ``digests`` are those before and after."""
    before, after = digests
    entry = {"at": now(), "who": who, "action": action, "plan_id": plan_id, "version": version}
    connection.execute(insert(audit_entry).values(**entry, digest_before=before, digest_after=after))


def next_number(connection: Connection, plan_id: str) -> int:
    """Count on from the highest number any version of a plan ever had; two who ask take turns."""
    connection.execute(select(plan.c.id).where(plan.c.id == plan_id).with_for_update())
    highest = connection.execute(select(func.max(audit_entry.c.version)).where(audit_entry.c.plan_id == plan_id))
    return (highest.scalar() or 0) + 1


def claim(connection: Connection, seen: VersionInfo, needed: Status, **values: Any) -> None:
    """Change a version, and nobody else's change, by raising its ``lock_version``.

    Raises
    ------
    NotStored
        If it is gone.
    LostUpdate
        If it was changed since it was seen.
    StoreConflict
        If it is not what it must be.
    """
    changed = connection.execute(
        update(plan_version)
        .where(
            plan_version.c.id == seen.row,
            plan_version.c.lock_version == seen.lock_version,
            plan_version.c.status == needed.value,
        )
        .values(lock_version=seen.lock_version + 1, **values)
    )
    if changed.rowcount == 1:
        return
    found = versions_where(connection, plan_version.c.id == seen.row)
    if not found:
        raise NotStored("store.no_version", id=seen.plan_id, number=seen.number)
    if found[0].status is needed:
        raise LostUpdate("store.lost_update", id=seen.plan_id, number=seen.number)
    key = "store.not_a_draft" if needed is Status.DRAFT else "store.not_published"
    raise StoreConflict(key, id=seen.plan_id, number=seen.number)


def versions_where(connection: Connection, condition: ColumnElement[bool]) -> list[VersionInfo]:
    """Find versions, by number."""
    return versions_of(tuple(row) for row in connection.execute(select_versions(condition)))


def select_versions(condition: ColumnElement[bool]) -> Select[Any]:
    """Select what ``versions_of`` reads, by number."""
    return _VERSIONS.where(condition)


def versions_of(rows: Iterable[tuple[Any, ...]]) -> list[VersionInfo]:
    """Versions as rows of ``select_versions`` tell of them."""
    return [VersionInfo(row=row[0], status=Status(row[1]), **dict(zip(_SHOWN, row[2:], strict=True))) for row in rows]


def chosen_version(found: list[VersionInfo], plan_id: str, number: int | None) -> VersionInfo:
    """Choose of a plan's versions, by number; without a number the one in force, else the newest draft.

    Raises
    ------
    NotStored
        If there is none.
    """
    if number is None:
        ranked = [one for one in found if one.status is not Status.RETIRED]
        found = sorted(ranked, key=lambda one: (one.status is Status.PUBLISHED, one.number))
    else:
        found = [one for one in found if one.number == number]
    if not found:
        raise NotStored("store.no_version", id=plan_id, number="–" if number is None else number)
    return found[-1]


def plan_infos(connection: Connection, plan_id: str | None = None) -> list[PlanInfo]:
    """Find plans, or one, by identifier."""
    current = (
        select(func.max(plan_version.c.number))
        .where(plan_version.c.plan_id == plan.c.id, plan_version.c.status == Status.PUBLISHED.value)
        .scalar_subquery()
    )
    asked = select(plan.c.id, plan.c.name, plan.c.institution, plan.c.created_at, plan.c.created_by, current).order_by(
        plan.c.id
    )
    if plan_id is not None:
        asked = asked.where(plan.c.id == plan_id)
    # Sorted here too: databases differ in how they order text.
    return sorted((PlanInfo(*row) for row in connection.execute(asked)), key=lambda info: info.plan_id)
