"""What was asked of the grids and cannot be: where, by how much, why, and what would help, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.planning.decisions import Decisions
from gridmap.planning.districting.task import Reason, Shortfall

#: What ``wanted`` and ``got`` of an entry are.
DEMAND, AREA = "demand", "area_m2"


def grid_report(decisions: Decisions) -> dict[str, Any]:
    """Make what ``Plan.report`` says of the grids: ``shortfalls``, ``bound`` and ``retired_codes``.

    A shortfall is a dictionary of ``reason`` (a ``Reason``), ``grid_code`` (None where the grid came to nothing),
    ``unit_code`` (the base unit that stands in the way, None where it is no single one), ``wanted``, ``got``,
    ``measure`` of both (``demand`` or ``area_m2``), and ``message``, in the language of the process.
    """
    grids = decisions.grids
    names = names_of_places(decisions)
    # Two things asked of one grid, its outlet and its balance, may fail for one and the same reason.
    entries = [_entry(decisions, short) for short in dict.fromkeys(grids.shortfalls)]
    for entry in entries:
        entry["message"] = shortfall_message(entry, names, decisions.demand.unit)
    return {"shortfalls": entries, "bound": grids.bound, "retired_codes": list(grids.retired)}


def names_of_places(decisions: Decisions) -> dict[str, str]:
    """Name of every grid and base unit by its code; a unit is called after its area."""
    called = decisions.hierarchy.lowest.names
    units = zip(decisions.units.codes, decisions.units.area.tolist(), strict=True)
    grids = zip(decisions.grids.codes, decisions.grids.names, strict=True)
    return {code: name for code, name in (*((code, called[area]) for code, area in units), *grids) if name}


def _entry(decisions: Decisions, short: Shortfall) -> dict[str, Any]:
    return {
        "reason": short.reason.value,
        "grid_code": decisions.grids.codes[short.district] if short.district >= 0 else None,
        "unit_code": decisions.units.codes[short.unit] if short.unit >= 0 else None,
        "wanted": short.wanted,
        "got": short.got,
        "measure": _measure(decisions, short),
    }


def _measure(decisions: Decisions, short: Shortfall) -> str:
    """Tell demand from area: bounds may be of either, and ground without any demand is divided by area."""
    settings = decisions.settings.grids
    if short.reason is Reason.LIMITS and short.wanted in (settings.min_area_m2, settings.max_area_m2):
        return AREA
    if short.district >= 0 and short.got > 0 and decisions.grid_groups.demand[short.district] == 0:
        return AREA
    return DEMAND


def shortfall_message(
    entry: Mapping[str, Any], names: Mapping[str, str], unit: str, lang: Language | None = None
) -> str:
    """Sentence of one shortfall: what came of it, why, and what would help; parameters as ``what_and_why``."""
    said = what_and_why(entry, names, unit, lang)
    return catalogue.text("shortfalls.sentence", lang, said=said, mend=what_helps(entry, lang))


def what_and_why(entry: Mapping[str, Any], names: Mapping[str, str], unit: str, lang: Language | None = None) -> str:
    """Say what came of one thing that was asked, and why.

    Parameters
    ----------
    entry : as ``grid_report`` makes it
    names : name by code of grids and base units
    unit : what demand counts
    lang : that of the process where None
    """
    lang = lang or catalogue.language()
    wanted, got = float(entry["wanted"]), float(entry["got"])
    came_of = catalogue.text(
        f"shortfalls.came_of_{_came_of(Reason(entry['reason']), entry['grid_code'], wanted, got)}",
        lang,
        grid=_called(entry["grid_code"], names, "shortfalls.some_grid", lang),
        wanted=_amount(wanted, entry["measure"], unit, lang),
        got=_amount(got, entry["measure"], unit, lang),
        deviation=f"{100 * (got / wanted - 1):+.1f} %" if wanted > 0 else "–",
    )
    why = catalogue.text(
        f"shortfalls.why_{reason_of(entry)}",
        lang,
        unit=_called(entry["unit_code"], names, "shortfalls.some_unit", lang),
    )
    return catalogue.text("shortfalls.what_and_why", lang, came_of=came_of, why=why)


def what_helps(entry: Mapping[str, Any], lang: Language | None = None) -> str:
    """Say what would help against one shortfall: the same for all of its reason."""
    return catalogue.mend(f"shortfalls.why_{reason_of(entry)}", lang) or ""


def reason_name(entry: Mapping[str, Any], lang: Language | None = None) -> str:
    """Short name of the reason."""
    return catalogue.text(f"shortfalls.name_{reason_of(entry)}", lang or catalogue.language())


def reason_of(entry: Mapping[str, Any]) -> str:
    """Return the reason; a heavy unit may stand in the way from within or from next door."""
    beside = entry["reason"] == Reason.HEAVY_UNIT and entry["got"] < entry["wanted"]
    return "heavy_neighbour" if beside else str(entry["reason"])


def _came_of(reason: Reason, grid_code: str | None, wanted: float, got: float) -> str:
    if grid_code is None:
        return "nothing"
    if reason is Reason.NOT_CONTIGUOUS:
        return "parts"
    if reason is Reason.LIMITS:
        return "over_limit" if got > wanted else "under_limit"
    return "more" if got > wanted else "less"


def _called(code: str | None, names: Mapping[str, str], otherwise: str, lang: Language) -> str:
    if code is None:
        return catalogue.text(otherwise, lang)
    return catalogue.text("shortfalls.named", lang, name=names[code], code=code) if code in names else code


def _amount(value: float, measure: str, unit: str, lang: Language) -> str:
    if measure == AREA or unit == "m2":
        return f"{value / 1e6:,.2f} km²"
    key = f"exports.unit_{unit}"
    return f"{value:,.0f} {catalogue.text(key, lang) if key in catalogue.entries() else unit}"
