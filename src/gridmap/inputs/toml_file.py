"""TOML files whose tables are all of one kind, by name: presets, scenarios."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from gridmap.errors import BadValue, Place, TooLarge, UnreadableFile
from gridmap.inputs.encodings import decode_text
from gridmap.inputs.opening import opening_faults_named
from gridmap.inputs.plan_file import checked

Model = TypeVar("Model", bound=BaseModel)

_MOST_BYTES = 1_000_000


def read_toml(model: type[Model], path: Path) -> dict[str, Model]:
    """Read and check the tables of a file, in its order.

    Raises
    ------
    UnreadableFile, TooLarge
        If it is missing, no TOML, or far larger than such a file is.
    BadValue
        If it has no table, or one that the model refuses; the message names file and key.
    """
    place = Place(file=path.name)
    with opening_faults_named(path):
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise TooLarge("inputs.file_too_large", place, size_mb=f"{size / 1e6:,.0f}", limit_mb="1")
        content = path.read_bytes()
    if not content.strip():
        raise UnreadableFile("inputs.empty_file", place, size=len(content))
    return tables_of(model, decode_text(content, place), path.name)


def tables_of(model: type[Model], text: str, file: str) -> dict[str, Model]:
    """Check the tables of a text; errors as ``read_toml``."""
    place = Place(file=file)
    try:
        # The added line lets a fault in the last one be told by its number instead of as the end of the document.
        tables = tomllib.loads(text.replace("\r\n", "\n") + "\n ")
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error))
        if found is None:
            raise UnreadableFile("inputs.toml_unfinished", place, reason=str(error)) from None
        raise UnreadableFile("inputs.toml_error", place, line=found[2], column=found[3], reason=found[1]) from None
    except RecursionError:
        raise UnreadableFile("inputs.toml_too_deep", place) from None
    if not tables:
        raise BadValue("standing.no_tables", place)
    return {name: _checked(model, name, table, file) for name, table in tables.items()}


def _checked(model: type[Model], name: str, table: object, file: str) -> Model:
    try:
        return checked(model, table, file)
    except BadValue as error:
        told = error.place or Place(file=file)
        field = f"{name}.{told.field}" if told.field else name
        raise BadValue(error.key, Place(file=file, field=field), **error.values) from None
