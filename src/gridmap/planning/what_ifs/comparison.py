"""Service before and after: who loses and gains it, by people and place, largest losses first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np

from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan import Plan
from gridmap.planning.access.standing import ALL, Standing
from gridmap.planning.access.terrain import Groups
from gridmap.planning.groups import first_of_each
from gridmap.planning.service.facilities import KINDS
from gridmap.planning.service.reach import Flags, Floats, Rows
from gridmap.planning.tables.frame_columns import to_millimetre


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """What changes in one place.

    Attributes
    ----------
    level, code : of the place
    lost, gained : demand that loses and gains cover
    cells_lost, cells_gained : how many cells do
    nearest_before, nearest_after : identifier of the facility nearest to the cell with most of the demand that
        changes, None without any
    before_m, after_m : how far it is from there, metres, None without any
    """

    level: str
    code: str
    lost: float
    gained: float
    cells_lost: int
    cells_gained: int
    nearest_before: str | None
    nearest_after: str | None
    before_m: float | None
    after_m: float | None


@dataclass(frozen=True, slots=True)
class CoverChange:
    """What changes in the service of one kind, or of all facilities.

    Attributes
    ----------
    service : ``all`` or a kind
    demand : of the whole ground
    covered_before, covered_after : demand within reach
    lost, gained : demand that loses and gains cover
    area_lost_m2, area_gained_m2 : ground of the cells that do
    cells_lost, cells_gained : how many cells do
    farther : demand whose nearest facility is farther away than before, by at least a metre
    places : townships, villages, grids and settlement classes where something changes; largest losses first
    """

    service: str
    demand: float
    covered_before: float
    covered_after: float
    lost: float
    gained: float
    area_lost_m2: float
    area_gained_m2: float
    cells_lost: int
    cells_gained: int
    farther: float
    places: tuple[PlaceChange, ...]

    def at(self, level: str) -> list[PlaceChange]:
        """Return the places of one level."""
        return [place for place in self.places if place.level == level]


@dataclass(frozen=True)
class Comparison:
    """Two standings of service on one terrain."""

    before: Standing
    after: Standing

    @cached_property
    def changes(self) -> tuple[CoverChange, ...]:
        """All facilities first, then each kind there is before or after."""
        return tuple(self._change(name) for name in self.names)

    @cached_property
    def names(self) -> list[str]:
        """``all``, and the kinds there are before or after."""
        kinds = {*self.before.kinds, *self.after.kinds}
        return [ALL, *(kind.value for kind in KINDS if kind in kinds)]

    def cell_frame(self, plan: Plan) -> gpd.GeoDataFrame:
        """Cells whose cover changes, by all facilities or by those of a kind.

        ``loses`` and ``gains`` list the kinds, and ``all``; distances are to the nearest facility of any kind, metres.
        """
        loses, gains = ({name: flags(name) for name in self.names} for flags in (self._lost, self._gained))
        touched = np.any([*loses.values(), *gains.values()], axis=0)
        rows = np.flatnonzero(touched)
        kept = ["cell_id", "area_code", "grid_code", "settlement", "demand", "area_m2", "geometry"]
        frame = plan.cells.iloc[rows][kept].reset_index(drop=True)
        columns: dict[str, object] = {
            "loses": [[name for name in self.names if loses[name][row]] for row in rows.tolist()],
            "gains": [[name for name in self.names if gains[name][row]] for row in rows.tolist()],
        }
        for name, standing in (("before", self.before), ("after", self.after)):
            nearest, nearest_m = standing.coverage.nearest_of_all
            columns[f"covered_{name}"] = standing.coverage.covered[rows]
            columns[f"nearest_{name}_id"] = [_id(standing, row) for row in nearest[rows].tolist()]
            columns[f"nearest_{name}_m"] = to_millimetre(nearest_m[rows])
        for name, values in columns.items():
            frame.insert(len(frame.columns) - 1, name, values)
        return frame

    def _lost(self, name: str) -> Flags:
        return _covered(self.before, name) & ~_covered(self.after, name)

    def _gained(self, name: str) -> Flags:
        return _covered(self.after, name) & ~_covered(self.before, name)

    def _change(self, name: str) -> CoverChange:
        terrain = self.before.terrain
        demand, area_m2 = terrain.demand, terrain.ground.area_m2
        lost, gained = self._lost(name), self._gained(name)
        near_m, far_m = _nearest(self.before, name)[1], _nearest(self.after, name)[1]
        with np.errstate(invalid="ignore"):
            farther = (far_m - near_m >= 1) | (np.isinf(far_m) & np.isfinite(near_m))
        places = [
            place
            for groups in terrain.groups
            if groups.level != AreaLevel.COUNTY
            for place in self._places(name, groups, lost, gained)
        ]
        return CoverChange(
            name,
            float(demand.sum()),
            float(demand[_covered(self.before, name)].sum()),
            float(demand[_covered(self.after, name)].sum()),
            float(demand[lost].sum()),
            float(demand[gained].sum()),
            float(area_m2[lost].sum()),
            float(area_m2[gained].sum()),
            int(lost.sum()),
            int(gained.sum()),
            float(demand[farther].sum()),
            tuple(sorted(places, key=lambda place: (-place.lost, -place.cells_lost, -place.gained, place.code))),
        )

    def _places(self, name: str, groups: Groups, lost: Flags, gained: Flags) -> list[PlaceChange]:
        terrain = self.before.terrain
        touched = np.flatnonzero((lost | gained) & (groups.of_cell >= 0))
        if not len(touched):
            return []
        of_cell = groups.of_cell[touched]
        hearts = touched[
            first_of_each(of_cell, -terrain.ground.area_m2[touched], -terrain.demand[touched], ~lost[touched])
        ]
        parts = [groups.total(np.where(flag, terrain.demand, 0.0)) for flag in (lost, gained)]
        cells = [groups.total(flag.astype(np.float64)) for flag in (lost, gained)]
        found = []
        for heart in hearts.tolist():
            row = int(groups.of_cell[heart])
            (before, before_m), (after, after_m) = (self._at(one, name, heart) for one in (self.before, self.after))
            found.append(
                PlaceChange(
                    groups.level,
                    groups.codes[row],
                    float(parts[0][row]),
                    float(parts[1][row]),
                    int(cells[0][row]),
                    int(cells[1][row]),
                    before,
                    after,
                    before_m,
                    after_m,
                )
            )
        return found

    @staticmethod
    def _at(standing: Standing, name: str, cell: int) -> tuple[str | None, float | None]:
        nearest, nearest_m = _nearest(standing, name)
        known = nearest[cell] >= 0
        return _id(standing, int(nearest[cell])), float(nearest_m[cell]) if known else None


def _row(name: str) -> int:
    return [kind.value for kind in KINDS].index(name)


def _covered(standing: Standing, name: str) -> Flags:
    coverage = standing.coverage
    return coverage.covered if name == ALL else coverage.covered_by[_row(name)]


def _nearest(standing: Standing, name: str) -> tuple[Rows, Floats]:
    coverage = standing.coverage
    return coverage.nearest_of_all if name == ALL else (coverage.nearest[_row(name)], coverage.nearest_m[_row(name)])


def _id(standing: Standing, row: int) -> str | None:
    return str(standing.facilities.ids[row]) if row >= 0 else None
