"""Who asks, and how far their reach goes: a role, and a scope of area codes and institutions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gridmap.errors import UsageError

#: Whoever asks where there are no accounts; no account may be called so.
SINGLE_USER_NAME = "local"
#: Letters and digits of any script; no colon: it parts user and password, and marks the names of tokens' subjects.
_NAME = re.compile(r"[^\W_](?:[\w.@+ -]{0,62}[\w.@+-])?")
_AREA_PREFIX = re.compile(r"[0-9]{2,12}")
_LONGEST_INSTITUTION = 200


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


def checked_name(name: str) -> str:
    """Name of an account, its letters composed.

    Raises
    ------
    UsageError
        If it is none: 1 to 64 letters, digits, and inside also ``. @ + - _`` and spaces.
    """
    composed = unicodedata.normalize("NFC", name)
    if not _NAME.fullmatch(composed) or composed == SINGLE_USER_NAME:
        raise UsageError("access.bad_name", name=shown(name))
    return composed


def checked_scope(area_prefixes: Iterable[str] = (), institutions: Iterable[str] = ()) -> Scope:
    """Scope of prefixes and institutions as somebody gives them; a prefix that begins with another adds nothing.

    Raises
    ------
    UsageError
        If a prefix is not 2 to 12 digits, or an institution has no name.
    """
    prefixes = sorted(set(area_prefixes))
    for prefix in prefixes:
        if not _AREA_PREFIX.fullmatch(prefix):
            raise UsageError("access.bad_area", area=shown(prefix))
    shortest: list[str] = []
    for prefix in prefixes:
        # Sorted, what a prefix begins follows it at once.
        if not shortest or not prefix.startswith(shortest[-1]):
            shortest.append(prefix)
    names = sorted(set(institutions))
    for name in names:
        if not name.strip() or len(name) > _LONGEST_INSTITUTION or not name.isprintable():
            raise UsageError("access.bad_institution", name=shown(name))
    return Scope(tuple(shortest), tuple(names))


def shown(given: str) -> str:
    """Text that somebody sent, short and on one line, for messages and logs."""
    return "".join(letter if letter.isprintable() else "�" for letter in given[:80])
