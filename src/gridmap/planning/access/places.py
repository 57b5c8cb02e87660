"""Measures of service by place: settlement classes, areas of every level, grids; and by institution."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.domain.kinds import SettlementClass
from gridmap.domain.plan import Plan
from gridmap.planning.access.standing import Service, Standing
from gridmap.planning.access.terrain import Groups
from gridmap.planning.groups import sums, weighted_means
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.reach import Floats, Rows
from gridmap.planning.tables.frame_columns import looked_up, to_millimetre

#: Level of the rows by institution.
INSTITUTION = "institution"


def place_frame(standing: Standing) -> pd.DataFrame:
    """One row a place and service: all facilities, then each kind.

    Columns: ``level``, ``code``, ``service``, ``demand``, ``area_m2``, ``covered_demand_share``,
    ``covered_area_share``, ``nearest_mean_m``, ``nearest_p95_m``, ``second_mean_m``, ``access_2sfca``,
    ``access_e2sfca`` (means by demand, by area where a place has none), ``crossing_mean`` (outlets that reach), and
    the shares of demand ``over_ceiling`` (urban ground in reach of too many outlets) and ``under_floor`` (rural ground
    in reach of too few). Institutions are rows of level ``institution``, over the whole ground.
    """
    terrain = standing.terrain
    whole = Groups(INSTITUTION, ("",), np.zeros(len(terrain.ground), dtype=np.int64))
    parts = [_rows(standing, groups, service) for groups in terrain.groups for service in standing.services]
    for service in standing.by_institution():
        parts.append(_rows(standing, whole, service).assign(code=service.name, service="all"))
    return pd.concat(parts, ignore_index=True)


def cell_measures(standing: Standing, plan: Plan) -> gpd.GeoDataFrame:
    """Cells with their measures for all facilities together: nearest, second nearest, access scores."""
    service = standing.all
    ids = standing.facilities.ids
    kept = plan.cells[["cell_id", "area_code", "grid_code", "settlement", "demand", "geometry"]].copy()
    columns = {
        "covered": service.covered,
        "covered_share": service.covered_share,
        "crossing_degree": standing.coverage.crossing_degree,
        "nearest_id": looked_up(ids, service.nearest),
        "nearest_m": to_millimetre(service.nearest_m),
        "second_id": looked_up(ids, service.second),
        "second_m": to_millimetre(service.second_m),
        "access_2sfca": service.access.score,
        "access_e2sfca": service.by_rings.score,
    }
    for name, values in columns.items():
        kept.insert(len(kept.columns) - 1, name, np.asarray(values))
    return kept


def _rows(standing: Standing, groups: Groups, service: Service) -> pd.DataFrame:
    terrain, settings = standing.terrain, standing.settings
    inside = np.flatnonzero(groups.of_cell >= 0)
    of_cell, count = groups.of_cell[inside], len(groups.codes)
    demand, area_m2 = terrain.demand[inside], terrain.ground.area_m2[inside]
    settlement = terrain.ground.settlement[inside]
    degree = standing.coverage.crossing_degree[inside]
    urban, rural = (CLASSES.index(one) for one in (SettlementClass.URBAN, SettlementClass.RURAL))
    over = (settlement == urban) & (degree > settings.crossing_ceiling_urban)
    under = (settlement == rural) & (degree < settings.crossing_floor_rural)
    held, ground_m2 = sums(of_cell, demand, count), sums(of_cell, area_m2, count)

    def mean(value: Floats) -> Floats:
        # A mean with something out of all reach in it is none.
        with np.errstate(invalid="ignore"):
            found = weighted_means(of_cell, value, demand, area_m2, count)
        return np.where(np.isfinite(found), found, np.nan)

    def share(value: Floats, whole: Floats) -> Floats:
        return np.asarray(np.divide(sums(of_cell, value, count), whole, out=np.full(count, np.nan), where=whole > 0))

    weight = np.where(held[of_cell] > 0, demand, area_m2)
    frame = pd.DataFrame(
        {
            "level": groups.level,
            "code": list(groups.codes),
            "service": service.name,
            "demand": held,
            "area_m2": ground_m2,
            "covered_demand_share": share(demand * service.covered[inside], held),
            "covered_area_share": share(area_m2 * service.covered_share[inside], ground_m2),
            "nearest_mean_m": to_millimetre(mean(service.nearest_m[inside])),
            "nearest_p95_m": to_millimetre(_percentile(of_cell, service.nearest_m[inside], weight, count, 0.95)),
            "second_mean_m": to_millimetre(mean(service.second_m[inside])),
            "access_2sfca": mean(service.access.score[inside]),
            "access_e2sfca": mean(service.by_rings.score[inside]),
            "crossing_mean": mean(degree.astype(np.float64)),
            "over_ceiling": share(demand * over, held),
            "under_floor": share(demand * under, held),
        }
    )
    return frame[ground_m2 > 0]


def _percentile(group: Rows, value: Floats, weight: Floats, count: int, part: float) -> Floats:
    """(count,) float64: least value of each group at or below which ``part`` of its weight lies; NaN without rows."""
    order = np.lexsort((value, group))
    running = np.cumsum(weight[order])
    whole = sums(group, weight, count)
    before = np.concatenate([[0.0], np.cumsum(whole)[:-1]])
    place = np.searchsorted(running, before + whole * part * (1 - 1e-9))
    found = np.full(count, np.nan)
    there = whole > 0
    found[there] = value[order][np.minimum(place[there], len(order) - 1)]
    return found
