"""``ledger.xlsx``: one row a grid, and a sheet a kind of object, for people who work in spreadsheets.

Sheets: grids, staff, organisation, levels, areas, outlets, devices, assignments, gaps, rules. Headers are in the
language asked for, areas in square kilometres, shares as percentages, codes as text: a grid code has more digits than a
spreadsheet's number holds. Text of the user's is never a formula, whatever it begins with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan
from gridmap.exports.beside import written_beside
from gridmap.exports.columns import plain_values
from gridmap.exports.datums import OUTPUT_DATUMS, WGS84, crs_of
from gridmap.exports.sentences import rule_name, rule_result
from gridmap.exports.words import area_names, names_by_code, word

Format = Literal["text", "whole", "area", "share", "degree", "ratio"]
#: How a column is shown and how wide it is, in characters.
_NUMBER_FORMATS: dict[Format, str] = {
    "text": "@", "whole": "#,##0", "area": "#,##0.000", "share": "0.0%", "degree": "0.0000000", "ratio": "0.000",
}  # fmt: skip
_NUMBER_WIDTH, _NARROWEST, _WIDEST = 14, 8, 48
#: Most characters a cell of a spreadsheet holds.
_CELL_LIMIT = 32_767
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_HEADER_FONT, _HEADER_FILL = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="2F4B5C")

#: Columns of a sheet: head in the catalogue, format, values.
_Sheet = list[tuple[str, Format, list[Any]]]


def write_ledger(plan: Plan, path: Path, lang: Language | None = None) -> None:
    """Write the ledger.

    Parameters
    ----------
    plan
        The plan.
    path
        File to write; it appears only when it is whole.
    lang
        Language of headers and words; that of the process where None.
    """
    lang = lang or catalogue.language()
    unit = word("unit", plan.indicators["demand"]["unit"], lang)
    sheets: dict[str, Callable[[Plan, Language], _Sheet]] = {
        "grids": _grids,
        "staff": _staff,
        "organisation": _organisation,
        "levels": _levels,
        "areas": _areas,
        "outlets": _outlets,
        "devices": _devices,
        "assignments": _assignments,
        "gaps": _gaps,
        "rules": _rules,
    }
    book = Workbook(write_only=True)
    for name, columns_of in sheets.items():
        _write_sheet(
            book.create_sheet(catalogue.text(f"exports.sheet_{name}", lang)), columns_of(plan, lang), unit, lang
        )
    with written_beside(path) as partial:
        book.save(partial)


def _grids(plan: Plan, lang: Language) -> _Sheet:
    grids, names, people = plan.grids, names_by_code(plan), _people(plan)
    return [
        _column(grids, "grid_code"),
        _column(grids, "name"),
        _words(grids, "level", "level", lang),
        _column(grids, "area_code"),
        _named(grids, "area_code", "area_name", area_names(plan)),
        _column(grids, "super_code"),
        _words(grids, "kind", "grid", lang),
        _answers(grids, "locked", lang),
        _words(grids, "settlement", "settlement", lang),
        _km2(grids),
        _column(grids, "demand", "whole"),
        _column(grids, "target_demand", "whole"),
        _column(grids, "deviation", "share"),
        _column(grids, "cells", "whole"),
        _column(grids, "parts", "whole"),
        _column(grids, "holes", "whole"),
        _column(grids, "radius_m", "whole"),
        _column(grids, "primary_outlet_id"),
        _named(grids, "primary_outlet_id", "primary_outlet_name", names),
        _outlet_load(plan),
        _listed(grids, "cooperating_outlet_ids", names),
        _column(grids, "manager_id"),
        _named(grids, "manager_id", "manager_name", people),
        _listed(grids, "officer_ids", people),
        _answers(grids, "managers_missing", lang),
        _column(grids, "officers_missing", "whole"),
        _column(grids, "covered_share", "share"),
        _answers(grids, "has_outlet", lang),
        _column(grids, "rural_cash_points", "whole"),
        _column(grids, "compactness", "ratio"),
    ]


def _people(plan: Plan) -> dict[str, str]:
    """Name of every person by identifier."""
    rows = zip(plan.staff["person_id"], plan.staff["name"], strict=True)
    return {who: name for who, name in rows if isinstance(who, str) and isinstance(name, str) and name}


def _outlet_load(plan: Plan) -> tuple[str, Format, list[Any]]:
    """Demand that the primary outlet of each grid holds, as a share of its capacity; nothing where none is stated."""
    if plan.indicators["demand"]["stands_in"]:
        return "outlet_load", "share", [None] * len(plan.grids)
    held = plan.jurisdictions.set_index("outlet_id")
    load = held["demand"] / held["capacity"].where(held["capacity"] > 0)
    return "outlet_load", "share", plain_values(load.reindex(plan.grids["primary_outlet_id"]))


def _staff(plan: Plan, lang: Language) -> _Sheet:
    staff, names = plan.staff, names_by_code(plan)
    return [
        _column(staff, "person_id"),
        _column(staff, "name"),
        _words(staff, "role", "role", lang),
        _words(staff, "employment", "employment", lang),
        _column(staff, "outlet_id"),
        _named(staff, "outlet_id", "outlet_name", names),
        _column(staff, "grid_code"),
        _named(staff, "grid_code", "grid_name", names),
        _words(staff, "status", "status", lang),
    ]


def _organisation(plan: Plan, lang: Language) -> _Sheet:
    nodes = plan.organisation
    names = {code: name for code, name in zip(nodes["node_id"], nodes["name"], strict=True) if isinstance(name, str)}
    # What a person holds has no load: a capacity is that of outlets.
    load = nodes["demand"] / nodes["capacity"].where(nodes["capacity"] > 0)
    comparable = not plan.indicators["demand"]["stands_in"]
    return [
        _column(nodes, "node_id"),
        _words(nodes, "kind", "node", lang),
        _column(nodes, "name"),
        _column(nodes, "parent_id"),
        _named(nodes, "parent_id", "parent_name", names),
        _column(nodes, "grids", "whole"),
        _km2(nodes),
        _column(nodes, "demand", "whole"),
        _column(nodes, "capacity", "whole"),
        ("load", "share", plain_values(load) if comparable else [None] * len(nodes)),
    ]


def _levels(plan: Plan, lang: Language) -> _Sheet:
    levels = plan.levels
    names = {code: name for code, name in zip(levels["code"], levels["name"], strict=True) if isinstance(name, str)}
    return [
        _column(levels, "code"),
        _column(levels, "name"),
        _words(levels, "level", "level", lang),
        _column(levels, "parent_code"),
        _named(levels, "parent_code", "parent_name", names),
        _km2(levels),
        _column(levels, "demand", "whole"),
        _column(levels, "cells", "whole"),
        ("grids_within", "whole", plain_values(levels["grids"])),
        _column(levels, "parts", "whole"),
        _column(levels, "holes", "whole"),
    ]


def _areas(plan: Plan, lang: Language) -> _Sheet:
    return [
        _column(plan.areas, "area_code"),
        _column(plan.areas, "name"),
        _words(plan.areas, "level", "level", lang),
        _column(plan.areas, "parent_code"),
        _named(plan.areas, "parent_code", "parent_name", area_names(plan)),
        _words(plan.areas, "settlement", "settlement", lang),
        _km2(plan.areas),
        _column(plan.areas, "demand", "whole"),
        _column(plan.areas, "covered_share", "share"),
    ]


def _outlets(plan: Plan, lang: Language) -> _Sheet:
    outlets = plan.facilities[plan.facilities["kind"].isin(("branch", "self_service"))]
    held = plan.jurisdictions.set_index("outlet_id")[["grids", "demand"]].reindex(outlets["facility_id"])
    return [
        *_facilities(plan, outlets, lang),
        _column(outlets, "capacity", "whole"),
        ("grids", "whole", plain_values(held["grids"].fillna(0))),
        ("demand_held", "whole", plain_values(held["demand"].fillna(0))),
    ]


def _devices(plan: Plan, lang: Language) -> _Sheet:
    return _facilities(plan, plan.facilities[~plan.facilities["kind"].isin(("branch", "self_service"))], lang)


def _facilities(plan: Plan, facilities: gpd.GeoDataFrame, lang: Language) -> _Sheet:
    return [
        _column(facilities, "facility_id"),
        _column(facilities, "name"),
        _words(facilities, "kind", "kind", lang),
        _column(facilities, "institution"),
        _column(facilities, "area_code"),
        _named(facilities, "area_code", "area_name", area_names(plan)),
        *_coordinates(facilities),
        _column(facilities, "service_radius_m", "whole"),
        _column(facilities, "radius_urban_m", "whole"),
        _column(facilities, "radius_rural_m", "whole"),
        _column(facilities, "cells_in_reach", "whole"),
        _column(facilities, "demand_in_reach", "whole"),
    ]


def _coordinates(facilities: gpd.GeoDataFrame) -> _Sheet:
    """Longitude and latitude, under heads that name their datum."""
    moved = [datum for datum in OUTPUT_DATUMS if datum != WGS84 and facilities.crs == crs_of(datum)]
    end = f"_{moved[0]}" if moved else ""
    return [(f"{name}{end}", "degree", plain_values(facilities[name])) for name in ("lon", "lat")]


def _assignments(plan: Plan, lang: Language) -> _Sheet:
    rows, names = plan.assignments, names_by_code(plan)
    grid_names = dict(zip(plan.grids["grid_code"], plan.grids["name"], strict=True))
    return [
        _column(rows, "grid_code"),
        _named(rows, "grid_code", "grid_name", grid_names),
        _column(rows, "outlet_id"),
        _named(rows, "outlet_id", "outlet_name", names),
        _words(rows, "role", "role", lang),
        _column(rows, "distance_m", "whole"),
        _column(rows, "demand_in_reach", "whole"),
    ]


def _gaps(plan: Plan, lang: Language) -> _Sheet:
    gaps = plan.gaps.sort_values("rank")
    return [
        _column(gaps, "rank", "whole"),
        _column(gaps, "gap_id"),
        _column(gaps, "area_code"),
        _named(gaps, "area_code", "area_name", area_names(plan)),
        _words(gaps, "settlement", "settlement", lang),
        _words(gaps, "kind_missing", "kind", lang),
        _km2(gaps),
        _column(gaps, "demand", "whole"),
        _column(gaps, "nearest_facility_id"),
        _named(gaps, "nearest_facility_id", "nearest_facility_name", names_by_code(plan)),
        _column(gaps, "nearest_distance_m", "whole"),
    ]


def _rules(plan: Plan, lang: Language) -> _Sheet:
    names = names_by_code(plan)
    meanings = [f"rules.{rule.rule}_meaning" for rule in plan.rules]
    known = catalogue.entries()
    return [
        ("rule", "text", [rule_name(rule, lang) for rule in plan.rules]),
        ("holds", "text", [catalogue.text(f"report.rule_{rule_result(rule)}", lang) for rule in plan.rules]),
        ("severity", "text", [word("severity", rule.severity, lang) for rule in plan.rules]),
        ("checked", "whole", [rule.checked for rule in plan.rules]),
        ("broken", "whole", [len(rule.broken_by) for rule in plan.rules]),
        ("broken_by", "text", ["; ".join(_with_name(code, names) for code in rule.broken_by) for rule in plan.rules]),
        ("meaning", "text", [catalogue.text(key, lang) if key in known else None for key in meanings]),
    ]


def _column(frame: pd.DataFrame, name: str, shown: Format = "text") -> tuple[str, Format, list[Any]]:
    return name, shown, plain_values(frame[name])


def _words(frame: pd.DataFrame, name: str, group: str, lang: Language) -> tuple[str, Format, list[Any]]:
    return name, "text", [word(group, value, lang) for value in plain_values(frame[name])]


def _km2(frame: pd.DataFrame) -> tuple[str, Format, list[Any]]:
    return "area_km2", "area", plain_values(frame["area_m2"] / 1e6)


def _named(frame: pd.DataFrame, name: str, head: str, names: dict[str, str]) -> tuple[str, Format, list[Any]]:
    return head, "text", [names.get(code) for code in plain_values(frame[name])]


def _listed(frame: pd.DataFrame, name: str, names: dict[str, str]) -> tuple[str, Format, list[Any]]:
    return name, "text", ["; ".join(_with_name(i, names) for i in ids or ()) for ids in plain_values(frame[name])]


def _with_name(code: str, names: dict[str, str]) -> str:
    return f"{names[code]} ({code})" if code in names else str(code)


def _answers(frame: pd.DataFrame, name: str, lang: Language) -> tuple[str, Format, list[Any]]:
    return name, "text", [word("answer", "yes" if value else "no", lang) for value in frame[name]]


def _write_sheet(sheet: Any, columns: _Sheet, unit: str, lang: Language) -> None:
    heads = [catalogue.text(f"exports.head_{head}", lang, unit=unit) for head, _, _ in columns]
    rows = len(columns[0][2])
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{rows + 1}"
    for at, (head, (_, shown, values)) in enumerate(zip(heads, columns, strict=True), 1):
        sheet.column_dimensions[get_column_letter(at)].width = _width(head, shown, values)
    sheet.append([_header(sheet, head) for head in heads])
    for row in _cells(sheet, columns):
        sheet.append(row)


def _width(head: str, shown: Format, values: list[Any]) -> int:
    longest = max((_columns_taken(str(value)) for value in values if value is not None), default=0)
    taken = max(_columns_taken(head), longest if shown == "text" else _NUMBER_WIDTH) + 2
    return min(max(taken, _NARROWEST), _WIDEST)


def _columns_taken(text: str) -> int:
    """Width of a text in columns of a spreadsheet: a Chinese character takes two."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text[: _WIDEST + 1])


def _header(sheet: Any, head: str) -> Any:
    cell = WriteOnlyCell(sheet, value=head)
    cell.font, cell.fill = _HEADER_FONT, _HEADER_FILL
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    return cell


def _cells(sheet: Any, columns: _Sheet) -> Iterator[list[Any]]:
    for row in zip(*(values for _, _, values in columns), strict=True):
        yield [_cell(sheet, value, shown) for value, (_, shown, _) in zip(row, columns, strict=True)]


def _cell(sheet: Any, value: Any, shown: Format) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        return text_cell(sheet, value)
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = _NUMBER_FORMATS[shown]
    return cell


def text_cell(sheet: Any, text: str) -> Any:
    """Cell that shows ``text`` as it is and never runs it, also after it is edited by hand."""
    clean = ILLEGAL_CHARACTERS_RE.sub("", text)[:_CELL_LIMIT]
    cell = WriteOnlyCell(sheet, value=clean)
    cell.data_type = "s"
    cell.number_format = _NUMBER_FORMATS["text"]
    cell.quotePrefix = clean.startswith(_FORMULA_STARTS)
    return cell
