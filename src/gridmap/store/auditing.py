"""Who changed what when: the audits of plans and of accounts as one list, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from gridmap.store.models import audit_entry
from gridmap.store.protocols import AuditEntry
from gridmap.store.service_tables import account_change
from gridmap.store.sql import SqlStore


@dataclass(frozen=True, slots=True)
class AccountChange:
    """Who changed which account when; ``details`` are what it became, or the prefix of the key."""

    at: datetime
    who: str
    action: str
    account: str
    details: dict[str, Any]


class Seen(NamedTuple):
    """How far back both audits have been read: entries with lower numbers are still to come."""

    plans: int
    accounts: int


#: Beyond every number that a database gives.
NOTHING_SEEN = Seen(2**31 - 1, 2**31 - 1)
Entry = AuditEntry | AccountChange


def audit_page(store: SqlStore, limit: int, seen: Seen = NOTHING_SEEN) -> tuple[list[Entry], Seen | None]:
    """Read up to ``limit`` entries, newest first, and how far back that is; None where there are no more."""
    with store.reading() as connection:
        found: list[tuple[datetime, str, int, Entry]] = []
        for source, table, kind, before in (
            ("plans", audit_entry, AuditEntry, seen.plans),
            ("accounts", account_change, AccountChange, seen.accounts),
        ):
            rows = _rows(connection, table, list(kind.__dataclass_fields__), before, limit + 1)
            found += [(entry[0], source, number, kind(*entry)) for number, *entry in rows]
    found.sort(key=lambda one: one[:3], reverse=True)
    shown = found[:limit]
    last = {
        source: min((row[2] for row in shown if row[1] == source), default=old)
        for source, old in seen._asdict().items()
    }
    return [entry for *_, entry in shown], Seen(**last) if len(found) > limit else None


def _rows(connection: Connection, table: Table, names: list[str], before: int, limit: int) -> list[Any]:
    asked = select(table.c.id, *(table.c[name] for name in names)).where(table.c.id < before)
    return list(connection.execute(asked.order_by(table.c.id.desc()).limit(limit)))
