"""Figures and identifiers in the words of a planner: units, thousands separators, names of kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan

NOTHING = "–"
#: Below this share of one, "100.0 %" would hide that something is left.
_ALMOST_ALL, _ALMOST_NOTHING = 0.9995, 0.0005


def word(group: str, value: Any, lang: Language) -> str:
    """Name of a value of a closed vocabulary (``kind``, ``settlement``, ``level`` …), else the value itself."""
    if not isinstance(value, str) or not value:
        return NOTHING
    key = f"exports.{group}_{value}"
    return catalogue.text(key, lang) if key in catalogue.entries() else value


def count(number: float | None) -> str:
    """``38,468``."""
    return NOTHING if number is None or number != number else f"{number:,.0f}"


def percent(share: float | None) -> str:
    """``91.3 %``; a share that is not all never reads 100 %, one that is not nothing never 0 %."""
    if share is None or share != share:
        return NOTHING
    if _ALMOST_ALL <= share < 1:
        return "> 99.9 %"
    return "< 0.1 %" if 0 < share < _ALMOST_NOTHING else f"{100 * share:.1f} %"


def deviation(share: float | None) -> str:
    """``+4.2 %``, ``-12.0 %``; ``–`` where nothing was asked."""
    if share is None or share != share:
        return NOTHING
    return f"{100 * share:+.1f} %"


def area(area_m2: float | None) -> str:
    """``1,981.4 km²``, ``0.82 km²``, ``640 m²``."""
    if area_m2 is None or area_m2 != area_m2:
        return NOTHING
    if area_m2 < 10_000:
        return f"{area_m2:,.0f} m²"
    return f"{area_m2 / 1e6:,.1f} km²" if area_m2 >= 1e7 else f"{area_m2 / 1e6:,.2f} km²"


def distance(distance_m: float | None) -> str:
    """``640 m``, ``11.8 km``."""
    if distance_m is None or distance_m != distance_m:
        return NOTHING
    return f"{distance_m:,.0f} m" if distance_m < 999.5 else f"{distance_m / 1000:,.1f} km"


def amount(demand: float | None, unit: str, lang: Language) -> str:
    """``4,120 people``; an area where area stands in for demand."""
    if unit == "m2":
        return area(demand)
    return f"{count(demand)} {word('unit', unit, lang)}"


def short_digest(certificate: Mapping[str, Any]) -> str:
    """First eight characters of the certificate's digest."""
    return str(certificate.get("digest", ""))[:8] + "…"


def is_exact(plan: Plan) -> bool:
    """Whether the certificate says that the partition is exact."""
    return plan.certificate.get("verdict") == "exact"


def names_by_code(plan: Plan) -> dict[str, str]:
    """Name of every area, facility and grid by its code; an area's goes before a grid's of the same code."""
    names: dict[str, str] = {}
    for frame, code in ((plan.grids, "grid_code"), (plan.facilities, "facility_id"), (plan.areas, "area_code")):
        for key, name in zip(frame[code], frame["name"], strict=True):
            if isinstance(name, str) and name:
                names[str(key)] = name
    return names


def unit_names(plan: Plan) -> dict[str, str]:
    """Name of every base unit by its code: that of its area."""
    names = dict(zip(plan.areas["area_code"], plan.areas["name"], strict=True))
    units = zip(plan.units["unit_code"], plan.units["area_code"], strict=True)
    return {code: names[area] for code, area in units if isinstance(names.get(area), str) and names[area]}


def area_names(plan: Plan, levels: int = 2) -> dict[str, str]:
    """Name of every area by code, its parent's name before it (``樟村坪镇 羊角山村``), but never the widest one's."""
    own = dict(zip(plan.areas["area_code"], plan.areas["name"], strict=True))
    parents = dict(zip(plan.areas["area_code"], plan.areas["parent_code"], strict=True))
    full: dict[str, str] = {}
    for code in own:
        chain, at = [_name_or_code(own, code)], parents[code]
        while len(chain) < levels and isinstance(at, str) and isinstance(parents.get(at), str):
            chain.insert(0, _name_or_code(own, at))
            at = parents[at]
        full[code] = " ".join(chain)
    return full


def _name_or_code(names: Mapping[str, Any], code: str) -> str:
    name = names[code]
    return name if isinstance(name, str) and name else code
