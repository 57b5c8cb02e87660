"""Find out in which encoding Chinese text was written: a byte order mark, else UTF-8, else GB18030."""

from __future__ import annotations

from collections.abc import Iterable

from gridmap.errors import BadValue, Place

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decodes(content: bytes, encoding: str) -> bool:
    """Whether the bytes are text in this encoding."""
    try:
        content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def decode_text(content: bytes, place: Place, encoding: str | None = None) -> str:
    """Text of a file in the encoding given, else in the one it shows.

    Raises
    ------
    BadValue
        If the bytes are no text in the encoding given, or in none of those tried.
    """
    return content.decode(encoding_of_text(content, place, encoding))


def encoding_of_text(content: bytes, place: Place, encoding: str | None = None) -> str:
    """Find the encoding that ``decode_text`` decodes with; raises as it does."""
    candidates = [encoding] if encoding else [name for mark, name in _MARKS if content.startswith(mark)][:1]
    for candidate in candidates or ["utf-8", "gb18030"]:
        if decodes(content, candidate):
            return candidate
    raise not_text(place, candidates or ["utf-8", "gb18030"])


def not_text(place: Place, tried: Iterable[str]) -> BadValue:
    """Return the error that says in which encodings the text was not."""
    return BadValue("inputs.not_text", place, tried=", ".join(tried))
