"""Texts without capitals and accents, character by character, so that every database can do the same.

A character folds to one character or to none: ``ß`` stays as it is, ``É`` becomes ``é``, ``e`` or ``É``.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import chain

from gridmap.domain.filters import Folding

#: Accents that stand behind their letter as characters of their own.
_MARKS = range(0x300, 0x370)
#: Where all letters lie that have capitals or accents; to look at every character there is takes most of a second.
_LETTERS = (
    range(0x3000),
    range(0xA640, 0xAC00),
    range(0xFF00, 0x12000),
    range(0x16E00, 0x17000),
    range(0x1E900, 0x1EA00),
)


@cache
def foldings(folding: Folding) -> dict[int, int | None]:
    """Code points that change, and what they change to; None where they go."""
    found: dict[int, int | None] = {}
    for code in chain(*_LETTERS):
        letter = chr(code)
        if folding.accents:
            letter = _without_accent(letter)
        if folding.case and letter:
            letter = _small(letter)
        if letter != chr(code):
            found[code] = ord(letter) if letter else None
    return found


def folded(text: str, folding: Folding) -> str:
    """Return a text as it is compared."""
    if text.isascii():
        return text.lower() if folding.case else text
    return text.translate(foldings(folding)) if folding else text


def _without_accent(letter: str) -> str:
    if ord(letter) in _MARKS:
        return ""
    parts = unicodedata.normalize("NFD", letter)
    base, marks = parts[0], parts[1:]
    return base if marks and all(ord(mark) in _MARKS for mark in marks) else letter


def _small(letter: str) -> str:
    return next((small for small in (letter.casefold(), letter.lower()) if len(small) == 1), letter)
