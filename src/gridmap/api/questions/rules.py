"""Rules of the field as a plan keeps and breaks them: by name, with the place of what breaks each and what mends it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import shapely

from gridmap import catalogue
from gridmap.domain.plan import RuleResult
from gridmap.exports.sentences import rule_name, rule_result
from gridmap.store.locating import rows_by
from gridmap.store.reading import LayerReader

#: What breaks a rule, where it is no member of a level: layer, its key, and the column that names it.
_LEVELS = ("levels", "code", "name")
_FACILITIES = ("facilities", "facility_id", "name")
_PEOPLE = ("staff", "person_id", "name")
_BROKEN_BY = {
    "base_units_whole": ("units", "unit_code", "area_code"),
    "capacity_not_exceeded": _FACILITIES,
    "bank_line_numbers_valid": _FACILITIES,
    "no_cash_point_in_urban": _FACILITIES,
    "one_person_one_grid": _PEOPLE,
    "staff_known": _PEOPLE,
}

Entry = dict[str, Any]


def rules_of(reader: LayerReader, results: Iterable[Entry], most: int, lang: catalogue.Language) -> list[Entry]:
    """Rules in their order.

    Parameters
    ----------
    reader : of ``at_once``
    results : as plans store them
    most : that are told of what breaks a rule, most serious first
    lang : of names, meanings, and of what mends them
    """
    rules = [RuleResult(**{**one, "broken_by": tuple(one["broken_by"])}) for one in results]
    told = _told(reader, rules, most)
    known = catalogue.entries()
    return [
        {
            "rule": rule.rule,
            "name": rule_name(rule, lang),
            "meaning": _said(f"rules.{rule.rule}_meaning", lang),
            "severity": rule.severity,
            "result": rule_result(rule),
            "holds": rule.holds,
            "checked": rule.checked,
            "broken": len(rule.broken_by),
            "broken_by": [
                told[_BROKEN_BY.get(rule.rule, _LEVELS)[0]].get(code, {"code": code}) for code in rule.broken_by[:most]
            ],
            "mend": None
            if rule.holds or f"rules.{rule.rule}" not in known
            else catalogue.mend(f"rules.{rule.rule}", lang),
        }
        for rule in rules
    ]


def _said(key: str, lang: catalogue.Language) -> str | None:
    return catalogue.text(key, lang) if key in catalogue.entries() else None


def _told(reader: LayerReader, rules: list[RuleResult], most: int) -> dict[str, dict[str, Entry]]:
    """Name and place of everything that breaks a rule, by layer and code."""
    codes: dict[tuple[str, str, str], set[str]] = {_LEVELS: set(), _FACILITIES: set(), _PEOPLE: set()}
    for rule in rules:
        codes.setdefault(_BROKEN_BY.get(rule.rule, _LEVELS), set()).update(rule.broken_by[:most])
    told: dict[str, dict[str, Entry]] = {}
    for (name, key, called), wanted in codes.items():
        layer = reader.layer(name)
        shape = ("geometry",) if layer.geometry else ()
        found = rows_by(reader, layer, (key, called, *shape), key, wanted)
        # Of levels with the same code the widest one stands first.
        told[name] = {row[key]: _entry(row, key, called) for row in reversed(found)}
    names = {row["area_code"]: row["name"] for row in _areas_of(reader, told.get("units", {}))}
    for entry in told.get("units", {}).values():
        entry["name"] = names.get(entry["name"])
    _place_people(reader, told["staff"])
    return told


def _entry(row: Entry, key: str, called: str) -> Entry:
    lon, lat = _place(row.get("geometry"))
    return {"code": row[key], "name": row[called], "lon": lon, "lat": lat}


def _place(wkb: bytes | None) -> tuple[float | None, float | None]:
    """Point of a geometry that lies in it, on the lattice."""
    shape = shapely.point_on_surface(shapely.from_wkb(wkb)) if wkb is not None else None
    if shape is None or shapely.is_empty(shape):
        return None, None
    return round(float(shapely.get_x(shape)), 7), round(float(shapely.get_y(shape)), 7)


def _areas_of(reader: LayerReader, units: dict[str, Entry]) -> list[Entry]:
    codes = {entry["name"] for entry in units.values()}
    return rows_by(reader, reader.layer("areas"), ("area_code", "name"), "area_code", codes)


def _place_people(reader: LayerReader, people: dict[str, Entry]) -> None:
    """Put people where their grid is, or else their outlet."""
    columns = ("person_id", "grid_code", "outlet_id")
    rows = rows_by(reader, reader.layer("staff"), columns, "person_id", set(people))
    for name, key, of_person in (("facilities", "facility_id", "outlet_id"), ("grids", "grid_code", "grid_code")):
        wanted = {row[of_person] for row in rows}
        found = {one[key]: one for one in rows_by(reader, reader.layer(name), (key, "geometry"), key, wanted)}
        for row in rows:
            if row[of_person] in found:
                lon, lat = _place(found[row[of_person]]["geometry"])
                people[row["person_id"]] |= {"lon": lon, "lat": lat}
