"""Tell what a layer may be meant for, and which of its columns is which: by their names, or by what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan_settings import DEFAULT_SETTLEMENT_OF_CODE
from gridmap.inputs.columns import (
    AREA_CODE,
    AREA_NAME,
    DEMAND_VALUE,
    FACILITY,
    LINE_CLASS,
    STAFF,
    first_column,
)
from gridmap.inputs.facilities import kind_of
from gridmap.inputs.folding import Texts, fold_code, fold_word, folded_texts
from gridmap.inputs.inspection.columns import is_chinese
from gridmap.inputs.inspection.layers import Kind, Layer
from gridmap.inputs.staff import ROLE_WORDS

SETTLEMENT = ("class_code", "ur_code", "城乡分类代码", "城乡分类", "城乡代码", "settlement")
_MOSTLY, _HALF = 0.95, 0.5
_ROLES = {fold_word(word) for role, words in ROLE_WORDS.items() for word in (role.value, *words)}
_OUTLETS = re.compile(r"outlet|branch|网点|支行", re.IGNORECASE)
_DEVICES = re.compile(r"device|atm|pos|机具|取款|终端", re.IGNORECASE)
_DIGITS = {level.digits: level for level in AreaLevel}


class Purpose(StrEnum):
    """A table of the plan file that a layer can stand in."""

    AREAS = "areas"
    OUTLETS = "outlets"
    DEVICES = "devices"
    DEMAND = "demand"
    ROADS = "roads"
    STAFF = "staff"
    DEDICATED = "dedicated"


@dataclass(frozen=True)
class Use:
    """A purpose, and the columns that serve it.

    Attributes
    ----------
    purpose : what for
    level : of areas, where their codes tell it
    columns : our name of a column → the file's
    by_content : those of ours that were found by what is in the file's, not by its name
    """

    purpose: Purpose
    level: AreaLevel | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    by_content: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Members of the answer."""
        level = {} if self.level is None else {"level": self.level.value}
        columns = {
            ours: {"column": theirs, "found_by": "content" if ours in self.by_content else "name"}
            for ours, theirs in self.columns.items()
        }
        return {"use": self.purpose.value, **level, "columns": columns}


def suggest_uses(layer: Layer) -> list[Use]:
    """List what a layer may be meant for, likeliest first."""
    frame = layer.attributes
    if layer.kind is Kind.RASTER:
        return [Use(Purpose.DEMAND)]
    if layer.kind is Kind.LINEAR:
        return [_of_names(Purpose.ROADS, {"class": first_column(frame, LINE_CLASS)})]
    if layer.kind is Kind.AREAL:
        return [*_as_areas(frame), *_as_demand(frame, {})]
    where = {"lon": layer.lon, "lat": layer.lat} if layer.lon and layer.lat else {}
    staff = _as_staff(frame)
    if layer.is_tabular and not where:
        return staff
    return [*_as_facilities(layer, where), *staff, *_as_demand(frame, where)]


def _as_areas(frame: pd.DataFrame) -> list[Use]:
    code, name = first_column(frame, AREA_CODE), first_column(frame, AREA_NAME)
    settlement = first_column(frame, SETTLEMENT)
    by_content = []
    if code is None or _level_of(folded_texts(frame[code], fold_code)) is None:
        found = _by_content(frame, lambda texts: _level_of(texts) is not None and _is_distinct(texts))
        if found is not None:
            code = found
            by_content.append("code")
    if name is None:
        name = _by_content(frame, lambda texts: _share(texts, is_chinese) >= _MOSTLY and _is_distinct(texts))
        by_content += ["name"] if name else []
    if settlement is None:
        known = set(DEFAULT_SETTLEMENT_OF_CODE)
        settlement = _by_content(frame, lambda texts: _share(texts, lambda text: text in known) >= _MOSTLY)
        by_content += ["settlement"] if settlement else []
    level = None if code is None else _level_of(folded_texts(frame[code], fold_code))
    columns = {"code": code, "name": name, "settlement": settlement}
    areas = _of_names(Purpose.AREAS, columns, level=level, by_content=by_content)
    if level is not None:
        return [areas]
    return [areas, _of_names(Purpose.DEDICATED, {"id": code, "name": name})]


