"""Rules of size: balance, limits of demand and area, centres and radii.

The centre of a grid is its representative point. Limits are asked of grids that the plan drew: dedicated and locked
ones are as they were given.
"""

from __future__ import annotations

import numpy as np
import shapely
from scipy.spatial import cKDTree

from gridmap.domain.plan import RuleResult
from gridmap.geometry.lattice import to_degrees
from gridmap.planning.decisions import Decisions
from gridmap.planning.groups import counts, sums
from gridmap.planning.land.ground import representative_points
from gridmap.planning.rules.parents import parents_of_grids
from gridmap.planning.rules.results import RULE, WARNING, drawn, not_asked, result, result_among
from gridmap.planning.service.reach import ROUNDING_M, EarthPoints, Flags, Floats, distances
from gridmap.planning.tables.shape_figures import radius_m

# Sums of demand are exact; a target is a quotient.
_ROUNDING = 1e-9


def balance_within_tolerance(decisions: Decisions) -> RuleResult:
    r"""Each grid's demand deviates from its target by no more than the tolerance: broken by grids, the worst first.

    .. math:: \left|\frac{D_g}{T_g} - 1\right| \le t

    Where the plan asked for no targets the mean of the grids of the same parent stands in, and the result is a
    warning.
    """
    grids, demand = decisions.grids, decisions.grid_groups.demand
    free = drawn(decisions)
    asked = free & ~np.isnan(grids.target)
    if asked.any():
        target, severity = grids.target, RULE
    else:
        asked, target, severity = free, _mean_of_parent(decisions, free), WARNING
    off = np.abs(np.divide(demand, target, out=np.where(demand > 0, np.inf, 1.0), where=target > 0) - 1)
    broken = off > decisions.settings.grids.tolerance + _ROUNDING
    return result_among("balance_within_tolerance", grids.codes, asked, broken, off, severity)


def demand_within_limits(decisions: Decisions) -> RuleResult:
    """Each grid's demand lies between the least and the most set: broken by grids, the farthest off first."""
    asked = decisions.settings.grids
    held = decisions.grid_groups.demand
    return _limit_rule(decisions, "demand_within_limits", held, asked.min_demand, asked.max_demand)


def area_within_limits(decisions: Decisions) -> RuleResult:
    """Each grid's area lies between the smallest and the largest set: broken by grids, the farthest off first."""
    asked = decisions.settings.grids
    held = decisions.grid_groups.area_m2
    return _limit_rule(decisions, "area_within_limits", held, asked.min_area_m2, asked.max_area_m2)


def centre_defined(decisions: Decisions) -> RuleResult:
    """Each grid has a representative point, inside it: broken by grids."""
    shapes = decisions.grids.shape
    undefined = np.ones(len(shapes), dtype=np.bool_)
    ground = np.flatnonzero(~shapely.is_empty(shapes))
    points = representative_points(shapes[ground])
    undefined[ground] = ~shapely.intersects_xy(shapes[ground], points[:, 0], points[:, 1])
    return result("centre_defined", decisions.grids.codes, undefined, decisions.grid_groups.demand)


def min_centre_distance(decisions: Decisions) -> RuleResult:
    """No two centres lie nearer than the distance set: broken by both grids, the nearest first."""
    least_m = decisions.settings.grids.min_centre_distance_m
    if least_m is None:
        return not_asked("min_centre_distance")
    grids = decisions.grids
    rows = np.flatnonzero(~grids.dedicated & ~shapely.is_empty(grids.shape))
    lonlat = to_degrees(representative_points(grids.shape[rows]))
    centres = EarthPoints(lonlat[:, 0], lonlat[:, 1])
    nearest_m = np.full(len(grids), np.inf)
    # A chord is never longer than its geodesic.
    pairs = cKDTree(centres.xyz).query_pairs(least_m, output_type="ndarray") if len(rows) else np.zeros((0, 2), int)
    apart_m = distances(centres, pairs[:, 0], centres, pairs[:, 1])
    for side in range(2):
        np.minimum.at(nearest_m, rows[pairs[:, side]], apart_m)
    broken = nearest_m < least_m - ROUNDING_M
    return result_among("min_centre_distance", grids.codes, drawn(decisions), broken, -nearest_m)


def max_radius(decisions: Decisions) -> RuleResult:
    """No ground lies farther from its grid's centre than the distance set: broken by grids, the farthest first."""
    most_m = decisions.settings.grids.max_radius_m
    if most_m is None:
        return not_asked("max_radius")
    grids = decisions.grids
    farthest_m = np.zeros(len(grids))
    rows = np.flatnonzero(~shapely.is_empty(grids.shape))
    farthest_m[rows] = radius_m(grids.shape[rows])
    return result_among("max_radius", grids.codes, drawn(decisions), farthest_m > most_m + ROUNDING_M, farthest_m)


def _mean_of_parent(decisions: Decisions, free: Flags) -> Floats:
    """(g,) float64: mean demand of the grids of each grid's parent that the plan drew."""
    _, group = np.unique(parents_of_grids(decisions), return_inverse=True)
    group, size = group.reshape(-1), int(group.max(initial=-1)) + 1
    total = sums(group[free], decisions.grid_groups.demand[free], size)
    return np.asarray((total / np.maximum(counts(group[free], size), 1))[group])


def _limit_rule(decisions: Decisions, rule: str, held: Floats, least: float | None, most: float | None) -> RuleResult:
    if least is None and most is None:
        return not_asked(rule)
    under = np.zeros(len(held)) if least is None or least == 0 else 1 - held / least
    over = np.zeros(len(held)) if most is None else held / most - 1
    off = np.maximum(under, over)
    return result_among(rule, decisions.grids.codes, drawn(decisions), off > _ROUNDING, off)
