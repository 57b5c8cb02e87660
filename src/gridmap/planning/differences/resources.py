"""Facilities, people and coverage gaps of two plans."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from gridmap.domain.plan import Plan
from gridmap.planning.differences.difference import Changed, FacilityMoved, Named
from gridmap.planning.differences.values import changes_of, number_of, rows_by, text_of

_GEOD = Geod(ellps="WGS84")
#: Facilities that stand closer than this to where they stood did not move, metres: about a unit of the lattice.
_STILL_M = 0.02
_OF_FACILITIES = ("name", "kind", "service_radius_m", "capacity", "institution", "branch", "line_number")
_OF_STAFF = ("name", "role", "employment", "outlet_id", "grid_codes", "status")
#: Whether the insides of two polygons meet.
_INSIDES_MEET = "T********"


class FacilityDifference:
    """Facilities of two plans, by their identifiers."""

    def __init__(self, before: Plan, after: Plan) -> None:
        self._old, self._new = (rows_by(plan.facilities, "facility_id") for plan in (before, after))

    def opened(self) -> tuple[Named, ...]:
        """Those of the later plan alone."""
        return _only(self._new, self._old)

    def closed(self) -> tuple[Named, ...]:
        """Those of the earlier plan alone."""
        return _only(self._old, self._new)

    def moved(self) -> tuple[FacilityMoved, ...]:
        """Those that stand elsewhere, farthest first."""
        found = []
        for code in self._old.keys() & self._new.keys():
            old, new = self._old[code], self._new[code]
            *_, distance = _GEOD.inv(old["lon"], old["lat"], new["lon"], new["lat"])
            if distance > _STILL_M:
                found.append(FacilityMoved(code, text_of(new["name"]), float(distance)))
        return tuple(sorted(found, key=lambda one: (-one.distance_m, one.code)))

    def changed(self) -> tuple[Changed, ...]:
        """Those with other columns than before."""
        return _changed(self._old, self._new, _OF_FACILITIES)


class StaffDifference:
    """People of two plans, by their identifiers; somebody may hold several grids.

    Parameters
    ----------
    earlier : code of the earlier grid by that of the later one it matches: a grid numbered anew is the same
    """

    def __init__(self, before: Plan, after: Plan, earlier: dict[str, str]) -> None:
        self._old = _people(before.staff, {code: code for code in before.grids["grid_code"]})
        self._new = _people(after.staff, earlier)

    def joined(self) -> tuple[Named, ...]:
        """Those of the later plan alone."""
        return _only(self._new, self._old)

    def left(self) -> tuple[Named, ...]:
        """Those of the earlier plan alone."""
        return _only(self._old, self._new)

    def changed(self) -> tuple[Changed, ...]:
        """Those with another role, employment, outlet or other grids; grids go by their earlier codes."""
        return _changed(self._old, self._new, _OF_STAFF)


def _people(staff: pd.DataFrame, codes: dict[str, str]) -> dict[str, dict[Any, Any]]:
    found: dict[str, dict[Any, Any]] = {}
    for row in staff.to_dict("records"):
        person = found.setdefault(str(row["person_id"]), {**row, "grid_codes": []})
        held = text_of(row["grid_code"])
        if held is not None:
            person["grid_codes"].append(codes.get(held, held))
    return found


def gaps_only(those: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> tuple[Named, ...]:
    """Gaps whose ground is in none of the others of their kind; most demand first, named by what is missing there."""
    mine, theirs = those.geometry.to_numpy(), others.geometry.to_numpy()
    first, second = shapely.STRtree(theirs).query(mine, predicate="intersects")
    meets = shapely.relate_pattern(mine[first], theirs[second], _INSIDES_MEET)
    kinds, other_kinds = those["kind_missing"].to_numpy(), others["kind_missing"].to_numpy()
    is_there = np.zeros(len(those), dtype=np.bool_)
    is_there[first[meets & (kinds[first] == other_kinds[second])]] = True
    rows = those[~is_there]
    columns = (rows[name] for name in ("gap_id", "kind_missing", "area_m2", "demand"))
    found = [
        Named(str(code), text_of(kind), number_of(area), number_of(demand))
        for code, kind, area, demand in zip(*columns, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-(one.demand or 0.0), one.code)))


def _only(these: dict[str, dict[Any, Any]], others: dict[str, dict[Any, Any]]) -> tuple[Named, ...]:
    return tuple(Named(code, text_of(row["name"])) for code, row in sorted(these.items()) if code not in others)


def _changed(
    old: dict[str, dict[Any, Any]], new: dict[str, dict[Any, Any]], names: tuple[str, ...]
) -> tuple[Changed, ...]:
    both = ((code, changes_of(old[code], new[code], names)) for code in sorted(old.keys() & new.keys()))
    return tuple(Changed(code, text_of(new[code]["name"]), changes) for code, changes in both if changes)
