"""Check that coordinates are numbers, on Earth, where their datum is meant for, and not the wrong way round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gridmap.errors import OutOfPlace, Place
from gridmap.geometry.datum import Datum, LonLat

PlaceOf = Callable[[int], Place]

#: Mainland China, tightly; west, south, east, north, degrees. No bank stands where its mirror image lies.
_MAINLAND = (73.4, 18.0, 135.2, 53.7)

#: How far beyond its area of use a projected CRS is still believed, degrees.
_MARGIN_DEG = 4.0


def to_checked_wgs84(xy: NDArray[np.float64], datum: Datum, place_of: PlaceOf) -> LonLat:
    """Convert coordinates to WGS 84, refusing those that cannot be meant.

    Parameters
    ----------
    xy : (n, 2) float64, as in the file
    datum : what they are said to be
    place_of : place of the feature or row that owns the i-th coordinate pair

    Returns
    -------
    (n, 2) float64, longitude and latitude in degrees

    Raises
    ------
    OutOfPlace
        If a coordinate is not finite, not on Earth, far from the ground its CRS is meant for, or if longitude and
        latitude look swapped.
    """
    check_as_given(xy, datum, place_of)
    if not datum.is_projected:
        return datum.to_wgs84(xy)
    lonlat = datum.to_wgs84(xy)
    wrong = np.flatnonzero(~within_use(lonlat, datum))
    if len(wrong):
        row = int(wrong[0])
        swapped = within_use(datum.to_wgs84(xy[:, ::-1]), datum).all()
        key = "inputs.axes_swapped" if swapped else "inputs.outside_crs"
        raise OutOfPlace(key, place_of(row), x=f"{xy[row, 0]:.10g}", y=f"{xy[row, 1]:.10g}", datum=datum)
    return lonlat


def check_as_given(xy: NDArray[np.float64], datum: Datum, place_of: PlaceOf) -> None:
    """Refuse coordinates that cannot be meant, as far as that shows without converting them.

    Raises
    ------
    OutOfPlace
        If one is not finite or, of a datum in degrees, not on Earth or swapped.
    """
    _check_finite(xy, place_of)
    if not datum.is_projected:
        _check_degrees(xy, place_of)


def _check_finite(xy: NDArray[np.float64], place_of: PlaceOf) -> None:
    wrong = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if len(wrong):
        row = int(wrong[0])
        raise OutOfPlace("inputs.not_finite", place_of(row), x=f"{xy[row, 0]:g}", y=f"{xy[row, 1]:g}")


def _check_degrees(lonlat: LonLat, place_of: PlaceOf) -> None:
    wrong = np.flatnonzero((np.abs(lonlat) > (180, 90)).any(axis=1))
    row = int(wrong[0]) if len(wrong) else 0
    if (len(wrong) or not _in_mainland(lonlat).any()) and _in_mainland(lonlat[:, ::-1]).all():
        place = replace(place_of(row), lon=float(lonlat[row, 0]), lat=float(lonlat[row, 1]))
        raise OutOfPlace("inputs.lonlat_swapped", place, lon=f"{lonlat[row, 0]:.10g}", lat=f"{lonlat[row, 1]:.10g}")
    if len(wrong):
        lon, lat = (f"{value:.10g}" for value in lonlat[row])
        turned = abs(lonlat[row, 0]) <= 90 and abs(lonlat[row, 1]) <= 180
        raise OutOfPlace("inputs.lonlat_swapped" if turned else "inputs.not_on_earth", place_of(row), lon=lon, lat=lat)


def _in_mainland(lonlat: LonLat) -> NDArray[np.bool_]:
    west, south, east, north = _MAINLAND
    lon, lat = lonlat.T
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def looks_misplaced(lonlat: LonLat) -> NDArray[np.bool_]:
    """Whether each of (n, 2) coordinates in degrees is not finite, not on Earth, or in China only the other way round.

    A glance at all of them; ``check_as_given`` on those of one feature says what is wrong.
    """
    off_earth = ~np.isfinite(lonlat).all(axis=1) | (np.abs(lonlat) > (180, 90)).any(axis=1)
    return np.asarray(off_earth | (~_in_mainland(lonlat) & _in_mainland(lonlat[:, ::-1])))


def within_use(lonlat: LonLat, datum: Datum) -> NDArray[np.bool_]:
    """Whether each of (n, 2) places, WGS 84, lies on or near the ground that a CRS is meant for."""
    west, south, east, north = datum.area_of_use or (-180.0, -90.0, 180.0, 90.0)
    lon, lat = lonlat.T
    # An area of use across the antimeridian has its west east of its east.
    in_lon = (lon >= west - _MARGIN_DEG) & (lon <= east + _MARGIN_DEG) if west <= east else np.isfinite(lon)
    return np.asarray(in_lon & (lat >= south - _MARGIN_DEG) & (lat <= north + _MARGIN_DEG))
