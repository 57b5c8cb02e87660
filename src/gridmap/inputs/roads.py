"""Read the roads that distance is measured along: any file of lines, or an OpenStreetMap extract (``.osm.pbf``).

Lines are joined at the vertices they share and nowhere else, since a bridge is no crossing: nothing is noded here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.domain.plan_settings import RoadSource
from gridmap.domain.roads import Measure, Profile, RoadLines
from gridmap.errors import InvalidGeometry, Place, UnreadableFile
from gridmap.geometry.datum import Datum, LonLat
from gridmap.geometry.lattice import Geometries
from gridmap.geometry.measure import LocalPlane
from gridmap.inputs.columns import LINE_CLASS, first_column, named_column
from gridmap.inputs.folding import Texts, folded_texts
from gridmap.inputs.polygons import check_vertex_count
from gridmap.inputs.road_rules import WALKING_KMH, directions, passable, speeds
from gridmap.inputs.staging import staged
from gridmap.inputs.vector import VectorLayer, datum_of, read_layer
from gridmap.inputs.whereabouts import to_checked_wgs84
from gridmap.planning.network import road_graph

#: Roads farther from the plan's ground are left out: ways may lead round outside it, but not so far.
MARGIN_M = 10_000.0

#: Share of the length that hangs together, below which a file is said to be in pieces.
_WHOLE = 0.5
#: Facilities that a datum is judged by at least; metres that they must be off the roads, and how much nearer another
#: datum must bring them.
_ENOUGH, _OFF_M, _NEARER = 8, 25.0, 3.0
_DEGREE_M = 111_320.0


def read_roads(
    source: RoadSource, base_dir: Path, ground: Geometries, facilities: LonLat
) -> tuple[RoadLines, tuple[str, ...]]:
    """Read roads, and say what is odd about them.

    Every class of road that ``source.profile`` may travel is used; ``source.classes`` are about borders of blocks.

    Parameters
    ----------
    source : file, datum, who travels, speeds
    base_dir : folder that ``source.path`` is relative to
    ground : polygons of the plan, WGS 84 degrees
    facilities : (m, 2) float64, places that should stand by roads, WGS 84 degrees

    Returns
    -------
    The roads near the ground, and what was noticed, already worded: a network in pieces, a datum that does not fit.

    Raises
    ------
    InvalidGeometry
        If a feature is no line, or no road that may be travelled lies near the ground.
    UnreadableFile, TooLarge, UnknownDatum, OutOfPlace
        With file, layer, feature and place of the first fault.
    """
    path = base_dir / source.path
    place = Place(file=path.name)
    with staged(path, layer=source.layer, encoding=source.encoding) as file:
        if not file.format.is_vector:
            raise UnreadableFile("inputs.not_lines", place, kind=file.format.shown)
        found = read_layer(file, place)
    used, noticed = datum_of(source.datum, found.crs, found.place)
    class_of = _classes(found, source)
    profile = source.profile or Profile.WALKING
    lines, owner = _parts(found, passable(found.attributes, class_of, profile))
    if not len(lines):
        raise _none(found, profile)
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    lonlat = to_checked_wgs84(coordinates, used, lambda vertex: found.place_of(int(owner[line[vertex]])))
    shapes = shapely.set_coordinates(lines.copy(), lonlat)
    near = _near(shapes, ground)
    if not near.any():
        raise _none(found, profile)
    shapes, rows = shapes[near], owner[near]
    forward, backward = np.ones(len(rows), np.bool_), np.ones(len(rows), np.bool_)
    if profile is Profile.DRIVING:
        ahead, against = directions(found.attributes, class_of)
        forward, backward = ahead[rows], against[rows]
        speed = speeds(found.attributes, class_of, source.speed_kmh)[rows]
    else:
        speed = np.full(len(rows), WALKING_KMH)
    roads = RoadLines(shapes, forward, backward, speed, str(found.place.file))
    said = [*found.warnings, *noticed, *_in_pieces(roads)]
    if not used.is_projected:
        said += _other_datum(roads, lines[near], used, facilities)
    return roads, tuple(said)


def _none(found: VectorLayer, profile: Profile) -> InvalidGeometry:
    who = catalogue.text(f"roads.{profile.value}")
    return InvalidGeometry("roads.none_near", found.place, count=f"{len(found.geometry):,}", profile=who)


def _classes(found: VectorLayer, source: RoadSource) -> Texts:
    frame, chosen = found.attributes, source.class_column
    field = named_column(frame, chosen, found.place) if chosen else first_column(frame, LINE_CLASS)
    class_of = np.full(len(frame), "", dtype=object)
    if field is not None:
        class_of[:] = [text or "" for text in folded_texts(frame[field])]
    return class_of


def _parts(found: VectorLayer, wanted: NDArray[np.bool_]) -> tuple[Geometries, NDArray[np.intp]]:
    """Lines of the features wanted, part by part, and the row of the feature each is of."""
    check_vertex_count(found.geometry, found.place)
    owner = np.flatnonzero(wanted & ~shapely.is_missing(found.geometry) & ~shapely.is_empty(found.geometry))
    parts = found.geometry[owner]
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts, of_part = shapely.get_parts(parts, return_index=True)
        owner = owner[of_part]
    kind = shapely.get_type_id(parts)
    if len(parts) and not np.isin(kind, (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING)).any():
        place = found.place_of(int(owner[0]))
        raise InvalidGeometry("inputs.not_a_line", place, kind=found.geometry[owner[0]].geom_type)
    is_line = np.asarray(kind == shapely.GeometryType.LINESTRING)
    return parts[is_line], owner[is_line]


def _near(shapes: Geometries, ground: Geometries) -> NDArray[np.bool_]:
    west, south, east, north = shapely.total_bounds(ground)
    up = MARGIN_M / _DEGREE_M
    across = up / max(float(np.cos(np.radians(max(abs(south), abs(north))))), 0.01)
    low, high = np.array([west - across, south - up]), np.array([east + across, north + up])
    bounds = shapely.bounds(shapes)
    return np.asarray((bounds[:, :2] <= high).all(axis=1) & (bounds[:, 2:] >= low).all(axis=1))


def _in_pieces(roads: RoadLines) -> list[str]:
    """Warn of roads most of which are joined to few others."""
    graph = road_graph(roads, Measure.METRES)
    length_m = np.bincount(graph.component[graph.start], weights=graph.length_m, minlength=graph.components)
    if not len(length_m) or length_m.max() >= _WHOLE * length_m.sum():
        return []
    share = length_m.max() / length_m.sum()
    values = {"file": roads.source, "pieces": f"{graph.components:,}", "lines": f"{len(roads.shapes):,}"}
    return [catalogue.text("roads.in_pieces", share=f"{share:.0%}", **values)]


def _other_datum(roads: RoadLines, given: Geometries, used: Datum, facilities: LonLat) -> list[str]:
    """Warn where facilities stand much nearer to the roads if these are in another datum than they are read in."""
    off_m = _median_off_m(roads.shapes, facilities)
    if not off_m > _OFF_M:
        return []
    raw = shapely.get_coordinates(given)
    as_others = {
        name: _median_off_m(shapely.set_coordinates(given.copy(), Datum(name).to_wgs84(raw)), facilities)
        for name in ("wgs84", "gcj02", "bd09")
        if name != used.name
    }
    best = min(as_others, key=lambda name: as_others[name])
    if not as_others[best] * _NEARER < off_m:
        return []
    values = {"off_m": f"{off_m:,.0f}", "better_m": f"{as_others[best]:,.0f}"}
    return [catalogue.text("roads.other_datum", file=roads.source, used=used, better=best, **values)]


def _median_off_m(shapes: Geometries, facilities: LonLat) -> float:
    """Median distance of facilities among the roads from the nearest of them, metres; NaN where these are few."""
    west, south, east, north = shapely.total_bounds(shapes)
    lon, lat = facilities.T
    among = facilities[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)]
    if len(among) < _ENOUGH:
        return float("nan")
    plane = LocalPlane(float((west + east) / 2), float((south + north) / 2))
    flat = shapely.set_coordinates(shapes.copy(), plane.from_degrees(shapely.get_coordinates(shapes)))
    points = shapely.points(plane.from_degrees(among))
    (row, _), off_m = shapely.STRtree(flat).query_nearest(points, return_distance=True, all_matches=False)
    return float(np.median(off_m[np.argsort(row)]))
