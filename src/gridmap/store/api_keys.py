"""Keys of accounts: what they look like, and how one is told from all others without being kept."""

from __future__ import annotations

import hmac
import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

_KEY = re.compile(r"gm_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")
_LETTERS = string.ascii_lowercase + string.digits
_PREFIX_LENGTH = 8
_SECRET_BYTES = 32
#: Compared with where there is no such key, so that finding none takes as long.
_NONE = sha256(secrets.token_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key, without what is secret of it."""

    prefix: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; ``key`` is kept nowhere and shows once."""

    account: str
    prefix: str
    expires_at: datetime | None
    key: str = field(repr=False)


def make_key() -> tuple[str, str]:
    """Make a key of 256 random bits; returns its prefix and the whole."""
    prefix = "".join(secrets.choice(_LETTERS) for _ in range(_PREFIX_LENGTH))
    return prefix, f"gm_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def looks_like_key(given: str) -> bool:
    """Whether something begins as keys do."""
    return given.startswith("gm_")


def prefix_of(key: str) -> str | None:
    """Prefix of a key; None of what is no key."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def hash_of(key: str) -> str:
    """Hash under which a key is kept; 256 random bits need no slow one."""
    return sha256(key.encode()).hexdigest()


def is_same(key: str, kept: str | None) -> bool:
    """Whether a key is the one whose hash was kept; takes as long where none was."""
    return hmac.compare_digest(hash_of(key), kept or _NONE) and kept is not None
