"""H3 cells that cells of a finer resolution count towards, in bulk."""

from __future__ import annotations

from collections.abc import Sequence

import h3.api.numpy_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.hexes import library_outlines
from gridmap.geometry.lattice import UNITS_PER_DEGREE

Cells = NDArray[np.uint64]
#: Resolution of cells of a plan none of whose cells bears an H3 index.
_UNKNOWN_RESOLUTION = 9


def resolution_of(cells: Cells) -> NDArray[np.int64]:
    """Resolution of each cell."""
    return ((cells >> np.uint64(52)) & np.uint64(15)).astype(np.int64)


def parents(cells: Cells, resolution: int) -> Cells:
    """Cells of a coarser resolution, or the same, that cells belong to by their indices."""
    blank = np.uint64((1 << (3 * (15 - resolution))) - 1)
    return ((cells & ~np.uint64(15 << 52)) | np.uint64(resolution << 52)) | blank


def indices(names: Sequence[str | None], wkb: Sequence[bytes | None]) -> Cells:
    """Read indices of cells by name, all of one resolution; what is named otherwise takes the cell in its place.

    Parameters
    ----------
    names : H3 indices in hexadecimal
    wkb : of the pieces of cells, WGS 84 degrees

    Returns
    -------
    (n,) uint64, at the coarsest resolution among the names; 0 for what has neither name nor place
    """
    found = np.array([_index(name) for name in names], np.uint64)
    named = found != 0
    base = int(resolution_of(found[named]).min()) if named.any() else _UNKNOWN_RESOLUTION
    found[named] = parents(found[named], base)
    others = np.flatnonzero(~named).tolist()
    if others:
        bounds = shapely.bounds(shapely.from_wkb([wkb[row] for row in others]))
        for row, (west, south, east, north) in zip(others, bounds.reshape(-1, 4).tolist(), strict=True):
            if np.isfinite(west):
                found[row] = h3.latlng_to_cell((south + north) / 2, (west + east) / 2, base)
    return found


def _index(name: str | None) -> int:
    try:
        index = int(name or "", 16)
        return index if h3.is_valid_cell(index) else 0
    except (ValueError, OverflowError):
        return 0


def outlines(cells: Cells) -> NDArray[np.object_]:
    """Hexagons as polygons in WGS 84 degrees."""
    drawn = library_outlines(cells)
    sizes = np.diff(drawn.offset)
    closed = np.insert(drawn.points, drawn.offset[1:], drawn.points[drawn.offset[:-1]], axis=0) / UNITS_PER_DEGREE
    rings = shapely.linearrings(closed, indices=np.repeat(np.arange(len(cells)), sizes + 1))
    return np.asarray(shapely.polygons(rings))
