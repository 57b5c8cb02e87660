"""Geometries written out in filters: checked, and brought to WGS 84 degrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from math import isfinite
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from gridmap.domain.crs import OutputCrs
from gridmap.errors import UsageError

_WGS84 = 4326
#: Straight edges in metres are followed at steps that stray from them by less than two centimetres in degrees.
_STEP_M, _MOST_STEPS = 1000.0, 4000
_FARTHEST_M = 1e8
#: How deep lists of positions are nested, and what a list of them makes.
_KINDS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "Point": (0, shapely.Point),
    "MultiPoint": (1, shapely.MultiPoint),
    "LineString": (1, shapely.LineString),
    "MultiLineString": (2, shapely.MultiLineString),
    "Polygon": (2, lambda rings: shapely.Polygon(rings[0], rings[1:])),
    "MultiPolygon": (3, lambda parts: shapely.MultiPolygon([(rings[0], rings[1:]) for rings in parts])),
}
_COLLECTION = "GeometryCollection"


def shapes_of(node: Any, crs: OutputCrs) -> list[Any]:
    """Geometries that a literal consists of: one, but for a collection; in degrees, valid, none of them empty.

    Parameters
    ----------
    node : GeoJSON geometry, or ``{"bbox": [...]}``
    crs : of its coordinates, with the order of its axes

    Raises
    ------
    UsageError
        If it is no geometry, not valid, not finite or not on Earth.
    """
    if isinstance(node, dict) and "bbox" in node:
        shapes = [_box(node["bbox"], crs)]
    else:
        shapes = [_shape(one, crs) for one in _members(node)]
    return [_in_degrees(shape, crs) for shape in shapes]


def _members(node: Any) -> Iterator[Any]:
    if not isinstance(node, dict):
        raise UsageError("filters.no_shape", found=_shown(node))
    if node.get("type") != _COLLECTION:
        yield node
        return
    members = node.get("geometries")
    if not isinstance(members, list) or not members:
        raise UsageError("filters.no_shape", found=_COLLECTION)
    for member in members:
        yield from _members(member)


def _shape(node: dict[str, Any], crs: OutputCrs) -> Any:
    kind = node.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise UsageError("filters.no_shape", found=_shown(kind if kind is not None else node))
    nested, make = _KINDS[kind]
    positions = _positions(node.get("coordinates"), nested, crs, kind)
    for line in _lines(positions, nested):
        _check_line(line, kind)
    shape = make(positions)
    if not shapely.is_valid(shape):
        raise UsageError("filters.not_valid", reason=str(shapely.is_valid_reason(shape))[:120])
    return shape


def _positions(node: Any, nested: int, crs: OutputCrs, kind: str) -> Any:
    if not isinstance(node, list) or (nested and not node):
        raise UsageError("filters.no_shape", found=kind)
    if nested:
        return [_positions(part, nested - 1, crs, kind) for part in node]
    if not 2 <= len(node) <= 4:
        raise UsageError("filters.no_shape", found=kind)
    first, second = (number_of(value) for value in node[:2])
    return (second, first) if crs.is_flipped else (first, second)


def _lines(positions: Any, nested: int) -> Iterator[Any]:
    if nested > 1:
        for part in positions:
            yield from _lines(part, nested - 1)
    elif nested == 1:
        yield positions


def _check_line(line: list[tuple[float, float]], kind: str) -> None:
    is_ring = kind.endswith("Polygon")
    if is_ring and (len(line) < 4 or line[0] != line[-1]):
        raise UsageError("filters.ring_open")
    if kind.endswith("LineString") and len(line) < 2:
        raise UsageError("filters.no_shape", found=kind)


def number_of(value: Any) -> float:
    """Return a number as a float.

    Raises
    ------
    UsageError
        If it is none, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError("filters.no_number", found=_shown(value))
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise UsageError("filters.too_large", found=_shown(value))
    return number


def _box(node: Any, crs: OutputCrs) -> Any:
    if not isinstance(node, list) or len(node) not in (4, 6):
        raise UsageError("filters.bad_bbox")
    numbers = [number_of(value) for value in node]
    half = len(numbers) // 2
    low, high = numbers[:2], numbers[half : half + 2]
    if crs.is_flipped:
        low, high = low[::-1], high[::-1]
    (west, south), (east, north) = low, high
    if south > north or (west > east and not crs.is_degrees):
        raise UsageError("filters.bad_bbox")
    if west > east:
        halves = [shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)]
        return shapely.union_all(halves)
    corners = shapely.MultiPoint([(west, south), (east, south), (east, north), (west, north)])
    return corners.convex_hull


def _in_degrees(shape: Any, crs: OutputCrs) -> Any:
    if not crs.is_degrees:
        shape = _followed(shape, crs)
    lon, lat = shapely.get_coordinates(shape).T
    # Written in the other order of axes a place in China would have a latitude of more than 90 degrees.
    if not (np.all(np.abs(lon) <= 180) and np.all(np.abs(lat) <= 90)):
        raise UsageError("filters.not_on_earth", crs=crs.uri)
    return shape


def _followed(shape: Any, crs: OutputCrs) -> Any:
    if np.abs(shapely.get_coordinates(shape)).max() > _FARTHEST_M:
        raise UsageError("filters.not_on_earth", crs=crs.uri)
    step = max(_STEP_M, shapely.length(shape) / _MOST_STEPS)
    transformer = _transformer(crs.srid)
    # What lies beyond the reach of a projection comes back as infinite.
    return shapely.transform(
        shapely.segmentize(shape, step), lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
    )


@cache
def _transformer(srid: int) -> Transformer:
    return Transformer.from_crs(srid, _WGS84, always_xy=True)


def _shown(value: Any) -> str:
    return str(value)[:40]
