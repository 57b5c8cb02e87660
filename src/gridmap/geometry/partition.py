"""Cut areas into H3 cells, exactly, and prove it area by area.

The sum of the pieces of an area has the area's border as its boundary, edge for edge, *noded*: with a point added, at
most a centimetre aside, wherever a cell cuts the border. Points on a border depend on the border's edge and the cell's
edge only, so neighbouring areas, made in one run or in two, get the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.geometry.area_cut import (
    AreaPieces,
    Beside,
    Pieces,
    cut_area,
    cut_ground,
    prove_area,
    refuse_too_many,
)
from gridmap.geometry.barriers import run_along
from gridmap.geometry.boundary import edges_followed, follow
from gridmap.geometry.certificate import certificate, unproved
from gridmap.geometry.chain import Edges, Indices, cancel, cancel_within, distinct, edges_of, shared_borders
from gridmap.geometry.hexes import Cells
from gridmap.geometry.lattice import Geometries, Packed, to_degrees, unpack
from gridmap.geometry.measure import SEMI_MAJOR_M, area_m2
from gridmap.geometry.snap_overlay import Surroundings

#: Border edges that are kept before those of neighbours are cancelled.
_MOST_WAITING = 1_000_000


@dataclass(frozen=True)
class Partition:
    """Pieces of all areas, one row a cell and unit, by unit, then by cell.

    Attributes
    ----------
    pieces : of each unit in turn
    area_of : (u,) int64, row of the area of each unit
    border : what the pieces of each area leave over, its noded border; owners are areas
    certificate : as ``certificate.json`` holds it, one entry an area
    """

    pieces: tuple[Pieces, ...]
    area_of: Indices
    border: Edges
    certificate: dict[str, Any]

    @cached_property
    def cell(self) -> Cells:
        """H3 index of each row, (n,) uint64."""
        return np.concatenate([pieces.cell for pieces in self.pieces])

    @cached_property
    def unit(self) -> Indices:
        """Row of the unit of each row, (n,) int64."""
        return np.repeat(np.arange(len(self.pieces)), [len(pieces.cell) for pieces in self.pieces])

    @cached_property
    def area(self) -> Indices:
        """Row of the area of each row, (n,) int64."""
        return self.area_of[self.unit]

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

    def crossable_m(self, lines: Geometries) -> NDArray[np.float64]:
        """Length of the part of each shared border that runs along none of the lines, (m,) float64, metres.

        Parameters
        ----------
        lines : (l,) LineStrings or MultiLineStrings, lattice frame: barriers
        """
        pairs, start, end = self._shared
        if not len(lines):
            return self.shared_m
        open_m = np.where(run_along(start, end, lines), 0.0, segment_lengths_m(start, end))
        return _by_pair(pairs, open_m)[1]

    @cached_property
    def _shared(self) -> tuple[Indices, Packed, Packed]:
        moved, row = [], 0
        for pieces in self.pieces:
            moved.append(Edges(pieces.edges.start, pieces.edges.end, pieces.edges.owner + row))
            row += len(pieces.cell)
        return shared_borders(Edges.join(moved))

    @cached_property
    def _adjacent(self) -> tuple[Indices, NDArray[np.float64]]:
        pairs, start, end = self._shared
        return _by_pair(pairs, segment_lengths_m(start, end))


@dataclass(frozen=True)
class AreaPartition(Partition):
    """Pieces of areas that are not divided into units: each area is one."""

    pieces: tuple[AreaPieces, ...]


def partition_areas(
    polygons: Geometries,
    area_codes: Sequence[str],
    resolution: int,
    progress: Callable[[float], None] | None = None,
) -> AreaPartition:
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
    border = _owned([pieces.left_over for pieces in made])
    document = certificate([pieces.proof for pieces in made], resolution)
    return AreaPartition(tuple(made), np.arange(len(made)), border, document)


def _owned(borders: Sequence[Edges]) -> Edges:
    """Borders of areas as one set, owners are areas."""
    return Edges.join([Edges(of.start, of.end, np.full(len(of), area)) for area, of in enumerate(borders)])


def partition_units(
    units: Geometries,
    unit_area: Indices,
    areas: Geometries,
    area_codes: Sequence[str],
    resolution: int,
    progress: Callable[[float], None] | None = None,
) -> Partition:
    """Cut areas into cells that are cut by units, too, and prove it area by area against the areas as they were given.

    Points where cells cut the border of an area are taken on the border's own edges, not on those that were bent when
    units were drawn: so no point lies farther from the border than one rounding, and neighbours cut without units have
    the same points.

    Parameters
    ----------
    units : (u,) polygons or multipolygons, lattice frame, that tile the areas edge for edge, each within one, points
        added to the borders of areas within rounding (as ``arrangement.arrange`` makes them)
    unit_area : (u,) int64, row of the area of each, ascending
    areas : (n,) polygons or multipolygons, lattice frame, valid, without overlap
    area_codes : their codes, distinct
    resolution : H3 resolution, 0 to 15
    progress : called with the share done, 0 to 1

    Raises
    ------
    TooLarge, OutOfPlace, InvalidGeometry, ProofFailed
        As ``partition_areas``.
    """
    if len(units) == len(areas) and (units == areas).all():
        return partition_areas(areas, area_codes, resolution, progress)
    for area, code in zip(areas, area_codes, strict=True):
        refuse_too_many(float(area_m2(np.array([area], dtype=object))[0]), code, resolution)
    pieces = _cut_units(units, unit_area, areas, area_codes, resolution, progress)
    bounds = np.searchsorted(unit_area, np.arange(len(areas) + 1))
    borders, proofs = [], []
    for row, code in enumerate(area_codes):
        left_over, proof = prove_area(edges_of(areas[row : row + 1]), pieces[bounds[row] : bounds[row + 1]], code)
        borders.append(left_over)
        proofs.append(proof)
    border = _owned(borders)
    _prove_neighbours(areas, cancel(border))
    return Partition(tuple(pieces), unit_area, border, certificate(proofs, resolution))


def _cut_units(
    units: Geometries,
    unit_area: Indices,
    areas: Geometries,
    area_codes: Sequence[str],
    resolution: int,
    progress: Callable[[float], None] | None,
) -> list[Pieces]:
    """Cells of each unit; a cell that is unstable for one unit is cut by snap rounding for all of them."""
    edges = edges_of(units)
    edges = edges.take(np.argsort(edges.owner, kind="stable"))
    carriers = _carriers(edges_of(areas), edges, unit_area)
    around = Surroundings.of(edges, carriers)
    bounds = np.searchsorted(edges.owner, np.arange(len(units) + 1))

    def cut(row: int, unstable: Cells) -> tuple[Pieces, Cells]:
        own = np.arange(bounds[row], bounds[row + 1])
        beside = Beside(carriers.take(own), around, unstable)
        return cut_ground(units[row], edges.take(own), area_codes[unit_area[row]], resolution, beside)

    made, unstable = [], []
    for row in range(len(units)):
        pieces, of_unit = cut(row, np.empty(0, np.uint64))
        made.append(pieces)
        unstable.append(of_unit)
        if progress:
            progress((row + 1) / len(units))
    everywhere = distinct(np.concatenate(unstable))
    for row, pieces in enumerate(made):
        if np.isin(np.setdiff1d(pieces.cell, unstable[row]), everywhere).any():
            made[row] = cut(row, everywhere)[0]
    return made


def _carriers(border: Edges, edges: Edges, unit_area: Indices) -> Edges:
    """Edges of the areas' borders that edges of units were bent from; those inside an area are their own.

    Parameters
    ----------
    border : of the areas, owners are areas
    edges : of the units, owners are units
    """
    rim = cancel_within(Edges(edges.start, edges.end, unit_area[edges.owner]))
    bounds = np.searchsorted(rim.owner, np.arange(int(unit_area.max(initial=-1)) + 2))
    by_area = np.argsort(border.owner, kind="stable")
    begin = np.searchsorted(border.owner[by_area], np.arange(len(bounds)))
    followed = Edges.join(
        [
            edges_followed(border.take(by_area[begin[row] : begin[row + 1]]), rim.take(np.arange(first, last)))
            for row, (first, last) in enumerate(pairwise(bounds.tolist()))
        ]
    )
    both = Edges.join([rim, edges])
    # Of equal edges, that of the rim comes first: edges of units that are not on the rim follow none.
    order = np.lexsort((np.arange(len(both)), both.end, both.start))
    same = (both.start[order][1:] == both.start[order][:-1]) & (both.end[order][1:] == both.end[order][:-1])
    of_rim, own = order[:-1][same], order[1:][same] - len(rim)
    start, end = edges.start.copy(), edges.end.copy()
    start[own], end[own] = followed.start[of_rim], followed.end[of_rim]
    return Edges(start, end, edges.owner)


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
    return _by_pair(pairs, segment_lengths_m(start, end))


def segment_lengths_m(start: Packed, end: Packed) -> NDArray[np.float64]:
    """Length of segments between lattice points, (n,) metres (on the sphere)."""
    a, b = to_degrees(unpack(start)), to_degrees(unpack(end))
    shrink = np.cos(np.radians((a[:, 1] + b[:, 1]) / 2))
    return np.asarray(SEMI_MAJOR_M * np.radians(np.hypot((a[:, 0] - b[:, 0]) * shrink, a[:, 1] - b[:, 1])))


def _by_pair(pairs: Indices, length: NDArray[np.float64]) -> tuple[Indices, NDArray[np.float64]]:
    key, which = np.unique((pairs[:, 0] << 32) | pairs[:, 1], return_inverse=True)
    shared_m = np.bincount(which, weights=length, minlength=len(key)).astype(np.float64)
    return np.stack([key >> 32, key & 0xFFFFFFFF], axis=1), shared_m
