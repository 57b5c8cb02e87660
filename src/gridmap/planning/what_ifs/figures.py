"""Figures of service as it stands, by which plans and scenarios are put side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.access.standing import Service, Standing
from gridmap.planning.access.tiers import villages_without_cash_point
from gridmap.planning.findings.indicators import share, weighted_mean, weighted_percentile


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """Service by facilities of one kind, or of all; None where nothing can be said.

    Attributes
    ----------
    service : ``all``, a kind, or an institution
    facilities : how many
    covered_demand_share, covered_area_share : of the whole ground
    covered_demand : demand within reach
    mean_distance_m, p95_distance_m : to the nearest, by demand
    mean_second_m : to the second nearest, by demand
    mean_access : mean score of 2SFCA by demand: supply for each unit of demand
    by_capacity : whether supply is capacity; else each facility counts 1
    """

    service: str
    facilities: int
    covered_demand_share: float | None
    covered_area_share: float | None
    covered_demand: float
    mean_distance_m: float | None
    p95_distance_m: float | None
    mean_second_m: float | None
    mean_access: float | None
    by_capacity: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one standing.

    Attributes
    ----------
    services : by all facilities first, then by each kind
    gaps, gap_demand : coverage gaps and the demand in them
    villages, villages_without_cash_point : rural villages (rural grids where there are none), and those without
    outlets_over_capacity, excess_demand : outlets to which more would go than they have room for, and how much more
    demand_without_outlet : demand in reach of no outlet
    """

    services: tuple[ServiceFigures, ...]
    gaps: int
    gap_demand: float
    villages: int
    villages_without_cash_point: int
    outlets_over_capacity: int
    excess_demand: float
    demand_without_outlet: float


def figures(standing: Standing) -> Figures:
    """Figures of service as it stands."""
    villages, without = villages_without_cash_point(standing)
    load = standing.outlet_loads
    return Figures(
        tuple(service_figures(standing, service) for service in standing.services),
        len(standing.gaps),
        float(standing.gaps.demand.sum()),
        villages,
        len(without),
        int((load.excess > 0).sum()),
        float(load.excess.sum()),
        load.unserved,
    )


def service_figures(standing: Standing, service: Service) -> ServiceFigures:
    """Figures of one service."""
    demand, area_m2 = standing.terrain.demand, standing.terrain.ground.area_m2
    whole = float(demand.sum())
    covered = float(demand[service.covered].sum())
    return ServiceFigures(
        service.name,
        len(service.rows),
        share(covered, whole),
        share(float((area_m2 * service.covered_share).sum()), float(area_m2.sum())),
        covered,
        weighted_mean(service.nearest_m, demand, area_m2),
        weighted_percentile(service.nearest_m, demand, area_m2, 95),
        weighted_mean(service.second_m, demand, area_m2),
        share(float(np.dot(service.access.score, demand)), whole),
        service.by_capacity,
    )
