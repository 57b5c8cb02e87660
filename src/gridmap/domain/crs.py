"""Coordinate reference systems that features are read and asked for in, with the order of their axes."""

from __future__ import annotations

from dataclasses import dataclass

_WGS84, _CGCS2000 = 4326, 4490


@dataclass(frozen=True, slots=True)
class OutputCrs:
    """A coordinate reference system as OGC API names it.

    Attributes
    ----------
    uri : name in requests and answers
    srid : EPSG code; 4326 for CRS84
    is_flipped : the first axis points north, as the definition of the system has it
    decimals : digits that coordinates are written with: a lattice unit in degrees, a millimetre in metres
    """

    uri: str
    srid: int
    is_flipped: bool
    decimals: int

    @property
    def is_degrees(self) -> bool:
        """Whether coordinates are those of WGS 84: the datum of CGCS2000 counts as the same, as EPSG has it."""
        return self.srid in (_WGS84, _CGCS2000)


def _epsg(code: int, *, is_flipped: bool, decimals: int) -> OutputCrs:
    return OutputCrs(f"http://www.opengis.net/def/crs/EPSG/0/{code}", code, is_flipped, decimals)


CRS84 = OutputCrs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", _WGS84, is_flipped=False, decimals=7)
CGCS2000 = _epsg(_CGCS2000, is_flipped=True, decimals=7)
WEB_MERCATOR = _epsg(3857, is_flipped=False, decimals=3)
#: Central meridians of the zones of three degrees, EPSG 4534 to 4554.
_FIRST_MERIDIAN, _LAST_MERIDIAN, _FIRST_ZONE = 75, 135, 4534


def gauss_kruger_at(lon: float) -> OutputCrs | None:
    """Zone of three degrees of CGCS2000 that a longitude lies in; None east and west of them all.

    Northing comes first, as EPSG defines these systems; eastings bear no number of the zone.
    """
    meridian = 3 * round(lon / 3)
    if not _FIRST_MERIDIAN <= meridian <= _LAST_MERIDIAN:
        return None
    return _epsg(_FIRST_ZONE + (meridian - _FIRST_MERIDIAN) // 3, is_flipped=True, decimals=3)


def offered_at(lon: float) -> tuple[OutputCrs, ...]:
    """Return the systems that ground at a longitude is served in, CRS84 first."""
    zone = gauss_kruger_at(lon)
    return (CRS84, CGCS2000, WEB_MERCATOR, *((zone,) if zone else ()))
