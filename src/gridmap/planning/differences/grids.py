"""Grids and base units of two plans, and the ground that went from grid to grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.domain.plan import Plan
from gridmap.planning.differences.difference import GridChanged, Move, Named, Totals, UnitMoved
from gridmap.planning.differences.ground import NO_GRID, Rows, SharedGround
from gridmap.planning.differences.values import changes_of, number_of, rows_by, text_of

#: Columns that are compared; shares and distances follow from them and from the facilities.
_COMPARED = (
    "grid_code",
    "name",
    "level",
    "kind",
    "parent_code",
    "super_code",
    "primary_outlet_id",
    "cooperating_outlet_ids",
    "manager_id",
    "officer_ids",
    "demand",
    "locked",
)


class GridDifference:
    """Grids of two plans.

    Parameters
    ----------
    shared : ground of pairs of grids
    partner : (m,) row of the earlier grid for each later one
    """

    def __init__(self, before: Plan, after: Plan, shared: SharedGround, partner: Rows) -> None:
        self._before, self._after, self._shared, self._partner = before, after, shared, partner
        self._codes_before: list[str] = before.grids["grid_code"].tolist()
        self._codes_after: list[str] = after.grids["grid_code"].tolist()
        self.is_moved = self._is_moved()

    def _is_moved(self) -> NDArray[np.bool_]:
        """Pairs whose ground went from a grid to another, or into or out of grids."""
        is_kept = np.zeros(len(self._shared.before), dtype=np.bool_)
        is_placed = self._shared.after != NO_GRID
        is_kept[is_placed] = self._partner[self._shared.after[is_placed]] == self._shared.before[is_placed]
        is_nowhere = (self._shared.before == NO_GRID) & (self._shared.after == NO_GRID)
        # A grid without an earlier one is the partner of none, as is ground without a grid.
        is_moved: NDArray[np.bool_] = ~is_nowhere & ~(is_kept & (self._shared.before != NO_GRID))
        return is_moved

    def order(self) -> Rows:
        """Return moved pairs, most demand first, then most ground."""
        moved = np.flatnonzero(self.is_moved)
        order = np.lexsort((-self._shared.area_m2[moved], -self._shared.demand[moved]))
        return np.asarray(moved[order], dtype=np.int64)

    def moves(self) -> tuple[Move, ...]:
        """Ground that moved, in the order of ``order``."""
        shared = self._shared
        return tuple(
            Move(
                _code(self._codes_before, shared.before[pair]),
                _code(self._codes_after, shared.after[pair]),
                float(shared.area_m2[pair]),
                float(shared.demand[pair]),
                None if shared.cells is None else int(shared.cells[pair]),
            )
            for pair in self.order()
        )

    def totals(self, unit: str) -> Totals:
        """Sum what went from a grid to another."""
        shared = self._shared
        between = self.is_moved & (shared.before != NO_GRID) & (shared.after != NO_GRID)
        area, demand = float(shared.area_m2[between].sum()), float(shared.demand[between].sum())
        return Totals(
            demand_unit=unit,
            moved_area_m2=area,
            moved_area_share=_share(area, float(self._after.grids["area_m2"].sum())),
            moved_demand=demand,
            moved_demand_share=_share(demand, float(self._after.grids["demand"].sum())),
            moved_cells=None if shared.cells is None else int(shared.cells[between].sum()),
            ground_added_m2=float(shared.alone_after_m2.sum()),
            ground_removed_m2=float(shared.alone_before_m2.sum()),
        )

    def added(self) -> tuple[Named, ...]:
        """Grids of the later plan that match none, most demand first."""
        return _named(self._after, self._partner == NO_GRID)

    def removed(self) -> tuple[Named, ...]:
        """Grids of the earlier plan that match none, most demand first."""
        is_left = np.ones(len(self._before.grids), dtype=np.bool_)
        is_left[self._partner[self._partner != NO_GRID]] = False
        return _named(self._before, is_left)

    def changed(self) -> tuple[GridChanged, ...]:
        """Grids that are in both plans and not the same, those with most moved demand first."""
        old = self._before.grids.drop(columns="geometry").to_dict("records")
        new = self._after.grids.drop(columns="geometry").to_dict("records")
        shared, moved = self._shared, self.is_moved
        gained_m2 = _summed(shared.after, shared.area_m2, moved, len(new)) + self._alone(shared.alone_after_m2)
        lost_m2 = _summed(shared.before, shared.area_m2, moved, len(old)) + self._alone(shared.alone_before_m2)
        gained = _summed(shared.after, shared.demand, moved, len(new))
        lost = _summed(shared.before, shared.demand, moved, len(old))
        found = []
        for row, partner in enumerate(self._partner.tolist()):
            if partner == NO_GRID:
                continue
            figures = [float(one) for one in (gained_m2[row], lost_m2[partner], gained[row], lost[partner])]
            # Of other cells neither their number nor the rounding of their borders is a change of the grid.
            ground = ("area_m2", "cells") if shared.cells is not None else ("area_m2",) if any(figures) else ()
            changes = changes_of(old[partner], new[row], (*_COMPARED, *ground))
            if changes or any(figures):
                codes = self._codes_after[row], self._codes_before[partner]
                found.append(GridChanged(*codes, text_of(new[row]["name"]), changes, *figures))
        return tuple(sorted(found, key=lambda one: (-one.gained_demand - one.lost_demand, one.code)))

    def _alone(self, alone_m2: NDArray[np.float64]) -> NDArray[np.float64] | float:
        # Cell by cell, ground of no grid is one of the pairs already.
        return alone_m2 if self._shared.cells is None else 0.0

    def units(self) -> tuple[UnitMoved, ...]:
        """Find base units that lie in another grid as a whole, most demand first."""
        old, new = rows_by(self._before.units, "unit_code"), rows_by(self._after.units, "unit_code")
        earlier = self.earlier_codes()
        found = []
        for code in new.keys() & old.keys():
            was, now = text_of(old[code]["grid_code"]), text_of(new[code]["grid_code"])
            if was is not None and now is not None and earlier.get(now) != was:
                size = number_of(new[code]["area_m2"]) or 0.0, number_of(new[code]["demand"]) or 0.0
                found.append(UnitMoved(code, was, now, *size))
        return tuple(sorted(found, key=lambda one: (-one.demand, one.unit_code)))

    def earlier_codes(self) -> dict[str, str]:
        """Code of the earlier grid by that of the later one it matches."""
        rows = enumerate(self._partner.tolist())
        return {self._codes_after[row]: self._codes_before[old] for row, old in rows if old != NO_GRID}


def _code(codes: list[str], row: Any) -> str | None:
    return None if row == NO_GRID else codes[int(row)]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _summed(rows: Rows, values: NDArray[np.float64], is_meant: NDArray[np.bool_], count: int) -> NDArray[np.float64]:
    meant = is_meant & (rows != NO_GRID)
    return np.bincount(rows[meant], weights=values[meant], minlength=count).astype(np.float64)


def _named(plan: Plan, is_meant: NDArray[np.bool_]) -> tuple[Named, ...]:
    rows = plan.grids[is_meant]
    columns = (rows[name] for name in ("grid_code", "name", "area_m2", "demand"))
    found = [
        Named(code, text_of(name), number_of(area), number_of(demand))
        for code, name, area, demand in zip(*columns, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-(one.demand or 0.0), one.code)))
