r"""Who is how far from whom on the WGS 84 ellipsoid: the nearest facility, and all within a radius.

Points become earth-centred x, y, z, where a k-d tree finds neighbours by chord. With :math:`\rho_{min} = b^2/a` the
smallest radius of curvature of the ellipsoid, the geodesic :math:`g` over a chord :math:`c` obeys

.. math:: c \le g \le 2\rho_{min}\arcsin\frac{c}{2\rho_{min}}

(the upper bound is Schur's comparison theorem: no geodesic curves more than a circle of that radius). Whatever these
bounds leave open - a ring 0.13 mm wide at 5 km - is settled by ``pyproj.Geod`` (Karney, *Algorithms for geodesics*,
2013). So no flag is ever wrong, and hardly any pair pays for a geodesic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Distances that differ by less are equal: far above the rounding of a geodesic, far below a lattice unit.
ROUNDING_M = 1e-6

GEOD = Geod(ellps="WGS84")
_A, _F = 6378137.0, 1 / 298.257223563
_E2 = _F * (2 - _F)
_TIGHTEST_M = _A * (1 - _F) ** 2
# Up to here the length over a chord follows from the curvature in its direction to a fraction of ROUNDING_M.
_SHORT_M = 20_000.0
# Schur's bound asks for arcs shorter than half a circle.
_FAR_M = 12_000_000.0
_POINTS_AT_A_TIME = 4096
_ROWS_AT_A_TIME = 16_384


class EarthPoints:
    """Points on the ellipsoid, WGS 84 degrees, with what searching among them needs, made once when first asked for.

    Parameters
    ----------
    lon, lat : (n,) float64, degrees, finite
    """

    def __init__(self, lon: Floats, lat: Floats) -> None:
        self.lon = np.asarray(lon, dtype=np.float64)
        self.lat = np.asarray(lat, dtype=np.float64)

    def __len__(self) -> int:
        """Count of the points."""
        return len(self.lon)

    @cached_property
    def xyz(self) -> Floats:
        """(n, 3) float64, earth-centred metres."""
        centred = np.empty((len(self), 3))
        for piece in _pieces(len(self)):
            phi, lam = np.radians(self.lat[piece]), np.radians(self.lon[piece])
            sine = np.sin(phi)
            normal = _A / np.sqrt(1 - _E2 * sine**2)
            from_axis = normal * np.cos(phi)
            centred[piece, 0] = from_axis * np.cos(lam)
            centred[piece, 1] = from_axis * np.sin(lam)
            centred[piece, 2] = normal * (1 - _E2) * sine
        return centred

    @cached_property
    def tree(self) -> cKDTree:
        """Tree of ``xyz``."""
        # An unbalanced tree builds in half the time, and searches as fast on points spread over ground.
        return cKDTree(self.xyz, balanced_tree=False)

    def take(self, rows: Rows) -> EarthPoints:
        """Return the points of ``rows``, without computing them again."""
        taken = EarthPoints(self.lon[rows], self.lat[rows])
        taken.__dict__["xyz"] = self.xyz[rows]
        return taken


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs in reach of each other, ordered by point, then facility.

    Attributes
    ----------
    point, facility : (k,) int64 rows
    distance_m : (k,) float64, geodesic metres
    """

    point: Rows
    facility: Rows
    distance_m: Floats

    def where(self, kept: Flags) -> Pairs:
        """Return the pairs that ``kept`` marks."""
        return Pairs(self.point[kept], self.facility[kept], self.distance_m[kept])