def _as_facilities(layer: Layer, where: Mapping[str, str | None]) -> list[Use]:
    frame = layer.attributes
    columns = {ours: first_column(frame, names) for ours, names in FACILITY.items() if ours not in ("lon", "lat")}
    by_content = []
    kinds = columns["kind"]
    if kinds is None or _share(folded_texts(frame[kinds]), _is_kind) < _HALF:
        columns["kind"] = _by_content(frame, lambda texts: _share(texts, _is_kind) >= _HALF)
        by_content += ["kind"] if columns["kind"] else []
    if columns["kind"] is not None:
        known = [kind_of(text) for text in folded_texts(frame[columns["kind"]]) if text]
        outlets = [kind.is_outlet for kind in known if kind]
        purpose = Purpose.OUTLETS if np.mean(outlets) >= _HALF else Purpose.DEVICES
    else:
        told = f"{layer.place.file} {layer.name}"
        if _OUTLETS.search(told):
            purpose = Purpose.OUTLETS
        elif _DEVICES.search(told):
            purpose = Purpose.DEVICES
        else:
            return []
    return [_of_names(purpose, {**columns, **where}, by_content=by_content)]


def _as_staff(frame: pd.DataFrame) -> list[Use]:
    columns = {ours: first_column(frame, names) for ours, names in STAFF.items()}
    role = columns["role"]
    if role is None or _share(folded_texts(frame[role]), _is_role) < _HALF:
        role = _by_content(frame, lambda texts: _share(texts, _is_role) >= _HALF)
        if role is None:
            return []
        return [_of_names(Purpose.STAFF, {**columns, "role": role}, by_content=["role"])]
    return [_of_names(Purpose.STAFF, columns)]


def _as_demand(frame: pd.DataFrame, where: Mapping[str, str | None]) -> list[Use]:
    value = first_column(frame, DEMAND_VALUE)
    return [] if value is None else [_of_names(Purpose.DEMAND, {"value": value, **where})]


def _of_names(
    purpose: Purpose,
    columns: Mapping[str, str | None],
    *,
    level: AreaLevel | None = None,
    by_content: Sequence[str] = (),
) -> Use:
    return Use(purpose, level, {ours: name for ours, name in columns.items() if name is not None}, tuple(by_content))


def _level_of(codes: Texts) -> AreaLevel | None:
    """Level that most codes have the digits of; zeros at the end fill codes of higher levels up."""
    there = [code for code in codes if code is not None and code.isdecimal()]
    lengths = [len(code) for code in there]
    if not lengths or len(there) < _MOSTLY * sum(code is not None for code in codes):
        return None
    usual = max(set(lengths), key=lengths.count)
    if lengths.count(usual) < _MOSTLY * len(lengths) or usual not in _DIGITS:
        return None
    if usual == AreaLevel.VILLAGE.digits:
        for level in (AreaLevel.COUNTY, AreaLevel.TOWNSHIP):
            if all(set(code[level.digits :]) == {"0"} for code in there):
                return level
    return _DIGITS[usual]


def _by_content(frame: pd.DataFrame, is_meant: Callable[[Texts], bool]) -> str | None:
    return next((str(name) for name in frame.columns if is_meant(folded_texts(frame[name], fold_code))), None)


def _is_distinct(texts: Texts) -> bool:
    there = [text for text in texts if text is not None]
    return bool(there) and len(set(there)) >= 0.9 * len(there)


def _share(texts: Texts, holds: Callable[[str], bool]) -> float:
    there = [text for text in texts if text is not None]
    return sum(map(holds, there)) / len(there) if there else 0.0


def _is_kind(text: str) -> bool:
    return kind_of(text) is not None


def _is_role(text: str) -> bool:
    return fold_word(text) in _ROLES
