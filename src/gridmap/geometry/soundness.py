"""Faults that a polygon has by itself, and polygons that are there twice."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import Indices
from gridmap.geometry.lattice import Geometries
from gridmap.geometry.predicates import Points

_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_PLACE = re.compile(r"\[(\S+) (\S+)\]$")
#: What GEOS says of an invalid polygon, and the name of the reason in the catalogue.
_REASONS = {
    "Self-intersection": "self_intersection",
    "Ring Self-intersection": "ring_self_intersection",
    "Hole lies outside shell": "hole_outside",
    "Holes are nested": "nested",
    "Nested shells": "nested",
    "Duplicate Rings": "nested",
    "Interior is disconnected": "disconnected",
    "Too few points in geometry component": "too_few_points",
    "Invalid Coordinate": "not_finite",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """Polygons made valid.

    Attributes
    ----------
    polygons : (n,) valid polygons or multipolygons, empty where nothing could be kept
    rows : (k,) int64, those that were not valid
    reasons : why, as the catalogue names it after ``reason_``
    places : (k, 2) float64, where, in the plane of the polygons
    """

    polygons: Geometries
    rows: Indices
    reasons: tuple[str, ...]
    places: Points


def make_sound(polygons: Geometries) -> Sound:
    """Find what is not a valid polygon and put in its place the ground that its rings bound.

    A ring that crosses itself bounds what lies within it an odd number of times, as GEOS ``make_valid`` has it.

    Parameters
    ----------
    polygons : (n,) anything of shapely, or None, any plane
    """
    sound = polygons.copy()
    rows = np.flatnonzero(~shapely.is_valid(polygons) | ~_has_ground(polygons))
    reasons, places = [], np.zeros((len(rows), 2))
    for k, row in enumerate(rows.tolist()):
        reason, places[k] = _reason(polygons[row])
        reasons.append(reason)
        sound[row] = shapely.Polygon()
        if reason not in ("not_finite", "not_a_polygon", "empty"):
            parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(polygons[row])))
            kept = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
            sound[row] = kept[0] if len(kept) == 1 else shapely.multipolygons(kept)
    return Sound(sound, rows.astype(np.int64), tuple(reasons), places)


def _has_ground(polygons: Geometries) -> NDArray[np.bool_]:
    return np.asarray(np.isin(shapely.get_type_id(polygons), _POLYGONAL) & ~shapely.is_empty(polygons))


def _reason(polygon: shapely.Geometry | None) -> tuple[str, tuple[float, float]]:
    """Name of what is wrong and a place near it."""
    if polygon is None or polygon.is_empty:
        return "empty", (0.0, 0.0)
    corners = shapely.get_coordinates(polygon)
    if not np.isfinite(corners).all():
        finite = corners[np.isfinite(corners).all(axis=1)]
        x, y = finite[0] if len(finite) else (0.0, 0.0)
        return "not_finite", (float(x), float(y))
    place = (float(corners[0, 0]), float(corners[0, 1]))
    if shapely.get_type_id(polygon) not in _POLYGONAL:
        return "not_a_polygon", place
    said = str(shapely.is_valid_reason(polygon))
    if at := _PLACE.search(said):
        place = (float(at[1]), float(at[2]))
    return _REASONS.get(said.split("[")[0].strip(), "other"), place


def find_duplicates(polygons: Geometries) -> tuple[Indices, Indices]:
    """Polygons that cover exactly the ground of an earlier one.

    Parameters
    ----------
    polygons : (n,) valid polygons or multipolygons; empty ones are passed over

    Returns
    -------
    doubled, original : (k,) int64, rows, the first of each set being the original
    """
    rows = np.flatnonzero(~shapely.is_empty(polygons))
    boxes = shapely.bounds(polygons[rows])
    order = np.lexsort(boxes.T)
    alike = (boxes[order[1:]] == boxes[order[:-1]]).all(axis=1)
    doubled: list[int] = []
    original: list[int] = []
    for begin, end in _runs(alike):
        firsts: list[int] = []
        for row in np.sort(rows[order[begin:end]]).tolist():
            same = next((first for first in firsts if shapely.equals(polygons[first], polygons[row])), None)
            if same is None:
                firsts.append(row)
            else:
                doubled.append(row)
                original.append(same)
    by_row = np.argsort(doubled)
    return np.array(doubled, np.int64)[by_row], np.array(original, np.int64)[by_row]


def _runs(alike: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end of each run of rows that are like the one before."""
    padded = np.concatenate([[False], alike, [False]])
    begin = np.flatnonzero(~padded[:-1] & padded[1:])
    end = np.flatnonzero(padded[:-1] & ~padded[1:])
    return list(zip(begin.tolist(), (end + 1).tolist(), strict=True))
