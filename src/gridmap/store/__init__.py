"""Keep plans: versions that are drafts, published or retired, in an SQLite file or in PostGIS."""

from gridmap.store.open import open_store
from gridmap.store.protocols import AuditEntry, Box, Feature, PlanInfo, PlanStore, Status, VersionInfo

__all__ = ["AuditEntry", "Box", "Feature", "PlanInfo", "PlanStore", "Status", "VersionInfo", "open_store"]
