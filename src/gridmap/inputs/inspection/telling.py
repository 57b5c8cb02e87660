"""What is to be said about a file, kept so that it can be said in any language."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gridmap import catalogue, errors
from gridmap.errors import GridmapError, InputError, Place, StoreError

Told = dict[str, Any]


def tell(key: str, **values: object) -> Told:
    """Keep a wording of the catalogue and what fills it, as JSON can hold it."""
    return {"key": key, "values": {name: plain(value) for name, value in values.items()}}


def tell_warning(warning: str) -> Told:
    """Keep what a reader noticed."""
    if isinstance(warning, catalogue.Wording):
        return tell(warning.key, **warning.values)
    return {"text": plain(warning)}


def tell_error(error: GridmapError) -> Told:
    """Keep an error: its class, its words, its place."""
    place = {} if error.place is None else {k: plain(v) for k, v in asdict(error.place).items() if v is not None}
    return {**tell(error.key, **error.values), "class": type(error).__name__, "place": place}


def said(told: Told, language: catalogue.Language) -> str:
    """Say it."""
    return told["text"] if "text" in told else catalogue.text(told["key"], language, **told["values"])


def mend_of(told: Told, language: catalogue.Language) -> str | None:
    """Say what would mend it, where that is known."""
    return catalogue.mend(told["key"], language, **told["values"]) if "key" in told else None


def error_of(told: Told, file: str) -> GridmapError:
    """Error that was kept; its place names the file as its owner knows it."""
    kind = getattr(errors, told["class"], InputError)
    leaf = kind if isinstance(kind, type) and issubclass(kind, (InputError, StoreError)) else InputError
    error: GridmapError = leaf(told["key"], Place(**{**told["place"], "file": file}), **told["values"])
    return error


def plain(value: object) -> Any:
    """Value as JSON and every database hold it: text without NUL or half characters, numbers that are finite."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    return clean(str(value))


def clean(text: str) -> str:
    """Text without what some database or terminal cannot hold."""
    whole = text.encode("utf-8", errors="replace").decode()
    return "".join("\ufffd" if (sign < " " and sign not in "\t\n") or sign == "\x7f" else sign for sign in whole)
