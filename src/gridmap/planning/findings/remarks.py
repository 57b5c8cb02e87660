"""What a planner should know about how a plan was made, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridmap import catalogue
from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan_settings import PlanSettings
from gridmap.planning.decisions import Decisions
from gridmap.planning.findings.road_remarks import road_remarks
from gridmap.planning.land.bases import not_to_be_had
from gridmap.planning.land.demand import NEARBY_M, SpreadDemand
from gridmap.planning.service.facilities import Facilities
from gridmap.planning.territory.codes import is_administrative

_SHOWN = 5


def remarks(decisions: Decisions) -> list[str]:
    """Everything worth remarking on, in the language of the process."""
    return [
        *_on_demand(decisions.demand),
        *_on_facilities(decisions.facilities),
        *_on_areas(decisions),
        *_on_settings(decisions.settings, decisions.hierarchy.lowest.level),
        *road_remarks(decisions),
    ]


def _on_demand(demand: SpreadDemand) -> list[str]:
    said = [catalogue.text("rules.area_stands_in")] if demand.stands_in else []
    if len(demand.outside):
        places = zip(demand.outside_lonlat[:_SHOWN].tolist(), demand.outside[:_SHOWN].tolist(), strict=True)
        where = [f"{lon:.5f}, {lat:.5f} ({_number(amount)})" for (lon, lat), amount in places]
        said.append(
            catalogue.text(
                "rules.demand_outside",
                amount=_number(float(demand.outside.sum())),
                given=_number(demand.given),
                unit=demand.unit,
                places=len(demand.outside),
                where="; ".join(where),
            )
        )
    if demand.moved_in > 0:
        amount = _number(demand.moved_in)
        said.append(
            catalogue.text("rules.demand_moved_in", amount=amount, unit=demand.unit, within_m=f"{NEARBY_M:.0f}")
        )
    return said


def _on_facilities(facilities: Facilities) -> list[str]:
    if not len(facilities):
        return [catalogue.text("rules.no_facilities")]
    return [] if len(facilities.outlets) else [catalogue.text("rules.no_outlets")]


def _on_areas(decisions: Decisions) -> list[str]:
    hierarchy, default = decisions.hierarchy, decisions.settings.profile.default_settlement
    lowest, said = hierarchy.lowest, []
    odd = [code for code in lowest.codes if not is_administrative(code)]
    if odd:
        said.append(catalogue.text("rules.codes_not_administrative", count=len(odd), codes=_listed(odd)))
    unknown = int((hierarchy.settlement_of_lowest(None) < 0).sum())
    if unknown:
        settlement = catalogue.text(f"exports.settlement_{default.value}")
        said.append(catalogue.text("rules.settlement_unknown", count=unknown, settlement=settlement))
    for areas in hierarchy.levels[1:]:
        astray = [areas.codes[row] for row in np.flatnonzero(areas.parent < 0).tolist()]
        if astray:
            said.append(catalogue.text("rules.area_without_parent", count=len(astray), codes=_listed(astray)))
    unlike = [f"{code} ({_number(short_m2)} m²)" for code, short_m2 in hierarchy.not_filled_exactly()]
    if unlike:
        said.append(catalogue.text("rules.level_not_filled", count=len(unlike), codes=_listed(unlike)))
    return said


def _on_settings(settings: PlanSettings, lowest: AreaLevel) -> list[str]:
    said = []
    lacking = not_to_be_had(settings.grids, lowest, has_roads=settings.roads is not None)
    if lacking:
        said.append(catalogue.text("rules.base_not_to_be_had", keys=", ".join(lacking)))
    return said


def _listed(items: Sequence[str]) -> str:
    shown = ", ".join(items[:_SHOWN])
    more = len(items) - _SHOWN
    return catalogue.text("rules.and_more", shown=shown, more=more) if more > 0 else shown


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.4g}"
