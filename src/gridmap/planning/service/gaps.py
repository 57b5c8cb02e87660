"""Coverage gaps: contiguous stretches of ground that nothing reaches, largest uncovered demand first.

A gap lies within one county and one settlement class, since the radii that leave it uncovered differ between classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.groups import first_of_each, sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.land.ground import Ground
from gridmap.planning.service.coverage import Coverage
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import Floats, Rows


@dataclass(frozen=True)
class Gaps:
    """Gaps in the order of their rank, one row each.

    Attributes
    ----------
    gap_of_cell : (n,) int64, row of the gap a cell belongs to, -1 where the cell is covered
    area : (k,) int64, row of the area with most of the gap's demand (most of its ground where it has none)
    settlement : (k,) int64, index into ``CLASSES``
    kind_missing : (k,) int64, index into ``KINDS``: the kind whose nearest facility falls short by least. To fall
        short is to be farther away than the radius, taken at the gap's worst cell: by that much the radius would have
        to grow, or a new facility stand nearer. -1 where there is no facility at all
    area_m2, demand : (k,) float64
    nearest_facility : (k,) int64, the facility nearest to the cell with most of the gap's demand, -1 without facilities
    nearest_distance_m : (k,) float64, metres from that cell, infinite without facilities
    """

    gap_of_cell: Rows
    area: Rows
    settlement: Rows
    kind_missing: Rows
    area_m2: Floats
    demand: Floats
    nearest_facility: Rows
    nearest_distance_m: Floats

    def __len__(self) -> int:
        """Count of the gaps."""
        return len(self.area)


def find_gaps(
    ground: Ground, coverage: Coverage, facilities: Facilities, radius_m: Floats, demand: Floats, county: Rows
) -> Gaps:
    """Stretches of cells that no facility reaches.

    Parameters
    ----------
    radius_m : (m, classes) float64, service radius of each facility by settlement class, metres
    demand : (n,) float64
    county : (n,) int64, number of the county each cell lies in
    """
    uncovered = np.flatnonzero(~coverage.covered)
    position = np.full(len(ground), -1, dtype=np.int64)
    position[uncovered] = np.arange(len(uncovered))
    links = position[ground.adjacency]
    label = county[uncovered] * 8 + ground.settlement[uncovered]
    stretch = connected_stretches(label, links[(links >= 0).all(axis=1)])
    count = int(stretch.max(initial=-1)) + 1

    area_m2 = sums(stretch, ground.area_m2[uncovered], count)
    held = sums(stretch, demand[uncovered], count)
    # Stretches are numbered by their first cell, and cells by area code: the last tie is broken by code.
    order = np.lexsort((np.arange(count), -np.round(area_m2, 2), -np.round(held, 6)))
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    gap_of_cell = np.full(len(ground), -1, dtype=np.int64)
    gap_of_cell[uncovered] = rank[stretch]

    gap = rank[stretch]
    heart = uncovered[first_of_each(gap, -ground.area_m2[uncovered], -demand[uncovered])]
    near, near_m = coverage.nearest_of_all
    return Gaps(
        gap_of_cell,
        _main_area(ground.area[uncovered], gap, ground.area_m2[uncovered], demand[uncovered]),
        ground.settlement[heart],
        _kind_missing(ground, coverage, radius_m, uncovered, gap, count, bool(len(facilities))),
        area_m2[order],
        held[order],
        near[heart],
        near_m[heart],
    )


def _main_area(area: Rows, gap: Rows, area_m2: Floats, demand: Floats) -> Rows:
    pair, inverse = np.unique(np.column_stack([gap, area]), axis=0, return_inverse=True)
    of_pair = inverse.reshape(-1)
    ground_m2, held = sums(of_pair, area_m2, len(pair)), sums(of_pair, demand, len(pair))
    return np.asarray(pair[first_of_each(pair[:, 0], -ground_m2, -held), 1])


def _kind_missing(
    ground: Ground, coverage: Coverage, radius_m: Floats, cells: Rows, gap: Rows, count: int, any_facility: bool
) -> Rows:
    if not any_facility:
        return np.full(count, -1, dtype=np.int64)
    short_m = np.full((len(KINDS), count), np.inf)
    for kind in range(len(KINDS)):
        facility = coverage.nearest[kind, cells]
        if (facility >= 0).all():
            lacking = coverage.nearest_m[kind, cells] - radius_m[facility, ground.settlement[cells]]
            short_m[kind] = -np.inf
            np.maximum.at(short_m[kind], gap, lacking)
    return np.asarray(np.argmin(np.round(short_m, 3), axis=0))
