"""Texts are folded character by character, as Unicode has it, whatever the script."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from gridmap.domain.filters import Folding
from gridmap.store.folding import folded

CASE, ACCENTS = Folding(case=True), Folding(accents=True)


@pytest.mark.parametrize(
    ("text", "folding", "expected"),
    [
        ("ABC Éß 东塆村", CASE, "abc éß 东塆村"),
        ("Éé Čišinău", ACCENTS, "Ee Cisinau"),
        ("Ee\u0301", ACCENTS, "Ee"),
        ("ÉÅ", Folding(case=True, accents=True), "ea"),
        ("が한", Folding(case=True, accents=True), "が한"),
        ("Ünchanged", Folding(), "Ünchanged"),
    ],
)
def test_capitals_and_accents_go(text: str, folding: Folding, expected: str):
    assert folded(text, folding) == expected


def test_every_character_folds_to_one_or_to_none():
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        small = next((one for one in (letter.casefold(), letter.lower()) if len(one) == 1), letter)
        assert folded(letter, CASE) == small, hex(code)
        parts = unicodedata.normalize("NFD", letter)
        is_accented = len(parts) > 1 and all(0x300 <= ord(mark) < 0x370 for mark in parts[1:])
        bare = "" if 0x300 <= code < 0x370 else parts[0] if is_accented else letter
        assert folded(letter, ACCENTS) == bare, hex(code)
