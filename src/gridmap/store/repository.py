"""Plans in reach of somebody: the one way to plans for whoever asks over HTTP, and for the jobs they start.

Whatever is not in reach is answered as if it were not there: with the same error and the same words.
``gridmap.store.scope`` says what is in reach. To change a plan takes the role for it, and a scope that holds the whole
plan, all its versions.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from gridmap.domain.access import Identity, Role, Scope
from gridmap.domain.plan import Plan
from gridmap.errors import NotAllowed, NotStored, StoreConflict
from gridmap.store.kept import kept_of
from gridmap.store.protocols import AuditEntry, PlanInfo, VersionInfo
from gridmap.store.reading.layers import LayerReader
from gridmap.store.renaming import rename
from gridmap.store.rows import chosen_version, plan_infos
from gridmap.store.scope import reach_of
from gridmap.store.scope.areas import NOT_STATED
from gridmap.store.scope.documents import document
from gridmap.store.scope.plans import is_plan_covered, plans_in_reach, versions_in_reach
from gridmap.store.sql import PLAN_ID, Also, SqlStore, check_plan_id


class Repository:
    """Plans of a store in reach of an identity.

    Parameters
    ----------
    store : all plans
    identity : whose reach it is; changes bear its name in the audit
    """

    def __init__(self, store: SqlStore, identity: Identity) -> None:
        self.identity = identity
        self._store = store

    def require(self, role: Role) -> None:
        """Refuse who has a lesser role.

        Raises
        ------
        NotAllowed
            If the role does not reach so far.
        """
        if not self.identity.role.reaches(role):
            raise NotAllowed("access.role_needed", needed=role.value, role=self.identity.role.value)

    def plans(self) -> list[PlanInfo]:
        """List plans in reach, by identifier; ``current`` is the version in force as far as it is in reach."""
        with self._store.reading() as connection:
            return plans_in_reach(connection, self.identity)

    def plan(self, plan_id: str) -> PlanInfo:
        """Find a plan.

        Raises
        ------
        NotStored
            If it is not there, or not in reach.
        """
        with self._store.reading() as connection:
            return self._plan(connection, plan_id)

    def _plan(self, connection: Connection, plan_id: str) -> PlanInfo:
        # What is no identifier is no plan's, and not every database can be asked for it.
        found = plans_in_reach(connection, self.identity, plan_id) if PLAN_ID.fullmatch(plan_id) else []
        if not found:
            raise NotStored("store.no_plan", id=plan_id)
        return found[0]

    def versions(self, plan_id: str) -> list[VersionInfo]:
        """List versions of a plan in reach, by number: drafts for planners only; raises as ``plan``."""
        # What is no identifier is no plan's, and not every database can be asked for it.
        found = versions_in_reach(self._store, self.identity, plan_id) if PLAN_ID.fullmatch(plan_id) else []
        if not found:
            self.plan(plan_id)
        return found

    def version(self, plan_id: str, number: int | None = None) -> VersionInfo:
        """Find a version; without a number the one in force, else for planners the newest draft.

        Raises
        ------
        NotStored
            If plan or version are not there, or not in reach.
        """
        return chosen_version(self.versions(plan_id), plan_id, number)

    def reader(self, version: VersionInfo) -> LayerReader:
        """Read the layers of a version, as far as they are in reach."""
        return LayerReader(self._store, version, self.identity.scope)

    def covers(self, version: VersionInfo) -> bool:
        """Whether all of a version is in reach; raises as ``LayerReader``."""
        return self.reader(version).reach.is_whole

    def read(self, version: VersionInfo) -> Plan:
        """Read a whole plan.

        Raises
        ------
        NotStored
            If the version is gone, or not all of it is in reach.
        """
        if not self.covers(version):
            raise NotStored("reading.not_whole", id=version.plan_id)
        return self._store.read(version)

    def document(self, version: VersionInfo, name: str) -> Any:
        """Read ``settings``, ``indicators``, ``rules``, ``certificate`` or ``report``, as JSON has them.

        Where not all of the version is in reach there are only the rules, each with what breaks it in reach.

        Raises
        ------
        UsageError
            If there is no such document.
        NotStored
            If the version is gone, or the document tells of more than is in reach.
        """
        with self._store.reading() as connection:
            reach = reach_of(connection, version, self.identity.scope, kept_of(self._store))
            return document(connection, version, reach, name)

    def create(self, plan_id: str, name: str, institution: str | None) -> PlanInfo:
        """Make a plan without versions.

        Raises
        ------
        NotAllowed
            If the role is less than planner, or the institution not in the scope.
        UsageError
            If ``plan_id`` is no identifier.
        StoreConflict
            If there is such a plan, in reach or not.
        """
        self.require(Role.PLANNER)
        self._require_institution(institution)
        return self._store.create(plan_id, name, institution, who=self.identity.name)

    def rename(self, plan_id: str, name: str, institution: str | None, seen: PlanInfo) -> PlanInfo:
        """Change name and institution of a plan.

        Raises
        ------
        NotAllowed
            If the role is less than planner, or the scope does not hold the plan, before and after.
        NotStored
            If it is not there, or not in reach.
        LostUpdate
            If it was changed since it was seen.
        """
        self._require_change(Role.PLANNER, plan_id)
        self._require_institution(institution)
        with self._store.writing() as connection:
            changed = rename(connection, seen, name, institution, who=self.identity.name)
            return next(iter(plans_in_reach(connection, self.identity, plan_id)), changed)

    def add_version(self, plan_id: str, plan: Plan, also: Also | None = None) -> VersionInfo:
        """Add a draft; the plan is made where it is not there.

        Parameters
        ----------
        also : done in the transaction that stores the version

        Raises
        ------
        NotAllowed
            If the role is less than planner, or the scope does not hold all of the plan, stored and new.
        StoreConflict
            If there is such a plan that is not in reach.
        UsageError, BadValue
            As ``PlanStore.add_version``.
        """
        self.require(Role.PLANNER)
        check_plan_id(plan_id)
        with self._store.reading() as connection:
            is_there = bool(plan_infos(connection, plan_id))
            if is_there and not plans_in_reach(connection, self.identity, plan_id):
                raise StoreConflict("store.plan_exists", id=plan_id)
        if is_there:
            self._require_change(Role.PLANNER, plan_id)
        else:
            self._require_institution(plan.settings.plan.institution)
        self._require_ground(plan)
        return self._store.add_version(plan_id, plan, who=self.identity.name, also=also)

    def replace_draft(self, seen: VersionInfo, plan: Plan, also: Also | None = None) -> VersionInfo:
        """Put another content in place of a draft's; raises as ``publish`` and as ``PlanStore.replace_draft``."""
        self._require_seen(Role.PLANNER, seen)
        self._require_ground(plan)
        return self._store.replace_draft(seen, plan, who=self.identity.name, also=also)

    def delete_draft(self, seen: VersionInfo) -> None:
        """Remove a draft; raises as ``publish``."""
        self._require_seen(Role.PLANNER, seen)
        self._store.delete_draft(seen, who=self.identity.name)

    def publish(self, seen: VersionInfo) -> VersionInfo:
        """Put a draft in force.

        Raises
        ------
        NotAllowed
            If the role does not reach so far, or the scope does not hold all of the plan.
        NotStored
            If plan or version are not there, or not in reach.
        StoreConflict
            As ``PlanStore.publish``.
        """
        self._require_seen(Role.PUBLISHER, seen)
        return self._store.publish(seen, who=self.identity.name)

    def retire(self, seen: VersionInfo) -> VersionInfo:
        """Withdraw a published version; raises as ``publish``."""
        self._require_seen(Role.PUBLISHER, seen)
        return self._store.retire(seen, who=self.identity.name)

    def audit(self, plan_id: str | None = None) -> list[AuditEntry]:
        """List changes of a plan, oldest first; administrators may ask for those of all plans.

        Who has a scope is told of the plans that it holds whole.

        Raises
        ------
        NotAllowed
            If the role is less than planner, or without a plan than administrator.
        NotStored
            If the plan is not there, or not wholly in reach.
        """
        self.require(Role.PLANNER if plan_id is not None else Role.ADMINISTRATOR)
        scope = self.identity.scope
        if plan_id is None and scope.is_whole:
            return self._store.audit()
        with self._store.reading() as connection:
            asked = plans_in_reach(connection, self.identity) if plan_id is None else [self._plan(connection, plan_id)]
            held = [one.plan_id for one in asked if is_plan_covered(connection, one.plan_id, scope)]
        if plan_id is None:
            return [entry for entry in self._store.audit() if entry.plan_id in held]
        if not held:
            raise NotStored("store.no_plan", id=plan_id)
        return self._store.audit(plan_id)

    def _require_seen(self, role: Role, seen: VersionInfo) -> None:
        self.require(role)
        self.version(seen.plan_id, seen.number)
        self._require_change(role, seen.plan_id)

    def _require_change(self, role: Role, plan_id: str) -> None:
        """Refuse to change a plan; what is not in reach is not there."""
        self.require(role)
        with self._store.reading() as connection:
            self._plan(connection, plan_id)
            if not is_plan_covered(connection, plan_id, self.identity.scope):
                raise NotAllowed("reading.beyond_scope", id=plan_id)

    def _require_institution(self, institution: str | None) -> None:
        if not self.identity.scope.has_institution(institution):
            raise NotAllowed("reading.other_institution", institution=institution or "–")

    def _require_ground(self, plan: Plan) -> None:
        """Refuse a plan with areas or facilities beyond the scope."""
        scope: Scope = self.identity.scope
        codes = [str(code) for code in plan.areas["area_code"] if not scope.has_area(code)]
        if codes:
            raise NotAllowed("reading.areas_beyond", codes=", ".join(codes[:3]))
        if scope.institutions and "institution" in plan.facilities:
            stated = {str(name) for name in plan.facilities["institution"].dropna()} - {NOT_STATED}
            others = sorted(name for name in stated if not scope.has_institution(name))
            if others:
                raise NotAllowed("reading.other_institution", institution=others[0])
