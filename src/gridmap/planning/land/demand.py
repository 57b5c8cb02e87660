r"""Demand put on cells, its total kept to the last unit.

A point's demand goes to the cell that holds it. A polygon's goes to the cells it meets by their share of its area,

.. math:: d_i = D \frac{|c_i \cap P|}{|P|}

with areas taken on the ellipsoid. What lies outside every area is counted, not lost: inside + outside = given.

Every figure is a whole multiple of one power of two, by largest remainders (Hamilton), polygon by polygon:
1 where the source counts in whole numbers, else :math:`2^{-20}`. So sums are exact in floating point, in any order and
over any grouping: cells, grids and areas add up to the same total bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.domain.inputs import Demand
from gridmap.errors import InvalidGeometry, Place
from gridmap.geometry.lattice import geometries_to_units, to_degrees
from gridmap.geometry.measure import area_m2
from gridmap.planning.groups import sums
from gridmap.planning.land.ground import Ground, representative_points
from gridmap.planning.service.reach import Floats, Rows

#: A point at most this far outside every area counts for the nearest cell: borders are drawn no finer.
NEARBY_M = 500.0

# Edges are cut to this length before areas are compared, so that straight means the same in both frames.
_STRAIGHT_UNITS = 10_000.0
# Noding moves a border by at most this much: less than that outside is not outside.
_BORDER_UNITS = 2.0
# Finest step of demand that is not whole, as a power of two.
_FINEST = -20
# Totals stay below this power of two, counted in steps: then shares are computed to well within one step.
_MOST_STEPS = 48


@dataclass(frozen=True)
class SpreadDemand:
    """Demand of each cell, and what could not be put on one.

    Attributes
    ----------
    value : (n,) float64, ``unit``, whole multiples of one power of two
    unit, source : as given; "m2" and "" where area stands in
    stands_in : area stands in for demand, as none was given
    given : demand of the source in all
    moved_in : demand of points outside every area, put on the nearest cell
    outside : (k,) float64, demand left out, largest first
    outside_lonlat : (k, 2) float64, where, degrees
    """

    value: Floats
    unit: str
    source: str
    stands_in: bool
    given: float
    moved_in: float
    outside: Floats
    outside_lonlat: Floats


def spread(demand: Demand | None, ground: Ground) -> SpreadDemand:
    """Put demand on the cells; where there is none, the area of each cell stands in.

    Raises
    ------
    InvalidGeometry
        If a demand polygon crosses itself or has no area, or a geometry is neither point nor polygon.
    """
    if demand is None:
        area = ground.area_m2
        return SpreadDemand(area.copy(), "m2", "", True, float(area.sum()), 0.0, np.zeros(0), np.zeros((0, 2)))
    _check_geometry(demand)
    # An order of our own, so that sums of fractions do not depend on the order of the file.
    ours = np.lexsort((demand.value, *shapely.bounds(demand.geometry).T))
    geometry, step = demand.geometry[ours], _step_of(demand.value)
    given = _in_steps(demand.value[ours], step)
    is_point = shapely.get_type_id(geometry) == shapely.GeometryType.POINT
    value, moved_in, points_out, points_lonlat = _spread_points(geometry[is_point], given[is_point], ground)
    of_polygons, polygons_out, polygons_lonlat = _spread_polygons(geometry[~is_point], given[~is_point], ground, step)
    outside = np.concatenate([points_out, polygons_out])
    lonlat = np.concatenate([points_lonlat, polygons_lonlat])
    order = np.lexsort((lonlat[:, 1], lonlat[:, 0], -outside))
    return SpreadDemand(
        value + of_polygons,
        demand.unit,
        demand.source,
        False,
        float(given.sum()),
        moved_in,
        outside[order],
        lonlat[order],
    )


def _step_of(value: Floats) -> float:
    """Power of two that all demand is counted in: 1 where it is whole, else ``2^-20``; more for enormous totals."""
    whole = bool((value == np.rint(value)).all())
    most = int(np.ceil(np.log2(max(math.fsum(value), 1.0))))
    return float(2.0 ** max(0 if whole else _FINEST, most - _MOST_STEPS))


def _in_steps(value: Floats, step: float) -> Floats:
    """Values as whole multiples of ``step`` whose sum is that of the values, to the nearest step."""
    total = np.array([np.rint(math.fsum(value) / step)])
    rows = np.arange(len(value))
    return _largest_remainders(value / step, np.zeros_like(rows), rows, total) * step


def _check_geometry(demand: Demand) -> None:
    kind = shapely.get_type_id(demand.geometry)
    known = np.isin(kind, [shapely.GeometryType[name] for name in ("POINT", "POLYGON", "MULTIPOLYGON")])
    usable = known & shapely.is_valid(demand.geometry) & ~shapely.is_empty(demand.geometry)
    for feature in np.flatnonzero(~usable)[:1].tolist():
        raise InvalidGeometry("rules.demand_geometry", Place(file=demand.source, feature=feature))


def _spread_points(
    geometry: NDArray[np.object_], value: Floats, ground: Ground
) -> tuple[Floats, float, Floats, Floats]:
    lonlat = shapely.get_coordinates(geometry)
    row = ground.locate(lonlat)
    outside = np.flatnonzero((row < 0) & (value > 0))
    nearby = ground.locate_nearby(lonlat[outside], NEARBY_M)
    row[outside] = nearby
    lost = outside[nearby < 0]
    held = row >= 0
    return (
        sums(row[held], value[held], len(ground)),
        float(value[outside[nearby >= 0]].sum()),
        value[lost],
        lonlat[lost],
    )


def _spread_polygons(
    geometry: NDArray[np.object_], value: Floats, ground: Ground, step: float
) -> tuple[Floats, Floats, Floats]:
    count, cells = len(geometry), len(ground)
    if not count:
        return np.zeros(cells), np.zeros(0), np.zeros((0, 2))
    polygons = shapely.segmentize(geometries_to_units(geometry), _STRAIGHT_UNITS)
    shapely.prepare(polygons)
    polygon, row = ground.pieces_meeting(polygons)
    inside = ground.area_m2[row]
    cut = np.flatnonzero(~shapely.covers(polygons[polygon], ground.geometry[row]))
    inside[cut] = area_m2(shapely.intersection(ground.geometry[row[cut]], polygons[polygon[cut]]))

    own = area_m2(polygons)
    held = sums(polygon, inside, count)
    border_share = _BORDER_UNITS * shapely.length(polygons) / shapely.area(polygons)
    beyond = np.where((own - held > border_share * own) | (held == 0), own - held, 0.0)
    # What lies outside is one more claimant, after all the cells.
    claimant = np.concatenate([row, np.full(count, cells)])
    owner = np.concatenate([polygon, np.arange(count)])
    claim = np.concatenate([inside, beyond])
    steps = value / step
    share = steps[owner] * claim / sums(owner, claim, count)[owner]
    part = _largest_remainders(share, owner, claimant, steps) * step
    lost = np.zeros(count)
    lost[owner[claimant == cells]] = part[claimant == cells]
    left_out = np.flatnonzero(lost > 0)
    lonlat = to_degrees(representative_points(polygons[left_out]))
    return sums(claimant, part, cells + 1)[:cells], lost[left_out], lonlat


def _largest_remainders(part: Floats, owner: Rows, claimant: Rows, total: Floats) -> Floats:
    """Whole parts of each owner's total: floors, and one more for the largest remainders; ties to the lower row."""
    floor = np.floor(part)
    missing = (total - sums(owner, floor, len(total))).astype(np.int64)
    order = np.lexsort((claimant, np.round(floor - part, 9), owner))
    rank = np.arange(len(part)) - np.searchsorted(owner[order], owner[order])
    floor[order] += rank < missing[owner[order]]
    return np.asarray(floor)
