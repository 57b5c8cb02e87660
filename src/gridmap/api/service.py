"""What one process of the service works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gridmap.settings import Settings
from gridmap.store.sql import SqlStore


@dataclass(frozen=True, slots=True)
class Service:
    """The store, the settings, and whether whoever asks may do everything.

    Attributes
    ----------
    store : open, its tables those of this version of gridmap
    is_single_user : reached on loopback only, and neither accounts nor an OIDC issuer were set up
    """

    store: SqlStore
    config: Settings
    is_single_user: bool = False

    @property
    def data_directory(self) -> Path:
        """Folder of uploads and of results of jobs."""
        return self.config.data_directory
