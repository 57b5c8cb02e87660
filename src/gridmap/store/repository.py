"""Plans in reach of somebody: the one way to plans for whoever asks over HTTP, and for the jobs they start.

Whatever is not in reach is answered as if it were not there.
"""

from __future__ import annotations

from gridmap.domain.access import Identity, Role
from gridmap.domain.plan import Plan
from gridmap.errors import NotAllowed, NotStored
from gridmap.store.protocols import PlanInfo, VersionInfo
from gridmap.store.reading.layers import LayerReader
from gridmap.store.sql import SqlStore


class Repository:
    """Plans of a store in reach of an identity.

    Parameters
    ----------
    store : all plans
    identity : whose reach it is
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
        """List plans in reach, by identifier."""
        return self._store.plans()

    def plan(self, plan_id: str) -> PlanInfo:
        """Find a plan.

        Raises
        ------
        NotStored
            If it is not there, or not in reach.
        """
        for info in self.plans():
            if info.plan_id == plan_id:
                return info
        raise NotStored("store.no_plan", id=plan_id)

    def versions(self, plan_id: str) -> list[VersionInfo]:
        """List versions of a plan in reach, by number: drafts for planners only; raises as ``plan``."""
        return self._store.versions(plan_id)

    def version(self, plan_id: str, number: int | None = None) -> VersionInfo:
        """Find a version; without a number the one in force, else for planners the newest draft; raises as ``plan``."""
        return self._store.version(plan_id, number)

    def reader(self, version: VersionInfo) -> LayerReader:
        """Read the layers of a version, as far as they are in reach."""
        return LayerReader(self._store, version, self.identity.scope)

    def read(self, version: VersionInfo) -> Plan:
        """Read a whole plan; raises ``NotStored`` where the scope does not reach over all of it."""
        return self._store.read(version)
