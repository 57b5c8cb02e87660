"""Coverage along roads: what ``planning.service.coverage`` says as the crow flies, said of ways that can be travelled.

A facility reaches a cell when the shortest way from the cell's representative point is at most its radius long or,
where minutes decide, when the quickest way takes at most the minutes of its kind; a facility with a radius of its own
is always judged by that. Distances are metres of the shortest way, whatever decides. There is no circle to cut a cell
by: a cell is covered whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gridmap.domain.plan_settings import CoverageSection, RoadSource
from gridmap.domain.roads import Measure, RoadLines
from gridmap.errors import BadValue, Place
from gridmap.planning.groups import weighted_means
from gridmap.planning.land.ground import CLASSES, Ground
from gridmap.planning.network.graph import road_graph
from gridmap.planning.network.routing import NetworkReach
from gridmap.planning.network.snapping import Spots
from gridmap.planning.responsibility.assignment import Assignment
from gridmap.planning.service.coverage import Coverage
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import ROUNDING_M, Flags, Floats, Pairs, Rows

#: Farthest a place may lie from a road, metres, where the plan does not say.
MOST_OFF_M = 2000.0
#: Rounding of minutes, as ``ROUNDING_M`` is of metres.
_ROUNDING_MIN = 1e-8


@dataclass(frozen=True)
class RoadService:
    """Roads of a plan, with the spots that its cells and facilities have on them.

    Attributes
    ----------
    roads : as they were read
    shortest : ways by metres
    cells, facilities : spots, ``off_m`` from the places themselves
    quickest : ways by minutes, None where metres decide
    minutes : (kinds, classes) float64, NaN where not given; None where metres decide
    """

    roads: RoadLines
    shortest: NetworkReach
    cells: Spots
    facilities: Spots
    quickest: NetworkReach | None = None
    minutes: Floats | None = None

    @classmethod
    def of(cls, roads: RoadLines, source: RoadSource | None, ground: Ground, facilities: Facilities) -> RoadService:
        """Lay out the roads of a plan.

        Raises
        ------
        BadValue
            If minutes decide, and there are none for a kind of facility that the plan has.
        """
        most_off_m = MOST_OFF_M if source is None or source.max_off_m is None else source.max_off_m
        shortest = NetworkReach(road_graph(roads, Measure.METRES), most_off_m)
        service = cls(roads, shortest, shortest.spots(ground.points), shortest.spots(facilities.points))
        if source is None or source.measure is not Measure.MINUTES:
            return service
        minutes = np.full((len(KINDS), len(CLASSES)), np.nan)
        for kind, (urban, rural) in (source.minutes or {}).items():
            minutes[KINDS.index(kind)] = [rural if name.value == "rural" else urban for name in CLASSES]
        by_kind = facilities.kind[np.isnan(facilities.service_radius_m)]
        lacking = [KINDS[kind].value for kind in np.unique(by_kind).tolist() if np.isnan(minutes[kind]).any()]
        if lacking:
            raise BadValue("roads.no_minutes", Place(field="minutes"), kinds=", ".join(lacking))
        return replace(service, quickest=NetworkReach(road_graph(roads, Measure.MINUTES), most_off_m), minutes=minutes)

    def cover(
        self, ground: Ground, facilities: Facilities, settings: CoverageSection, tell: Callable[[float], None]
    ) -> Coverage:
        """Coverage of the ground by the facilities, along the roads.

        Parameters
        ----------
        tell : called with the share of the facilities that are done, 0 to 1
        """
        count = len(ground)
        radius_m = facilities.radius_m(settings)
        found = np.full((len(KINDS), count), -1, dtype=np.int64)
        found_m = np.full((len(KINDS), count), np.inf)
        parts: list[tuple[Rows, Rows, Floats]] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
        done = 0
        quicker = None if self.quickest is None else self.quickest.tables_of_spots(self.cells, self.facilities)
        for rows, table_m in self.shortest.tables_of_spots(self.cells, self.facilities):
            within = table_m <= radius_m[rows][:, ground.settlement] + ROUNDING_M
            if quicker is not None and self.minutes is not None:
                limit = self.minutes[facilities.kind[rows]][:, ground.settlement]
                in_time = next(quicker)[1] <= limit + _ROUNDING_MIN
                within = np.where(np.isnan(facilities.service_radius_m[rows])[:, None], in_time, within)
            facility, cell = np.nonzero(within)
            parts.append((cell.astype(np.int64), rows[facility], table_m[facility, cell]))
            for kind in np.unique(facilities.kind[rows]).tolist():
                _nearer(found[kind], found_m[kind], rows, table_m, facilities.kind[rows] == kind)
            done += len(rows)
            tell(done / len(facilities))
        point, facility, metres = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((facility, point))
        in_reach = Pairs(point[order], facility[order], metres[order])
        covered_by = np.zeros((len(KINDS), count), dtype=np.bool_)
        covered_by[facilities.kind[in_reach.facility], in_reach.point] = True
        outlets_only = in_reach.point[facilities.is_outlet[in_reach.facility]]
        crossing = np.bincount(outlets_only, minlength=count)
        share_by = covered_by.astype(np.float64)
        return Coverage(in_reach, found, found_m, covered_by, share_by.max(axis=0), share_by, crossing)

    def stated(self, assignment: Assignment, ground: Ground, grid: Rows, demand: Floats) -> Assignment:
        """Return an assignment with its distances along the roads.

        Means run over the cells that a way leads from; where there is none, they are NaN.

        Parameters
        ----------
        grid : (n,) int64, grid of each cell
        demand : (n,) float64
        """
        cell_m = np.full(len(grid), np.nan)
        mean_m = np.full(len(assignment.grid), np.nan)
        outlets = np.unique(assignment.outlet[assignment.outlet >= 0])
        for rows, table_m in self.shortest.tables_of_spots(self.cells, self.facilities.take(outlets)):
            for outlet, metres in zip(outlets[rows].tolist(), table_m, strict=True):
                own = assignment.primary[grid] == outlet
                cell_m[own] = np.where(np.isfinite(metres[own]), metres[own], np.nan)
                for pair in np.flatnonzero(assignment.outlet == outlet).tolist():
                    cells = np.flatnonzero((grid == assignment.grid[pair]) & np.isfinite(metres))
                    if len(cells):
                        group, weight, area = np.zeros(len(cells), np.int64), demand[cells], ground.area_m2[cells]
                        mean_m[pair] = weighted_means(group, metres[cells], weight, area, 1)[0]
        return replace(assignment, cell_distance_m=cell_m, distance_m=mean_m)


def _nearer(found: Rows, found_m: Floats, rows: Rows, table_m: Floats, of_kind: Flags) -> None:
    """Keep the nearest of each cell, the lowest row of equally near ones."""
    table, kept = table_m[of_kind], rows[of_kind]
    best = np.argmin(table, axis=0)
    least = table[best, np.arange(table.shape[1])]
    better = (least < found_m) | ((least == found_m) & np.isfinite(least) & (kept[best] < found))
    found[better], found_m[better] = kept[best[better]], least[better]
