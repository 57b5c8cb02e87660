"""Parameters of a request for features, read as the standard has them: what is wrong is named, never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from math import atan, degrees, exp, isfinite, pi

import shapely
from fastapi import Request
from pyproj import Transformer

from gridmap.domain.crs import CRS84, WEB_MERCATOR, OutputCrs
from gridmap.domain.filters import AnyOf, Filter, Fixed, Relation, Spatial
from gridmap.errors import UsageError
from gridmap.store.boxes import box_shape
from gridmap.store.protocols import Box

DEFAULT_LIMIT = 1000
_DEGREES = 4326, 4490
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_DATE = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?"
)
_OPEN = ("", "..")
_LONG = 18
#: Nothing lies beyond; larger numbers only overflow.
_FARTHEST = 1000.0
#: Points that an edge of a box is followed by where it is curved in degrees.
_PARTS = 32
#: Of the sphere that Web Mercator takes the Earth for.
_RADIUS_M = 6378137.0
#: Radii from the equator on the map of Web Mercator: the poles, to all purposes.
_FAR = 20.0
#: Metres of a Gauss–Krüger zone within which its formulas hold; ground served in it lies well inside.
_ZONE = Box(-2_500_000.0, -10_000_000.0, 3_500_000.0, 10_000_000.0)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where features are asked for: bounds that hold all of it, and where these are more than it, a condition."""

    box: Box | None = None
    where: Filter | None = None


def once_each(request: Request) -> dict[str, str]:
    """Return the query parameters.

    Raises
    ------
    UsageError
        If one is given twice.
    """
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in found:
            raise UsageError("features.given_twice", name=name[:80])
        found[name] = value
    return found


def limit_of(text: str | None, most: int, default: int = DEFAULT_LIMIT) -> int:
    """Read ``limit``; one above the most there may be is clamped to it.

    Raises
    ------
    UsageError
        If it is no whole number above zero.
    """
    if text is None:
        return min(default, most)
    if not re.fullmatch(r"0*[1-9][0-9]*", text):
        raise UsageError("features.bad_limit", value=text[:40])
    return min(int(text), most) if len(text) < _LONG else most


def crs_of(name: str, text: str | None, offered: tuple[OutputCrs, ...]) -> OutputCrs:
    """Read a coordinate reference system by its name in OGC API; CRS84 where none is asked for.

    Raises
    ------
    UsageError
        If it is none of those offered.
    """
    if text is None:
        return CRS84
    for one in offered:
        if text in (one.uri, one.uri.replace("http://", "https://")):
            return one
    raise UsageError("features.bad_crs", name=name, value=text[:120], known=", ".join(one.uri for one in offered))


def ground_of(text: str | None, crs: OutputCrs) -> Ground:
    """Read ``bbox``: 4 numbers, or 6 of which the heights do not matter, in a CRS with its order of axes.

    A box whose west lies east of its east crosses the antimeridian.

    Raises
    ------
    UsageError
        If numbers are missing, too many, none or not finite, or the box is turned over.
    """
    if text is None:
        return Ground()
    numbers = _numbers(text)
    if len(numbers) not in (4, 6):
        raise UsageError("features.bbox_miscounted", count=len(numbers))
    half = len(numbers) // 2
    low, high = numbers[:2], numbers[half : half + 2]
    if crs.is_flipped:
        low, high = low[::-1], high[::-1]
    if low[1] > high[1] or (half == 3 and numbers[2] > numbers[5]):
        raise UsageError("features.bbox_turned_over", value=text[:120])
    if low[0] <= high[0]:
        box = Box(low[0], low[1], high[0], high[1])
        if crs.srid in _DEGREES:
            return Ground(_kept_near(box))
        return Ground(_kept_near(_mercator(box))) if crs is WEB_MERCATOR else _projected(box, crs)
    if crs.srid not in _DEGREES or not all(-180 <= lon <= 180 for lon in (low[0], high[0])):
        raise UsageError("features.bbox_turned_over", value=text[:120])
    halves = Box(low[0], low[1], 180.0, high[1]), Box(-180.0, low[1], high[0], high[1])
    return Ground(where=AnyOf(tuple(_within(box_shape(_kept_near(one))) for one in halves)))


