"""Borders drawn once and shared: every area of every level is put together from the same chains of lattice points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.geometry.lattice import to_units
from maker.ground import Labels, Mesh, Points, Relief, to_degrees

#: Longest step of a finished border, kilometres.
STEP_KM = 0.11
OUTSIDE = -1


@dataclass(frozen=True)
class Chain:
    """A border from junction to junction (or a closed one), lattice units, with the area on either side of it."""

    points: Labels
    left: int
    right: int


def chains_between(mesh: Mesh, label: Labels, relief: Relief, rng: np.random.Generator) -> list[Chain]:
    """Trace, smooth and roughen the borders between mesh cells of different label.

    Where that would make borders cross, in narrow places, they are drawn plainer, at last as the mesh has them.
    """
    sides = label[mesh.edge_cells]
    border = np.flatnonzero(sides[:, 0] != sides[:, 1])
    traced = walks(mesh.edge_vertices, border)
    plainness = np.zeros(len(traced), dtype=np.int64)
    seeds = rng.integers(2**32, size=len(traced))
    while True:
        lines = [
            _drawn(mesh.vertices[walk], plain, relief, np.random.default_rng(seed))
            for (walk, _), plain, seed in zip(traced, plainness.tolist(), seeds.tolist(), strict=True)
        ]
        crossing = _crossing(lines)
        if not len(crossing):
            break
        plainness[crossing] += 1
    chains = []
    for (walk, first), points in zip(traced, lines, strict=True):
        left, right = sides[first] if mesh.edge_vertices[first, 0] == walk[0] else sides[first][::-1]
        chains.append(Chain(points, int(left), int(right)))
    return chains


def _drawn(line: Points, plainness: int, relief: Relief, rng: np.random.Generator) -> Labels:
    """One border in lattice units: 0 smoothed and rough, 1 smoothed only, from 2 as it is."""
    if plainness < 2:
        line = smoothed(line)
    if plainness < 1:
        line = _roughened(line, relief, rng)
    points = to_units(to_degrees(line)).astype(np.int64)
    return np.asarray(points[np.append(True, (points[1:] != points[:-1]).any(axis=1))])


def _crossing(lines: list[Labels]) -> Labels:
    """Numbers of the lines that cross themselves, or meet another one elsewhere than at the ends of both."""
    shapes = np.asarray([shapely.LineString(line) for line in lines], dtype=object)
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    ends = np.asarray([shapely.MultiPoint(line[[0, -1]]) for line in lines], dtype=object)
    meeting = shapely.intersection(shapes[a], shapes[b])
    common = shapely.intersection(ends[a], ends[b])
    wrong = ~shapely.equals(meeting, common)
    return np.unique(np.concatenate([a[wrong], b[wrong], np.flatnonzero(~shapely.is_simple(shapes))]))


def walks(edge_vertices: Labels, chosen: Labels, breaks: Set[int] = frozenset()) -> list[tuple[list[int], int]]:
    """Chosen edges in walks of vertices from junction to junction, then the closed ones; each with its first edge.

    A junction is a vertex where not just two edges meet, or one of ``breaks``.
    """
    meeting: dict[int, list[int]] = defaultdict(list)
    for edge in chosen.tolist():
        for vertex in edge_vertices[edge].tolist():
            meeting[vertex].append(edge)
    unused = set(chosen.tolist())
    junctions = {vertex for vertex, edges in meeting.items() if len(edges) != 2} | (breaks & meeting.keys())

    def walk(vertex: int, edge: int) -> list[int]:
        path = [vertex]
        while True:
            unused.discard(edge)
            a, b = edge_vertices[edge].tolist()
            vertex = b if vertex == a else a
            path.append(vertex)
            onward = [other for other in meeting[vertex] if other in unused]
            if vertex in junctions or not onward:
                return path
            edge = onward[0]

    found = [(walk(vertex, edge), edge) for vertex in sorted(junctions) for edge in meeting[vertex] if edge in unused]
    for edge in chosen.tolist():
        if edge in unused:
            found.append((walk(int(edge_vertices[edge, 0]), edge), edge))
    return found


def smoothed(line: Points) -> Points:
    """Cut the corners twice (Chaikin), leaving the ends where they are."""
    for _ in range(2):
        if len(line) < 3:
            return line
        cut = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], axis=1)
        line = np.concatenate([line[:1], cut.reshape(-1, 2)[1:-1], line[-1:]])
    return line


def _roughened(line: Points, relief: Relief, rng: np.random.Generator) -> Points:
    """Shift the middle of every long step sideways, and again, more in the hills than on the plain."""
    while True:
        step = np.diff(line, axis=0)
        long = np.flatnonzero(np.hypot(*step.T) > STEP_KM)
        if not len(long):
            return line
        middle = line[long] + step[long] / 2
        sideways = rng.uniform(-1, 1, len(long)) * (0.10 + 0.16 * relief.height(middle))
        middle += step[long][:, ::-1] * [-1, 1] * sideways[:, None]
        line = np.insert(line, long + 1, middle, axis=0)


def dissolved(chains: list[Chain], area_of: Mapping[int, int]) -> dict[int, shapely.MultiPolygon | shapely.Polygon]:
    """Areas whose parts are the labels ``area_of`` maps to them: chains with one area on both sides drop out.

    Returns
    -------
    polygons in the lattice frame by area; every vertex is a vertex of the chains
    """
    leaving: dict[int, dict[tuple[int, int], Labels]] = defaultdict(dict)
    for chain in chains:
        left, right = area_of.get(chain.left, OUTSIDE), area_of.get(chain.right, OUTSIDE)
        if left == right:
            continue
        for area, points in ((left, chain.points), (right, chain.points[::-1])):
            if area != OUTSIDE:
                start = (int(points[0, 0]), int(points[0, 1]))
                if start in leaving[area]:
                    raise RuntimeError(f"area {area} touches itself at {start}: choose another seed")
                leaving[area][start] = points
    return {area: _polygon(_rings(leaving[area])) for area in sorted(leaving)}


def _rings(leaving: dict[tuple[int, int], Labels]) -> list[shapely.LinearRing]:
    """Close the chains of one area, its ground always on the left, into rings."""
    rings = []
    while leaving:
        start = min(leaving)
        parts, here = [], start
        while True:
            points = leaving.pop(here)
            parts.append(points[:-1])
            here = (int(points[-1, 0]), int(points[-1, 1]))
            if here == start:
                break
        rings.append(shapely.LinearRing(np.concatenate(parts)))
    return rings


def _polygon(rings: list[shapely.LinearRing]) -> shapely.MultiPolygon | shapely.Polygon:
    """Shells (counter-clockwise) with the holes (clockwise) that lie in them."""
    shells = [ring for ring in rings if shapely.is_ccw(ring)]
    holes = [ring for ring in rings if not shapely.is_ccw(ring)]
    parts = []
    for shell in shells:
        inside = [hole for hole in holes if shapely.contains_properly(shapely.Polygon(shell), hole)]
        parts.append(shapely.Polygon(shell, inside))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
