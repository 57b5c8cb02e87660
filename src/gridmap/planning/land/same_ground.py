"""Whether two shapes are the same ground, but for the points that noding added to their borders."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.geometry.boundary import follow
from gridmap.geometry.chain import cancel, edges_of
from gridmap.geometry.lattice import Geometries

#: Borders of the same ground may lie this far apart by rounding, lattice units.
_ROUNDING_UNITS = 1.0


def ground_apart(area: shapely.Geometry, parts: Geometries) -> Geometries:
    """Polygons of the ground that belongs to the area or to its parts but not to both, rounding left out.

    Parameters
    ----------
    area : polygon or multipolygon, lattice frame
    parts : (n,) polygons or multipolygons, lattice frame

    Returns
    -------
    (k,) polygons, lattice frame; none where area and parts are the same ground
    """
    alone = np.array([area], dtype=object)
    _, mismatches = follow(cancel(edges_of(alone)), cancel(edges_of(parts)))
    if not mismatches:
        return np.empty(0, object)
    # The chains may differ where only one has a vertex on a straight border: what counts is wider than the lattice.
    apart = shapely.get_parts(shapely.symmetric_difference(area, shapely.union_all(parts, grid_size=1), grid_size=1))
    wide = ~shapely.is_empty(shapely.buffer(apart, -_ROUNDING_UNITS))
    return np.asarray(apart[wide])
