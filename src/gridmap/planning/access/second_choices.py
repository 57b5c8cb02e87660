"""The second choice: how far it is to the next facility when the nearest one is gone."""

from __future__ import annotations

import numpy as np

from gridmap.planning.service.reach import ROUNDING_M, EarthPoints, Floats, Rows, distances

_LOOKED_AT_FIRST = 4
_POINTS_AT_A_TIME = 65_536


def next_nearest(points: EarthPoints, facilities: EarthPoints, without: Rows) -> tuple[Rows, Floats]:
    """Nearest facility of each point other than one, exactly; of equally near ones the lowest row.

    Parameters
    ----------
    without : (n,) int64, the facility that does not count: the nearest, for a second choice; -1 for none

    Returns
    -------
    index : (n,) int64, -1 where there is no other
    distance_m : (n,) float64, geodesic metres, infinite where there is no other
    """
    index = np.full(len(points), -1, dtype=np.int64)
    distance_m = np.full(len(points), np.inf)
    if not len(facilities):
        return index, distance_m
    for start in range(0, len(points), _POINTS_AT_A_TIME):
        rows = np.arange(start, min(start + _POINTS_AT_A_TIME, len(points)))
        looked_at = _LOOKED_AT_FIRST
        while len(rows):
            looked_at = min(looked_at, len(facilities))
            found, found_m, farthest_m = _among(points.take(rows), facilities, without[rows], looked_at)
            index[rows], distance_m[rows] = found, found_m
            # No geodesic is shorter than its chord: what was not looked at is farther than the farthest that was.
            rows = rows[(farthest_m <= found_m + ROUNDING_M) & (looked_at < len(facilities))]
            looked_at *= 2
    return index, distance_m


def _among(points: EarthPoints, facilities: EarthPoints, without: Rows, looked_at: int) -> tuple[Rows, Floats, Floats]:
    """Nearest of the ``looked_at`` facilities of least chord, and the longest of these chords."""
    chord, near = map(np.asarray, facilities.tree.query(points.xyz, k=[*range(1, looked_at + 1)]))
    point = np.repeat(np.arange(len(points)), looked_at)
    metres = distances(points, point, facilities, near.reshape(-1)).reshape(near.shape)
    metres[near == without[:, None]] = np.inf
    least = metres.min(axis=1)
    lowest = np.where(metres <= least[:, None] + ROUNDING_M, near, len(facilities)).min(axis=1)
    at = (near == lowest[:, None]).argmax(axis=1)
    settled = np.isfinite(least)
    return (
        np.where(settled, lowest, -1).astype(np.int64),
        np.where(settled, metres[np.arange(len(points)), at], np.inf),
        np.asarray(chord[:, -1]),
    )
