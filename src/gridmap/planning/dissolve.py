"""Join cells to the grids, gaps and jurisdictions they make up; borders stay on the lattice, point for point."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.geometry.lattice import Geometries
from gridmap.planning.reach import Rows


def dissolve(pieces: Geometries, group: Rows, count: int) -> Geometries:
    """Union of the pieces of each group.

    Pieces of a proved partition meet edge for edge, so the union only drops the edges that two of them share
    (GEOS's coverage union) and moves nothing.

    Parameters
    ----------
    pieces : (n,) polygons or multipolygons, lattice frame, cells or grids of one exact partition
    group : (n,) int64, -1 for pieces of none
    count : number of groups; each has a piece

    Returns
    -------
    (count,) polygons or multipolygons, lattice frame
    """
    order = np.argsort(group, kind="stable")
    parts, row = shapely.get_parts(pieces[order], return_index=True)
    starts = np.searchsorted(group[order][row], np.arange(count + 1))
    dissolved = np.empty(count, dtype=object)
    for number in range(count):
        dissolved[number] = shapely.coverage_union_all(parts[starts[number] : starts[number + 1]])
    return np.asarray(shapely.normalize(dissolved))
