"""Divide ground by what is nearest to each outlet, whatever that holds."""

from __future__ import annotations

import numpy as np

from gridmap.planning.groups import first_of_each, sums
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.service.reach import EarthPoints, Flags, Floats, Rows, nearest


def nearest_outlet(points: EarthPoints, links: Rows, border_m: Floats, outlets: EarthPoints) -> Rows:
    """Outlet nearest to each atom, so that what each outlet gets hangs together.

    Distance is geodesic, equally near outlets in their order. Within each connected part of the ground what an outlet
    gets is connected: of its stretches the one that reaches nearest to it is kept, and the others join the neighbouring
    outlet's with which they share the longest border.

    Parameters
    ----------
    points : of the n atoms
    links : (m, 2) int64, atoms that adjoin
    border_m : (m,) float64, length of their border, metres
    outlets : at least one

    Returns
    -------
    (n,) int64, row of the outlet
    """
    label, distance_m = nearest(points, outlets)
    stretch = connected_stretches(label, links)
    part = connected_stretches(np.zeros(len(points), dtype=np.int64), links)
    count = int(stretch.max(initial=-1)) + 1
    first = np.unique(stretch, return_index=True)[1]
    label_of, part_of = label[first], part[first]
    reach_m = np.full(count, np.inf)
    np.minimum.at(reach_m, stretch, distance_m)
    # Of the stretches of one outlet in one part of the ground, the one nearest to the outlet stays.
    of_outlet_in_part = np.unique(np.column_stack([part_of, label_of]), axis=0, return_inverse=True)[1].reshape(-1)
    loose = np.ones(count, dtype=np.bool_)
    loose[first_of_each(of_outlet_in_part, reach_m)] = False
    between = stretch[links].reshape(-1, 2)
    while loose.any():
        _join_once(between, border_m, label_of, loose)
    return np.asarray(label_of[stretch])


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
