"""Trim lines to the areas they may cut, and tell which areas those are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import Edges, Indices
from gridmap.geometry.crossing import cross, crossing_points
from gridmap.geometry.lattice import Geometries, pack, unpack
from gridmap.geometry.snap_rounding import lines_of

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cuts:
    """Which lines may cut which areas.

    Attributes
    ----------
    kind : (l,) int64, kind of each line, from 0
    allowed : (k, n) bool, whether lines of a kind may cut an area
    """

    kind: Indices
    allowed: Bools


def trim(lines: Geometries, areas: Geometries, border: Edges, cuts: Cuts | None) -> tuple[Edges, Bools]:
    """Stretches of lines inside areas, each ending where the line crosses a border.

    Parameters
    ----------
    lines : (l,) LineStrings or MultiLineStrings, lattice frame
    areas : (n,) polygons or multipolygons, lattice frame
    border : their directed edges
    cuts : which lines may cut which areas; None: every line every area

    Returns
    -------
    stretches : segments, owners are lines
    touched : (n,) bool, areas in which a stretch lies
    """
    touched = np.zeros(len(areas), np.bool_)
    segments = _segments(lines)
    if not len(segments):
        return segments, touched
    pieces = _split(segments, border)
    middle = (unpack(pieces.start) + unpack(pieces.end)) / 2
    piece, area = shapely.STRtree(areas).query(shapely.points(middle))
    shapely.prepare(areas)
    inside = shapely.intersects_xy(areas[area], middle[piece, 0], middle[piece, 1])
    piece, area = piece[inside], area[inside]
    if cuts is not None:
        allowed = cuts.allowed[cuts.kind[pieces.owner[piece]], area]
        piece, area = piece[allowed], area[allowed]
    touched[area] = True
    return pieces.take(np.unique(piece)), touched


def _segments(lines: Geometries) -> Edges:
    parts, line = shapely.get_parts(lines, return_index=True)
    points, part = shapely.get_coordinates(parts, return_index=True)
    packed = pack(np.rint(points))
    within = np.flatnonzero((part[1:] == part[:-1]) & (packed[1:] != packed[:-1]))
    return Edges(packed[within], packed[within + 1], line[part[within]].astype(np.int64))


def _split(segments: Edges, border: Edges) -> Edges:
    """Segments split where they cross a border."""
    row, side = shapely.STRtree(lines_of(border.start, border.end)).query(
        lines_of(segments.start, segments.end), predicate="intersects"
    )
    along = unpack(segments.end[row]) - unpack(segments.start[row])
    crossing = cross(along, unpack(border.end[side]) - unpack(border.start[side])) != 0
    row, side = row[crossing].astype(np.int64), side[crossing]
    point = crossing_points(segments.start[row], segments.end[row], border.start[side], border.end[side])
    every = np.arange(len(segments))
    rows: Indices = np.concatenate([every, row, every])
    points = np.concatenate([segments.start, point, segments.end])
    origin = unpack(segments.start[rows])
    progress = ((unpack(points) - origin).astype(float) * (unpack(segments.end[rows]) - origin)).sum(axis=1)
    order = np.lexsort((points, progress, rows))
    rows, points = rows[order], points[order]
    within = np.flatnonzero((rows[1:] == rows[:-1]) & (points[1:] != points[:-1]))
    return Edges(points[within], points[within + 1], segments.owner[rows[within]])
