"""Every text the reading of inputs shows stands in the catalogue, in both languages, and none stands there unused."""

from __future__ import annotations

import re
import string
from pathlib import Path

import gridmap
from gridmap import catalogue

SOURCES = Path(gridmap.__file__).parent


def test_entries_and_uses_match():
    code = "".join(path.read_text("utf-8") for path in [*SOURCES.rglob("*.py")])
    used = set(re.findall(r"inputs\.([a-z_]+)", code)) | set(re.findall(r'"(needs_[a-z_]+)"', code))
    used |= {f"without_{part}" for part in ("shx", "dbf")}
    there = {key.removeprefix("inputs.") for key in catalogue.entries() if key.startswith("inputs.")}
    assert there - used == set()


def test_both_languages_name_the_same_placeholders():
    for key, entry in catalogue.entries().items():
        if key.startswith("inputs."):
            for wordings in (entry, entry.get("mend", {})):
                fields = [
                    sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
                    for language, text in wordings.items()
                    if language in catalogue.LANGUAGES
                ]
                assert len({tuple(names) for names in fields}) <= 1, key
