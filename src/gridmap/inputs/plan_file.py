"""Read a plan file, and say in one line what is wrong with it: table, key, value, and the nearest known key."""

from __future__ import annotations

import difflib
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gridmap import catalogue
from gridmap.domain.plan_settings import PlanSettings
from gridmap.errors import BadValue, InputError, Place, TooLarge, UnreadableFile
from gridmap.inputs.encodings import decode_text
from gridmap.inputs.opening import opening_faults_named

Model = typing.TypeVar("Model", bound=BaseModel)

_MOST_BYTES = 1_000_000

#: What pydantic reports → what the value should have been, as the catalogue words it.
_NEEDS = {
    "string_type": "needs_text",
    "string_too_short": "needs_some_text",
    "int_type": "needs_whole_number",
    "int_parsing": "needs_whole_number",
    "int_from_float": "needs_whole_number",
    "float_type": "needs_number",
    "float_parsing": "needs_number",
    "finite_number": "needs_number",
    "dict_type": "needs_table",
    "model_type": "needs_table",
    "model_attributes_type": "needs_table",
    "too_short": "needs_entry",
    "tuple_type": "needs_list",
    "list_type": "needs_texts",
}
_COMPARISONS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def read_plan_file(path: str | Path) -> PlanSettings:
    """Read and check a plan file (TOML).

    Raises
    ------
    UnreadableFile
        If it is missing or no TOML, with line and column.
    BadValue
        If a key is unknown (with the nearest known one), missing, or its value unusable.
    TooLarge
        If it is far larger than any plan file.
    """
    path = Path(path)
    place = Place(file=path.name)
    with opening_faults_named(path):
        if path.stat().st_size > _MOST_BYTES:
            raise TooLarge("inputs.file_too_large", place, size_mb=f"{path.stat().st_size / 1e6:,.0f}", limit_mb="1")
        content = path.read_bytes()
    if not content.strip():
        raise UnreadableFile("inputs.empty_file", place, size=len(content))
    try:
        # The added line lets a fault in the last one be told by its number instead of as the end of the document.
        tables = tomllib.loads(decode_text(content, place).replace("\r\n", "\n") + "\n ")
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(str(error), place) from None
    except RecursionError:
        raise UnreadableFile("inputs.toml_too_deep", place) from None
    return checked(PlanSettings, tables, path.name)


def checked(model: type[Model], tables: Any, file: str | None = None) -> Model:
    """Check tables against a model.

    Parameters
    ----------
    file : name of the file they came from, for messages

    Raises
    ------
    BadValue
        As ``read_plan_file``; its place names the key.
    """
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        raise _unusable(error.errors(), model, file) from None


def _no_toml(said: str, place: Place) -> UnreadableFile:
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", said)
    if found is None or found[2] is None:
        return UnreadableFile("inputs.toml_unfinished", place, reason=found[1] if found else said)
    return UnreadableFile("inputs.toml_error", place, line=found[2], column=found[3], reason=found[1])


def _unusable(errors: list[ErrorDetails], model: type[BaseModel], file: str | None) -> InputError:
    """One error of pydantic's list: an unknown key first, for it explains the missing one beside it."""
    for error in errors:
        if error["type"] == "extra_forbidden" or "[key]" in error["loc"]:
            return _unknown_key(error, model, file)
    error = errors[0]
    where = _dotted(error["loc"])
    place = Place(file=file, field=where)
    if error["type"] == "missing":
        return BadValue("inputs.missing_key", place, key=str(error["loc"][-1]), table=_dotted(error["loc"][:-1]) or "-")
    return BadValue("inputs.bad_key_value", place, value=_shown(error["input"]), needed=_needed(error))


def _unknown_key(error: ErrorDetails, model: type[BaseModel], file: str | None) -> BadValue:
    path = [str(part) for part in error["loc"] if part != "[key]"]
    known = sorted(_known_keys(path[:-1], model))
    near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
    place = Place(file=file, field=_dotted(path))
    if near:
        return BadValue("inputs.unknown_key_near", place, key=path[-1], near=near[0])
    return BadValue("inputs.unknown_key", place, key=path[-1], known=", ".join(known))


def _dotted(parts: typing.Sequence[int | str]) -> str:
    return ".".join(f"[{part}]" if isinstance(part, int) else part for part in parts if part != "[key]")


def _shown(value: object) -> str:
    shown = repr(value) if isinstance(value, str) else str(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _needed(error: ErrorDetails) -> str:
    said: Mapping[str, Any] = error.get("ctx", {})
    if error["type"] in _NEEDS:
        return catalogue.text(f"inputs.{_NEEDS[error['type']]}")
    if "expected" in said:
        return str(said["expected"]).replace("'", "")
    bounds = [f"{sign} {said[name]:g}" for name, sign in _COMPARISONS.items() if name in said]
    return ", ".join(bounds) or error["msg"]


def _known_keys(path: list[str], root: type[BaseModel]) -> set[str]:
    """Keys that the table at a path may have."""
    model: Any = root
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[part].annotation
        else:
            # A table of free keys, as [areas.LEVEL], or a list: the value's type is what follows.
            model = typing.get_args(model)[-1]
        model = next(_models_within(model), model)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return set(model.model_fields)
    key_type = typing.get_args(model)[0]
    if isinstance(key_type, type) and issubclass(key_type, Enum):
        return {str(member.value) for member in key_type}
    return set()


def _models_within(annotation: Any) -> Iterator[Any]:
    """Models and tables in an annotation such as ``Model | None``."""
    options = typing.get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    for option in options:
        is_model = isinstance(option, type) and issubclass(option, BaseModel)
        if is_model or typing.get_origin(option) is dict:
            yield option
