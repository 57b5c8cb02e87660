"""Plans and their versions: made, changed, published."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from pydantic import Field

from gridmap.api.answers import JSON, asked_again, href, is_known, json_answer, link
from gridmap.api.bodies import Body, body_of, documented
from gridmap.api.dependencies import Plans, TheService
from gridmap.api.routing import router
from gridmap.api.spans import Limit, Number, Offset, PlanId, VersionNumber
from gridmap.api.versions.conditions import require_match, require_seen
from gridmap.api.versions.plan_documents import (
    audit_document,
    in_force,
    plan_document,
    plan_tag,
    version_document,
    version_tag,
)
from gridmap.api.versions.proving import PATIENCE_S, proofs_of
from gridmap.domain.access import Role
from gridmap.domain.layers import LAYERS
from gridmap.errors import NotStored, StoreConflict
from gridmap.store.protocols import Status, VersionInfo
from gridmap.store.reading import FeatureQuery
from gridmap.store.repository import Repository

routes = router()

#: Text that every database holds and every screen shows on one line.
_Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewPlan(Body):
    """A plan to be made."""

    id: Annotated[str, Field(description="1 to 63 of a-z, 0-9, - and _, beginning with a letter or a digit")]
    name: _Line
    institution: _Line | None = None


class PlanChange(Body):
    """What is to change of a plan; what is left out stays."""

    name: _Line | None = None
    institution: _Line | None = None


class VersionChange(Body):
    """A version to be published or retired, and the state of it that was seen, where no ``If-Match`` says so."""

    version: VersionNumber
    lock_version: Annotated[int, Field(ge=1)] | None = None


def _answer(document: Any, status: int = 200, tag: str | None = None, **headers: str) -> Response:
    """Answer that is asked for anew each time."""
    tagged = {"ETag": tag} if tag else {}
    return json_answer(document, status, media_type=JSON, **asked_again(), **tagged, **headers)


def _not_changed(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag, **asked_again()})


@routes.get("/plans", summary="Plans in reach")
def plans(
    request: Request,
    repository: Plans,
    service: TheService,
    limit: Limit = 100,
    after: Annotated[str | None, Query(max_length=63, description="only plans beyond this identifier")] = None,
) -> Response:
    """List plans by identifier."""
    found = [plan for plan in repository.plans() if after is None or plan.plan_id > after]
    shown = found[: min(limit, service.config.page_limit)]
    links = [link(request, "self", "/plans")]
    if len(shown) < len(found):
        links.append(link(request, "next", f"/plans?limit={limit}&after={shown[-1].plan_id}"))
    return _answer({"plans": [plan_document(request, plan) for plan in shown], "links": links})


_AN_EXAMPLE = {"id": "yiling", "name": "夷陵区金融服务网格", "institution": "示例农商银行"}


@routes.post(
    "/plans", status_code=201, summary="Make a plan without versions", openapi_extra=documented(NewPlan, _AN_EXAMPLE)
)
def make_plan(request: Request, repository: Plans, wanted: Annotated[NewPlan, Depends(body_of(NewPlan))]) -> Response:
    """Make a plan; versions are added by runs and by imports."""
    made = repository.create(wanted.id, wanted.name, wanted.institution)
    location = href(request, f"/plans/{made.plan_id}")
    return _answer(plan_document(request, made), 201, plan_tag(made), Location=location)


@routes.get("/plans/{plan_id}", summary="A plan")
def plan(request: Request, repository: Plans, plan_id: PlanId) -> Response:
    """Answer what a plan is called, whose it is, and which version is in force."""
    found = repository.plan(plan_id)
    tag = plan_tag(found)
    if is_known(request, tag):
        return _not_changed(tag)
    return _answer(plan_document(request, found), tag=tag)


@routes.patch(
    "/plans/{plan_id}",
    summary="Rename a plan, or give it to another institution",
    openapi_extra=documented(PlanChange, {"name": "夷陵区金融服务网格（二期）"}),
)
def change_plan(
    request: Request,
    repository: Plans,
    plan_id: PlanId,
    wanted: Annotated[PlanChange, Depends(body_of(PlanChange))],
) -> Response:
    """Change name or institution; an institution of ``null`` takes it away."""
    seen = repository.plan(plan_id)
    require_match(request, plan_tag(seen), what=plan_id)
    name = seen.name if wanted.name is None else wanted.name
    institution = wanted.institution if "institution" in wanted.model_fields_set else seen.institution
    changed = repository.rename(plan_id, name, institution, seen)
    return _answer(plan_document(request, changed), tag=plan_tag(changed))


@routes.get("/plans/{plan_id}/versions", summary="Versions of a plan")
def versions(
    request: Request,
    repository: Plans,
    service: TheService,
    plan_id: PlanId,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, description="only versions with a lower number")] = None,
) -> Response:
    """List versions, newest first; drafts are shown to planners only."""
    every = repository.versions(plan_id)
    found = [one for one in reversed(every) if before is None or one.number < before]
    shown = found[: min(limit, service.config.page_limit)]
    links = [link(request, "self", f"/plans/{plan_id}/versions"), link(request, "plan", f"/plans/{plan_id}")]
    if len(shown) < len(found):
        links.append(link(request, "next", f"/plans/{plan_id}/versions?limit={limit}&before={shown[-1].number}"))
    documents = [version_document(request, one) for one in shown]
    return _answer({"current": in_force(every), "versions": documents, "links": links})


@routes.get("/plans/{plan_id}/versions/{number}", summary="A version")
def version(request: Request, repository: Plans, plan_id: PlanId, number: Number) -> Response:
    """Answer what a version is, its certificate's digest, and how many features of each layer are in reach."""
    found = repository.version(plan_id, number)
    tag = version_tag(found)
    if is_known(request, tag):
        return _not_changed(tag)
    reader = repository.reader(found)
    counts = {layer.name: reader.count(reader.layer(layer.name), FeatureQuery()) for layer in LAYERS}
    more = {"certificate_digest": _certificate_digest(repository, found), "features": counts}
    return _answer({**version_document(request, found), **more}, tag=tag)


