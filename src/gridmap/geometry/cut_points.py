"""Tell the cut points of a border from its faults.

Where a cell cuts the border of an area, the cut point has to be rounded, on whatever grid of numbers the file has: it
lies a hair beside the border's edge and leaves a sliver on either side. Such a sliver is no fault of the partition if
it lies along one single edge of the area, no farther from it than the rounding, if the pieces lead on along that edge
without a step back or sideways, and if they skip no vertex of the area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import Indices
from gridmap.geometry.predicates import Points, Values
from gridmap.geometry.winding import Chain, Faces


@dataclass(frozen=True, slots=True)
class CutPoints:
    """Faces that are due to cut points alone.

    Attributes
    ----------
    is_sliver : (f,) bool, by face
    count : how many slivers there are
    farthest, foot : (2,) float64, the cut point farthest from its edge and its foot there; equal where there is none
    """

    is_sliver: NDArray[np.bool_]
    count: int
    farthest: Points
    foot: Points


def find_cut_points(
    faces: Faces, chain: Chain, is_area_edge: NDArray[np.bool_], area_vertices: Points, tolerance: float
) -> CutPoints:
    """Find the slivers that cut points leave along the edges of areas.

    Parameters
    ----------
    faces : of ``chain``, which is pieces less areas
    is_area_edge : (m,) by edge of the chain
    area_vertices : (v, 2) vertices of the areas, before any noding
    tolerance : farthest that a cut point may lie from its edge, units of the plane
    """
    none = CutPoints(np.zeros(len(faces.polygon), np.bool_), 0, np.zeros(2), np.zeros(2))
    edge, face = _edges_of_faces(faces, is_area_edge)
    if not len(edge):
        return none
    start, end = chain.edges.start[edge], chain.edges.end[edge]
    a, b = chain.points[start], chain.points[end]
    longest = np.lexsort((((b - a) ** 2).sum(axis=1), face))
    last = np.append(face[longest][1:] != face[longest][:-1], True)
    # The line of each face: its longest stretch of an area's edge.
    line_of_face = np.full(len(faces.polygon), -1)
    line_of_face[face[longest][last]] = longest[last]
    bordering = line_of_face >= 0
    off, corner, corner_face = _distance_of_corners(faces.polygon, a, b, line_of_face)
    far = np.zeros(len(faces.polygon))
    np.maximum.at(far, corner_face, off)
    skips = _skipping_a_vertex(chain.points, start, end, face, area_vertices, len(faces.polygon))
    is_sliver = bordering & (np.abs(faces.winding) == 1) & (far <= tolerance) & ~skips
    is_sliver &= ~_stepping_back(faces, chain, is_area_edge, b - a, line_of_face)
    if not is_sliver.any():
        return none
    worst = int(np.argmax(np.where(is_sliver[corner_face], off, -1)))
    line = line_of_face[corner_face[worst]]
    along = b[line] - a[line]
    foot = a[line] + along * ((corner[worst] - a[line]) @ along) / (along @ along)
    return CutPoints(is_sliver, int(is_sliver.sum()), corner[worst], foot)


def _edges_of_faces(faces: Faces, chosen: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """Chosen edges on the rim of faces, and these faces; an edge may border two."""
    edge = np.flatnonzero(chosen)
    pairs = [(edge, faces.left[edge]), (edge, faces.right[edge])]
    edges, bordered = (np.concatenate(column) for column in zip(*pairs, strict=True))
    bounded = bordered >= 0
    return edges[bounded], bordered[bounded]


def _distance_of_corners(
    polygons: NDArray[np.object_], a: Points, b: Points, line_of_face: Indices
) -> tuple[Values, Points, Indices]:
    """Distance of each corner of each face from the face's line; faces without a line are left out."""
    corner, face = shapely.get_coordinates(polygons, return_index=True)
    known = line_of_face[face] >= 0
    corner, face = corner[known], face[known]
    line = line_of_face[face]
    along, offset = b[line] - a[line], corner - a[line]
    across = np.abs(along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0])
    return across / np.hypot(along[:, 0], along[:, 1]), corner, face


def _stepping_back(
    faces: Faces, chain: Chain, is_area_edge: NDArray[np.bool_], along: Points, line_of_face: Indices
) -> NDArray[np.bool_]:
    """Faces on whose rim a piece's edge does not lead on along the area's edge, whose chain runs the other way."""
    edge, face = _edges_of_faces(faces, ~is_area_edge)
    edge, face = edge[line_of_face[face] >= 0], face[line_of_face[face] >= 0]
    step = chain.points[chain.edges.end[edge]] - chain.points[chain.edges.start[edge]]
    back = (step * along[line_of_face[face]]).sum(axis=1) >= 0
    stepping = np.zeros(len(faces.polygon), np.bool_)
    stepping[face[back]] = True
    return stepping


def _skipping_a_vertex(
    points: Points, start: Indices, end: Indices, face: Indices, area_vertices: Points, count: int
) -> NDArray[np.bool_]:
    """Faces on whose rim two area edges meet at a vertex of the area: there the pieces lack it."""
    vertex = np.isin(points[:, 0] + 1j * points[:, 1], area_vertices[:, 0] + 1j * area_vertices[:, 1])
    leaving, arriving = face[vertex[start]] * len(points) + start[vertex[start]], face * len(points) + end
    skips = np.zeros(count, np.bool_)
    skips[np.intersect1d(leaving, arriving) // len(points)] = True
    return skips
