"""Plans and versions as documents, with their entity tags and links."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

from fastapi import Request

from gridmap.api.answers import entity_tag, link
from gridmap.store.protocols import AuditEntry, PlanInfo, Status, VersionInfo

GEOPACKAGE = "application/geopackage+sqlite3"
_FINDINGS = ("coverage", "gaps", "indicators", "rules", "certificate")
#: What a version shows of itself; its row in the store is nobody's business.
_SHOWN = tuple(one.name for one in fields(VersionInfo) if one.name != "row")


def plan_tag(plan: PlanInfo) -> str:
    """Entity tag of a plan: it changes with its name, its institution and the version in force."""
    seen = (plan.plan_id, plan.name, plan.institution, plan.current, plan.created_at.isoformat())
    return f'"{hashlib.sha256(repr(seen).encode()).hexdigest()[:32]}"'


def version_tag(version: VersionInfo) -> str:
    """Entity tag of a version: it changes with every change of the version."""
    return entity_tag(version, "version")


def plan_document(request: Request, plan: PlanInfo) -> dict[str, Any]:
    """Document of a plan."""
    at = f"/plans/{plan.plan_id}"
    links = [link(request, "self", at), link(request, "versions", f"{at}/versions")]
    if plan.current is not None:
        links += [link(request, "current", f"{at}/versions/{plan.current}")]
        links += [link(request, finding, f"{at}/{finding}") for finding in _FINDINGS]
    return {
        "id": plan.plan_id,
        "name": plan.name,
        "institution": plan.institution,
        "current": plan.current,
        "created_at": plan.created_at,
        "created_by": plan.created_by,
        "links": links,
    }


def version_document(request: Request, version: VersionInfo) -> dict[str, Any]:
    """Document of a version, without what has to be looked up."""
    at = f"/plans/{version.plan_id}"
    links = [link(request, "self", f"{at}/versions/{version.number}"), link(request, "plan", at)]
    # Who asks without a number is answered for the version in force.
    links += [link(request, finding, f"{at}/{finding}?version={version.number}") for finding in _FINDINGS]
    links.append(link(request, "enclosure", f"{at}/export?f=gpkg&version={version.number}", kind=GEOPACKAGE))
    return {name: getattr(version, name) for name in _SHOWN} | {"links": links}


def in_force(versions: list[VersionInfo]) -> int | None:
    """Find the number of the version in force."""
    return max((one.number for one in versions if one.status is Status.PUBLISHED), default=None)


def audit_document(entry: AuditEntry) -> dict[str, Any]:
    """Document of a change."""
    return {one.name: getattr(entry, one.name) for one in fields(AuditEntry)}