def nearest(points: EarthPoints, facilities: EarthPoints) -> tuple[Rows, Floats]:
    """Nearest facility of each point at any distance, exactly.

    Facilities whose distances differ by less than ``ROUNDING_M`` are equally near; the lowest row is taken.

    Returns
    -------
    index : (n,) int64, row of the facility; -1 where there are no facilities
    distance_m : (n,) float64, geodesic metres, infinite where there are no facilities
    """
    count = len(points)
    if not len(facilities) or not count:
        return np.full(count, -1, dtype=np.int64), np.full(count, np.inf)
    # One tree entry a location, so that a branch and its ATM under one roof do not make every point a tie.
    first = np.sort(np.unique(np.column_stack([facilities.lon, facilities.lat]), axis=0, return_index=True)[1])
    sites = facilities.take(first)
    chord, index = map(np.asarray, sites.tree.query(points.xyz, k=2))
    chosen = index[:, 0].astype(np.int64)
    distance_m = _over_chord(points, np.arange(count), sites, chosen, chord[:, 0])
    may_reach = _longest(chord[:, 0]) + 2 * ROUNDING_M
    open_rows = np.flatnonzero(chord[:, 1] <= may_reach)
    for start in range(0, len(open_rows), _POINTS_AT_A_TIME):
        rows = open_rows[start : start + _POINTS_AT_A_TIME]
        chosen[rows], distance_m[rows] = _settle_nearest(points.take(rows), sites, may_reach[rows])
    return first[chosen], distance_m


def within(points: EarthPoints, facilities: EarthPoints, radius_m: Floats, point_class: Rows | None = None) -> Pairs:
    """All pairs of a point and a facility at most the facility's radius apart, inclusive, exactly.

    Parameters
    ----------
    radius_m : () or (m,) or (m, k) float64
        Service radius, metres: one for all, one a facility, or one a facility and class of the point.
    point_class : (n,) int64
        Class of each point, the column of an (m, k) ``radius_m``.
    """
    radii = np.asarray(radius_m, dtype=np.float64)
    if radii.ndim < 2:
        radii = np.broadcast_to(radii.reshape(-1, 1), (len(facilities), 1))
    column = np.zeros(len(points), dtype=np.int64) if point_class is None else point_class
    point, facility, chord = close_pairs(points.tree, facilities.xyz, radii.max(axis=1, initial=0.0) + ROUNDING_M)
    limit = radii[facility, column[point]] + ROUNDING_M
    near = chord <= limit
    point, facility, chord, limit = point[near], facility[near], chord[near], limit[near]
    distance_m = _over_chord(points, point, facilities, facility, chord)
    on_the_ring = np.flatnonzero(_longest(chord) > limit)
    distance_m[on_the_ring] = _geodesic(points, point[on_the_ring], facilities, facility[on_the_ring])
    kept = np.ones(len(point), dtype=np.bool_)
    kept[on_the_ring] = distance_m[on_the_ring] <= limit[on_the_ring]
    found = Pairs(point, facility, distance_m).where(kept)
    order = np.argsort(found.point * max(1, len(facilities)) + found.facility)
    return Pairs(found.point[order], found.facility[order], found.distance_m[order])


def close_pairs(points: Floats | cKDTree, centres: Floats, radius_m: Floats) -> tuple[Rows, Rows, Floats]:
    """Pairs of a point and a centre at most the centre's radius apart in a straight line, inclusive; no order.

    Parameters
    ----------
    points : (n, d) float64, or a tree of them
    centres : (m, d) float64
    radius_m : (m,) float64

    Returns
    -------
    point, centre : (k,) int64 rows
    distance_m : (k,) float64
    """
    tree = points if isinstance(points, cKDTree) else cKDTree(points, balanced_tree=False)
    parts = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))]
    # The tree takes one radius at a time: radii within a fifth of each other share a search.
    step = np.ceil(np.log(np.maximum(radius_m, 1.0)) / np.log(1.2))
    for value in np.unique(step) if tree.n else ():
        rows = np.flatnonzero(step == value)
        most_m = float(radius_m[rows].max()) + ROUNDING_M
        found = cKDTree(centres[rows]).sparse_distance_matrix(tree, most_m, output_type="ndarray")
        row = rows[found["i"]]
        near = found["v"] <= radius_m[row]
        parts.append((found["j"][near].astype(np.int64), row[near], found["v"][near]))
    point, centre, distance_m = (np.concatenate(column) for column in zip(*parts, strict=True))
    return point, centre, distance_m


