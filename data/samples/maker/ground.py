"""The ground the county is drawn on: relief from seeded noise, and a mesh of small cells to grow areas from.

Everything is drawn on a plane in kilometres around ``CENTRE``; only the writing turns it into degrees.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

CENTRE_DEG = (111.3, 30.8)
#: Length of a degree of longitude and of latitude at the centre, kilometres.
KM_PER_DEG = (95.70, 110.86)
HALF_WIDTH_KM = 34.0

Points = NDArray[np.float64]
Values = NDArray[np.float64]
Labels = NDArray[np.int64]
Neighbours = list[list[tuple[int, float]]]


def to_degrees(xy_km: Points) -> Points:
    """Plane kilometres to WGS 84 degrees, (n, 2)."""
    return np.asarray(xy_km / np.asarray(KM_PER_DEG) + np.asarray(CENTRE_DEG))


@dataclass(frozen=True)
class Noise:
    """Smooth noise between 0 and 1 in several octaves, the sum of interpolated random lattices."""

    lattices: tuple[NDArray[np.float64], ...]
    wavelength_km: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, wavelength_km: float, octaves: int) -> Noise:
        """Draw one lattice an octave, each with half the wavelength of the one before."""
        sizes = [int(2 * HALF_WIDTH_KM / wavelength_km * 2**octave) + 3 for octave in range(octaves)]
        return cls(tuple(rng.random((size, size)) for size in sizes), wavelength_km)

    def at(self, xy_km: Points) -> Values:
        """Value at each point, (n,)."""
        total, weight = np.zeros(len(xy_km)), 0.0
        for octave, lattice in enumerate(self.lattices):
            place = np.clip(xy_km + HALF_WIDTH_KM, 0, 2 * HALF_WIDTH_KM) / self.wavelength_km * 2**octave
            i, j = np.floor(place).astype(np.int64).T
            u, v = (lambda t: t * t * (3 - 2 * t))(place - np.floor(place)).T
            low = lattice[i, j] * (1 - u) + lattice[i + 1, j] * u
            high = lattice[i, j + 1] * (1 - u) + lattice[i + 1, j + 1] * u
            total += (low * (1 - v) + high * v) / 2**octave
            weight += 1 / 2**octave
        return np.asarray(total / weight)


@dataclass(frozen=True)
class Relief:
    """Height of the ground, 0 (plain, south-east) to 1 (hills, north-west), and the ridges across it."""

    hills: Noise
    folds: Noise

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Relief:
        """Draw the hills, then the folds."""
        return cls(Noise.drawn(rng, 14.0, 4), Noise.drawn(rng, 7.0, 3))

    def height(self, xy_km: Points) -> Values:
        """Height, 0 to 1, (n,)."""
        rising = (xy_km[:, 1] - xy_km[:, 0]) * 0.016
        return np.clip(0.42 + rising + 1.3 * (self.hills.at(xy_km) - 0.5), 0, 1)

    def effort(self, xy_km: Points) -> Values:
        """How much harder a step is than on the plain, from 1; highest along ridges, so that borders follow them."""
        ridge = 1 - np.abs(2 * self.folds.at(xy_km) - 1) * 2
        return np.asarray(1 + 3 * self.height(xy_km) + 4 * np.clip(ridge, 0, 1) ** 2)


@dataclass(frozen=True)
class Mesh:
    """Small cells that cover the ground, and the edges between them.

    ``edge_vertices`` and ``edge_cells`` are (m, 2): going from the first vertex to the second, the first cell lies on
    the left.
    """

    sites: Points
    area_km2: Values
    vertices: Points
    edge_vertices: Labels
    edge_cells: Labels


def scatter(rng: np.random.Generator, spacing_km: Values, candidates: Points) -> Labels:
    """Choose candidates in their order, none nearer to one chosen before than its own spacing; the rows chosen."""
    chosen = np.empty((len(candidates), 2))
    rows: list[int] = []
    for row in rng.permutation(len(candidates)):
        near = chosen[: len(rows)] - candidates[row]
        if not rows or (near**2).sum(axis=1).min() >= spacing_km[row] ** 2:
            chosen[len(rows)] = candidates[row]
            rows.append(int(row))
    return np.sort(np.asarray(rows, dtype=np.int64))


def mesh_of(sites: Points) -> Mesh:
    """Voronoi cells of ``sites`` as a mesh; the outermost cells have edges on one side only, which are left out."""
    cells = np.asarray(shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites), ordered=True)))
    cells = np.asarray(shapely.orient_polygons(cells))
    corners, cell = shapely.get_coordinates(cells, return_index=True)
    vertices, vertex = np.unique(np.round(corners, 9), axis=0, return_inverse=True)
    vertex = vertex.reshape(-1)
    inside = (cell[1:] == cell[:-1]) & (vertex[1:] != vertex[:-1])
    start, end, owner = vertex[:-1][inside], vertex[1:][inside], cell[:-1][inside]
    other = {(a, b): c for a, b, c in zip(start.tolist(), end.tolist(), owner.tolist(), strict=True)}
    pairs = sorted((a, b, c, other[b, a]) for (a, b), c in other.items() if a < b and (b, a) in other)
    table = np.asarray(pairs, dtype=np.int64)
    return Mesh(sites, np.asarray(shapely.area(cells)), vertices, table[:, :2], table[:, 2:])


def neighbours_of(count: int, pairs: Labels, step: Values) -> Neighbours:
    """Neighbours of each of ``count`` nodes with the length of the step, from (m, 2) pairs."""
    neighbours: Neighbours = [[] for _ in range(count)]
    for (a, b), length in zip(pairs.tolist(), step.tolist(), strict=True):
        neighbours[a].append((b, length))
        neighbours[b].append((a, length))
    return neighbours


def grow(neighbours: Neighbours, seeds: Sequence[int]) -> tuple[Labels, Labels, Values]:
    """Give every node to the seed with the shortest way to it (Dijkstra from all seeds at once).

    Returns
    -------
    label, previous : (n,) int64
        Number of the seed in ``seeds``, -1 where none reaches; the node before on the way, -1 at seeds.
    distance : (n,) float64
    """
    label = np.full(len(neighbours), -1, dtype=np.int64)
    previous = np.full(len(neighbours), -1, dtype=np.int64)
    distance = np.full(len(neighbours), np.inf)
    heap = [(0.0, seed, number, -1) for number, seed in enumerate(seeds)]
    heapq.heapify(heap)
    while heap:
        length, node, number, before = heapq.heappop(heap)
        if label[node] >= 0:
            continue
        label[node], previous[node], distance[node] = number, before, length
        for other, step in neighbours[node]:
            if label[other] < 0:
                heapq.heappush(heap, (length + step, other, number, node))
    return label, previous, distance
