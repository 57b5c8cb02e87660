"""Follow the borders of areas through an arrangement that snap rounding has bent.

Snap rounding replaces a segment by the polyline through the hot pixels it meets: the unit squares about the vertices of
the arrangement (Hobby 1999; Guibas and Marimont 1998). So the noded border of an area is found again, edge by edge, and
with it on which side of the border each face lies, however thin.
"""

from __future__ import annotations

import itertools

import numpy as np
import shapely

from gridmap.geometry.chain import Indices
from gridmap.geometry.lattice import Geometries
from gridmap.geometry.winding import OUTSIDE, Chain, chain_of

#: Farthest that noding moves a border, lattice units.
BEND_UNITS = 1.0
_HALF_PIXEL = 0.5


class DirectedFaces:
    """Faces of an arrangement by the directed edges that have them on the left."""

    def __init__(self, chain: Chain) -> None:
        self._count = len(chain.points)
        key = chain.edges.start * self._count + chain.edges.end
        order = np.argsort(key)
        self._key, self._face = key[order], chain.edges.owner[order]

    def left_of(self, start: Indices, end: Indices) -> Indices:
        """Face on the left of each edge, ``OUTSIDE`` where no face has it; points are rows of the chain."""
        key = start * self._count + end
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return np.where(self._key[at] == key, self._face[at], OUTSIDE)


def noded_border(chain: Chain, areas: Geometries) -> tuple[Indices, Indices, Indices]:
    """Borders of areas as edges of an arrangement.

    Parameters
    ----------
    chain : edges of all faces of the arrangement, lattice frame
    areas : (m,) polygons or multipolygons, lattice frame

    Returns
    -------
    start, end : (e,) int64, rows of ``chain.points``; the area lies on the left
    area : (e,) int64
        Edges of areas that are no part of the arrangement are left out.
    """
    border = chain_of(areas, np.arange(len(areas)))
    corners = border.points[border.edges.start], border.points[border.edges.end]
    low, high = np.minimum(*corners), np.maximum(*corners)
    boxes = shapely.box(*(low - _HALF_PIXEL).T, *(high + _HALF_PIXEL).T)
    vertex, edge = shapely.STRtree(boxes).query(shapely.points(chain.points))
    segments = shapely.linestrings(np.stack(corners, axis=1))
    x, y = chain.points[vertex].T
    pixels = shapely.box(x - _HALF_PIXEL, y - _HALF_PIXEL, x + _HALF_PIXEL, y + _HALF_PIXEL)
    met = shapely.intersects(pixels, segments[edge])
    vertex, edge = vertex[met], edge[met]
    along = ((chain.points[vertex] - corners[0][edge]) * (corners[1] - corners[0])[edge]).sum(axis=1)
    order = np.lexsort((along, edge))
    vertex, edge, along = vertex[order].astype(np.int64), edge[order], along[order]
    count = len(chain.points)
    known = set((chain.edges.start * count + chain.edges.end).tolist())
    known |= set((chain.edges.end * count + chain.edges.start).tolist())
    begin = np.searchsorted(edge, np.arange(len(segments) + 1))
    steps: list[tuple[int, int, int]] = []
    owners = border.edges.owner.tolist()
    for row, owner in enumerate(owners):
        part = slice(begin[row], begin[row + 1])
        path = _path(vertex[part].tolist(), along[part].tolist(), known, count)
        steps += [(one, other, owner) for one, other in itertools.pairwise(path)]
    found = np.array(steps, dtype=np.int64).reshape(-1, 3)
    return found[:, 0], found[:, 1], found[:, 2]


def _path(vertices: list[int], along: list[float], known: set[int], count: int) -> list[int]:
    """Longest way from the first vertex to the last over known edges, always onwards; none: empty.

    Pixels that the segment meets at a corner only may or may not belong to it.
    """
    steps, came_from = [0] * len(vertices), [-1] * len(vertices)
    for here, vertex in enumerate(vertices):
        for before in range(here):
            reached = before == 0 or steps[before] > 0
            onwards = along[before] < along[here] and vertices[before] * count + vertex in known
            if reached and onwards and steps[before] >= steps[here]:
                steps[here], came_from[here] = steps[before] + 1, before
    if not vertices or not steps[-1]:
        return []
    path, here = [], len(vertices) - 1
    while here >= 0:
        path.append(vertices[here])
        here = came_from[here]
    return path[::-1]
