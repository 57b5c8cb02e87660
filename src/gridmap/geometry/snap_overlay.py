"""Cut one hexagon by the border of an area by snap rounding, whatever lies on or within a unit of what.

Corners of cells, vertices of the border and their rounded crossings are hot (``snap_rounding``). Which way a segment
bends depends on its immediate surroundings only, so cells and areas on both sides bend it alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import h3.api.numpy_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.chain import Edges, Indices, cancel
from gridmap.geometry.crossing import cross, crossing_points
from gridmap.geometry.hexes import library_outlines
from gridmap.geometry.lattice import Geometries, Packed, pack, unpack
from gridmap.geometry.snap_rounding import bend, lines_of

#: Pairs of points and edges that are looked at together: some tens of megabytes.
_MOST_PAIRS = 2_000_000


@dataclass(frozen=True)
class Surroundings:
    """All borders whose points may bend something: those on both sides of every border must look at the same.

    Attributes
    ----------
    border : edges between points that are hot
    carriers : (as ``border``) the longer edges that those were bent from; their crossings with sides are hot
    """

    border: Edges
    carriers: Edges
    _tree: shapely.STRtree

    @classmethod
    def of(cls, border: Edges, carriers: Edges) -> Surroundings:
        """Index edges; those that stand several times, either way round, count once."""
        ends = [np.minimum(border.start, border.end), np.maximum(border.start, border.end)]
        ends += [np.minimum(carriers.start, carriers.end), np.maximum(carriers.start, carriers.end)]
        _, first = np.unique(np.stack(ends), axis=1, return_index=True)
        once = border.take(first)
        return cls(once, carriers.take(first), shapely.STRtree(lines_of(once.start, once.end)))

    def hot(self, low: Indices, high: Indices, start: Packed, end: Packed) -> Packed:
        """Hot points that edges through a box give rise to, crossings with the sides (start, end) included."""
        near = np.sort(self._tree.query(shapely.box(*low, *high)))
        border, carriers = self.border.take(near), self.carriers.take(near)
        return np.concatenate([border.start, border.end, _crossings(carriers, start, end)])


@dataclass(frozen=True)
class SnapOverlay:
    """Border of one area, ready to cut cells; ``carriers`` are the longer edges its edges were bent from."""

    border: Edges
    carriers: Edges
    around: Surroundings
    _west: Indices
    _east: Indices
    _tree: shapely.STRtree

    @classmethod
    def of(cls, border: Edges, carriers: Edges | None = None, around: Surroundings | None = None) -> SnapOverlay:
        """Index the directed edges of an area; ``around`` it, default nothing else is looked at."""
        x = np.stack([unpack(border.start)[:, 0], unpack(border.end)[:, 0]])
        carriers = border if carriers is None else carriers
        around = Surroundings.of(border, carriers) if around is None else around
        tree = shapely.STRtree(lines_of(border.start, border.end))
        return cls(border, carriers, around, x.min(axis=0), x.max(axis=0), tree)

    def cut(self, cell: int) -> Geometries:
        """Polygons of the ground that a cell and the area have in common, lattice frame.

        Parameters
        ----------
        cell : H3 index
        """
        around = np.array([cell, *(near for near in h3.grid_disk(cell, 1) if near != cell)], np.uint64)
        outlines = library_outlines(around)
        start = pack(outlines.points)
        following = np.arange(1, len(start) + 1)
        following[outlines.offset[1:] - 1] = outlines.offset[:-1]
        end = start[following]
        own = slice(0, int(outlines.offset[1]))
        # What bends anything within the cell lies within a unit or two of it.
        low, high = outlines.points[own].min(axis=0) - 4, outlines.points[own].max(axis=0) + 4
        near = np.sort(self._tree.query(shapely.box(*low, *high)))
        border, carriers = self.border.take(near), self.carriers.take(near)
        hot = np.unique(np.concatenate([start, self.around.hot(low, high, start, end)]))
        sides = cancel(bend(start[own], end[own], hot))
        bent = cancel(_bend_on_carriers(border, carriers, hot))
        above = (self._west <= high[0]) & (self._east >= low[0])
        above[near] = False
        return _pieces(sides, bent, Edges.join([bent, self.border.take(above)]))


def _bend_on_carriers(border: Edges, carriers: Edges, hot: Packed) -> Edges:
    """Bend the edges that border edges were bent from, and keep of each the part between the border edge's ends."""
    bent = [bend(border.start, border.end, hot)]
    carried = np.flatnonzero((border.start != carriers.start) | (border.end != carriers.end))
    if not len(carried):
        return bent[0]
    whole = bend(carriers.start[carried], carriers.end[carried], hot)
    for number, row in enumerate(carried.tolist()):
        path = whole.take(whole.owner == number)
        onward = dict(zip(path.start.tolist(), path.end.tolist(), strict=True))
        steps, last = [int(border.start[row])], int(border.end[row])
        while steps[-1] != last and steps[-1] in onward:
            steps.append(onward[steps[-1]])
        if steps[-1] == last:
            bent[0] = bent[0].take(bent[0].owner != row)
            bent.append(Edges(np.array(steps[:-1]), np.array(steps[1:]), np.full(len(steps) - 1, row)))
    return Edges.join(bent)


