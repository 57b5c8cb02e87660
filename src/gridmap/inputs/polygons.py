"""Check that features are polygons with proper rings, and untangle those that are not where that is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.errors import InvalidGeometry, Place, TooLarge
from gridmap.geometry.lattice import Geometries
from gridmap.inputs.whereabouts import PlaceOf
from gridmap.settings import settings

#: Metres of a degree of latitude; enough to say how far a repair reached.
_METRES_PER_DEGREE = 111_320.0

#: What GEOS says is wrong with a polygon → our word for it.
_REASONS = {
    "Self-intersection": "inputs.ring_crosses",
    "Ring Self-intersection": "inputs.ring_touches",
    "Hole lies outside shell": "inputs.hole_outside",
    "Holes are nested": "inputs.holes_nested",
    "Nested shells": "inputs.parts_overlap",
    "Interior is disconnected": "inputs.interior_split",
    "Too few points in geometry component": "inputs.ring_without_area",
    "Duplicate Rings": "inputs.ring_twice",
}


@dataclass(frozen=True, slots=True)
class Untangled:
    """What a repair did to one feature.

    Attributes
    ----------
    place : the feature
    moved_m : farthest that the border moved, metres
    area_change_m2 : area won (positive) or lost, square metres
    """

    place: Place
    moved_m: float
    area_change_m2: float

    def describe(self) -> str:
        """One line for the report."""
        return catalogue.text(
            "inputs.untangled",
            place=self.place.describe(),
            moved_m=f"{self.moved_m:,.2f}",
            area_m2=f"{self.area_change_m2:+,.2f}",
        )


def polygons_only(geometry: Geometries, place_of: PlaceOf) -> tuple[Geometries, tuple[str, ...]]:
    """Polygons and multipolygons of features; polygon parts are taken out of geometry collections.

    Returns
    -------
    (n,) object, and a warning for collections that held anything else.

    Raises
    ------
    InvalidGeometry
        If a feature has no geometry, an empty one, or none of its parts is a polygon.
    TooLarge
        If all together have more vertices than the settings allow.
    """
    missing = np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    if len(missing):
        raise InvalidGeometry("inputs.no_geometry", place_of(int(missing[0])), count=len(missing))
    check_vertex_count(geometry, replace(place_of(0), feature=None, code=None, name=None))
    kind = shapely.get_type_id(geometry)
    polygonal = (kind == shapely.GeometryType.POLYGON) | (kind == shapely.GeometryType.MULTIPOLYGON)
    if polygonal.all():
        return geometry, ()
    taken = geometry.copy()
    warnings = []
    for row in np.flatnonzero(~polygonal):
        if kind[row] != shapely.GeometryType.GEOMETRYCOLLECTION:
            raise InvalidGeometry("inputs.not_a_polygon", place_of(int(row)), kind=geometry[row].geom_type)
        taken[row] = polygon_parts(geometry[row])
        if taken[row] is None:
            raise InvalidGeometry("inputs.not_a_polygon", place_of(int(row)), kind=geometry[row].geom_type)
        warnings.append(catalogue.text("inputs.took_polygons", place=place_of(int(row)).describe()))
    return taken, tuple(warnings)


def check_vertex_count(geometry: Geometries, place: Place) -> None:
    """Refuse a layer whose geometries have more vertices than the settings allow, all together.

    Raises
    ------
    TooLarge
        With the count and the limit.
    """
    vertices, limit = int(shapely.get_num_coordinates(geometry).sum()), settings().max_vertices
    if vertices > limit:
        raise TooLarge("inputs.has_too_many_vertices", place, vertices=f"{vertices:,}", limit=f"{limit:,}")


def polygon_parts(geometry: shapely.Geometry) -> shapely.Geometry | None:
    """All polygons within a geometry as one polygon or multipolygon, or None."""
    parts = np.array([geometry], dtype=object)
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts = shapely.get_parts(parts)
    parts = parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)]
    if not len(parts):
        return None
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def valid_polygons(
    geometry: Geometries, place_of: PlaceOf, *, repair: bool, is_projected: bool
) -> tuple[Geometries, tuple[Untangled, ...]]:
    """Polygons whose rings are all proper.

    Parameters
    ----------
    geometry : (n,) polygons or multipolygons, finite coordinates
    repair : untangle improper ones instead of refusing them; ``shapely.make_valid`` by structure, so that shells stay
        ground and holes stay holes
    is_projected : whether coordinates are metres, not degrees

    Raises
    ------
    InvalidGeometry
        If a ring is improper and ``repair`` is False, or nothing with an area is left of it.
    """
    wrong = np.flatnonzero(~shapely.is_valid(geometry))
    if not len(wrong):
        return geometry, ()
    if not repair:
        raise improper(geometry[wrong[0]], place_of(int(wrong[0])), len(wrong))
    mended = geometry.copy()
    done = []
    for row in wrong:
        mended[row] = untangled(geometry[row])
        if mended[row] is None:
            raise InvalidGeometry("inputs.nothing_left", place_of(int(row)))
        moved_m, area_change_m2 = _change(geometry[row], mended[row], is_projected)
        done.append(Untangled(place_of(int(row)), moved_m, area_change_m2))
    return mended, tuple(done)


def untangled(geometry: shapely.Geometry) -> shapely.Geometry | None:
    """Return the valid polygons of an improper one, or None where nothing with an area is left."""
    return polygon_parts(shapely.make_valid(geometry, method="structure", keep_collapsed=False))


def improper(geometry: shapely.Geometry, place: Place, count: int) -> InvalidGeometry:
    """Return the error that says which ring of an improper polygon is wrong, how, and where."""
    said = str(shapely.is_valid_reason(geometry))
    found = re.fullmatch(r"(.*?)\[(\S+) (\S+)\]", said)
    reason, x, y = (found[1], float(found[2]), float(found[3])) if found else (said, None, None)
    ring = _ring_at(geometry, x, y) if x is not None and y is not None else 0
    return InvalidGeometry(
        _REASONS.get(reason, "inputs.geometry_broken"),
        replace(place, lon=x, lat=y),
        ring=ring,
        lon="?" if x is None else f"{x:.7g}" if abs(x) > 180 else f"{x:.7f}",
        lat="?" if y is None else f"{y:.7g}" if abs(y) > 180 else f"{y:.7f}",
        count=count,
    )


def _ring_at(geometry: shapely.Geometry, x: float, y: float) -> int:
    """Return the number of the ring nearest to a place, counted from 0 through all parts, shells before their holes."""
    rings = shapely.get_rings(shapely.get_parts(geometry))
    return int(np.argmin(shapely.distance(rings, shapely.Point(x, y))))


def _change(before: shapely.Geometry, after: shapely.Geometry, is_projected: bool) -> tuple[float, float]:
    """Farthest that a vertex of one lies from the border of the other, metres, and the area won, m²."""
    latitude = 0.0 if is_projected else float(shapely.get_coordinates(before)[:, 1].mean())
    scale = np.array([1.0, 1.0])
    if not is_projected:
        scale = _METRES_PER_DEGREE * np.array([np.cos(np.radians(latitude)), 1.0])
    plane_before, plane_after = (shapely.transform(one, lambda xy: xy * scale) for one in (before, after))
    moved_m = max(_farthest(plane_after, plane_before), _farthest(plane_before, plane_after))
    return moved_m, float(shapely.area(plane_after) - shapely.area(plane_before))


def _farthest(one: shapely.Geometry, other: shapely.Geometry) -> float:
    rings = shapely.multilinestrings(shapely.get_rings(shapely.get_parts(other)))
    vertices: NDArray[np.float64] = np.unique(shapely.get_coordinates(one), axis=0)
    shapely.prepare(rings)
    return float(shapely.distance(shapely.points(vertices), rings).max())
