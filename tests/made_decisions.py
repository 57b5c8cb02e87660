"""Decisions on squares of a hundredth of a degree, put together by hand: what is not under test is trivially right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.domain.kinds import AreaLevel, BaseUnitKind, FacilityKind, GridKind
from gridmap.domain.plan_settings import AreaSource, GridSection, PlanSection, PlanSettings, StaffingSection
from gridmap.planning.decisions import Decisions
from gridmap.planning.land.base_units import BaseUnits
from gridmap.planning.land.demand import SpreadDemand
from gridmap.planning.land.ground import Ground
from gridmap.planning.land.hierarchy import Hierarchy, build_hierarchy
from gridmap.planning.responsibility.assignment import Assignment
from gridmap.planning.responsibility.staffing import Staffing
from gridmap.planning.service.coverage import cover
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.gaps import find_gaps
from gridmap.planning.service.reach import EarthPoints
from gridmap.planning.territory.grids import Grids

WEST, SOUTH, UNITS = 1_110_000_000, 300_000_000, 100_000
Square = tuple[int, int]


@dataclass(frozen=True)
class Made:
    """What a made plan looks like; every function takes column and row of a square.

    ``village`` and ``township`` number areas from 0; ``unit`` numbers the base units of a village; ``grid`` numbers the
    grids, -1 for none. ``outlets`` are branches at (column, row) in squares from the south-west corner; each grid's
    primary is the first outlet inside it, else the first of all.
    """

    columns: int
    rows: int
    village: Callable[[int, int], int] = lambda x, y: 0
    township: Callable[[int, int], int] | None = None
    unit: Callable[[int, int], int] = lambda x, y: 0
    unit_kind: BaseUnitKind = BaseUnitKind.VILLAGE
    grid: Callable[[int, int], int] = lambda x, y: 0
    demand: Callable[[int, int], float] = lambda x, y: 10.0
    outlets: Sequence[tuple[float, float]] = ()
    without: Sequence[Square] = ()
    barrier: Callable[[Square, Square], bool] = lambda here, there: False
    grids: GridSection = field(default_factory=GridSection)
    staffing: StaffingSection = field(default_factory=StaffingSection)

    def squares(self) -> list[Square]:
        """Squares by village, base unit, row and column: the order of the cells."""
        all_of_them = [(x, y) for y in range(self.rows) for x in range(self.columns) if (x, y) not in self.without]
        return sorted(all_of_them, key=lambda at: (self.village(*at), self.unit(*at), at[1], at[0]))

    def decisions(self) -> Decisions:
        """Make them."""
        squares = self.squares()
        hierarchy = self._hierarchy(squares)
        unit_keys = sorted({(self.village(*at), self.unit(*at)) for at in squares})
        unit = np.array([unit_keys.index((self.village(*at), self.unit(*at))) for at in squares])
        area = np.array([self.village(*at) for at in squares], dtype=np.int64)
        shapes = np.array([_box(*at) for at in squares], dtype=object)
        links = [
            (i, j)
            for i, (x, y) in enumerate(squares)
            for j, (u, v) in enumerate(squares)
            if i < j and abs(x - u) + abs(y - v) == 1
        ]
        crossable = [0.0 if self.barrier(squares[i], squares[j]) else 1000.0 for i, j in links]
        ground = Ground(
            np.arange(len(squares), dtype=np.uint64),
            area,
            unit,
            shapes,
            np.array(links, dtype=np.int64).reshape(-1, 2),
            np.full(len(links), 1000.0),
            np.array(crossable),
            np.full(len(squares), 2),
        )
        one_a_village = len(unit_keys) == len(hierarchy.lowest)
        units = BaseUnits(
            tuple(
                hierarchy.lowest.codes[village] if one_a_village else f"{hierarchy.lowest.codes[village]}-B{number:03d}"
                for village, number in unit_keys
            ),
            np.array([village for village, _ in unit_keys]),
            (self.unit_kind,) * len(unit_keys),
            np.full(len(unit_keys), -1),
            np.array([shapely.union_all(shapes[unit == row]) for row in range(len(unit_keys))], dtype=object),
        )
        settings = PlanSettings(
            plan=PlanSection(name="made"),
            areas={AreaLevel.VILLAGE: AreaSource(path="villages.geojson")},
            grids=self.grids,
            staffing=self.staffing,
        )
        value = np.array([self.demand(*at) for at in squares])
        total = float(value.sum())
        demand = SpreadDemand(value, "people", "people.csv", False, total, 0.0, np.zeros(0), np.zeros((0, 2)))
        facilities = self._facilities()
        facility_cell = ground.locate(np.column_stack([facilities.points.lon, facilities.points.lat]))
        coverage = cover(ground, facilities, settings.coverage)
        grids = self._grids(squares, ground, hierarchy)
        radius_m = facilities.radius_m(settings.coverage)
        return Decisions(
            settings,
            hierarchy,
            units,
            ground,
            demand,
            facilities,
            facility_cell,
            radius_m,
            coverage,
            grids,
            _assignment(grids, facility_cell, len(squares)),
            nobody(len(grids)),
            find_gaps(ground, coverage, facilities, radius_m, value, np.zeros(len(squares), dtype=np.int64)),
            {"verdict": "exact"},
        )

    def _hierarchy(self, squares: list[Square]) -> Hierarchy:
        township = self.township or (lambda x, y: 0)
        of_village = {self.village(*at): f"990101{township(*at) + 1:03d}{self.village(*at) + 1:03d}" for at in squares}
        of_township = {township(*at): f"990101{township(*at) + 1:03d}" for at in squares}
        frames = {
            AreaLevel.COUNTY: _areas("county", {"990101": [_box(*at) for at in squares]}),
            AreaLevel.TOWNSHIP: _areas(
                "township",
                {code: [_box(*at) for at in squares if township(*at) == key] for key, code in of_township.items()},
            ),
            AreaLevel.VILLAGE: _areas(
                "village",
                {code: [_box(*at) for at in squares if self.village(*at) == key] for key, code in of_village.items()},
            ),
        }
        if self.township is None:
            del frames[AreaLevel.TOWNSHIP]
        return build_hierarchy(frames)

    def _facilities(self) -> Facilities:
        lon = np.array([(WEST + UNITS * x) / 1e7 for x, _ in self.outlets])
        lat = np.array([(SOUTH + UNITS * y) / 1e7 for _, y in self.outlets])
        count = len(self.outlets)
        return Facilities(
            np.array([f"B{row}" for row in range(count)], dtype=object),
            np.full(count, KINDS.index(FacilityKind.BRANCH)),
            EarthPoints(lon, lat),
            np.full(count, np.nan),
            np.full(count, np.nan),
        )

    def _grids(self, squares: list[Square], ground: Ground, hierarchy: Hierarchy) -> Grids:
        of_cell = np.array([self.grid(*at) for at in squares], dtype=np.int64)
        count = int(of_cell.max()) + 1
        level, home = np.full(count, -1), np.full(count, -1)
        for number, areas in enumerate(hierarchy.levels):
            row = hierarchy.ancestors(areas.level)[ground.area]
            for grid in range(count):
                held = set(row[of_cell == grid].tolist())
                if len(held) == 1:
                    level[grid], home[grid] = number, held.pop()
        codes = []
        for grid in range(count):
            stem = hierarchy.levels[level[grid]].codes[home[grid]].ljust(12, "0") if level[grid] >= 0 else "0" * 12
            codes.append(f"{stem}{1 + sum(code.startswith(stem) for code in codes):03d}")
        order = np.argsort(codes)
        place = np.argsort(order)
        return Grids(
            of_cell=np.where(of_cell >= 0, place[of_cell], -1),
            codes=tuple(codes[row] for row in order),
            names=tuple(f"grid {row}" for row in order),
            kind=(GridKind.ORDINARY,) * count,
            locked=np.zeros(count, dtype=np.bool_),
            level=level[order],
            home=home[order],
            shape=np.array([shapely.union_all(ground.geometry[of_cell == row]) for row in order], dtype=object),
            target=np.full(count, np.nan),
            anchor=np.full(count, -1),
        )


def nobody(grids: int) -> Staffing:
    """No staff file, nobody asked for."""
    none = np.zeros(0, dtype=np.int64)
    lacking = np.full(grids, -1)
    return Staffing(None, lacking, none, none, lacking >= 0, np.zeros(grids, dtype=np.int64), none, none)


def _assignment(grids: Grids, facility_cell: np.ndarray, cells: int) -> Assignment:
    count = len(grids)
    held_by = np.where(facility_cell >= 0, grids.of_cell[facility_cell], -1)
    inside = [np.flatnonzero(held_by == grid) for grid in range(count)]
    first = 0 if len(facility_cell) else -1
    primary = np.array([rows[0] if len(rows) else first for rows in inside], dtype=np.int64)
    assigned = np.flatnonzero(primary >= 0)
    return Assignment(
        primary,
        np.array([len(rows) > 0 for rows in inside]),
        np.full(cells, 1000.0),
        assigned,
        primary[assigned],
        np.ones(len(assigned), dtype=np.bool_),
        np.full(len(assigned), 1000.0),
        np.zeros(len(assigned)),
        primary,
    )


def _box(x: int, y: int) -> shapely.Geometry:
    west, south = WEST + x * UNITS, SOUTH + y * UNITS
    return shapely.box(west, south, west + UNITS, south + UNITS)


def _areas(level: str, parts: dict[str, list[shapely.Geometry]]) -> gpd.GeoDataFrame:
    shapes = [shapely.transform(shapely.union_all(boxes), lambda xy: xy / 1e7) for boxes in parts.values()]
    return gpd.GeoDataFrame(
        {
            "area_code": list(parts),
            "name": [f"{level} {code}" for code in parts],
            "level": level,
            "settlement": pd.Series(["rural"] * len(parts), dtype="object"),
        },
        geometry=shapes,
        crs="EPSG:4326",
    )
