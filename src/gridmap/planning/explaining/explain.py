"""Why a piece of ground lies in its grid, and what moving it to each neighbouring grid would do.

What moves is the base unit, which is never cut, or on open ground the cell alone. Each move is weighed as the drawing
weighs it: first what may not be (borders of the parent area, parts that no longer adjoin, a grid without its outlet),
then bounds, balance and capacity, then the length of the borders between grids, or the distance where grids follow the
nearest outlet. All figures come from the frames of the plan, as saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely

from gridmap.domain.kinds import BaseUnitKind, GridKind
from gridmap.domain.plan import Plan
from gridmap.errors import OutOfPlace, UsageError
from gridmap.geometry.datum import Datum
from gridmap.geometry.lattice import geometries_to_units, to_degrees
from gridmap.planning.explaining.explanation import (
    Alternative,
    Drawing,
    Explanation,
    Held,
    Objection,
    Place,
    Reached,
    Unit,
    Verdict,
)
from gridmap.planning.explaining.surroundings import Surroundings, surroundings
from gridmap.planning.explaining.weighing import (
    ALIKE_M,
    CARVED_KINDS,
    balances,
    deviation,
    outcome_of,
    unbalances,
    verdict_of,
)
from gridmap.planning.findings.indicators import weighted_mean
from gridmap.planning.land.ground import representative_points
from gridmap.planning.service.reach import GEOD, Floats, Rows


def explain(plan: Plan, lon: float, lat: float, *, datum: str = "wgs84") -> Explanation:
    """Explain why the ground at a place lies in its grid.

    Parameters
    ----------
    plan
        A plan, built or loaded.
    lon, lat
        The place, in degrees (metres where ``datum`` is projected). On a shared border the first cell answers.
    datum
        ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``EPSG:n``.

    Raises
    ------
    OutOfPlace
        If no cell of the plan holds the place.
    UnknownDatum
        If the datum is none.
    """
    return explain_row(plan, row_at(plan, lon, lat, datum=datum))


def row_at(plan: Plan, lon: float, lat: float, *, datum: str = "wgs84") -> int:
    """Row of ``Plan.cells`` that holds a place, the lowest on a shared border; arguments and errors as ``explain``."""
    known = Datum.parse(datum)
    said = np.array([[lon, lat]], dtype=np.float64)
    if not np.isfinite(said).all() or not (known.is_projected or (np.abs(said) <= (180, 90)).all()):
        raise OutOfPlace("explain.no_place", lon=lon, lat=lat)
    place = known.to_wgs84(said)[0]
    # A projection says infinity of what lies beyond it.
    found = plan.cells.sindex.query(shapely.Point(place), predicate="intersects") if np.isfinite(place).all() else []
    if not len(found):
        raise OutOfPlace("explain.outside", lon=lon, lat=lat, datum=known)
    return int(min(found))


def rows_of_cell(plan: Plan, cell_id: str, area: str | None = None) -> list[int]:
    """Rows of ``Plan.cells`` that a cell has: one for each area and base unit it lies in.

    Parameters
    ----------
    cell_id
        H3 index as hexadecimal text.
    area
        Code of an area or base unit; only its rows.

    Raises
    ------
    UsageError
        If the plan has no such cell, or the cell no ground there.
    """
    wanted = cell_id.strip().lower().removeprefix("0x")
    cells = plan.cells
    rows = np.flatnonzero(cells["cell_id"].to_numpy(dtype=object) == wanted)
    if not len(rows):
        raise UsageError("explain.unknown_cell", cell=cell_id, resolution=plan.settings.partition.resolution)
    if area is None:
        return [int(row) for row in rows]
    codes = [[str(cells[name].iloc[row]) for name in ("area_code", "unit_code")] for row in rows]
    kept = [int(row) for row, held in zip(rows, codes, strict=True) if area in held]
    if not kept:
        there = sorted({held[0] for held in codes})
        raise UsageError("explain.cell_not_in_area", cell=wanted, area=area, areas=", ".join(there))
    return kept


def explain_row(plan: Plan, row: int) -> Explanation:
    """Explain one row of ``Plan.cells``."""
    return _Telling(plan, row).explanation()


class _Telling:
    """One row of cells, with the rows of other frames that it leads to."""

    def __init__(self, plan: Plan, row: int) -> None:
        self.plan = plan
        self.cell = plan.cells.iloc[row]
        self.row = row
        self.grids = plan.grids.set_index("grid_code")
        self.facilities = plan.facilities.set_index("facility_id")
        self.areas = plan.areas.drop_duplicates("area_code", keep="last").set_index("area_code")
        self.unit_kind, self.moved = _what_moves(plan, row)
        self.around: Surroundings = surroundings(plan.cells, self.moved)
        self.demand = _numbers(plan.cells["demand"])[self.moved]
        self.area_m2 = _numbers(plan.cells["area_m2"])[self.moved]
        shapes = geometries_to_units(plan.cells.geometry.to_numpy()[self.moved])
        self.middles = to_degrees(representative_points(shapes))
        self.middle = self.middles[int(np.searchsorted(self.moved, row))]

    def explanation(self) -> Explanation:
        plan, cell, settings = self.plan, self.cell, self.plan.settings
        code = str(cell["grid_code"])
        grid = self.grids.loc[code]
        own_m = self._mean_m(_numbers(plan.cells["distance_m"])[self.moved])
        outlet = self._outlet(grid["primary_outlet_id"], _number(cell["distance_m"]), own_m)
        level, parent = self._parent(str(cell["area_code"]))
        alternatives = self._alternatives(outlet, parent)
        staff = dict(zip(plan.staff["person_id"], plan.staff["name"], strict=True))
        return Explanation(
            place=Place(
                cell_id=str(cell["cell_id"]),
                area_code=str(cell["area_code"]),
                areas=self._areas(str(cell["area_code"])),
                lon=round(float(self.middle[0]), 7),
                lat=round(float(self.middle[1]), 7),
                settlement=_text(cell["settlement"]),
                demand=float(cell["demand"]),
                area_m2=float(cell["area_m2"]),
            ),
            unit=Unit(
                code=_text(cell["unit_code"]),
                kind=self.unit_kind.value,
                cells=len(self.moved),
                demand=float(self.demand.sum()),
                area_m2=float(self.area_m2.sum()),
            ),
            grid=self._held(0, 0.0, 0.0, self.around.parts(0)),
            drawn=self._drawing(grid),
            tolerance=settings.grids.tolerance,
            parent_level=level,
            parent_code=parent,
            parent_name=None if parent is None else self._name(parent),
            outlet=outlet,
            manager=_named(staff, grid["manager_id"]),
            officers=tuple(str(_named(staff, one)) for one in _listed(grid["officer_ids"])),
            served_by=self._served_by(),
            covered=bool(cell["covered"]),
            covered_share=float(cell["covered_share"]),
            crossing_degree=int(cell["crossing_degree"]),
            alternatives=alternatives,
            outcome=outcome_of(self.unit_kind, alternatives),
            shortfalls=tuple(
                str(one["message"]) for one in plan.report.get("shortfalls", ()) if one["grid_code"] == code
            ),
            barriers=settings.barriers is not None,
        )

    def _drawing(self, grid: pd.Series[Any]) -> Drawing:
        asked = self.plan.settings.grids
        if grid["kind"] == GridKind.DEDICATED:
            return Drawing.DEDICATED
        if bool(grid["locked"]):
            return Drawing.LOCKED
        divided = asked.count is not None or asked.target_demand is not None or asked.one_per is not None
        if not divided and asked.mode != "nearest" and self.unit_kind is not BaseUnitKind.CELLS:
            return Drawing.UNIT
        return Drawing(asked.mode)

    def _alternatives(self, outlet: Reached | None, parent: str | None) -> tuple[Alternative, ...]:
        shared_m = self.around.shared_with()
        found = [
            self._alternative(number, float(shared_m[number]), float(shared_m[0]), outlet, parent)
            for number in range(1, len(self.around.codes))
        ]
        rank = list(Verdict)
        found.sort(key=lambda one: (-rank.index(one.verdict), len(one.objections), -one.shared_m, one.other.grid_code))
        return tuple(found)

    def _alternative(
        self, number: int, shared_m: float, own_shared_m: float, outlet: Reached | None, parent: str | None
    ) -> Alternative:
        demand, area_m2 = float(self.demand.sum()), float(self.area_m2.sum())
        own = self._held(0, -demand, -area_m2, self.around.parts(0, without=True))
        other = self._held(number, demand, area_m2, self.around.parts(number, added=True))
        there = self.grids.loc[other.grid_code]
        theirs = self._distant(there["primary_outlet_id"])
        load, capacity = self._load(outlet, theirs, demand)
        border_change_m = round(own_shared_m - shared_m, 3)
        carved = other.kind == GridKind.DEDICATED or other.locked
        far, near = theirs.mean_distance_m if theirs else None, outlet.mean_distance_m if outlet else None
        checks = {
            Objection.CARVED: self.unit_kind in CARVED_KINDS,
            Objection.OTHER_CARVED: carved,
            Objection.PARENT: parent is not None and not carved and self._parent_of_grid(number) != parent,
            Objection.EMPTIES: own.parts_after == 0,
            Objection.BREAKS: own.parts_after > own.parts,
            Objection.APART: other.parts_after > other.parts,
            Objection.LOSES_OUTLET: own.parts_after > 0 and self._holds_outlet(outlet),
            Objection.LIMITS: self._passes_limits(own, other),
            Objection.BALANCE: unbalances(own, other, self.plan.settings.grids.tolerance),
            Objection.CAPACITY: capacity is not None and load is not None and load > capacity,
            Objection.BORDER: border_change_m > ALIKE_M,
            Objection.DISTANCE: far is not None and near is not None and far > near + ALIKE_M,
        }
        objections = tuple(kind for kind, speaks in checks.items() if speaks)
        nearest = Drawing(self.plan.settings.grids.mode) is Drawing.NEAREST
        gain_m = (near or 0.0) - (far or 0.0) if nearest else -border_change_m
        return Alternative(
            own=own,
            other=other,
            shared_m=round(shared_m, 3),
            border_change_m=border_change_m,
            outlet=theirs,
            outlet_load_after=load,
            outlet_capacity=capacity,
            objections=objections,
            verdict=verdict_of(objections, balances(own, other, self.plan.settings.grids.tolerance), gain_m),
        )

    def _held(self, number: int, demand: float, area_m2: float, parts_after: int) -> Held:
        grid = self.grids.loc[self.around.codes[number]]
        target = _number(grid["target_demand"])
        before, ground = float(grid["demand"]), float(grid["area_m2"])
        return Held(
            grid_code=self.around.codes[number],
            name=str(grid["name"]),
            kind=str(grid["kind"]),
            locked=bool(grid["locked"]),
            target=target,
            demand=before,
            demand_after=before + demand,
            deviation=deviation(before, target),
            deviation_after=deviation(before + demand, target),
            area_m2=ground,
            area_m2_after=ground + area_m2,
            parts=self.around.parts(number),
            parts_after=parts_after,
        )

    def _outlet(self, identifier: Any, distance_m: float | None, mean_m: float | None) -> Reached | None:
        if _text(identifier) is None or identifier not in self.facilities.index:
            return None
        facility = self.facilities.loc[identifier]
        return Reached(str(identifier), str(facility["name"]), str(facility["kind"]), distance_m, mean_m)

    def _distant(self, identifier: Any) -> Reached | None:
        """Another outlet, with its distance from the place and from what would move."""
        if _text(identifier) is None or identifier not in self.facilities.index:
            return None
        at = self.facilities.geometry.loc[identifier]
        lon, lat = np.full(len(self.middles), at.x), np.full(len(self.middles), at.y)
        _, _, far_m = GEOD.inv(self.middles[:, 0], self.middles[:, 1], lon, lat)
        here = int(np.searchsorted(self.moved, self.row))
        return self._outlet(identifier, round(float(far_m[here]), 3), self._mean_m(np.asarray(far_m)))

    def _mean_m(self, distance_m: Floats) -> float | None:
        """Mean distance of what would move, by demand, else by area."""
        mean_m = weighted_mean(distance_m, self.demand, self.area_m2)
        return None if mean_m is None else round(mean_m, 3)

    def _load(self, own: Reached | None, other: Reached | None, demand: float) -> tuple[float | None, float | None]:
        """Demand the other grid's outlet would hold, and its capacity; None where unknown or beside the point."""
        if other is None or self.plan.indicators["demand"]["stands_in"]:
            return None, None
        if own is not None and own.facility_id == other.facility_id:
            return None, None
        held = self.plan.grids["primary_outlet_id"].to_numpy(dtype=object) == other.facility_id
        load = float(_numbers(self.plan.grids["demand"])[held].sum()) + demand
        return load, _number(self.facilities["capacity"].loc[other.facility_id])

    def _holds_outlet(self, outlet: Reached | None) -> bool:
        """Whether the outlet that an anchored grid was drawn round stands on what would move."""
        if outlet is None or self._drawing(self.grids.loc[self.around.codes[0]]) is not Drawing.ANCHORED:
            return False
        at = self.facilities.geometry.loc[outlet.facility_id]
        return bool(shapely.intersects(self.plan.cells.geometry.to_numpy()[self.moved], at).any())

    def _passes_limits(self, own: Held, other: Held) -> bool:
        asked = self.plan.settings.grids
        least = ((asked.min_demand, own.demand_after), (asked.min_area_m2, own.area_m2_after))
        most = ((asked.max_demand, other.demand_after), (asked.max_area_m2, other.area_m2_after))
        return any(bound is not None and value < bound for bound, value in least) or any(
            bound is not None and value > bound for bound, value in most
        )

    def _areas(self, code: str) -> tuple[tuple[str, str], ...]:
        """Code and name of an area and of those above it, widest first."""
        chain: list[tuple[str, str]] = []
        at: str | None = code
        while at is not None and at in self.areas.index and at not in dict(chain):
            chain.insert(0, (at, self._name(at)))
            at = _text(self.areas["parent_code"].loc[at])
        return tuple(chain)

    def _name(self, code: str) -> str:
        return _text(self.areas["name"].loc[code]) or code

    def _parent(self, area_code: str) -> tuple[str | None, str | None]:
        """Level and code of the area whose border the grid of a lowest-level area may not cross."""
        level = parent_level(self.plan)
        for code, _ in self._areas(area_code):
            if level is not None and self.areas["level"].loc[code] == level:
                return level, code
        return None, None

    def _parent_of_grid(self, number: int) -> str | None:
        cell = self.around.rows[self.around.grid == number][0]
        return self._parent(str(self.plan.cells["area_code"].iloc[cell]))[1]

    def _served_by(self) -> tuple[Reached, ...]:
        held = _text(self.cell["facility_ids_in_reach"])
        ids = [one for one in held.split(";") if one in self.facilities.index] if held else []
        found = []
        for identifier in ids:
            at = self.facilities.geometry.loc[identifier]
            _, _, far_m = GEOD.inv(self.middle[0], self.middle[1], at.x, at.y)
            one = self._outlet(identifier, round(float(far_m), 3), None)
            found += [one] if one else []
        return tuple(found)


