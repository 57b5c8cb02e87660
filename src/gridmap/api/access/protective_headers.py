"""Headers that protect whoever reads an answer: browsers take nothing for a page or a script that was not meant so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

RawHeaders = list[tuple[bytes, bytes]]

#: Of every answer that does not say otherwise.
ALWAYS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"accelerometer=(), camera=(), geolocation=(self), microphone=(), payment=(), usb=()"),
    # Answers differ by who asks: none is kept for others.
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Authorization, X-API-Key, Accept, Accept-Language"),
)
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")


def protected(
    headers: Iterable[tuple[bytes, bytes]], asked: Mapping[bytes, bytes] | None = None, *, is_https: bool
) -> RawHeaders:
    """Add the headers to those of an answer; ``asked`` replace any of their names, which are in small letters."""
    asked = asked or {}
    kept = [header for header in headers if header[0] not in asked]
    kept += asked.items()
    there = {name.lower() for name, _ in kept}
    kept += [header for header in ALWAYS if header[0] not in there]
    if is_https:
        kept.append(_HTTPS_ONLY)
    return kept
