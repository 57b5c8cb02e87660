"""Change what a plan is called, and whose it is."""

from __future__ import annotations

from sqlalchemy import Connection, update

from gridmap.errors import LostUpdate, NotStored
from gridmap.store.models import plan
from gridmap.store.protocols import PlanInfo
from gridmap.store.rows import note, plan_infos


def rename(connection: Connection, seen: PlanInfo, name: str, institution: str | None, *, who: str) -> PlanInfo:
    """Give a plan another name and institution.

    Parameters
    ----------
    seen : the plan as its caller has seen it

    Raises
    ------
    LostUpdate
        If name or institution were changed since.
    NotStored
        If it is gone.
    """
    changed = connection.execute(
        update(plan)
        .where(
            plan.c.id == seen.plan_id,
            plan.c.name == seen.name,
            plan.c.institution.is_not_distinct_from(seen.institution),
        )
        .values(name=name, institution=institution)
    )
    found = plan_infos(connection, seen.plan_id)
    if not found:
        raise NotStored("store.no_plan", id=seen.plan_id)
    if changed.rowcount != 1:
        raise LostUpdate("reading.plan_changed", id=seen.plan_id)
    note(connection, who, "rename", seen.plan_id, None, None, None)
    return found[0]
