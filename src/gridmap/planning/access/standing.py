"""Service as it stands on a plan's ground: by all facilities, and by those of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import CoverageSection
from gridmap.planning.access.catchments import Access, ring_weights, supply_of, two_step
from gridmap.planning.access.loads import Loads, loads
from gridmap.planning.access.second_choices import next_nearest
from gridmap.planning.access.terrain import Terrain
from gridmap.planning.service.coverage import Coverage, cover
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.gaps import Gaps, find_gaps
from gridmap.planning.service.reach import Flags, Floats, Rows

#: Stands for the facilities of all kinds together.
ALL = "all"


@dataclass(frozen=True)
class Service:
    """Service by some facilities, ``rows`` of all.

    Attributes
    ----------
    name : ``all``, a kind, or an institution
    rows : (f,) int64
    covered : (n,) bool
    covered_share : (n,) float64, share of each cell's area
    nearest, second : (n,) int64, nearest facility and the nearest other one; -1 where there is none
    nearest_m, second_m : (n,) float64, metres, infinite where there is none
    access, by_rings : 2SFCA and E2SFCA
    by_capacity : whether supply is capacity; else each facility counts 1
    """

    name: str
    rows: Rows
    covered: Flags
    covered_share: Floats
    nearest: Rows
    nearest_m: Floats
    second: Rows
    second_m: Floats
    access: Access
    by_rings: Access
    by_capacity: bool


@dataclass(frozen=True)
class Standing:
    """Facilities on a terrain, and what they come to.

    Attributes
    ----------
    facilities : by identifier, as ``Plan.facilities`` has them
    settings : radii
    """

    terrain: Terrain
    frame: gpd.GeoDataFrame
    settings: CoverageSection

    @classmethod
    def of(cls, plan: Plan, terrain: Terrain | None = None) -> Standing:
        """Service as the plan has it."""
        return cls(terrain or Terrain.of(plan), plan.facilities, plan.settings.coverage)

    @cached_property
    def facilities(self) -> Facilities:
        """The facilities as arrays."""
        return Facilities.from_frame(self.frame)

    @cached_property
    def radius_m(self) -> Floats:
        """(m, classes) float64, metres."""
        return self.facilities.radius_m(self.settings)

    @cached_property
    def coverage(self) -> Coverage:
        """Coverage, as building the plan anew would find it."""
        return cover(self.terrain.ground, self.facilities, self.settings)

    @cached_property
    def gaps(self) -> Gaps:
        """Coverage gaps, as building the plan anew would find them."""
        terrain = self.terrain
        return find_gaps(terrain.ground, self.coverage, self.facilities, self.radius_m, terrain.demand, terrain.county)

    @cached_property
    def cells(self) -> Rows:
        """(m,) int64: cell each facility stands in, -1 outside."""
        return self.terrain.locate(self.facilities.points.lon, self.facilities.points.lat)

    @property
    def kinds(self) -> list[FacilityKind]:
        """Kinds there are, in the order of ``KINDS``."""
        return [kind for kind in KINDS if len(self.facilities.of_kind(kind))]

    @cached_property
    def outlet_loads(self) -> Loads:
        """Demand of each outlet, were everybody to go to the nearest in reach; no capacity where area stands in."""
        capacity = self.facilities.capacity if not self.terrain.stands_in else np.full(len(self.facilities), np.nan)
        return loads(self.coverage.in_reach, self.terrain.demand, capacity, self.facilities.is_outlet)

    @cached_property
    def all(self) -> Service:
        """Service by all facilities together."""
        nearest, nearest_m = self.coverage.nearest_of_all
        rows = np.arange(len(self.facilities))
        return self._service(ALL, rows, self.coverage.covered, self.coverage.covered_share, nearest, nearest_m)

    def of_kind(self, kind: FacilityKind) -> Service:
        """Service by the facilities of one kind."""
        at, coverage = KINDS.index(kind), self.coverage
        return self._service(
            kind.value,
            self.facilities.of_kind(kind),
            coverage.covered_by[at],
            coverage.covered_share_by[at],
            coverage.nearest[at],
            coverage.nearest_m[at],
        )

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Service by all facilities, then by each kind there is."""
        return (self.all, *(self.of_kind(kind) for kind in self.kinds))

    def by_institution(self) -> tuple[Service, ...]:
        """Service by the facilities of each institution that is named, by name."""
        institutions = np.array(self.facilities.institutions, dtype=object)
        found = []
        for name in sorted(set(institutions.tolist()) - {""}):
            rows = np.flatnonzero(institutions == name)
            alone = Standing(self.terrain, self.frame.iloc[rows].reset_index(drop=True), self.settings).all
            second = np.where(alone.second >= 0, rows[alone.second], -1)
            found.append(
                Service(
                    name,
                    rows,
                    alone.covered,
                    alone.covered_share,
                    rows[alone.nearest],
                    alone.nearest_m,
                    second,
                    alone.second_m,
                    alone.access,
                    alone.by_rings,
                    alone.by_capacity,
                )
            )
        return tuple(found)

    def _service(
        self, name: str, rows: Rows, covered: Flags, share: Floats, nearest: Rows, nearest_m: Floats
    ) -> Service:
        ground, demand, points = self.terrain.ground, self.terrain.demand, self.facilities.points
        place = np.full(len(self.facilities) + 1, -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        second, second_m = next_nearest(ground.points, points.take(rows), place[nearest])
        chosen = np.zeros(len(self.facilities), dtype=np.bool_)
        chosen[rows] = True
        pairs = self.coverage.in_reach.where(chosen[self.coverage.in_reach.facility])
        some, known = supply_of(self.facilities, rows)
        supply = np.zeros(len(self.facilities))
        supply[rows] = some
        weight = ring_weights(pairs, self.radius_m, ground.settlement)
        return Service(
            name,
            rows,
            covered,
            share,
            nearest,
            nearest_m,
            np.where(second >= 0, rows[second], -1) if len(rows) else second,
            second_m,
            two_step(pairs, demand, supply),
            two_step(pairs, demand, supply, weight),
            known,
        )
