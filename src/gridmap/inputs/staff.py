"""Read the people who hold grids, from tables with English or Chinese headers and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import numpy as np

from gridmap import catalogue
from gridmap.domain.inputs import Staff
from gridmap.domain.kinds import Employment, StaffRole
from gridmap.domain.plan_settings import StaffSource
from gridmap.errors import BadValue, DuplicateId, MissingColumn, Place, UnreadableFile
from gridmap.inputs.columns import STAFF, check_column_names, column_for, listed
from gridmap.inputs.folding import Texts, fold_code, fold_word, folded_texts, is_cut_code
from gridmap.inputs.staging import staged
from gridmap.inputs.tables import Table, read_table

#: Words for each role and form of employment; the identifiers themselves always count.
ROLE_WORDS: Mapping[StaffRole, tuple[str, ...]] = {
    StaffRole.MANAGER: ("网格经理", "网格管理员", "网格长", "管理员", "grid manager"),
    StaffRole.OFFICER: ("网格员", "网格专员", "网格协管员", "grid officer"),
}
EMPLOYMENT_WORDS: Mapping[Employment, tuple[str, ...]] = {
    Employment.FULL_TIME: ("全职", "专职", "全日制", "fulltime"),
    Employment.PART_TIME: ("兼职", "非全日制", "非全职", "parttime"),
}

Value = TypeVar("Value", bound=StrEnum)

#: What parts several grid codes in one cell.
_BETWEEN_CODES = re.compile(r"[;；,，、|\s]+")


def read_staff(source: StaffSource, base_dir: Path) -> tuple[Staff, tuple[str, ...]]:
    """Read people from CSV or XLSX, one row each.

    Parameters
    ----------
    source : file, sheet, and the file's columns for ours (id, name, role, employment, outlet_id, grid_code)
    base_dir : folder that ``source.path`` is relative to

    Returns
    -------
    The people by identifier, and what was noticed, already worded. Whether their outlets and grids exist is not looked
    at here. Who is not said to be employed part-time counts as full-time, with a word of warning.

    Raises
    ------
    UsageError
        If ``source.columns`` names a column that staff do not have.
    MissingColumn
        If there is no column of identifiers or roles.
    BadValue
        If an identifier or role is empty, a role or form of employment is not known, or a spreadsheet has rounded an
        identifier or code.
    DuplicateId
        If a person stands twice.
    UnreadableFile, TooLarge
        As ``read_table``; also if the file is no table.
    """
    check_column_names(source.columns, STAFF)
    path = base_dir / source.path
    place = Place(file=path.name)
    with staged(path, layer=source.layer, encoding=source.encoding) as file:
        if not file.format.is_table:
            raise UnreadableFile("inputs.not_a_table", place, kind=file.format.shown)
        table = read_table(file, place)
    field = {ours: column_for(table.frame, ours, source.columns, STAFF, table.place) for ours in STAFF}
    for ours in ("id", "role"):
        if field[ours] is None:
            raise MissingColumn("inputs.needs_column", table.place, name=ours, columns=listed(table.frame))
    ids = _ids(table, str(field["id"]))
    roles, said_in_role = _roles(table, str(field["role"]))
    employment, unsaid = _employment(table, field["employment"], said_in_role)
    grid_codes = [_codes_in(table, row, field["grid_code"]) for row in range(len(ids))]
    names, outlets = _texts(table, field["name"]), _codes(table, field["outlet_id"])
    warnings = list(table.warnings)
    if unsaid:
        warnings.append(catalogue.text("inputs.employment_not_said", file=table.place.file, count=unsaid))
    order = sorted(range(len(ids)), key=ids.__getitem__)
    staff = Staff(
        ids=tuple(ids[row] for row in order),
        names=tuple(names[row] or "" for row in order),
        roles=tuple(roles[row] for row in order),
        employment=tuple(employment[row] for row in order),
        outlet_ids=tuple(outlets[row] or "" for row in order),
        grid_codes=tuple(grid_codes[row] for row in order),
        source=str(table.place.file),
    )
    return staff, tuple(warnings)


def _place_of(table: Table, row: int, field: str | None) -> Place:
    return replace(table.place, row=int(table.row[row]), field=field)


def _texts(table: Table, field: str | None) -> Texts:
    return np.full(len(table.frame), None, dtype=object) if field is None else folded_texts(table.frame[field])


def _codes(table: Table, field: str | None) -> Texts:
    """Codes of a column, None where it is empty; rounded ones refused."""
    if field is None:
        return _texts(table, None)
    codes = folded_texts(table.frame[field], fold_code)
    for row, code in enumerate(codes):
        if code is not None and is_cut_code(code):
            raise BadValue("inputs.cut_code", _place_of(table, row, field), value=code)
    return codes


def _ids(table: Table, field: str) -> list[str]:
    ids = _codes(table, field)
    first: dict[str, int] = {}
    for row, code in enumerate(ids):
        place = _place_of(table, row, field)
        if code is None:
            raise BadValue("inputs.no_person_id", place)
        if code in first:
            where = _place_of(table, first[code], None).describe()
            raise DuplicateId("inputs.person_twice", place, value=code, first=where)
        first[code] = row
    return list(ids)


def _roles(table: Table, field: str) -> tuple[list[StaffRole], list[Employment | None]]:
    """Role of each person, and the form of employment that a word such as 兼职网格员 tells beside it."""
    roles: list[StaffRole] = []
    told: list[Employment | None] = []
    for row, text in enumerate(folded_texts(table.frame[field])):
        if text is None:
            raise BadValue("inputs.no_role", _place_of(table, row, field), known=_known(ROLE_WORDS))
        role, employment = _meant(text)
        if role is None:
            place = _place_of(table, row, field)
            raise BadValue("inputs.unknown_role", place, value=text, known=_known(ROLE_WORDS))
        roles.append(role)
        told.append(employment)
    return roles, told


def _meant(text: str) -> tuple[StaffRole | None, Employment | None]:
    word = fold_word(text)
    if word in _ROLE_OF_WORD:
        return _ROLE_OF_WORD[word], None
    for begins, employment in _EMPLOYMENT_OF_WORD.items():
        rest = word.removeprefix(begins).strip("_")
        if rest != word and rest in _ROLE_OF_WORD:
            return _ROLE_OF_WORD[rest], employment
    return None, None


def _employment(table: Table, field: str | None, told: list[Employment | None]) -> tuple[list[Employment], int]:
    """Form of employment of each person, and of how many nothing says it."""
    found, unsaid = [], 0
    for row, text in enumerate(_texts(table, field)):
        employment = told[row] if text is None else _EMPLOYMENT_OF_WORD.get(fold_word(text))
        if text is not None and employment is None:
            place = _place_of(table, row, field)
            raise BadValue("inputs.unknown_employment", place, value=text, known=_known(EMPLOYMENT_WORDS))
        unsaid += employment is None
        found.append(employment or Employment.FULL_TIME)
    return found, unsaid


def _codes_in(table: Table, row: int, field: str | None) -> tuple[str, ...]:
    """Grid codes of one cell, in their order there, each once."""
    said = None if field is None else table.frame[field].iloc[row]
    codes = [fold_code(part) for part in _BETWEEN_CODES.split(said or "") if part]
    for code in codes:
        if is_cut_code(code):
            raise BadValue("inputs.cut_code", _place_of(table, row, field), value=code)
    return tuple(dict.fromkeys(codes))


def _known(words: Mapping[Value, tuple[str, ...]]) -> str:
    return ", ".join(f"{value.value} ({names[0]})" for value, names in words.items())


def _by_word(words: Mapping[Value, tuple[str, ...]]) -> dict[str, Value]:
    return {fold_word(word): value for value, names in words.items() for word in (value.value, *names)}


_ROLE_OF_WORD = _by_word(ROLE_WORDS)
_EMPLOYMENT_OF_WORD = _by_word(EMPLOYMENT_WORDS)