def _kept_near(box: Box) -> Box:
    return Box(*(min(max(bound, -_FARTHEST), _FARTHEST) for bound in box))


def _numbers(text: str) -> list[float]:
    found = []
    for part in text[:400].split(","):
        if _NUMBER.fullmatch(part.strip()) is None:
            key = "features.bbox_not_finite" if _NOT_FINITE.fullmatch(part.strip()) else "features.bbox_no_number"
            raise UsageError(key, value=part[:40])
        number = float(part)
        if not isfinite(number):
            raise UsageError("features.bbox_not_finite", value=part[:40])
        found.append(number)
    return found


def _mercator(box: Box) -> Box:
    """Box in Web Mercator as one in degrees: its edges are meridians and parallels."""
    lon = [degrees(bound / _RADIUS_M) for bound in (box.west, box.east)]
    lat = [
        degrees(2 * atan(exp(min(max(bound / _RADIUS_M, -_FAR), _FAR))) - pi / 2) for bound in (box.south, box.north)
    ]
    return Box(lon[0], lat[0], lon[1], lat[1])


def _projected(box: Box, crs: OutputCrs) -> Ground:
    """Ground of a box in the metres of a zone: its straight edges are followed point by point in degrees."""
    kept = Box(
        max(box.west, _ZONE.west), max(box.south, _ZONE.south), min(box.east, _ZONE.east), min(box.north, _ZONE.north)
    )
    if kept.west > kept.east or kept.south > kept.north:
        return Ground(where=Fixed(matches=False))
    shape = box_shape(kept)
    size = max(kept.east - kept.west, kept.north - kept.south)
    outline = shapely.segmentize(shape, size / _PARTS) if size else shape
    corners = shapely.transform(outline, _to_degrees(crs.srid).transform, interleaved=False)
    return Ground(Box(*shapely.bounds(corners).tolist()), _within(corners))


@cache
def _to_degrees(srid: int) -> Transformer:
    return Transformer.from_crs(srid, 4326, always_xy=True)


def _within(shape: shapely.Geometry) -> Filter:
    return Spatial(Relation.INTERSECTS, shapely.to_wkb(shape, byte_order=1))


def check_datetime(text: str | None) -> None:
    """Check ``datetime``: an instant or an interval of RFC 3339. Features have no time: all of them match.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if text is None:
        return
    ends = text.split("/")
    is_interval = len(ends) == 2
    open_ends = [end in _OPEN and is_interval for end in ends]
    moments = [None if is_open else _moment(end) for end, is_open in zip(ends, open_ends, strict=True)]
    readable = all(is_open or moment for is_open, moment in zip(open_ends, moments, strict=True))
    if not readable or len(ends) > 2 or text == "/":
        raise UsageError("features.bad_datetime", value=text[:80])
    first, last = moments[0], moments[-1]
    if first is not None and last is not None and first > last:
        raise UsageError("features.bad_datetime", value=text[:80])


def _moment(text: str) -> float | None:
    """Seconds since 1970 of a date, or of a date with a time; None where it is neither."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day, minutes, seconds, _, zone = match.groups()
    try:
        if minutes is None:
            return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp()
        # A leap second is one that Python does not know.
        held = "59" if seconds == "60" else seconds
        return datetime.fromisoformat(f"{day}T{minutes}:{held}{zone.replace('Z', '+00:00')}").timestamp()
    except (ValueError, OverflowError):
        return None


def flag_of(name: str, text: str | None) -> bool:
    """Read a parameter that is true or false, by default false.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if text is None:
        return False
    if text not in ("true", "false"):
        raise UsageError("features.bad_flag", name=name, value=text[:40])
    return text == "true"


def choice_of(name: str, text: str | None, known: Mapping[str, str] | tuple[str, ...], default: str) -> str:
    """Read a parameter that is one of some words.

    Raises
    ------
    UsageError
        If it is none of them.
    """
    if text is None:
        return default
    if text not in known:
        raise UsageError("features.bad_choice", name=name, value=text[:40], known=", ".join(known))
    return text
