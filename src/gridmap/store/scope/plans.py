"""Plans and versions in reach of somebody, by role and scope.

A version is in reach where its plan's institution is and at least one of its areas; drafts for planners and above. A
plan is where one of its versions is; one without versions for whoever made it, and for planners of no certain areas.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, exists, func, or_, select, true

from gridmap.domain.access import Identity, Role, Scope
from gridmap.store.models import VERSION, layer_tables, plan, plan_version
from gridmap.store.protocols import PlanInfo, Status, VersionInfo
from gridmap.store.rows import plan_infos, select_versions, versions_of
from gridmap.store.scope.areas import NOT_STATED, beyond_areas, in_areas
from gridmap.store.sql import SqlStore

_AREAS, _FACILITIES = layer_tables["areas"], layer_tables["facilities"]


def versions_in_reach(store: SqlStore, identity: Identity, plan_id: str) -> list[VersionInfo]:
    """Find versions of a plan, by number."""
    if "\0" in plan_id:
        return []
    scope, sees_drafts = identity.scope, identity.role.reaches(Role.PLANNER)

    def selected() -> Select[Any]:
        own = plan_version.c.plan_id == bindparam("plan_id")
        return select_versions(and_(own, _versions_of(scope, sees_drafts=sees_drafts)))

    return versions_of(store.look_up(("versions", scope, sees_drafts), selected, {"plan_id": plan_id}))


def plans_in_reach(connection: Connection, identity: Identity, plan_id: str | None = None) -> list[PlanInfo]:
    """Find plans, or one, by identifier; of the versions in force only those in reach count."""
    if plan_id is not None and "\0" in plan_id:
        return []
    number = case((plan_version.c.status == Status.PUBLISHED.value, plan_version.c.number))
    asked = select(plan_version.c.plan_id, func.max(number)).where(_is_in_reach(identity))
    if plan_id is not None:
        asked = asked.where(plan_version.c.plan_id == plan_id)
    current = {row[0]: row[1] for row in connection.execute(asked.group_by(plan_version.c.plan_id))}
    found = [one for one in plan_infos(connection, plan_id) if identity.scope.has_institution(one.institution)]
    left = [one.plan_id for one in found if one.plan_id not in current and _is_to_fill(identity, one)]
    filled = set(
        connection.execute(select(plan_version.c.plan_id).where(plan_version.c.plan_id.in_(left)).distinct()).scalars()
        if left
        else ()
    )
    empty = set(left) - filled
    return [
        replace(one, current=current.get(one.plan_id))
        for one in found
        if one.plan_id in current or one.plan_id in empty
    ]


def _is_to_fill(identity: Identity, info: PlanInfo) -> bool:
    """Whether a plan would be in reach if it had no versions."""
    is_planner = identity.role.reaches(Role.PLANNER)
    return is_planner and (not identity.scope.area_prefixes or info.created_by == identity.name)


def _is_in_reach(identity: Identity) -> ColumnElement[bool]:
    return _versions_of(identity.scope, sees_drafts=identity.role.reaches(Role.PLANNER))


@lru_cache(maxsize=256)
def _versions_of(scope: Scope, *, sees_drafts: bool) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if not sees_drafts:
        conditions.append(plan_version.c.status != Status.DRAFT.value)
    if scope.institutions:
        own = exists().where(plan.c.id == plan_version.c.plan_id, plan.c.institution.in_(scope.institutions))
        conditions.append(own.correlate(plan_version))
    if scope.area_prefixes:
        some = exists().where(_AREAS.c[VERSION] == plan_version.c.id, in_areas(_AREAS.c.area_code, scope.area_prefixes))
        conditions.append(some.correlate(plan_version))
    return and_(true(), *conditions)


def is_plan_covered(connection: Connection, plan_id: str, scope: Scope) -> bool:
    """Whether a scope holds every version of a plan whole, and the plan itself."""
    if scope.is_whole:
        return True
    faults: list[ColumnElement[bool]] = []
    if scope.institutions:
        faults.append(
            exists().where(plan.c.id == plan_id, func.coalesce(plan.c.institution.not_in(scope.institutions), true()))
        )
        others = _FACILITIES.c.institution.not_in((*scope.institutions, NOT_STATED))
        faults.append(
            exists().where(plan_version.c.plan_id == plan_id, _FACILITIES.c[VERSION] == plan_version.c.id, others)
        )
    if scope.area_prefixes:
        beyond = beyond_areas(_AREAS.c.area_code, scope.area_prefixes)
        faults.append(exists().where(plan_version.c.plan_id == plan_id, _AREAS.c[VERSION] == plan_version.c.id, beyond))
        areas = exists().where(_AREAS.c[VERSION] == plan_version.c.id).correlate(plan_version)
        faults.append(exists().where(plan_version.c.plan_id == plan_id, ~areas))
    return not connection.execute(select(or_(*faults))).scalar_one()
