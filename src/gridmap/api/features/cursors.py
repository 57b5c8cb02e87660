"""Cursors: where the next page of a collection begins, and of which version.

A cursor names the version that the first page was of, so that pages never mix versions while a new one is published,
and says for which collection and content it was made. It opens nothing: who asks must reach the version anyway.
"""

from __future__ import annotations

import base64
import hashlib
import re

from gridmap.api.features.collection_ids import CollectionId
from gridmap.errors import NotStored, UsageError
from gridmap.store.protocols import VersionInfo
from gridmap.store.repository import Repository

_FORM = re.compile(r"([0-9]{1,9})\.([0-9]{1,18})\.([0-9a-f]{16})")


def cursor_for(name: CollectionId, version: VersionInfo, after_fid: int) -> str:
    """Make the cursor of what comes after a feature."""
    text = f"{version.number}.{after_fid}.{_mark(name, version, after_fid)}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def follow(plans: Repository, name: CollectionId, cursor: str) -> tuple[VersionInfo, int]:
    """Find the version of a cursor, and the feature that it comes after.

    Raises
    ------
    UsageError
        If it was not made for this collection, or what it was made for is gone or has changed.
    """
    try:
        padded = cursor[:120] + "=" * (-len(cursor[:120]) % 4)
        match = _FORM.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii"))
    except ValueError:
        match = None
    if match is None:
        raise UsageError("features.bad_cursor")
    number, after_fid = int(match[1]), int(match[2])
    try:
        version = plans.version(name.plan_id, number)
    except NotStored as fault:
        raise UsageError("features.bad_cursor") from fault
    if name.number not in (None, number) or match[3] != _mark(name, version, after_fid):
        raise UsageError("features.bad_cursor")
    return version, after_fid


def _mark(name: CollectionId, version: VersionInfo, after_fid: int) -> str:
    made_for = f"{name.plan_id}.{name.layer}.{version.number}.{version.digest}.{after_fid}"
    return hashlib.blake2s(made_for.encode(), digest_size=8).hexdigest()
