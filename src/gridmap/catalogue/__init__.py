"""Every text a user reads, in Chinese and English, from the TOML files in this folder.

An entry has a key and its wording in each language; wordings of one entry name the same placeholders::

    [ring_crosses_itself]
    en = "ring {ring} crosses itself near {lon}, {lat}"
    zh = "第 {ring} 个环在 {lon}, {lat} 附近自相交"
    mend.en = "mend it in your GIS, or run again with --repair"
    mend.zh = "请在 GIS 中修复，或加 --repair 重新运行"

The key of an entry is its file's name, a dot, and its table's name: ``errors.ring_crosses_itself``.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@cache
def entries() -> dict[str, dict[str, Any]]:
    """Every entry by its full key."""
    found: dict[str, dict[str, Any]] = {}
    for resource in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if resource.name.endswith(".toml"):
            room = resource.name.removesuffix(".toml")
            for name, entry in tomllib.loads(resource.read_text(encoding="utf-8")).items():
                found[f"{room}.{name}"] = entry
    return found


def language() -> Language:
    """Language of this process: ``GRIDMAP_LANGUAGE``, else the locale's, else English."""
    for variable in ("GRIDMAP_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


class Wording(str):
    """A text that still knows what it was made of, so that it can be said again in another language."""

    key: str
    values: dict[str, object]


def text(key: str, lang: Language | None = None, /, **values: object) -> str:
    """Wording of ``key`` with its placeholders filled, in ``lang`` or the language of the process."""
    wording: str = entries()[key][lang or language()]
    worded = Wording(wording.format(**values))
    worded.key, worded.values = key, values
    return worded


def mend(key: str, lang: Language | None = None, /, **values: object) -> str | None:
    """Return what would mend the fault that ``key`` names, or None where the entry does not say."""
    wordings = entries()[key].get("mend")
    return wordings[lang or language()].format(**values) if wordings else None
