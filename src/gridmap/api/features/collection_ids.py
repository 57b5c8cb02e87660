"""Names of collections: ``{plan}.{layer}`` for the version in force, ``{plan}@{number}.{layer}`` for one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gridmap.domain.layers import LAYER_BY_NAME
from gridmap.errors import NotStored
from gridmap.store.protocols import VersionInfo
from gridmap.store.repository import Repository

_NAME = re.compile(r"([a-z0-9][a-z0-9_-]{0,62})(?:@([1-9][0-9]{0,8}))?\.([a-z]+)")


@dataclass(frozen=True, slots=True)
class CollectionId:
    """Name of a layer of a plan; without ``number`` that of the version in force."""

    plan_id: str
    number: int | None
    layer: str

    @classmethod
    def parse(cls, text: str) -> CollectionId:
        """Read a name.

        Raises
        ------
        NotStored
            If no collection can have it.
        """
        match = _NAME.fullmatch(text)
        if match is None or match[3] not in LAYER_BY_NAME:
            raise _missing(text)
        return cls(match[1], int(match[2]) if match[2] else None, match[3])

    def pinned_to(self, version: VersionInfo) -> CollectionId:
        """Name of the same layer of one version, whatever is in force later."""
        return replace(self, number=version.number)

    def __str__(self) -> str:
        """Write the name."""
        number = "" if self.number is None else f"@{self.number}"
        return f"{self.plan_id}{number}.{self.layer}"


def find(plans: Repository, text: str) -> tuple[CollectionId, VersionInfo]:
    """Find the version that a name of a collection stands for.

    Raises
    ------
    NotStored
        If it is not there or not in reach: the same words for both.
    """
    name = CollectionId.parse(text)
    try:
        return name, plans.version(name.plan_id, name.number)
    except NotStored as fault:
        raise _missing(text) from fault


def _missing(text: str) -> NotStored:
    return NotStored("features.no_collection", id=text[:120])
