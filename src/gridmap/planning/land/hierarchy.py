"""Areas of all levels and which lies in which: by code prefix, else by representative point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from gridmap.domain.kinds import AreaLevel, SettlementClass
from gridmap.geometry.lattice import Geometries, geometries_to_units
from gridmap.geometry.measure import area_m2
from gridmap.planning.land.ground import CLASSES, lowest_match, representative_points
from gridmap.planning.land.same_ground import ground_apart
from gridmap.planning.service.reach import Rows
from gridmap.planning.territory.codes import is_administrative


@dataclass(frozen=True)
class AreaSet:
    """Areas of one level, by ascending code.

    Attributes
    ----------
    codes, names : (k,) str
    geometry : (k,) polygons or multipolygons, lattice frame
    settlement : (k,) int64, index into ``CLASSES``, -1 where not given
    parent : (k,) int64, row in the next wider level, -1 where none holds it or there is none
    """

    level: AreaLevel
    codes: tuple[str, ...]
    names: tuple[str, ...]
    geometry: Geometries
    settlement: Rows
    parent: Rows

    def __len__(self) -> int:
        """Count of the areas."""
        return len(self.codes)


@dataclass(frozen=True)
class Hierarchy:
    """Areas of all levels given, widest first."""

    levels: tuple[AreaSet, ...]

    @property
    def lowest(self) -> AreaSet:
        """The most detailed level: what cells and grids belong to."""
        return self.levels[-1]

    def at(self, level: AreaLevel) -> AreaSet | None:
        """Areas of one level, None where it is not given."""
        return next((areas for areas in self.levels if areas.level is level), None)

    def ancestors(self, level: AreaLevel) -> Rows:
        """(k,) int64: for each lowest-level area the row of the area of ``level`` that holds it, -1 where none does."""
        row = np.arange(len(self.lowest), dtype=np.int64)
        for areas in reversed(self.levels):
            if areas.level is level:
                return row
            row = _follow(areas.parent, row)
        return np.full(len(self.lowest), -1, dtype=np.int64)

    def county_numbers(self) -> Rows:
        """(k,) int64: number of each lowest-level area's county, by the county level, else by six digits of code."""
        if self.levels[0].level is AreaLevel.COUNTY:
            return self.ancestors(AreaLevel.COUNTY)
        digits = AreaLevel.COUNTY.digits
        county = [code[:digits] if is_administrative(code) else "" for code in self.lowest.codes]
        return np.asarray(np.unique(county, return_inverse=True)[1], dtype=np.int64)

    def settlement_of_lowest(self, default: SettlementClass | None) -> Rows:
        """(k,) int64: class of each lowest-level area: its own, else its upper area's, else the default (-1: none)."""
        found = self.lowest.settlement.copy()
        for areas in reversed(self.levels[:-1]):
            above = _follow(areas.settlement, self.ancestors(areas.level))
            found = np.where(found < 0, above, found)
        return found if default is None else np.where(found < 0, CLASSES.index(default), found)

    def not_filled_exactly(self) -> list[tuple[str, float]]:
        """Codes of areas whose ground is not that of the areas below, and how many square metres belong to one only."""
        unlike: list[tuple[str, float]] = []
        for above, below in zip(self.levels, self.levels[1:], strict=False):
            for row, code in enumerate(above.codes):
                apart = ground_apart(above.geometry[row], below.geometry[below.parent == row])
                if len(apart):
                    unlike.append((code, float(area_m2(apart).sum())))
        return unlike


def build_hierarchy(frames: dict[AreaLevel, gpd.GeoDataFrame]) -> Hierarchy:
    """Areas of all levels, each linked to the area of the next wider level that holds it.

    Parameters
    ----------
    frames : as ``PlanInputs.areas``; empty ones count as not given
    """
    levels: list[AreaSet] = []
    for level in AreaLevel:
        frame = frames.get(level)
        if frame is not None and len(frame):
            levels.append(_area_set(level, frame, levels[-1] if levels else None))
    return Hierarchy(tuple(levels))


def _area_set(level: AreaLevel, frame: gpd.GeoDataFrame, above: AreaSet | None) -> AreaSet:
    ordered = frame.sort_values("area_code", kind="stable")
    codes = tuple(str(code) for code in ordered["area_code"])
    names = tuple("" if name is None or name != name else str(name) for name in ordered["name"])
    geometry = geometries_to_units(ordered.geometry.to_numpy())
    settlement = [
        CLASSES.index(SettlementClass(value)) if isinstance(value, str) else -1 for value in ordered["settlement"]
    ]
    parent = np.full(len(codes), -1, dtype=np.int64) if above is None else _parents(codes, geometry, above)
    return AreaSet(level, codes, names, geometry, np.array(settlement, dtype=np.int64), parent)


def _parents(codes: Sequence[str], geometry: Geometries, above: AreaSet) -> Rows:
    row_of = {code: row for row, code in enumerate(above.codes) if is_administrative(code)}
    digits = above.level.digits
    parent = np.array(
        [row_of.get(code[:digits], -1) if is_administrative(code) else -1 for code in codes], dtype=np.int64
    )
    unknown = np.flatnonzero(parent < 0)
    points = shapely.points(representative_points(geometry[unknown]))
    found = shapely.STRtree(above.geometry).query(points, predicate="intersects")
    parent[unknown] = lowest_match(len(unknown), *found)
    return parent


def _follow(values: Rows, row: Rows) -> Rows:
    """``values[row]``, and -1 where the row is -1."""
    return np.where(row >= 0, values[row], -1)
