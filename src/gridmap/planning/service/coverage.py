"""Coverage: which ground is served by which facilities, judged by the service radius that holds on that ground.

A facility reaches a cell when the cell's representative point lies at most the radius away, inclusive. The radius is
the facility's own where it states one, else the plan's for its kind and the settlement class *of the ground*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.domain.plan_settings import CoverageSection
from gridmap.planning.land.ground import Ground
from gridmap.planning.service.circles import covered_share, draw_circles
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import Flags, Floats, Pairs, Rows, nearest, within


@dataclass(frozen=True)
class Coverage:
    """Service of every cell; ``kinds`` stands for the rows of ``KINDS``.

    Attributes
    ----------
    in_reach : pairs (cell, facility) with their distance
    nearest : (kinds, n) int64, nearest facility of each kind, -1 where there is none of the kind
    nearest_m : (kinds, n) float64, metres, infinite where there is none
    covered_by : (kinds, n) bool, a facility of the kind reaches the cell
    covered_share : (n,) float64, share of the cell's area inside the union of all service circles
    covered_share_by : (kinds, n) float64, the same for the circles of one kind
    crossing_degree : (n,) int64, outlets that reach the cell
    """

    in_reach: Pairs
    nearest: Rows
    nearest_m: Floats
    covered_by: Flags
    covered_share: Floats
    covered_share_by: Floats
    crossing_degree: Rows

    @property
    def covered(self) -> Flags:
        """(n,) a facility of any kind reaches the cell."""
        return np.asarray(self.covered_by.any(axis=0))

    @property
    def nearest_of_all(self) -> tuple[Rows, Floats]:
        """Row of the nearest facility of any kind and its distance; equally near ones in the order of ``KINDS``."""
        kind = np.argmin(self.nearest_m, axis=0)
        cell = np.arange(self.nearest.shape[1])
        return self.nearest[kind, cell], self.nearest_m[kind, cell]


def cover(ground: Ground, facilities: Facilities, settings: CoverageSection) -> Coverage:
    """Coverage of the ground by the facilities."""
    count = len(ground)
    radius_m = facilities.radius_m(settings)
    in_reach = within(ground.points, facilities.points, radius_m, ground.settlement)
    found = np.full((len(KINDS), count), -1, dtype=np.int64)
    found_m = np.full((len(KINDS), count), np.inf)
    covered_by = np.zeros((len(KINDS), count), dtype=np.bool_)
    covered_by[facilities.kind[in_reach.facility], in_reach.point] = True
    for number, kind in enumerate(KINDS):
        rows = facilities.of_kind(kind)
        if len(rows):
            index, found_m[number] = nearest(ground.points, facilities.points.take(rows))
            found[number] = rows[index]
    share, share_by = _shares(ground, facilities, radius_m)
    outlets_only = in_reach.point[facilities.is_outlet[in_reach.facility]]
    return Coverage(in_reach, found, found_m, covered_by, share, share_by, np.bincount(outlets_only, minlength=count))


def _shares(ground: Ground, facilities: Facilities, radius_m: Floats) -> tuple[Floats, Floats]:
    """Covered share of each cell by all facilities, and by those of each kind."""
    share = np.zeros(len(ground))
    share_by = np.zeros((len(KINDS), len(ground)))
    # Settlement classes whose radii agree share their circles.
    column_of_class = np.unique(radius_m, axis=1, return_inverse=True)[1].reshape(-1)
    for column in np.unique(column_of_class) if len(facilities) else ():
        classes = np.flatnonzero(column_of_class == column)
        rows = np.flatnonzero(np.isin(ground.settlement, classes))
        if not len(rows):
            continue
        circles = draw_circles(facilities.points, radius_m[:, classes[0]], ground.plane)
        cells = ground.outlines.take(rows)
        kinds = np.unique(facilities.kind)
        for kind in kinds:
            share_by[kind, rows] = covered_share(cells, circles.take(np.flatnonzero(facilities.kind == kind)))
        share[rows] = share_by[kinds[0], rows] if len(kinds) == 1 else covered_share(cells, circles)
    return share, share_by
