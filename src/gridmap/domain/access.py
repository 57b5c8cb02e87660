"""Who asks, and how far their reach goes: a role, and a scope of area codes and institutions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; each role may do what those before it may."""

    VIEWER = "viewer"
    PLANNER = "planner"
    PUBLISHER = "publisher"
    ADMINISTRATOR = "administrator"

    def reaches(self, needed: Role) -> bool:
        """Whether this role may do what needs another."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class Scope:
    """Ground and institutions in reach; empty means all of them.

    Attributes
    ----------
    area_prefixes : prefixes of area codes, 2 to 12 digits, none of which begins with another
    institutions : names of institutions as plans and facilities have them
    """

    area_prefixes: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether everything is in reach."""
        return not self.area_prefixes and not self.institutions

    def has_area(self, code: str | None) -> bool:
        """Whether an area, or what lies in it, is in reach."""
        return not self.area_prefixes or (code is not None and code.startswith(self.area_prefixes))

    def has_institution(self, name: str | None) -> bool:
        """Whether an institution is in reach."""
        return not self.institutions or name in self.institutions


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever asks: a name for the audit, a role, a scope."""

    name: str
    role: Role
    scope: Scope = Scope()
