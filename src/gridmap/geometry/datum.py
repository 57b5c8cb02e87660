r"""Datums of Chinese maps to and from WGS 84, vectorised.

GCJ-02 is WGS 84 moved by

.. math::
    \Delta\varphi = \frac{180\,d_\varphi(\lambda, \varphi)}{\pi\,M(\varphi)}, \qquad
    \Delta\lambda = \frac{180\,d_\lambda(\lambda, \varphi)}{\pi\,N(\varphi)\cos\varphi}

with the polynomial-and-sine offsets :math:`d` in metres around 105 E, 35 N and the radii of curvature :math:`M, N` of
an ellipsoid of a = 6378245 m, e² = 0.00669342162296594323. This is the publicly known form of the formula, within about
2 m (at most 10 m) of what the mapping services do: claim metres, not centimetres. BD-09 turns and stretches GCJ-02 once
more. Both inverses iterate the forward formula: GCJ-02 to 1e-8 m in five rounds, BD-09 to as little in three.

Outside the box of ``CHINA_BOX`` GCJ-02 *is* WGS 84.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from gridmap.errors import Place, UnknownDatum

LonLat = NDArray[np.float64]

#: West, south, east, north of the ground on which GCJ-02 differs from WGS 84, degrees.
CHINA_BOX = (72.004, 0.8293, 137.8347, 55.8271)

_SEMI_MAJOR_M = 6378245.0
_E2 = 0.00669342162296594323
#: Points worked on at once: what fits the cache takes half the time.
_CACHED_POINTS = 16_384
_BD_TURN = np.pi * 3000 / 180
_BD_SHIFT_DEG = np.array([0.0065, 0.006])


def _in_china(lonlat: LonLat) -> NDArray[np.bool_]:
    west, south, east, north = CHINA_BOX
    lon, lat = lonlat.T
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def _gcj02_offset_deg(lonlat: LonLat) -> LonLat:
    x, y = lonlat[:, 0] - 105, lonlat[:, 1] - 35
    root = np.sqrt(np.abs(x))
    ripple = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east_m += (ripple + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east_m += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north_m += (ripple + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north_m += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    latitude = np.radians(lonlat[:, 1])
    bend = 1 - _E2 * np.sin(latitude) ** 2
    prime_vertical_m = _SEMI_MAJOR_M / np.sqrt(bend)
    meridian_m = _SEMI_MAJOR_M * (1 - _E2) / (bend * np.sqrt(bend))
    offset = np.column_stack([east_m / (prime_vertical_m * np.cos(latitude)), north_m / meridian_m])
    return np.asarray(np.degrees(offset))


def gcj02_from_wgs84(lonlat: LonLat) -> LonLat:
    """WGS 84 to GCJ-02.

    Parameters
    ----------
    lonlat : (n, 2) float64, degrees

    Returns
    -------
    (n, 2) float64, degrees; points outside ``CHINA_BOX`` unchanged
    """
    moved = np.array(lonlat, dtype=np.float64)
    inside = _in_china(moved)
    moved[inside] += _gcj02_offset_deg(moved[inside])
    return moved


def wgs84_from_gcj02(lonlat: LonLat) -> LonLat:
    """GCJ-02 to WGS 84: five fixed-point rounds of the forward formula, 1e-8 m against it.

    Parameters
    ----------
    lonlat : (n, 2) float64, degrees

    Returns
    -------
    (n, 2) float64, degrees; points outside ``CHINA_BOX`` unchanged
    """
    given = np.array(lonlat, dtype=np.float64)
    inside = _in_china(given)
    found = given[inside]
    for start in range(0, len(found), _CACHED_POINTS):
        target = found[start : start + _CACHED_POINTS]
        estimate = target
        for _ in range(5):
            estimate = target - _gcj02_offset_deg(estimate)
        found[start : start + _CACHED_POINTS] = estimate
    given[inside] = found
    return given


def bd09_from_gcj02(lonlat: LonLat) -> LonLat:
    """GCJ-02 to BD-09, (n, 2) float64 degrees to the same."""
    lon, lat = np.asarray(lonlat, dtype=np.float64).T
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _BD_TURN)
    return np.asarray(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) + _BD_SHIFT_DEG)


def gcj02_from_bd09(lonlat: LonLat) -> LonLat:
    """BD-09 to GCJ-02: the usual closed form, refined three rounds against the forward formula.

    Parameters
    ----------
    lonlat : (n, 2) float64, degrees

    Returns
    -------
    (n, 2) float64, degrees
    """
    given = np.asarray(lonlat, dtype=np.float64)
    lon, lat = (given - _BD_SHIFT_DEG).T
    radius = np.hypot(lon, lat) - 2e-5 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) - 3e-6 * np.cos(lon * _BD_TURN)
    estimate = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    for _ in range(3):
        estimate = estimate - (bd09_from_gcj02(estimate) - given)
    return estimate


#: Names that ``Datum.parse`` takes beside ``EPSG:n``.
KNOWN_DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")

_NAME_OF_EPSG = {4326: "wgs84", 4490: "cgcs2000"}


@cache
def _crs_of(definition: str) -> CRS:
    return CRS.from_user_input(definition)


def _unknown(said: str, place: Place | None) -> UnknownDatum:
    return UnknownDatum("inputs.unknown_datum", place, said=said, known=", ".join((*KNOWN_DATUMS, "EPSG:n")))


@dataclass(frozen=True)
class Datum:
    """What the coordinates of a file mean.

    Attributes
    ----------
    name : one of ``KNOWN_DATUMS``, ``EPSG:n``, or the name of a CRS that has no code
    definition : what pyproj makes the CRS of; None for the four named datums
    """

    name: str
    definition: str | None = None

    @classmethod
    def parse(cls, said: str, place: Place | None = None) -> Datum:
        """Datum of a user's word: ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` (any case, any hyphens) or ``EPSG:n``.

        Raises
        ------
        UnknownDatum
            If the word is neither, listing what is known; ``place`` says where the word stood.
        """
        folded = re.sub(r"[\s_-]", "", said).lower()
        if folded in KNOWN_DATUMS:
            return cls(folded)
        epsg = re.fullmatch(r"epsg:(\d{1,6})", folded)
        if not epsg:
            raise _unknown(said, place)
        return cls._of_definition(f"EPSG:{int(epsg[1])}", place)

    @classmethod
    def of_crs(cls, definition: str, place: Place | None = None) -> Datum:
        """Datum of a file's own CRS, given as WKT, PROJJSON or authority code."""
        return cls._of_definition(definition, place)

    @classmethod
    def _of_definition(cls, definition: str, place: Place | None) -> Datum:
        try:
            crs = _crs_of(definition)
        except CRSError:
            raise _unknown(definition[:80], place) from None
        flat = crs.sub_crs_list[0] if crs.is_compound else crs
        if not (flat.is_geographic or flat.is_projected):
            raise _unknown(crs.name, place)
        if crs.to_authority(min_confidence=70) == ("OGC", "CRS84"):
            return cls("wgs84")
        epsg = crs.to_epsg(min_confidence=70)
        if epsg in _NAME_OF_EPSG:
            return cls(_NAME_OF_EPSG[epsg])
        return cls(f"EPSG:{epsg}" if epsg else crs.name, definition)

    @property
    def is_projected(self) -> bool:
        """Whether coordinates are metres of a plane, not degrees."""
        return self.definition is not None and bool(_crs_of(self.definition).is_projected)

    @cached_property
    def area_of_use(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of the ground the CRS is meant for, degrees, where that is known."""
        area = _crs_of(self.definition).area_of_use if self.definition else None
        return area.bounds if area else None

    def to_wgs84(self, xy: NDArray[np.float64]) -> LonLat:
        """Coordinates of this datum to WGS 84.

        Parameters
        ----------
        xy : (n, 2) float64, longitude and latitude in degrees, or easting and northing in the unit of the CRS

        Returns
        -------
        (n, 2) float64, degrees; not finite where the CRS cannot say
        """
        if self.name in ("wgs84", "cgcs2000"):
            return np.array(xy, dtype=np.float64)
        if self.name == "gcj02":
            return wgs84_from_gcj02(xy)
        if self.name == "bd09":
            return wgs84_from_gcj02(gcj02_from_bd09(xy))
        crs = _crs_of(str(self.definition))
        to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
        return np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1]))

    def __str__(self) -> str:
        """Name, as reports show it."""
        return self.name