def distances(points: EarthPoints, point: Rows, facilities: EarthPoints, facility: Rows) -> Floats:
    """Geodesic distance of each pair of rows, metres, to ``ROUNDING_M``."""
    chord = np.sqrt(((points.xyz[point] - facilities.xyz[facility]) ** 2).sum(axis=1))
    return _over_chord(points, point, facilities, facility, chord)


def _settle_nearest(points: EarthPoints, sites: EarthPoints, may_reach_m: Floats) -> tuple[Rows, Floats]:
    """Nearest site of each point by geodesics to all sites that may be it."""
    found = sites.tree.query_ball_point(points.xyz, may_reach_m, return_sorted=True)
    counts = np.fromiter(map(len, found), np.int64, len(found))
    point = np.repeat(np.arange(len(points)), counts)
    site = np.concatenate([np.asarray(rows, dtype=np.int64) for rows in found])
    distance_m = _geodesic(points, point, sites, site)
    starts = np.cumsum(counts) - counts
    equal = distance_m <= np.repeat(np.minimum.reduceat(distance_m, starts), counts) + ROUNDING_M
    # Sites are ascending within a point: the first of the equal ones is the lowest row.
    first = np.flatnonzero(equal)[np.unique(point[equal], return_index=True)[1]]
    return site[first], distance_m[first]


def _longest(chord: Floats) -> Floats:
    """Length that no geodesic over a chord exceeds, metres."""
    with np.errstate(invalid="ignore"):
        arc = 2 * _TIGHTEST_M * np.arcsin(chord / (2 * _TIGHTEST_M))
    return np.where(chord < _FAR_M, arc, np.inf)


def _over_chord(points: EarthPoints, point: Rows, facilities: EarthPoints, facility: Rows, chord: Floats) -> Floats:
    """Geodesic over each chord, to ``ROUNDING_M``."""
    length = np.empty(len(chord))
    for piece in _pieces(len(chord)):
        length[piece] = _arc(points.xyz[point[piece]], facilities.xyz[facility[piece]], chord[piece])
    far = np.flatnonzero(chord > _SHORT_M)
    length[far] = _geodesic(points, point[far], facilities, facility[far])
    return length


def _arc(here: Floats, there: Floats, chord: Floats) -> Floats:
    r"""Arc over each chord with the radius of curvature in its direction.

    .. math:: \frac{1}{\rho} = \frac{\cos^2\alpha}{M} + \frac{\sin^2\alpha}{N}

    (Euler), the sine of the azimuth taken from the east component of the chord.
    """
    x, y, z = here.T
    axis = np.maximum(np.hypot(x, y), 1e-9)
    east = (x * (there[:, 1] - y) - y * (there[:, 0] - x)) / axis
    # sin² of the latitude, from z / axis = (1 - e²) tan φ.
    tangent2 = (z / (axis * (1 - _E2))) ** 2
    w2 = 1 - _E2 * tangent2 / (1 + tangent2)
    prime_vertical = _A / np.sqrt(w2)
    meridional = prime_vertical * (1 - _E2) / w2
    sine2 = np.minimum(1.0, (east / np.maximum(chord, 1e-9)) ** 2)
    twice_rho = 2 / ((1 - sine2) / meridional + sine2 / prime_vertical)
    return np.asarray(twice_rho * np.arcsin(np.minimum(1.0, chord / twice_rho)))


def _pieces(count: int) -> Iterator[slice]:
    """Rows in pieces that fit the processor's cache: three times as fast as all at once."""
    return (slice(start, start + _ROWS_AT_A_TIME) for start in range(0, count, _ROWS_AT_A_TIME))


def _geodesic(points: EarthPoints, point: Rows, facilities: EarthPoints, facility: Rows) -> Floats:
    return np.asarray(
        GEOD.inv(points.lon[point], points.lat[point], facilities.lon[facility], facilities.lat[facility])[2]
    )