def _certificate_digest(repository: Repository, version: VersionInfo) -> str | None:
    """Digest of the certificate; None for who may not see the whole plan that it is of."""
    try:
        certificate = repository.document(version, "certificate")
    except NotStored:
        return None
    return str(certificate["digest"])


@routes.delete("/plans/{plan_id}/versions/{number}", status_code=204, summary="Remove a draft")
def remove_draft(request: Request, repository: Plans, plan_id: PlanId, number: Number) -> Response:
    """Remove a draft for good."""
    found = repository.version(plan_id, number)
    require_match(request, version_tag(found), what=_name(found))
    repository.delete_draft(found)
    return Response(status_code=204)


@routes.post(
    "/plans/{plan_id}/publish",
    summary="Put a draft in force",
    openapi_extra=documented(VersionChange, {"version": 3, "lock_version": 1}),
)
def publish(
    request: Request,
    repository: Plans,
    plan_id: PlanId,
    wanted: Annotated[VersionChange, Depends(body_of(VersionChange))],
) -> Response:
    """Put a draft in force, for good; its certificate is proved anew before, unless its content was proved already."""
    repository.require(Role.PUBLISHER)
    found = _seen(request, repository, plan_id, wanted, Status.DRAFT)
    if not proofs_of(request).prove(repository, found, PATIENCE_S):
        under_way = {"proof": "under way", "version": version_document(request, found)}
        return _answer(under_way, 202, Retry_After=str(int(PATIENCE_S)))
    changed = repository.publish(found)
    every = repository.versions(plan_id)
    current = in_force(every)
    earlier = [one for one in every if one.number < changed.number]
    return _answer(
        {
            "in_force": current,
            "replaced": in_force(earlier) if current == changed.number else None,
            "certificate_digest": _certificate_digest(repository, changed),
            "version": version_document(request, changed),
        },
        tag=version_tag(changed),
    )


@routes.post(
    "/plans/{plan_id}/retire",
    summary="Withdraw a published version",
    openapi_extra=documented(VersionChange, {"version": 2, "lock_version": 2}),
)
def retire(
    request: Request,
    repository: Plans,
    plan_id: PlanId,
    wanted: Annotated[VersionChange, Depends(body_of(VersionChange))],
) -> Response:
    """Withdraw a published version; the one published before it is in force again."""
    found = _seen(request, repository, plan_id, wanted, Status.PUBLISHED)
    changed = repository.retire(found)
    answer = {"in_force": in_force(repository.versions(plan_id)), "version": version_document(request, changed)}
    return _answer(answer, tag=version_tag(changed))


def _seen(request: Request, repository: Repository, plan_id: str, wanted: VersionChange, needed: Status) -> VersionInfo:
    """Version to be changed, in the state that was seen."""
    found = repository.version(plan_id, wanted.version)
    if found.status is not needed:
        key = "store.not_a_draft" if needed is Status.DRAFT else "store.not_published"
        raise StoreConflict(key, id=plan_id, number=found.number)
    require_seen(request, version_tag(found), found.lock_version, wanted.lock_version, what=_name(found))
    return found


def _name(version: VersionInfo) -> str:
    return f"{version.plan_id}@{version.number}"


@routes.get("/plans/{plan_id}/audit", summary="Who changed what of a plan, and when")
def audit(
    request: Request, repository: Plans, service: TheService, plan_id: PlanId, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """List changes, oldest first."""
    found = repository.audit(plan_id)
    size = min(limit, service.config.page_limit)
    shown = found[offset : offset + size]
    links = [link(request, "self", f"/plans/{plan_id}/audit"), link(request, "plan", f"/plans/{plan_id}")]
    if offset + size < len(found):
        links.append(link(request, "next", f"/plans/{plan_id}/audit?limit={limit}&offset={offset + size}"))
    return _answer({"changes": [audit_document(entry) for entry in shown], "links": links})
