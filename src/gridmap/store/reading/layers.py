"""Read the layers of one version, as far as a scope reaches."""

from __future__ import annotations

from gridmap.domain.access import Scope
from gridmap.store.protocols import VersionInfo
from gridmap.store.sql import SqlStore


class LayerReader:
    """Layers of a version, as far as a scope reaches."""

    def __init__(self, store: SqlStore, version: VersionInfo, scope: Scope) -> None:
        self.version, self.scope = version, scope
        self._store = store
