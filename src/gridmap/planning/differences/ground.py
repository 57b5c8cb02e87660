"""Ground that grids of two plans share."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.domain.plan import Plan
from gridmap.geometry.lattice import Geometries, geometries_to_units
from gridmap.geometry.measure import area_m2
from gridmap.planning.differences.difference import Way
from gridmap.planning.land.dissolve import dissolve

Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]
NO_GRID = -1
#: Borders of the same ground may lie this far apart by rounding, lattice units.
_ROUNDING_UNITS = 1.0
_SURFACE = 2
#: A lattice unit is at most so long, metres.
_UNIT_M = 0.0112


@dataclass(frozen=True)
class SharedGround:
    """Pairs of grids of two plans with the ground that both hold.

    Attributes
    ----------
    way : how it was found
    before, after : (k,) rows of the grids, -1 for none
    area_m2, demand : (k,) of the ground, demand as the later plan has it
    cells : (k,) how many; None where grids were laid over each other
    shapes : (k,) polygons or multipolygons, lattice frame
    alone_before_m2, alone_after_m2 : (n,), (m,) ground of each grid that the other plan has none for
    """

    way: Way
    before: Rows
    after: Rows
    area_m2: Numbers
    demand: Numbers
    cells: Rows | None
    shapes: Geometries
    alone_before_m2: Numbers
    alone_after_m2: Numbers


def shared_ground(before: Plan, after: Plan) -> SharedGround:
    """Find the ground that grids of two plans share, cell by cell where both have the same cells."""
    partner = _same_cells(before.cells, after.cells)
    return _by_overlay(before, after) if partner is None else _by_cells(before, after, partner)


def _same_cells(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> Rows | None:
    """Row of the earlier plan for each cell of the later one; None where they do not have the same cells."""
    if len(before) != len(after):
        return None
    rows = {wkb: row for row, wkb in enumerate(shapely.to_wkb(shapely.normalize(before.geometry.to_numpy())))}
    found = [rows.get(wkb, NO_GRID) for wkb in shapely.to_wkb(shapely.normalize(after.geometry.to_numpy()))]
    return None if NO_GRID in found else np.array(found, dtype=np.int64)


def _by_cells(before: Plan, after: Plan, partner: Rows) -> SharedGround:
    grid_before, grid_after = grid_rows(before)[partner], grid_rows(after)
    pairs, group = np.unique(np.column_stack([grid_before, grid_after]), axis=0, return_inverse=True)
    group = group.ravel().astype(np.int64)
    count = len(pairs)

    def summed(column: str) -> Numbers:
        return _sums(group, after.cells[column].to_numpy(dtype=np.float64), count)

    area = summed("area_m2")
    first, second = pairs.T if count else np.empty((2, 0), np.int64)
    return SharedGround(
        way=Way.CELLS,
        before=first,
        after=second,
        area_m2=area,
        demand=summed("demand"),
        cells=np.bincount(group, minlength=count).astype(np.int64),
        shapes=_of_moved(geometries_to_units(after.cells.geometry.to_numpy()), group, first, second),
        alone_before_m2=_summed_where(second == NO_GRID, first, area, len(before.grids)),
        alone_after_m2=_summed_where(first == NO_GRID, second, area, len(after.grids)),
    )


def _of_moved(pieces: Geometries, group: Rows, before: Rows, after: Rows) -> Geometries:
    """Ground of each pair."""
    return np.asarray(dissolve(pieces, group, len(before)), dtype=object)


def _summed_where(is_meant: NDArray[np.bool_], rows: Rows, values: Numbers, count: int) -> Numbers:
    meant = is_meant & (rows != NO_GRID)
    return _sums(rows[meant], values[meant], count)


def _sums(rows: Rows, values: Numbers, count: int) -> Numbers:
    return np.bincount(rows, weights=values, minlength=count).astype(np.float64)


def _by_overlay(before: Plan, after: Plan) -> SharedGround:
    old, new = (geometries_to_units(plan.grids.geometry.to_numpy()) for plan in (before, after))
    second, first = shapely.STRtree(old).query(new, predicate="intersects")
    # Of polygons that only touch nothing is left, of borders rounded otherwise slivers thinner than the lattice.
    shapes = _polygons(shapely.intersection(old[first], new[second], grid_size=1))
    is_wide = ~shapely.is_empty(shapely.buffer(shapes, -_ROUNDING_UNITS))
    first, second, shapes = first[is_wide], second[is_wide], shapes[is_wide]
    area = area_m2(shapes)
    return SharedGround(
        way=Way.OVERLAY,
        before=first,
        after=second,
        area_m2=area,
        demand=_demand_by_places(before, after, first, second),
        cells=None,
        shapes=shapes,
        alone_before_m2=_left(old, _sums(first, area, len(old))),
        alone_after_m2=_left(new, _sums(second, area, len(new))),
    )


def _polygons(shapes: Geometries) -> Geometries:
    """Polygons of collections; lines and points, where others touch, are left out."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    is_ground = shapely.get_dimensions(parts) == _SURFACE
    found = np.full(len(shapes), shapely.MultiPolygon(), dtype=object)
    if is_ground.any():
        rows, place = np.unique(owner[is_ground], return_inverse=True)
        found[rows] = shapely.multipolygons(parts[is_ground], indices=place)
    return found


def _left(grids: Geometries, shared: Numbers) -> Numbers:
    """Ground that is not shared; a strip as wide as the rounding of borders, on both sides of them, does not count."""
    left = area_m2(grids) - shared
    return np.where(left > shapely.length(grids) * _UNIT_M * 2 * _ROUNDING_UNITS * _UNIT_M, left, 0.0)


def _demand_by_places(before: Plan, after: Plan, first: Rows, second: Rows) -> Numbers:
    """Demand of each pair: of cells of the later plan whose representative point lies in the earlier grid."""
    places = shapely.point_on_surface(after.cells.geometry.to_numpy())
    cell, row = shapely.STRtree(before.grids.geometry.to_numpy()).query(places, predicate="intersects")
    # A point on a border lies in several grids and counts once.
    cell, once = np.unique(cell, return_index=True)
    width = len(after.grids) + 1
    key_of_cells = row[once] * width + grid_rows(after)[cell]
    keys = first * width + second
    order = np.argsort(keys)
    at = np.searchsorted(keys[order], key_of_cells)
    is_there = at < len(keys)
    is_there[is_there] = keys[order][at[is_there]] == key_of_cells[is_there]
    demand = after.cells["demand"].to_numpy(dtype=np.float64)[cell]
    summed = np.bincount(at[is_there], weights=demand[is_there], minlength=len(keys))
    found = np.empty(len(keys))
    found[order] = summed
    return found


def grid_rows(plan: Plan) -> Rows:
    """Row of the grid of each cell, -1 for none."""
    rows = {code: row for row, code in enumerate(plan.grids["grid_code"])}
    return np.array([rows.get(code, NO_GRID) for code in plan.cells["grid_code"]], dtype=np.int64)
