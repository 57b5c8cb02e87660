"""Which contents were proved since they were stored: the audit says so, by their digests."""

from __future__ import annotations

from sqlalchemy import select

from gridmap.store.models import audit_entry
from gridmap.store.protocols import VersionInfo
from gridmap.store.rows import note
from gridmap.store.sql import SqlStore

#: What the audit calls it.
PROVED = "prove"


def is_proved(store: SqlStore, version: VersionInfo) -> bool:
    """Whether the content of a version, to the last bit, was proved while it stood in this store."""
    found = select(audit_entry.c.id).where(
        audit_entry.c.plan_id == version.plan_id,
        audit_entry.c.action == PROVED,
        audit_entry.c.digest_after == version.digest,
    )
    with store.reading() as connection:
        return connection.execute(found.limit(1)).first() is not None


def note_proof(store: SqlStore, version: VersionInfo, *, who: str) -> None:
    """Write down that the content of a version was proved."""
    with store.writing() as connection:
        note(connection, who, PROVED, version.plan_id, version.number, version.digest, version.digest)
