"""Changes that say what they are based on: ``If-Match``, or the number that a version grows by with every change."""

from __future__ import annotations

from fastapi import Request

from gridmap.errors import LostUpdate, Unconditional


def require_match(request: Request, tag: str, *, what: str) -> None:
    """Demand that the client has seen the present state of what it changes.

    Parameters
    ----------
    tag : entity tag of the present state
    what : that is changed, for the message

    Raises
    ------
    Unconditional
        If it does not say what it has seen.
    LostUpdate
        If it has seen another state.
    """
    given = given_match(request)
    if given is None:
        raise Unconditional("plans.if_match_needed", what=what)
    if not _matches(given, tag):
        raise LostUpdate("plans.changed_since", what=what)


def require_seen(request: Request, tag: str, lock_version: int, seen: int | None, *, what: str) -> None:
    """Demand the same of a version, by ``If-Match`` or by the ``lock_version`` in the body; raises as above."""
    if seen is None:
        require_match(request, tag, what=what)
    elif seen != lock_version or not _matches(given_match(request) or "*", tag):
        raise LostUpdate("plans.changed_since", what=what)


def given_match(request: Request) -> str | None:
    """Header ``If-Match``, where there is one."""
    given = request.headers.get("if-match", "").strip()
    return given or None


def _matches(given: str, tag: str) -> bool:
    # Weak tags never match: two states that look alike are not one.
    return given == "*" or tag in {one.strip() for one in given.split(",")}
