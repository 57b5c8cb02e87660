"""What a store of plans can do, whatever keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from gridmap.domain.plan import Plan


class Status(StrEnum):
    """What a version is: open to change, in force for good, or withdrawn."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class PlanInfo:
    """A plan in the store; ``current`` is the number of the version in force, None without one."""

    plan_id: str
    name: str
    institution: str | None
    created_at: datetime
    created_by: str
    current: int | None


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """A version as it was seen; ``lock_version`` grows with every change, ``digest`` is that of the whole plan."""

    plan_id: str
    number: int
    status: Status
    lock_version: int
    digest: str
    created_at: datetime
    created_by: str
    published_at: datetime | None
    published_by: str | None
    retired_at: datetime | None
    retired_by: str | None
    row: int


class Feature(NamedTuple):
    """A row of a layer; ``wkb`` is its geometry in WGS 84 degrees, None where it has none."""

    fid: int
    properties: Mapping[str, Any]
    wkb: bytes | None


class Box(NamedTuple):
    """Bounds in WGS 84 degrees, borders included."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who changed what, and when; a digest is missing where the version was not there before or after."""

    at: datetime
    who: str
    action: str
    plan_id: str
    version: int | None
    digest_before: str | None
    digest_after: str | None


class PlanStore(Protocol):
    """Plans and their versions.

    A change takes the version as its caller has seen it and is refused (``StoreConflict``) if it has changed since.
    Every change is whole or does not happen. A published version never changes; of the published versions of a plan
    the one with the highest number is in force. Beside what is stated, every method raises ``StoreUnreachable`` if
    the database is gone or busy, and ``StoreError`` if it fails.
    """

    def create(self, plan_id: str, name: str, institution: str | None, *, who: str) -> PlanInfo:
        """Make a plan without versions.

        Raises
        ------
        UsageError
            If ``plan_id`` is no identifier: 1 to 63 of ``a-z``, ``0-9``, ``-`` and ``_``, the first none of the last
            two.
        StoreConflict
            If there is such a plan.
        """
        ...

    def add_version(self, plan_id: str, plan: Plan, *, who: str) -> VersionInfo:
        """Add a draft with the next number; the plan is made where it is not there.

        Raises
        ------
        UsageError
            As ``create``.
        BadValue
            If a value is not what its column holds.
        """
        ...

    def replace_draft(self, seen: VersionInfo, plan: Plan, *, who: str) -> VersionInfo:
        """Put another content in place of a draft's.

        Raises
        ------
        StoreConflict
            If it was changed meanwhile, or is no draft.
        NotStored
            If it is gone.
        BadValue
            As ``add_version``.
        """
        ...

    def publish(self, seen: VersionInfo, *, who: str) -> VersionInfo:
        """Put a draft in force; raises as ``replace_draft``."""
        ...

    def retire(self, seen: VersionInfo, *, who: str) -> VersionInfo:
        """Withdraw a published version; raises as ``replace_draft``."""
        ...

    def delete_draft(self, seen: VersionInfo, *, who: str) -> None:
        """Remove a draft; raises as ``replace_draft``."""
        ...

    def plans(self) -> list[PlanInfo]:
        """List plans by identifier."""
        ...

    def versions(self, plan_id: str) -> list[VersionInfo]:
        """List versions of a plan by number.

        Raises
        ------
        NotStored
            If there is no such plan.
        """
        ...

    def version(self, plan_id: str, number: int | None = None) -> VersionInfo:
        """Find a version; without a number the one in force, else the newest draft.

        Raises
        ------
        NotStored
            If there is none.
        """
        ...

    def read(self, seen: VersionInfo) -> Plan:
        """Read a whole plan back, bit for bit; rows are numbered from 0.

        Raises
        ------
        NotStored
            If it is gone.
        StoreDamaged
            If what is stored is not what was put in.
        """
        ...

    def iter_features(
        self, layer: str, seen: VersionInfo, bbox: Box | None = None, limit: int = 1000, after_fid: int = 0
    ) -> Iterator[Feature]:
        """Yield up to ``limit`` features with a higher ``fid``, by ``fid``; the last one leads to the next page.

        Parameters
        ----------
        layer : name of a layer of ``gridmap.domain.layers``
        bbox : only features whose geometry meets it

        Raises
        ------
        UsageError
            If there is no such layer, the box is not finite or turned over, or the limit is not positive.
        """
        ...

    def count(self, layer: str, seen: VersionInfo, bbox: Box | None = None) -> int:
        """Count the features that ``iter_features`` would yield without a limit; raises as it does."""
        ...

    def audit(self, plan_id: str | None = None) -> list[AuditEntry]:
        """List all changes, or those of a plan, oldest first."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
