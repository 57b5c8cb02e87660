"""Cut areas into H3 cells, exactly, and prove it area by area.

The sum of the pieces of an area has the area's border as its boundary, edge for edge, *noded*: with a point added, at
most a centimetre aside, wherever a cell cuts the border. Points on a border depend on the border's edge and the cell's
edge only, so neighbouring areas, made in one run or in two, get the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.geometry.area_cut import AreaPieces, cut_area
from gridmap.geometry.boundary import follow
from gridmap.geometry.certificate import certificate, unproved
from gridmap.geometry.chain import Edges, Indices, cancel, edges_of, shared_borders
from gridmap.geometry.hexes import Cells
from gridmap.geometry.lattice import Geometries, to_degrees, unpack
from gridmap.geometry.measure import SEMI_MAJOR_M

#: Border edges that are kept before those of neighbours are cancelled.
_MOST_WAITING = 1_000_000


@dataclass(frozen=True)
class Partition:
    """Pieces of all areas, one row a cell and area.

    Attributes
    ----------
    pieces : of each area in turn
    certificate : as ``certificate.json`` holds it
    """

    pieces: tuple[AreaPieces, ...]
    certificate: dict[str, Any]

    @cached_property
    def cell(self) -> Cells:
        """H3 index of each row, (n,) uint64."""
        return np.concatenate([pieces.cell for pieces in self.pieces])

    @cached_property
    def area(self) -> Indices:
        """Row of the area of each row, (n,) int64."""
        return np.repeat(np.arange(len(self.pieces)), [len(pieces.cell) for pieces in self.pieces])

    @cached_property
    def geometry(self) -> Geometries:
        """Polygons or multipolygons in the lattice frame, (n,)."""
        return np.concatenate([pieces.shapes.on_lattice() for pieces in self.pieces])

    @property
    def adjacency(self) -> Indices:
        """Rows that share a border of positive length, (m, 2) int64, lower first, sorted."""
        return self._adjacent[0]

    @property
    def shared_m(self) -> NDArray[np.float64]:
        """Length of the border of each row of ``adjacency``, (m,) float64, metres."""
        return self._adjacent[1]

    @cached_property
    def _adjacent(self) -> tuple[Indices, NDArray[np.float64]]:
        moved, row = [], 0
        for pieces in self.pieces:
            moved.append(Edges(pieces.edges.start, pieces.edges.end, pieces.edges.owner + row))
            row += len(pieces.cell)
        return adjacent(Edges.join(moved))


def partition_areas(
    polygons: Geometries,
    area_codes: Sequence[str],
    resolution: int,
    progress: Callable[[float], None] | None = None,
) -> Partition:
    """Cut all areas and hold the result in memory.

    Parameters
    ----------
    polygons : (n,) polygons or multipolygons, lattice frame, valid, without overlap
    area_codes : their codes, distinct
    resolution : H3 resolution, 0 to 15
    progress : called with the share done, 0 to 1

    Raises
    ------
    TooLarge
        If an area would come to more cells than the settings allow.
    OutOfPlace
        If an area lies at the antimeridian or a pole, where cells have no outline in longitude and latitude.
    InvalidGeometry
        If a cell cuts off a sharp corner of an area within the rounding, some centimetres from its tip.
    ProofFailed
        If the pieces could not be proved to tile the areas.
    """
    made: list[AreaPieces] = []
    for pieces in cut_areas(polygons, area_codes, resolution):
        made.append(pieces)
        if progress:
            progress(len(made) / len(polygons))
    return Partition(tuple(made), certificate([pieces.proof for pieces in made], resolution))


def cut_areas(polygons: Geometries, area_codes: Sequence[str], resolution: int) -> Iterator[AreaPieces]:
    """Cut one area after the other, so that memory does not grow with their number.

    After the last one, the borders of all areas are proved to cancel where the areas themselves adjoin.

    Raises
    ------
    TooLarge, OutOfPlace, InvalidGeometry, ProofFailed
        As ``partition_areas``.
    """
    border, pending, waiting = Edges.join([]), list[Edges](), 0
    for polygon, code in zip(polygons, area_codes, strict=True):
        pieces = cut_area(polygon, code, resolution)
        left = pieces.left_over
        pending.append(Edges(left.start, left.end, np.zeros(len(left), np.int64)))
        waiting += len(left)
        if waiting > max(len(border), _MOST_WAITING):
            # What neighbours share goes; only the outline of all areas so far is kept.
            border, pending, waiting = cancel(Edges.join([border, *pending])), [], 0
        yield pieces
    _prove_neighbours(polygons, cancel(Edges.join([border, *pending])))


def _prove_neighbours(polygons: Geometries, border: Edges) -> None:
    _, mismatches = follow(cancel(edges_of(polygons)), border)
    if mismatches:
        raise unproved(None, mismatches[0].start)


def adjacent(edges: Edges) -> tuple[Indices, NDArray[np.float64]]:
    """Owners that share a border, (m, 2) lower first and sorted, and its length, (m,) metres (on the sphere)."""
    pairs, start, end = shared_borders(edges)
    a, b = to_degrees(unpack(start)), to_degrees(unpack(end))
    shrink = np.cos(np.radians((a[:, 1] + b[:, 1]) / 2))
    length = SEMI_MAJOR_M * np.radians(np.hypot((a[:, 0] - b[:, 0]) * shrink, a[:, 1] - b[:, 1]))
    key, which = np.unique((pairs[:, 0] << 32) | pairs[:, 1], return_inverse=True)
    shared_m = np.bincount(which, weights=length, minlength=len(key)).astype(np.float64)
    return np.stack([key >> 32, key & 0xFFFFFFFF], axis=1), shared_m