def parent_level(plan: Plan) -> str | None:
    """Level whose borders no grid of a plan crosses, None where all areas together are divided.

    As set, where that level is given; else the level above villages that are base units, else the lowest level.
    """
    given = list(dict.fromkeys(plan.areas["level"]))
    within = plan.settings.grids.within
    if within is not None and within in given:
        return str(within)
    kinds = set(plan.units["kind"])
    if BaseUnitKind.VILLAGE.value in kinds:
        return str(given[-2]) if len(given) > 1 else None
    return str(given[-1])


def _what_moves(plan: Plan, row: int) -> tuple[BaseUnitKind, Rows]:
    """Kind of the base unit that holds a cell, and the rows that move with it."""
    alone = np.array([row], dtype=np.int64)
    codes = plan.cells["unit_code"].to_numpy(dtype=object)
    kinds = dict(zip(plan.units["unit_code"], plan.units["kind"], strict=True))
    kind = BaseUnitKind(kinds[codes[row]])
    return kind, alone if kind is BaseUnitKind.CELLS else np.flatnonzero(codes == codes[row])


def _numbers(values: pd.Series[Any]) -> Floats:
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list | tuple | np.ndarray) else []


def _named(names: Mapping[Any, Any], identifier: Any) -> str | None:
    known = _text(identifier)
    return str(names.get(known, known)) if known else None
