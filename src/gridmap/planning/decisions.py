"""All decisions of one plan as arrays: what indicators, rules and frames are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gridmap.domain.kinds import AreaLevel, FacilityKind
from gridmap.domain.plan_settings import PlanSettings
from gridmap.planning.groups import first_of_each, sums
from gridmap.planning.land.base_units import BaseUnits
from gridmap.planning.land.demand import SpreadDemand
from gridmap.planning.land.ground import CLASSES, Ground
from gridmap.planning.land.hierarchy import Hierarchy
from gridmap.planning.network.service import RoadService
from gridmap.planning.responsibility.assignment import Assignment
from gridmap.planning.responsibility.staffing import Staffing
from gridmap.planning.service.coverage import Coverage
from gridmap.planning.service.facilities import Facilities
from gridmap.planning.service.gaps import Gaps
from gridmap.planning.service.reach import Flags, Floats, Rows
from gridmap.planning.territory.grids import Grids


@dataclass(frozen=True)
class Decisions:
    """One plan, before it becomes frames; ``radius_m`` is (m, classes), ``facility_cell`` -1 outside every area."""

    settings: PlanSettings
    hierarchy: Hierarchy
    units: BaseUnits
    ground: Ground
    demand: SpreadDemand
    facilities: Facilities
    facility_cell: Rows
    radius_m: Floats
    coverage: Coverage
    grids: Grids
    assignment: Assignment
    staffing: Staffing
    gaps: Gaps
    certificate: Mapping[str, Any]
    roads: RoadService | None = None

    @cached_property
    def facility_area(self) -> Rows:
        """(m,) int64: lowest-level area each facility stands in, -1 outside all."""
        return np.where(self.facility_cell >= 0, self.ground.area[self.facility_cell], -1)

    def groups_of(self, level: AreaLevel) -> CellGroups | None:
        """Cells and facilities by area of one level, None where the level is not given."""
        areas = self.hierarchy.at(level)
        if areas is None:
            return None
        row = self.hierarchy.ancestors(level)
        of_facility = np.where(self.facility_area >= 0, row[self.facility_area], -1)
        return self._groups(areas.codes, row[self.ground.area], of_facility, areas.settlement)

    @cached_property
    def grid_groups(self) -> CellGroups:
        """Cells and facilities by grid."""
        of_facility = np.where(self.facility_cell >= 0, self.grids.of_cell[self.facility_cell], -1)
        unknown = np.full(len(self.grids), -1, dtype=np.int64)
        return self._groups(self.grids.codes, self.grids.of_cell, of_facility, unknown)

    @cached_property
    def unit_groups(self) -> CellGroups:
        """Cells and facilities by base unit."""
        of_facility = np.where(self.facility_cell >= 0, self.ground.unit[self.facility_cell], -1)
        unknown = np.full(len(self.units), -1, dtype=np.int64)
        return self._groups(self.units.codes, self.ground.unit, of_facility, unknown)

    @cached_property
    def deviation(self) -> Floats:
        """(g,) float64: demand of each grid over its target, less 1; NaN where nothing, or no demand, was asked."""
        target = self.grids.target
        unasked = np.full(len(target), np.nan)
        return np.asarray(np.divide(self.grid_groups.demand, target, out=unasked, where=target > 0)) - 1

    def _groups(self, codes: tuple[str, ...], of_cell: Rows, of_facility: Rows, settlement: Rows) -> CellGroups:
        return CellGroups(self, codes, of_cell, of_facility, settlement)


@dataclass(frozen=True)
class CellGroups:
    """Areas of one level, or grids: groups of cells with the facilities that stand in them.

    Attributes
    ----------
    codes : (k,) str
    of_cell : (n,) int64, group of each cell, -1 for none
    of_facility : (m,) int64, group of each facility, -1 for none
    given_settlement : (k,) int64, index into ``CLASSES``, -1 where not given
    """

    decisions: Decisions
    codes: tuple[str, ...]
    of_cell: Rows
    of_facility: Rows
    given_settlement: Rows

    def __len__(self) -> int:
        """Count of the groups."""
        return len(self.codes)

    def total(self, value: Floats) -> Floats:
        """(k,) float64: sum of a figure of cells over each group."""
        inside = self.of_cell >= 0
        return sums(self.of_cell[inside], value[inside], len(self))

    @cached_property
    def area_m2(self) -> Floats:
        """(k,) float64."""
        return self.total(self.decisions.ground.area_m2)

    @cached_property
    def demand(self) -> Floats:
        """(k,) float64."""
        return self.total(self.decisions.demand.value)

    @cached_property
    def covered_share(self) -> Floats:
        """(k,) float64: share of each group's ground inside the union of service circles, NaN without ground."""
        covered_m2 = self.total(self.decisions.ground.area_m2 * self.decisions.coverage.covered_share)
        return np.asarray(np.divide(covered_m2, self.area_m2, out=np.full(len(self), np.nan), where=self.area_m2 > 0))

    @cached_property
    def settlement(self) -> Rows:
        """(k,) int64: class of each group: given, else that of most of its demand (of its ground without demand)."""
        ground = self.decisions.ground
        cells = np.flatnonzero(self.of_cell >= 0)
        pair = self.of_cell[cells] * len(CLASSES) + ground.settlement[cells]
        size = len(self) * len(CLASSES)
        area_m2, demand = (sums(pair, value[cells], size) for value in (ground.area_m2, self.decisions.demand.value))
        group = np.repeat(np.arange(len(self)), len(CLASSES))
        most = first_of_each(group, -area_m2, -demand) % len(CLASSES)
        return np.where(self.given_settlement >= 0, self.given_settlement, most)

    def holds(self, *kinds: FacilityKind) -> Flags:
        """(k,) bool: a facility of one of these kinds stands in the group."""
        rows = [self.decisions.facilities.of_kind(kind) for kind in kinds]
        found = self.of_facility[np.concatenate(rows)]
        held = np.zeros(len(self), dtype=np.bool_)
        held[found[found >= 0]] = True
        return held

    @cached_property
    def covered_states(self) -> tuple[Flags, Flags]:
        """(k,) bool each: fully covered, not covered at all; by demand, or by ground where the group has no demand."""
        decisions = self.decisions
        group = np.where(self.of_cell >= 0, self.demand[self.of_cell], 0.0)
        counts = (self.of_cell >= 0) & ((decisions.demand.value > 0) | (group == 0))
        covered = decisions.coverage.covered
        reached, missed = (self.total((counts & flag).astype(np.float64)) > 0 for flag in (covered, ~covered))
        return reached & ~missed, ~reached
