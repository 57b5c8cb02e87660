r"""Which datum coordinates are in, judged by ground that is known: how much falls into place under each candidate.

Under each candidate each thing hits or misses. The best candidate stands only if it beats every other by a sign test on
the things that tell the two apart: with :math:`a` hits of the best that the other misses, and :math:`b` the other way
round,

.. math:: p = \sum_{k \ge a} \binom{a+b}{k} 2^{-(a+b)} \le 0.05.

Things deep within large ground hit under every candidate and tell nothing, however many they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from scipy.special import betainc

from gridmap.geometry.datum import Datum, LonLat
from gridmap.geometry.lattice import Geometries

#: Chance of error at which a candidate is likely, and at which it is certain.
LIKELY, CERTAIN = 0.05, 0.001
#: How near a border must lie to its like to be the same, metres: the GCJ-02 formula alone is off by up to 10.
SAME_BORDER_M = 25.0
_METRES_PER_DEGREE = 111_320.0
_MOST_VERTICES = 3_000
#: Two candidates that put everything within this of each other are one, degrees.
_SAME_DEG = 1e-7


@dataclass(frozen=True, slots=True)
class Candidate:
    """A datum, and where it puts the things that are judged.

    Attributes
    ----------
    datum : what the coordinates might be in
    lonlat : (n, 2) float64, WGS 84 degrees
    """

    datum: Datum
    lonlat: LonLat


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the evidence says.

    Attributes
    ----------
    best : number of the candidate that stands, None where the evidence cannot tell
    chance : greatest chance, against any other candidate, that things would fall so if the other were right
    shares : share of things that hit, by candidate
    telling : how many things hit under some candidates only
    """

    best: int | None
    chance: float
    shares: tuple[float, ...]
    telling: int


def is_metric(xy: NDArray[np.float64]) -> bool:
    """Whether most of (n, 2) coordinates can be no degrees, but metres of a plane."""
    finite = xy[np.isfinite(xy).all(axis=1)]
    return bool(len(finite)) and bool(np.mean((np.abs(finite) > (360.0, 360.0)).any(axis=1)) > 0.5)


