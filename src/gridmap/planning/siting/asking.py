"""What a plan says to a question of siting: demand that is not served yet, who could serve it, at what distance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.domain.kinds import FacilityKind, SettlementClass
from gridmap.domain.plan import Plan
from gridmap.errors import BadValue, UsageError
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.reach import ROUNDING_M, EarthPoints, Flags, Floats, Pairs, Rows, distances, within

#: Numbers of a table of distances that are still worked on.
MOST_DISTANCES = 6_000_000


class Aim(StrEnum):
    """What new facilities are to do."""

    MOST = "most"
    SHARE = "share"
    MEAN = "mean"
    FARTHEST = "farthest"


@dataclass(frozen=True)
class Candidates:
    """Places where a facility could stand.

    Attributes
    ----------
    lonlat : (n, 2) float64, WGS 84 degrees
    names : (n,) str, "" where they have none
    """

    lonlat: NDArray[np.float64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Count of the candidates."""
        return len(self.lonlat)

    def without(self, excluded: NDArray[np.object_]) -> Candidates:
        """Candidates outside excluded ground; its border is part of it."""
        inside = shapely.STRtree(excluded).query(shapely.points(self.lonlat), predicate="intersects")[0]
        kept = np.setdiff1d(np.arange(len(self)), inside)
        return Candidates(self.lonlat[kept], tuple(self.names[row] for row in kept.tolist()))


@dataclass(frozen=True)
class Question:
    """Demand and candidates of one question.

    Attributes
    ----------
    plan : it is asked of
    kind : of the new facilities
    radius_m : (classes,) float64, service radius on ground of each class
    points : (n,) places of the cells with demand
    row : (n,) int64, rows of ``Plan.cells``
    demand : (n,) float64, of the cells
    weight : (n,) float64, demand with rural people counted by the equity weight
    settlement : (n,) int64, index into ``CLASSES``
    served : (n,) bool, a facility of the kind reaches the cell already
    existing_m : (n,) float64, to the nearest facility of the kind, infinite where there is none
    candidates : places for new ones
    """

    plan: Plan
    kind: FacilityKind
    radius_m: Floats
    points: EarthPoints
    row: Rows
    demand: Floats
    weight: Floats
    settlement: Rows
    served: Flags
    existing_m: Floats
    candidates: Candidates

    @property
    def sites(self) -> EarthPoints:
        """Candidates as points."""
        return EarthPoints(*self.candidates.lonlat.T)

    def reach(self) -> Pairs:
        """Pairs of a cell that is not served yet and a candidate that would serve it."""
        open_ = np.flatnonzero(~self.served)
        points = EarthPoints(self.points.lon[open_], self.points.lat[open_])
        radius_m = np.broadcast_to(self.radius_m, (len(self.candidates), len(CLASSES)))
        found = within(points, self.sites, radius_m, self.settlement[open_])
        return Pairs(open_[found.point], found.facility, found.distance_m)

    def table_m(self) -> Floats:
        """(n, candidates) float64: geodesic metres from every cell to every candidate.

        Raises
        ------
        UsageError
            If there are more than can be worked on.
        """
        cells, candidates = len(self.row), len(self.candidates)
        if cells * candidates > MOST_DISTANCES:
            values = {"cells": f"{cells:,}", "candidates": f"{candidates:,}", "most": f"{MOST_DISTANCES // cells:,}"}
            raise UsageError("siting.too_many_distances", **values)
        cell, candidate = np.divmod(np.arange(cells * candidates), candidates)
        return distances(self.points, cell, self.sites, candidate).reshape(cells, candidates)


def ask(
    plan: Plan,
    kind: FacilityKind,
    *,
    radius_m: float | None = None,
    candidates: Candidates | None = None,
    villages: bool = False,
    excluded: NDArray[np.object_] | None = None,
    equity: float = 1.0,
) -> Question:
    """Put a question to a plan.

    Parameters
    ----------
    kind : of the new facilities; those of the kind that are there count
    radius_m : service radius everywhere; by default the plan's for the kind and the ground
    candidates : places for new facilities; by default every cell of the plan
    villages : take the middles of the lowest areas instead: in each the cell with most demand
    excluded : polygons, WGS 84 degrees, where none may stand
    equity : what a rural person counts, others counting 1

    Raises
    ------
    BadValue
        If the plan has no demand at all.
    UsageError
        If no candidate is left.
    """
    cells = plan.cells
    lonlat = shapely.get_coordinates(_middles(cells.geometry.to_numpy()))
    demand = cells["demand"].to_numpy(dtype=np.float64)
    row = np.flatnonzero(demand > 0)
    if not len(row):
        raise BadValue("siting.no_demand")
    if candidates is None:
        chosen = _heaviest(cells["area_code"].to_numpy(dtype=object), demand) if villages else _distinct(plan)
        candidates = Candidates(lonlat[chosen], ("",) * len(chosen))
    if excluded is not None:
        candidates = candidates.without(excluded)
    if not len(candidates):
        raise UsageError("siting.no_candidates")
    settlement = np.array([CLASSES.index(SettlementClass(name)) for name in cells["settlement"].iloc[row]])
    existing_m = cells[f"nearest_{kind.value}_m"].to_numpy(dtype=np.float64)[row]
    existing_m = np.where(np.isnan(existing_m), np.inf, existing_m)
    coverage = plan.settings.coverage
    if radius_m is None:
        served = cells[f"covered_by_{kind.value}"].to_numpy(dtype=np.bool_)[row]
        radii = np.array([coverage.radius_of(kind, settlement_class) for settlement_class in CLASSES])
    else:
        # What a plan says of distances, it says to the millimetre.
        served = existing_m <= radius_m + max(ROUNDING_M, 5e-4)
        radii = np.full(len(CLASSES), radius_m)
    rural = settlement == CLASSES.index(SettlementClass.RURAL)
    weight = demand[row] * np.where(rural, equity, 1.0)
    points = EarthPoints(*lonlat[row].T)
    return Question(plan, kind, radii, points, row, demand[row], weight, settlement, served, existing_m, candidates)


def _middles(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Centroid of each shape, or a point inside where the centroid is not: what a plan stands cells for by."""
    middles = shapely.centroid(shapes)
    outside = np.flatnonzero(~shapely.intersects(shapes, middles))
    middles[outside] = shapely.point_on_surface(shapes[outside])
    return np.asarray(middles, dtype=object)


def _distinct(plan: Plan) -> Rows:
    """Rows of cells, one for each H3 cell: a cell that a border cuts has a row on either side."""
    frame = plan.cells[["cell_id", "area_m2"]].reset_index(drop=True)
    largest = frame.sort_values("area_m2", ascending=False, kind="stable").drop_duplicates("cell_id")
    return np.sort(largest.index.to_numpy(dtype=np.int64))


def _heaviest(area: NDArray[np.object_], demand: Floats) -> Rows:
    """Row of the cell with most demand in each area, the first of equal ones."""
    order = np.lexsort((np.arange(len(area)), -demand, area.astype(str)))
    first = np.append(True, area[order][1:] != area[order][:-1])
    return np.asarray(np.sort(order[first]), dtype=np.int64)
