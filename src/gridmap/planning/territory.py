"""Territories: which cells make up a grid.

A ``Territory`` is the seam at which ways of drawing grids are exchanged. It takes the ground, its demand and the
outlets, and numbers the grids from 0; every grid lies within one lowest-level area.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gridmap.planning.components import connected_stretches, numbered_by_first
from gridmap.planning.ground import Ground
from gridmap.planning.groups import first_of_each, sums
from gridmap.planning.reach import EarthPoints, Flags, Floats, Rows, nearest


class Territory(Protocol):
    """A way to draw grids."""

    def __call__(self, ground: Ground, demand: Floats, outlets: EarthPoints, outlet_cell: Rows) -> Rows:
        """Grid of each cell.

        Parameters
        ----------
        demand : (n,) float64
        outlets : where the outlets stand
        outlet_cell : (m,) int64, the cell each outlet stands in, -1 outside every area

        Returns
        -------
        (n,) int64, grids numbered from 0
        """


def one_per_area(ground: Ground, demand: Floats, outlets: EarthPoints, outlet_cell: Rows) -> Rows:
    """One grid for each lowest-level area: the area is the base unit, and is never cut."""
    return numbered_by_first(ground.area)


def nearest_outlet(ground: Ground, demand: Floats, outlets: EarthPoints, outlet_cell: Rows) -> Rows:
    """Each area split by nearest outlet: the outlets inside it where it has any, else all outlets.

    Distance is geodesic from the representative point of each cell, equally near outlets in their order. Within each
    connected part of an area every grid is connected: of its stretches the one that reaches nearest to its outlet is
    kept, and the others join the neighbouring grid of the same area with which they share the longest border.
    """
    if not len(outlets):
        return one_per_area(ground, demand, outlets, outlet_cell)
    outlet, distance_m = nearest(ground.points, outlets)
    home = np.where(outlet_cell >= 0, ground.area[outlet_cell], -1)
    for area in np.unique(home[home >= 0]).tolist():
        cells = np.flatnonzero(ground.area == area)
        own = np.flatnonzero(home == area)
        index, distance_m[cells] = nearest(ground.points.take(cells), outlets.take(own))
        outlet[cells] = own[index]
    return numbered_by_first(_joined(ground, ground.area * len(outlets) + outlet, distance_m))


def _joined(ground: Ground, label: Rows, distance_m: Floats) -> Rows:
    """Labels after loose stretches have joined their neighbours."""
    inside = ground.area[ground.adjacency[:, 0]] == ground.area[ground.adjacency[:, 1]]
    links, length_m = ground.adjacency[inside], ground.shared_m[inside]
    stretch = connected_stretches(label, links)
    part_of_area = connected_stretches(ground.area, links)
    count = int(stretch.max(initial=-1)) + 1
    first = np.unique(stretch, return_index=True)[1]
    label_of, part_of = label[first], part_of_area[first]
    reach_m = np.full(count, np.inf)
    np.minimum.at(reach_m, stretch, distance_m)
    # Of the stretches of one grid in one part of its area, the one nearest to the outlet stays.
    grid_in_part = np.unique(np.column_stack([part_of, label_of]), axis=0, return_inverse=True)[1].reshape(-1)
    loose = np.ones(count, dtype=np.bool_)
    loose[first_of_each(grid_in_part, reach_m)] = False
    between = stretch[links]
    while loose.any():
        _join_once(between, length_m, label_of, loose)
    return label_of[stretch]


def _join_once(between: Rows, length_m: Floats, label_of: Rows, loose: Flags) -> None:
    """Give each loose stretch beside settled ones the label it shares the longest border with, in place."""
    both = np.concatenate([between, between[:, ::-1]])
    meets = loose[both[:, 0]] & ~loose[both[:, 1]]
    pair = np.column_stack([both[meets, 0], label_of[both[meets, 1]]])
    shared, inverse = np.unique(pair, axis=0, return_inverse=True)
    border_m = sums(inverse.reshape(-1), np.concatenate([length_m, length_m])[meets], len(shared))
    chosen = first_of_each(shared[:, 0], shared[:, 1], -border_m)
    label_of[shared[chosen, 0]] = shared[chosen, 1]
    loose[shared[chosen, 0]] = False
