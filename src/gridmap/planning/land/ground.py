"""The ground a plan decides on: the cells of the partition as arrays, measured once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.domain.kinds import SettlementClass
from gridmap.geometry.lattice import Geometries, to_degrees
from gridmap.geometry.measure import LocalPlane, area_m2
from gridmap.planning.service.circles import Outlines
from gridmap.planning.service.reach import EarthPoints, Floats, Rows

#: Settlement classes in the order of their numbers in arrays.
CLASSES: tuple[SettlementClass, ...] = tuple(SettlementClass)

#: Areas are whole multiples of this part of a square metre: sums up to 8.8 million km² are exact in any order.
AREA_STEP_M2 = 2.0**-10


@dataclass(frozen=True)
class Ground:
    """Cells of a partition; every row is one piece: a cell, or the part of a cell inside one base unit.

    Attributes
    ----------
    cell : (n,) uint64, H3 index
    area : (n,) int64, row of the lowest-level area
    unit : (n,) int64, row of the base unit; ascending
    geometry : (n,) polygons or multipolygons, lattice frame
    adjacency : (m, 2) int64, rows that share an edge of positive length
    shared_m : (m,) float64, length of that edge, metres
    crossable_m : (m,) float64, the part of it that runs along no barrier
    settlement : (n,) int64, index into ``CLASSES``
    """

    cell: NDArray[np.uint64]
    area: Rows
    unit: Rows
    geometry: Geometries
    adjacency: Rows
    shared_m: Floats
    crossable_m: Floats
    settlement: Rows

    def __len__(self) -> int:
        """Count of the cells."""
        return len(self.cell)

    @cached_property
    def area_m2(self) -> Floats:
        """(n,) float64, area on the ellipsoid, rounded once to ``AREA_STEP_M2``."""
        return np.asarray(np.rint(area_m2(self.geometry) / AREA_STEP_M2) * AREA_STEP_M2)

    @cached_property
    def points(self) -> EarthPoints:
        """Representative point of each cell: what coverage and distance are measured at."""
        lonlat = to_degrees(representative_points(self.geometry))
        return EarthPoints(lonlat[:, 0], lonlat[:, 1])

    @cached_property
    def plane(self) -> LocalPlane:
        """Equal-area plane around the cells."""
        return LocalPlane.around(self.geometry)

    @cached_property
    def in_plane(self) -> Geometries:
        """(n,) the cells in metres of ``plane``."""
        return self.plane.project(self.geometry)

    @cached_property
    def outlines(self) -> Outlines:
        """The cells in metres of ``plane``, measured for circles."""
        return Outlines.of(self.in_plane)

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.geometry)

    @cached_property
    def _tree_in_plane(self) -> shapely.STRtree:
        return shapely.STRtree(self.in_plane)

    def locate(self, lonlat: Floats) -> Rows:
        """Row of the cell that holds each point; on a shared border the lowest; -1 outside all.

        Parameters
        ----------
        lonlat : (k, 2) float64, degrees
        """
        points = shapely.points(lonlat * 1e7)
        return lowest_match(len(points), *self._tree.query(points, predicate="intersects"))

    def locate_nearby(self, lonlat: Floats, within_m: float) -> Rows:
        """Row of the cell nearest to each point, at most ``within_m`` metres away; -1 beyond."""
        points = shapely.points(self.plane.from_degrees(lonlat))
        return lowest_match(len(points), *self._tree_in_plane.query_nearest(points, max_distance=within_m))

    def pieces_meeting(self, polygons: Geometries) -> tuple[Rows, Rows]:
        """Pairs (polygon, row) of lattice-frame polygons and the cells they meet, ordered."""
        polygon, row = self._tree.query(polygons, predicate="intersects")
        order = np.lexsort((row, polygon))
        return polygon[order], row[order]


def representative_points(geometries: Geometries) -> Floats:
    """Point inside each geometry: its centroid, where that lies inside, else GEOS's point on surface.

    Returns
    -------
    (n, 2) float64, in the frame of the geometries
    """
    points = shapely.get_coordinates(shapely.centroid(geometries))
    elsewhere = np.flatnonzero(~shapely.contains_xy(geometries, points[:, 0], points[:, 1]))
    points[elsewhere] = shapely.get_coordinates(shapely.point_on_surface(geometries[elsewhere]))
    return np.asarray(points)


def class_rows(settlement: Sequence[SettlementClass]) -> Rows:
    """Settlement classes as their numbers in arrays."""
    return np.array([CLASSES.index(value) for value in settlement], dtype=np.int64)


def lowest_match(count: int, point: Rows, row: Rows) -> Rows:
    """(count,) int64: of the pairs (point, row) the lowest row of each point, -1 where it is in none."""
    found = np.full(count, -1, dtype=np.int64)
    order = np.lexsort((-row, point))
    found[point[order]] = row[order]
    return found
