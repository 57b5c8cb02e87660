"""Base units: what grids are made of and never cut: areas, blocks between roads, carved grounds, open ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.domain.inputs import Carved
from gridmap.domain.kinds import BaseUnitKind
from gridmap.geometry.absorption import absorb
from gridmap.geometry.arrangement import Arrangement, arrange
from gridmap.geometry.chain import edges_of
from gridmap.geometry.lattice import Geometries, to_degrees
from gridmap.geometry.measure import area_m2
from gridmap.geometry.partition import adjacent
from gridmap.geometry.trimming import Cuts
from gridmap.planning.land.carved_ground import CarvedGround
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.land.ground import representative_points
from gridmap.planning.land.hierarchy import AreaSet
from gridmap.planning.service.reach import Flags, Rows

_LETTERS = {
    BaseUnitKind.BLOCK: "B",
    BaseUnitKind.CELLS: "C",
    BaseUnitKind.DEDICATED: "D",
    BaseUnitKind.LOCKED: "L",
}
_FEWEST_DIGITS = 3


@dataclass(frozen=True)
class BaseUnits:
    """Polygons that tile the lowest-level areas exactly, by area, then in the order of their codes.

    Attributes
    ----------
    codes : (u,) str, distinct: the area's code where the area is one unit, and of what is left of a village; else
        ``AREA-B001`` (blocks), ``AREA-C001`` (open ground divided by its cells), ``AREA-D001`` (dedicated),
        ``AREA-L001`` (locked), numbered west to east, then north to south
    area : (u,) int64, row of the lowest-level area each lies in
    kind : (u,) BaseUnitKind
    carved : (u,) int64, row of the dedicated or locked ground it is of, -1 for others
    geometry : (u,) polygons or multipolygons, lattice frame
    """

    codes: tuple[str, ...]
    area: Rows
    kind: tuple[BaseUnitKind, ...]
    carved: Rows
    geometry: Geometries

    def __len__(self) -> int:
        """Count of the units."""
        return len(self.codes)


def draw_base_units(
    lowest: AreaSet,
    base: Sequence[BaseUnitKind],
    roads: Geometries | None,
    barriers: Geometries | None,
    dedicated: Carved | None,
    locked: Carved | None,
    min_block_m2: float,
) -> BaseUnits:
    """Divide the lowest-level areas into units.

    A village is one unit, whatever crosses it. Roads and barriers cut areas of blocks, barriers alone those of cells;
    ends that dangle cut nothing. Dedicated and locked ground is cut out of whatever it covers, one unit an area.
    Blocks smaller than asked for join the neighbour in their area that they share most border with, smallest first.

    Parameters
    ----------
    lowest : areas that tile their ground
    base : (k,) VILLAGE, BLOCK or CELLS for each area
    roads, barriers : LineStrings, lattice frame
    dedicated, locked : ground of their own, WGS 84
    min_block_m2 : smallest block, square metres

    Raises
    ------
    CoverageFault
        If dedicated or locked polygons overlap by more than rounding.
    OutOfPlace
        If one lies outside all areas.
    InvalidGeometry
        If one is narrower than the lattice can hold.
    ProofFailed
        If the units could not be proved to tile the areas.
    """
    ground = CarvedGround.of(dedicated, locked)
    ground.refuse_overlaps()
    found = arrange(lowest.geometry, *_cutting(base, roads, barriers, ground.geometry))
    ground.refuse_missing(found.carved, lowest.geometry)
    unit = _gathered(found, base)
    unit = _without_small_blocks(found, unit, base, min_block_m2)
    first = np.unique(unit, return_index=True)[1]
    geometry = _summed(found, unit, first)
    area, carved = found.area[first], found.carved[first]
    kind = [ground.kind[row] if row >= 0 else base[at] for row, at in zip(carved.tolist(), area.tolist(), strict=True)]
    codes = _codes(lowest.codes, area, kind, geometry)
    order = sorted(range(len(codes)), key=lambda row: (area[row], codes[row]))
    source = np.append(ground.row, -1)
    return BaseUnits(
        tuple(codes[row] for row in order),
        area[order],
        tuple(kind[row] for row in order),
        source[carved[order]],
        geometry[order],
    )


def _cutting(
    base: Sequence[BaseUnitKind], roads: Geometries | None, barriers: Geometries | None, carved: Geometries
) -> tuple[Geometries, Geometries, Cuts]:
    none = np.empty(0, object)
    lines = [none if given is None else given for given in (roads, barriers)]
    kind = np.repeat(np.arange(2), [len(given) for given in lines])
    block = np.array([found is BaseUnitKind.BLOCK for found in base], dtype=np.bool_)
    cells = np.array([found is BaseUnitKind.CELLS for found in base], dtype=np.bool_)
    return np.concatenate(lines), carved, Cuts(kind, np.stack([block, block | cells]))


def _gathered(found: Arrangement, base: Sequence[BaseUnitKind]) -> Rows:
    """(f,) int64: number of the unit of each face, before small blocks are joined.

    All ground that one carved polygon has in an area is one unit, and so is the open ground of a village, and that of
    any other area where no line cuts it. Open faces that adjoin lie on both sides of a line.
    """
    edges = edges_of(found.faces)
    pairs, _ = adjacent(edges)
    apart = _open_neighbours(found, pairs)
    graph = coo_array((np.ones(len(apart), np.int8), (apart[:, 0], apart[:, 1])), shape=(len(found), len(found)))
    stretch = np.asarray(connected_components(graph, directed=False)[1], np.int64)
    cut = np.bincount(stretch)[stretch] > 1
    of_cut_area = np.isin(found.area, found.area[cut])
    kind = np.array([base[row].value for row in found.area.tolist()])
    own = (kind == BaseUnitKind.BLOCK) & of_cut_area | (kind == BaseUnitKind.CELLS) & cut
    own &= found.carved < 0
    alone = np.where(own, np.arange(len(found)), -1)
    key = np.stack([found.area, found.carved, alone])
    return np.asarray(np.unique(key, axis=1, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def _open_neighbours(found: Arrangement, pairs: Rows) -> Rows:
    """Rows of ``pairs`` that lie in the same area, neither of them carved."""
    inside = (found.area[pairs[:, 0]] == found.area[pairs[:, 1]]) & (found.carved[pairs] < 0).all(axis=1)
    return np.asarray(pairs[inside])


def _without_small_blocks(found: Arrangement, unit: Rows, base: Sequence[BaseUnitKind], min_block_m2: float) -> Rows:
    """Units after small blocks have joined a neighbour."""
    count = int(unit.max(initial=-1)) + 1
    first = np.unique(unit, return_index=True)[1]
    size_m2 = np.bincount(unit, weights=area_m2(found.faces), minlength=count).astype(np.float64)
    is_block = np.array([base[row] is BaseUnitKind.BLOCK for row in found.area[first].tolist()], dtype=np.bool_)
    is_block &= found.carved[first] < 0
    edges = edges_of(found.faces, unit)
    pairs, border_m = adjacent(edges)
    together = _same_area_blocks(found.area[first], is_block, pairs)
    joined = absorb(size_m2, np.where(is_block, min_block_m2, 0.0), pairs[together], border_m[together])
    return np.asarray(np.unique(joined, return_inverse=True)[1][unit], dtype=np.int64)


def _same_area_blocks(area: Rows, is_block: Flags, pairs: Rows) -> Flags:
    return np.asarray((area[pairs[:, 0]] == area[pairs[:, 1]]) & is_block[pairs].all(axis=1))


def _summed(found: Arrangement, unit: Rows, first: Rows) -> Geometries:
    """Ground of each unit: the face itself where there is one only, so that untouched areas stay as they are."""
    several = np.bincount(unit, minlength=len(first)) > 1
    geometry = found.faces[first]
    rows = np.flatnonzero(several[unit])
    number = np.cumsum(several) - 1
    geometry[several] = dissolve(found.faces[rows], number[unit[rows]], int(several.sum()))
    return geometry


def _codes(area_codes: Sequence[str], area: Rows, kind: Sequence[BaseUnitKind], geometry: Geometries) -> list[str]:
    """Code of each unit."""
    lonlat = to_degrees(representative_points(geometry))
    alone = np.bincount(area, minlength=len(area_codes)) == 1
    named: dict[tuple[int, str], list[int]] = {}
    for row in np.lexsort((-lonlat[:, 1], lonlat[:, 0], area)).tolist():
        at = int(area[row])
        of_area = kind[row] is BaseUnitKind.VILLAGE or (
            alone[at] and kind[row] in (BaseUnitKind.BLOCK, BaseUnitKind.CELLS)
        )
        named.setdefault((at, "" if of_area else _LETTERS[kind[row]]), []).append(row)
    codes = [""] * len(area)
    for (at, letter), rows in named.items():
        digits = max(_FEWEST_DIGITS, len(str(len(rows))))
        for number, row in enumerate(rows, 1):
            codes[row] = f"{area_codes[at]}-{letter}{number:0{digits}d}" if letter else area_codes[at]
    return codes
