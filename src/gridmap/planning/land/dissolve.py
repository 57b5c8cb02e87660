"""Join cells to the grids, gaps and jurisdictions they make up; borders stay on the lattice, point for point."""

from __future__ import annotations

import numpy as np

from gridmap.geometry.chain import edges_of
from gridmap.geometry.lattice import Geometries
from gridmap.geometry.sums import sum_by_owner
from gridmap.planning.service.reach import Rows


def dissolve(pieces: Geometries, group: Rows, count: int) -> Geometries:
    """Union of the pieces of each group.

    Pieces of a proved partition meet edge for edge, so the union only drops the edges that two of them share and
    moves nothing: what is left is exactly the boundary of the pieces' sum.

    Parameters
    ----------
    pieces : (n,) polygons or multipolygons, lattice frame, cells or grids of one exact partition
    group : (n,) int64, -1 for pieces of none
    count : number of groups; each has a piece

    Returns
    -------
    (count,) polygons or multipolygons, lattice frame, normalised
    """
    rows = np.flatnonzero(group >= 0)
    return sum_by_owner(edges_of(pieces[rows], group[rows]), count)