def possible_datums(xy: NDArray[np.float64], own: Datum | None) -> list[Datum]:
    """Datums that coordinates of China may be in.

    Degrees are WGS 84 (and CGCS2000, the same within centimetres), GCJ-02 or BD-09. Metres with the number of a zone in
    front of the easting are of that zone of CGCS2000, or Web Mercator; without one they may be of any zone.

    Parameters
    ----------
    xy : (n, 2) float64, as in the file
    own : what the file states
    """
    if not is_metric(xy):
        return [Datum(name) for name in ("wgs84", "gcj02", "bd09")]
    finite = xy[np.isfinite(xy).all(axis=1)]
    easting = float(np.median(finite[:, 0]))
    zone = int(easting // 1_000_000)
    codes: list[int] = []
    if 25 <= zone <= 45:
        codes.append(4513 + zone - 25)
    elif 13 <= zone <= 23:
        codes.append(4491 + zone - 13)
    elif zone == 0:
        codes += [*range(4534, 4555), *range(32643, 32654)]
    if 8.1e6 <= easting <= 15.1e6:
        codes.append(3857)
    stated = [own] if own is not None and own.is_projected else []
    return stated + [Datum.parse(f"EPSG:{code}") for code in codes if f"EPSG:{code}" not in map(str, stated)]


def placed(xy: NDArray[np.float64], datums: Sequence[Datum]) -> list[Candidate]:
    """Where each datum puts (n, 2) coordinates; of those that agree the first, and none that puts them off Earth."""
    found: list[Candidate] = []
    for datum in datums:
        lonlat = datum.to_wgs84(xy)
        on_earth = np.isfinite(lonlat).all(axis=1)
        if not on_earth.any():
            continue
        if not any(np.allclose(lonlat, one.lonlat, rtol=0, atol=_SAME_DEG, equal_nan=True) for one in found):
            found.append(Candidate(datum, lonlat))
    return found


def judge(hits: Sequence[NDArray[np.bool_]], least_share: float) -> Judgement:
    """Find the candidate that stands.

    Parameters
    ----------
    hits : for each candidate (n,) whether each thing hits under it
    least_share : share that the best must hit; if less falls into place, none of the candidates is right
    """
    shares = tuple(float(one.mean()) if len(one) else 0.0 for one in hits)
    stacked = np.array(hits, dtype=bool).reshape(len(hits), -1)
    telling = int((stacked.any(axis=0) & ~stacked.all(axis=0)).sum()) if len(hits) else 0
    if not len(hits) or max(shares) < least_share:
        return Judgement(None, 1.0, shares, telling)
    best = int(np.argmax(shares))
    # Against one that nobody thought of, under which nothing hits.
    chance = 0.5 ** int(hits[best].sum())
    for number, other in enumerate(hits):
        if number != best:
            for_best = int((hits[best] & ~other).sum())
            against = int((other & ~hits[best]).sum())
            chance = max(chance, _sign_test(for_best, against))
    return Judgement(best if chance <= LIKELY else None, chance, shares, telling)


def _sign_test(heads: int, tails: int) -> float:
    """Chance that a fair coin shows at least so many heads."""
    # The sum of the binomial as a beta function; scipy.stats would take half a second to load.
    return float(betainc(heads, tails + 1, 0.5)) if heads else 1.0


def fall_inside(lonlat: LonLat, ground: Geometries, wanted: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """Whether each point lies in any of the polygons that it is said to lie in.

    Parameters
    ----------
    lonlat : (n, 2) float64, WGS 84
    ground : (m,) valid polygons, WGS 84
    wanted : for each point the numbers of its polygons
    """
    point = np.repeat(np.arange(len(wanted)), [len(one) for one in wanted])
    polygon = np.array([number for one in wanted for number in one], dtype=np.intp)
    inside = np.zeros(len(wanted), dtype=bool)
    if len(point):
        shapely.prepare(ground)
        inside[point[shapely.intersects_xy(ground[polygon], lonlat[point, 0], lonlat[point, 1])]] = True
    return inside


def border_vertices(xy: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows of at most 3,000 vertices, evenly along all of them."""
    if len(xy) <= _MOST_VERTICES:
        return np.arange(len(xy))
    return np.linspace(0, len(xy) - 1, _MOST_VERTICES).astype(np.intp)


def near_border(lonlat: LonLat, ground: Geometries) -> NDArray[np.bool_]:
    """Whether each vertex lies within ``SAME_BORDER_M`` of a border of the ground.

    Parameters
    ----------
    lonlat : (n, 2) float64, WGS 84
    ground : (m,) polygons, WGS 84
    """
    near = np.zeros(len(lonlat), dtype=bool)
    whole = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
    coordinates = shapely.get_coordinates(ground)
    if not len(whole) or not len(coordinates):
        return near
    scale = np.array([np.cos(np.radians(coordinates[:, 1].mean())), 1.0]) * _METRES_PER_DEGREE
    rings = shapely.get_rings(shapely.get_parts(ground))
    in_metres = shapely.transform(rings, lambda xy: xy * scale)
    found, _ = shapely.STRtree(in_metres).query(
        shapely.points(lonlat[whole] * scale), predicate="dwithin", distance=SAME_BORDER_M
    )
    near[whole[np.unique(found)]] = True
    return near


def shift_m(before: LonLat, after: LonLat) -> float:
    """Mean distance between two placings of the same coordinates, metres on the ellipsoid."""
    whole = np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1)
    if not whole.any():
        return float("nan")
    _, _, distance = Geod(ellps="WGS84").inv(*before[whole].T, *after[whole].T)
    return float(np.mean(distance))
