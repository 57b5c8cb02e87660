"""Narrow cracks between polygons that open to the outside, and so are no hole of their sum."""

from __future__ import annotations

import numpy as np
import shapely

from gridmap.geometry.lattice import Geometries

#: Room for the rounding of buffers, as a share of the width.
_MARGIN = 1.02
#: Least square of the perimeter by the area: 200 for a strip fifty times as long as wide, or a notch of two degrees.
_LEAST_SLENDERNESS = 200
#: Least mean width of a crack, as a share of the width looked for.
_LEAST_WIDTH = 1e-3


def open_slits(polygons: Geometries, width: float, holes: Geometries) -> tuple[Geometries, list[tuple[int, ...]]]:
    """Ground between two or more polygons that closing by ``width`` fills, holes of their sum left out.

    Borders that run beside each other within ``width`` are found by GEOS's coverage validation (Davis, *Coverage
    validation in JTS*, 2022); there the polygons are closed morphologically: grown and shrunk by half the width.

    Parameters
    ----------
    polygons : (n,) valid, any plane
    width : units of that plane
    holes : polygons without ground, already known

    Returns
    -------
    slits : (m,) polygons
    groups : rows of the polygons on their sides, ascending
    """
    there = np.flatnonzero(~shapely.is_empty(polygons))
    beside = np.full(len(polygons), shapely.LineString(), dtype=object)
    beside[there] = shapely.coverage_invalid_edges(polygons[there], gap_width=width)
    rows = np.flatnonzero(~shapely.is_empty(beside))
    if len(rows) < 2:
        return np.empty(0, object), []
    ground = shapely.union_all(polygons[rows])
    reach = width / 2 * _MARGIN
    closed = shapely.buffer(shapely.buffer(ground, reach, join_style="mitre"), -reach, join_style="mitre")
    filled = shapely.get_parts(shapely.difference(closed, ground))
    # What is filled may be other polygons' ground.
    part, over = shapely.STRtree(polygons).query(filled, predicate="intersects")
    for number in np.unique(part):
        filled[number] = shapely.difference(filled[number], shapely.union_all(polygons[over[part == number]]))
    filled = shapely.get_parts(filled)
    # Rounding of the buffers drops out, and so do notches: a crack is many times longer than wide.
    area, around = shapely.area(filled), shapely.length(filled)
    filled = filled[(area > _LEAST_WIDTH * width * around / 2) & (around**2 > _LEAST_SLENDERNESS * area)]
    if len(holes):
        middles = shapely.point_on_surface(filled)
        filled = np.delete(filled, shapely.STRtree(holes).query(middles, predicate="intersects")[0])
    slit, side = shapely.STRtree(beside[rows]).query(filled, predicate="dwithin", distance=width / 1000)
    groups = [tuple(np.unique(rows[side[slit == number]]).tolist()) for number in range(len(filled))]
    between = np.array([len(group) > 1 for group in groups], np.bool_)
    return np.asarray(filled[between]), [group for group in groups if len(group) > 1]


def fill_slits(polygons: Geometries, width: float) -> Geometries:
    """Give open slits to the polygon with the longest border to each; lattice frame.

    Parameters
    ----------
    polygons : (n,) valid, lattice frame
    width : lattice units
    """
    slits, groups = open_slits(polygons, width, np.empty(0, object))
    filled = polygons.copy()
    for slit, group in zip(slits, groups, strict=True):
        rows = np.array(group)
        contact = shapely.length(shapely.intersection(slit.boundary, shapely.buffer(polygons[rows], 1)))
        winner = rows[int(contact.argmax())]
        joined = shapely.get_parts(shapely.union(filled[winner], slit, grid_size=1))
        parts = joined[shapely.get_type_id(joined) == shapely.GeometryType.POLYGON]
        filled[winner] = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    return filled
