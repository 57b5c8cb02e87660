"""What a planner should know about distances along roads: how far off them things lie, and who cannot be reached."""

from __future__ import annotations

import numpy as np

from gridmap import catalogue
from gridmap.domain.roads import Profile
from gridmap.planning.decisions import Decisions
from gridmap.planning.network.service import RoadService
from gridmap.planning.service.reach import Flags, Floats

_SHOWN = 5


def road_remarks(decisions: Decisions) -> list[str]:
    """Return remarks on the roads of a plan; none where distance is measured as the crow flies."""
    service = decisions.roads
    if service is None:
        return []
    source = decisions.settings.roads
    profile = Profile.WALKING if source is None or source.profile is None else source.profile
    said = [
        catalogue.text(
            "roads.measured",
            lines=f"{len(service.roads.shapes):,}",
            file=service.roads.source,
            profile=catalogue.text(f"roads.{profile.value}"),
            off_facilities=_spread(service.facilities.off_m),
            off_cells=_spread(service.cells.off_m),
        )
    ]
    return said + _on_cells(decisions, service) + _on_facilities(decisions, service)


def _on_cells(decisions: Decisions, service: RoadService) -> list[str]:
    off_road = ~service.cells.is_placed
    _, nearest_m = decisions.coverage.nearest_of_all
    cut_off = ~off_road & np.isinf(nearest_m) & bool(len(decisions.facilities))
    said, most_m = [], f"{service.shortest.most_off_m:,.0f}"
    if off_road.any():
        said.append(catalogue.text("roads.off_road", most_m=most_m, **_where(decisions, off_road)))
    if cut_off.any():
        said.append(catalogue.text("roads.cut_off", **_where(decisions, cut_off)))
    return said


def _on_facilities(decisions: Decisions, service: RoadService) -> list[str]:
    astray = np.flatnonzero(~service.facilities.is_placed)
    if not len(astray):
        return []
    ids = _listed([str(code) for code in decisions.facilities.ids[astray]])
    most_m = f"{service.shortest.most_off_m:,.0f}"
    return [catalogue.text("roads.facilities_off_road", count=f"{len(astray):,}", most_m=most_m, ids=ids)]


def _where(decisions: Decisions, cells: Flags) -> dict[str, str]:
    """How many cells, with how much demand, in which areas: most demand first."""
    lowest = decisions.hierarchy.lowest
    area, held = decisions.ground.area[cells], decisions.demand.value[cells]
    count = np.bincount(area, minlength=len(lowest.codes))
    demand = np.bincount(area, weights=held, minlength=len(lowest.codes))
    order = [row for row in np.lexsort((np.arange(len(count)), -count, -demand)).tolist() if count[row]]
    named = [
        catalogue.text("roads.place", name=lowest.names[row] or lowest.codes[row], count=f"{count[row]:,}")
        for row in order
    ]
    total = float(held.sum())
    if decisions.demand.stands_in or not total:
        amount = catalogue.text("roads.no_demand")
    else:
        amount = catalogue.text("roads.demand_unit", amount=f"{total:,.0f}", unit=decisions.demand.unit)
    return {"count": f"{int(cells.sum()):,}", "demand": str(amount), "where": _listed(named)}


def _spread(off_m: Floats) -> str:
    """Median, 95th percentile and most of what lies by a road, metres."""
    near = off_m[np.isfinite(off_m)]
    if not len(near):
        return "–"
    figures = (np.median(near), np.percentile(near, 95), near.max())
    return " / ".join(f"{figure:,.0f} m" for figure in figures)


def _listed(items: list[str]) -> str:
    shown, more = ", ".join(items[:_SHOWN]), len(items) - _SHOWN
    return catalogue.text("rules.and_more", shown=shown, more=more) if more > 0 else shown