def _crossings(border: Edges, start: Packed, end: Packed) -> Packed:
    """Round the crossings of border edges with sides of cells."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    side = np.unique(np.stack([low, high], axis=1), axis=0)
    sides, edges = shapely.STRtree(lines_of(side[:, 0], side[:, 1])), lines_of(border.start, border.end)
    edge, of_side = sides.query(edges, predicate="intersects")
    a, b, c, d = border.start[edge], border.end[edge], side[of_side, 0], side[of_side, 1]
    parallel = cross(unpack(b) - unpack(a), unpack(d) - unpack(c)) == 0
    return crossing_points(a[~parallel], b[~parallel], c[~parallel], d[~parallel])


def _pieces(sides: Edges, bent: Edges, area: Edges) -> Geometries:
    """Polygons whose border is the sides inside the area and the border inside the cell.

    ``area`` may lack edges that pass neither above nor below the cell.
    """
    border_edges, side_edges = _directed(bent), _directed(sides)
    of_border, of_side = set(border_edges), set(side_edges)
    along = np.array([edge in of_border for edge in side_edges], bool)
    against = np.array([edge[::-1] in of_border for edge in side_edges], bool)
    kept = along | (~against & _inside(sides, area))
    # Where ground narrower than the rounding was closed, two edges may have become one.
    apart = np.array([edge not in of_side and edge[::-1] not in of_side for edge in border_edges], bool)
    return _faces(Edges.join([sides.take(kept), bent.take(apart & _inside(bent, sides))]))


def _directed(edges: Edges) -> list[tuple[int, int]]:
    return list(zip(edges.start.tolist(), edges.end.tolist(), strict=True))


def _inside(edges: Edges, ring: Edges) -> NDArray[np.bool_]:
    """Whether the middle of each edge has the chain ``ring`` around it an odd number of times; exact."""
    verdict = np.zeros(len(edges), np.bool_)
    if not len(ring):
        return verdict
    a, b = 2 * unpack(ring.start), 2 * unpack(ring.end)
    middle = unpack(edges.start) + unpack(edges.end)
    block = max(_MOST_PAIRS // len(ring), 1)
    for first in range(0, len(edges), block):
        point = middle[first : first + block]
        over = (a[None, :, 0] <= point[:, None, 0]) != (b[None, :, 0] <= point[:, None, 0])
        row, span = np.nonzero(over)
        along, offset = b[span] - a[span], point[row] - a[span]
        if max(int(np.abs(along).max(initial=0)), int(np.abs(offset).max(initial=0))) >= 1 << 31:
            along, offset = along.astype(object), offset.astype(object)
        turn = cross(along, offset)
        below = np.where(along[:, 0] > 0, turn < 0, turn > 0).astype(bool)
        verdict[first : first + block] = np.bincount(row[below], minlength=len(point)) % 2 == 1
    return verdict


def _faces(edges: Edges) -> Geometries:
    """Faces with these edges on their left."""
    if not len(edges):
        return np.empty(0, object)
    directed = set(_directed(edges))
    faces = shapely.orient_polygons(shapely.get_parts(shapely.polygonize(lines_of(edges.start, edges.end))))
    chosen = []
    for face in faces:
        first, second = pack(np.asarray(face.exterior.coords[:2]))
        chosen.append((int(first), int(second)) in directed)
    return np.asarray(faces[np.array(chosen, bool)])
