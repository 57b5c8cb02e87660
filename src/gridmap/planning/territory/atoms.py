"""Atoms: what a grid is put together of. A base unit whole, or, on open ground, each of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from gridmap.domain.kinds import BaseUnitKind
from gridmap.planning.districting.task import UnitGraph
from gridmap.planning.groups import sums, weighted_means
from gridmap.planning.land.base_units import BaseUnits
from gridmap.planning.land.ground import Ground
from gridmap.planning.service.reach import EarthPoints, Floats, Rows

_CARVED = (BaseUnitKind.DEDICATED, BaseUnitKind.LOCKED)


@dataclass(frozen=True)
class Atoms:
    """Atoms of a plan, by base unit, then cell; carved ground has none.

    Attributes
    ----------
    of_cell : (n,) int64, atom of each cell, -1 on carved ground
    unit : (a,) int64, base unit each is or lies in
    first : (a,) int64, its first cell
    whole : (a,) bool, the atom is a whole base unit
    """

    ground: Ground
    demand_of_cell: Floats
    of_cell: Rows
    unit: Rows
    first: Rows
    whole: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @classmethod
    def of(cls, ground: Ground, units: BaseUnits, demand: Floats) -> Atoms:
        """Atoms of a ground whose rows are ordered by base unit."""
        open_ground = np.array([kind is BaseUnitKind.CELLS for kind in units.kind], dtype=np.bool_)
        carved = np.array([kind in _CARVED for kind in units.kind], dtype=np.bool_)
        first_of_unit = np.r_[True, ground.unit[1:] != ground.unit[:-1]] if len(ground) else np.zeros(0, dtype=np.bool_)
        begins = (first_of_unit | open_ground[ground.unit]) & ~carved[ground.unit]
        of_cell = np.where(carved[ground.unit], -1, np.cumsum(begins) - 1)
        first = np.flatnonzero(begins)
        unit = ground.unit[first]
        return cls(ground, demand, of_cell, unit, first, ~open_ground[unit])

    def __len__(self) -> int:
        """Count of the atoms."""
        return len(self.unit)

    @cached_property
    def area(self) -> Rows:
        """(a,) int64: lowest-level area each lies in."""
        return self.ground.area[self.first]

    @cached_property
    def demand(self) -> Floats:
        """(a,) float64."""
        return self._sum(self.demand_of_cell)

    @cached_property
    def area_m2(self) -> Floats:
        """(a,) float64."""
        return self._sum(self.ground.area_m2)

    @cached_property
    def xy_m(self) -> Floats:
        """(a, 2) float64: middle of the ground of each, metres in the plane of the ground."""
        points = self.ground.points
        xy_m = self.ground.plane.from_degrees(np.column_stack([points.lon, points.lat]))
        held = self.of_cell >= 0
        group, weight, none = self.of_cell[held], self.ground.area_m2[held], np.ones(int(held.sum()))
        means = [weighted_means(group, xy_m[held, axis], weight, none, len(self)) for axis in range(2)]
        return np.column_stack(means)

    @cached_property
    def points(self) -> EarthPoints:
        """Middle of the ground of each."""
        lonlat = self.ground.plane.to_degrees(self.xy_m)
        return EarthPoints(lonlat[:, 0], lonlat[:, 1])

    @cached_property
    def outline_m(self) -> Floats:
        """(a,) float64: length of the whole outline of each, metres."""
        around = self._sum(shapely.length(self.ground.in_plane))
        pair = self.of_cell[self.ground.adjacency]
        inside = (pair[:, 0] == pair[:, 1]) & (pair[:, 0] >= 0)
        within_m = sums(pair[inside, 0], self.ground.shared_m[inside], len(self))
        return np.maximum(around - 2 * within_m, 0.0)

    @cached_property
    def links(self) -> tuple[Rows, Floats]:
        """Pairs of atoms that share a border no barrier runs along, lower first, sorted; and its length, metres."""
        pair = np.sort(self.of_cell[self.ground.adjacency].reshape(-1, 2), axis=1)
        apart = (pair[:, 0] >= 0) & (pair[:, 0] != pair[:, 1]) & (self.ground.crossable_m > 0)
        key, inverse = np.unique(pair[apart, 0] * max(len(self), 1) + pair[apart, 1], return_inverse=True)
        length_m = sums(inverse.reshape(-1), self.ground.crossable_m[apart], len(key))
        return np.column_stack([key // max(len(self), 1), key % max(len(self), 1)]), length_m

    def graph(self, rows: Rows) -> UnitGraph:
        """Graph of some atoms, numbered in the order of ``rows`` (ascending)."""
        place = np.full(len(self), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        links, length_m = self.links
        inside = (place[links] >= 0).all(axis=1)
        return UnitGraph(
            self.demand[rows],
            self.area_m2[rows],
            self.xy_m[rows],
            place[links[inside]],
            length_m[inside],
            self.outline_m[rows],
        )

    def _sum(self, value: Floats) -> Floats:
        held = self.of_cell >= 0
        return sums(self.of_cell[held], value[held], len(self))
