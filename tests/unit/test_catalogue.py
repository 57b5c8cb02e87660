"""Every text that gridmap shows stands in the catalogue, in both languages, and none stands there unused."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import gridmap
from gridmap import catalogue

SOURCES = Path(gridmap.__file__).parent
TREES = {path.relative_to(SOURCES): ast.parse(path.read_text("utf-8")) for path in sorted(SOURCES.rglob("*.py"))}
SCRIPTS = "".join(path.read_text("utf-8") for path in sorted([*SOURCES.rglob("*.js"), *SOURCES.rglob("*.html")]))
KEYS = sorted(catalogue.entries())
ROOMS = sorted({key.split(".")[0] for key in KEYS})
#: A literal that is a key, and not the name of a file such as report.json.
KEY = re.compile(rf"(?:{'|'.join(ROOMS)})\.(?!(?:json|md|toml|html|py|xlsx)$)[a-z0-9_]*[a-z0-9]")


@cache
def constants() -> set[str]:
    return {
        node.value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@cache
def patterns() -> set[str]:
    """Return what f-strings can become; one that gives away nothing of a key but its room tells nothing."""
    found = set()
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
                if any(part and re.search("[a-z]", part.removeprefix(f"{room}.")) for part in parts for room in ROOMS):
                    found.add("".join(".+" if part is None else re.escape(str(part)) for part in parts))
    return {pattern for pattern in found if pattern.split("\\.")[0] in ROOMS and not pattern.endswith("\\..+")}


def shown_by_the_page(leaf: str) -> bool:
    """Whether a script of the page names the text, whole or put together as in ``t(`field_${key}`)``."""
    if re.search(rf"\b{re.escape(leaf)}\b", SCRIPTS):
        return True
    prefixes = [prefix for prefix in re.findall(r"`(\w+_)\$\{", SCRIPTS) if leaf.startswith(prefix)]
    return any(
        re.search(rf"\b{re.escape(leaf.removeprefix(prefix))}\b", SCRIPTS) or leaf.removeprefix(prefix) in constants()
        for prefix in prefixes
    )


def calls_with_a_key() -> Iterator[tuple[str, int, str, set[str]]]:
    """Yield file, line, key and the names of the values, of each call that words a text and lists its values."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                key = node.args[0].value
                listed = all(keyword.arg for keyword in node.keywords)
                if isinstance(key, str) and key in catalogue.entries() and listed:
                    yield str(path), node.lineno, key, {str(keyword.arg) for keyword in node.keywords}


def placeholders(wording: str) -> list[str]:
    return sorted({name for _, name, _, _ in string.Formatter().parse(wording) if name is not None})


def test_every_key_that_the_code_names_is_there():
    named = {constant for constant in constants() if KEY.fullmatch(constant)}
    assert len(named) > 100
    assert named - set(KEYS) == set()


@pytest.mark.parametrize("room", ROOMS)
def test_no_entry_is_unused(room):
    possible = re.compile("|".join(sorted(patterns())))
    leaves = [key.removeprefix(f"{room}.") for key in KEYS if key.startswith(f"{room}.")]
    assert [
        leaf
        for leaf in leaves
        if not ({leaf, f"{room}.{leaf}"} & constants() or possible.fullmatch(f"{room}.{leaf}"))
        and not (room == "page" and shown_by_the_page(leaf))
    ] == []


@pytest.mark.parametrize("room", ROOMS)
def test_entries_say_the_same_in_both_languages(room):
    for key in (key for key in KEYS if key.startswith(f"{room}.")):
        entry = catalogue.entries()[key]
        mend = entry.get("mend")
        assert set(entry) - {"mend"} == set(catalogue.LANGUAGES), key
        for wordings in (entry, mend) if mend else (entry,):
            assert set(wordings) - {"mend"} == set(catalogue.LANGUAGES), key
            english, chinese = (wordings[language] for language in catalogue.LANGUAGES)
            assert english.strip(), key
            assert chinese.strip(), key
            assert placeholders(english) == placeholders(chinese), key


def test_every_call_gives_all_that_its_wording_asks_for():
    calls = list(calls_with_a_key())
    assert len(calls) > 100
    lacking = {}
    for file, line, key, given in calls:
        entry = catalogue.entries()[key]
        wanted = {*placeholders(entry["en"]), *placeholders(entry.get("mend", {}).get("en", ""))}
        if wanted - given:
            lacking[f"{file}:{line} {key}"] = wanted - given
    assert lacking == {}


def test_a_missing_value_would_be_noticed(monkeypatch):
    with pytest.raises(KeyError):
        catalogue.text("cli.reading")
    assert catalogue.text("cli.reading", "en", file="a.shp") == "reading a.shp"
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "zh")
    assert catalogue.text("cli.reading", file="a.shp") == "读取 a.shp"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"GRIDMAP_LANGUAGE": "zh", "LANG": "en_US.UTF-8"}, "zh"),
        ({"GRIDMAP_LANGUAGE": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_users(monkeypatch, variables, expected):
    for name in ("GRIDMAP_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert catalogue.language() == expected
