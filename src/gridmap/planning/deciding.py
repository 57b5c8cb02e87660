"""Every decision of a plan, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

import geopandas as gpd
import numpy as np

from gridmap.domain.inputs import PlanInputs
from gridmap.domain.plan_settings import PlanSettings
from gridmap.errors import BadValue, Place
from gridmap.geometry.lattice import geometries_to_units
from gridmap.geometry.partition import Partition, partition_areas, partition_units
from gridmap.geometry.tiling import require_tiling
from gridmap.planning.decisions import Decisions
from gridmap.planning.groups import sums
from gridmap.planning.land.base_units import BaseUnits, draw_base_units
from gridmap.planning.land.bases import bases
from gridmap.planning.land.demand import SpreadDemand, spread
from gridmap.planning.land.density import density_applies, density_classes, settlement_of_cells, with_settlement
from gridmap.planning.land.ground import CLASSES, Ground
from gridmap.planning.land.hierarchy import Hierarchy, build_hierarchy
from gridmap.planning.network.service import RoadService
from gridmap.planning.responsibility.assignment import Assignment, assign
from gridmap.planning.responsibility.staffing import Staffing, staff_grids
from gridmap.planning.service.coverage import cover
from gridmap.planning.service.facilities import Facilities
from gridmap.planning.service.gaps import find_gaps
from gridmap.planning.service.reach import Floats, Rows
from gridmap.planning.territory.atoms import Atoms
from gridmap.planning.territory.codes import codes_before, retired_codes
from gridmap.planning.territory.drawing import draw_territories, parent_level
from gridmap.planning.territory.grids import Grids
from gridmap.planning.territory.level_proof import proof_of_levels
from gridmap.planning.territory.levels import draw_sub_grids, draw_super_grids
from gridmap.planning.territory.numbering import GivenGround, numbered


class Staged(Protocol):
    """Stages of a run; each yields what takes the share done within it."""

    def __call__(self, stage: str) -> AbstractContextManager[Callable[[float], None]]:
        """Run a stage."""


def decide(settings: PlanSettings, inputs: PlanInputs, facilities_given: gpd.GeoDataFrame, stages: Staged) -> Decisions:
    """All decisions of a plan, on inputs that have been checked; facilities in the order of their identifiers."""
    hierarchy = build_hierarchy(inputs.areas)
    bank = settings.plan.institution if settings.grids.outlets == "own" else ""
    facilities = Facilities.from_frame(facilities_given, bank)
    with stages("partition") as tell:
        require_tiling(hierarchy.lowest.geometry, list(hierarchy.lowest.codes))
        units, partition, ground = break_ground(settings, inputs, hierarchy, tell)
    with stages("demand"):
        demand = spread(inputs.demand, ground)
        ground = classed(settings, hierarchy, ground, demand)
        facility_cell = ground.locate(np.column_stack([facilities.points.lon, facilities.points.lat]))
    with stages("coverage") as tell:
        roads = road_service(settings, inputs, ground, facilities)
        if roads is None:
            coverage = cover(ground, facilities, settings.coverage)
        else:
            coverage = roads.cover(ground, facilities, settings.coverage, tell)
        radius_m = facilities.radius_m(settings.coverage)
    with stages("grids"):
        grids = draw_grids(settings, inputs, hierarchy, units, ground, demand, facilities, facility_cell)
    with stages("assignment"):
        assignment = assign(
            ground,
            grids.of_cell,
            demand.value,
            facilities,
            facility_cell,
            coverage.in_reach,
            settings.coverage.cooperating_outlets,
            anchor=grids.anchor,
            capacity=None if demand.stands_in else facilities.capacity,
        )
        if roads is not None:
            assignment = roads.stated(assignment, ground, grids.of_cell, demand.value)
        staffing = staffed(settings, inputs, ground, grids, demand, facilities, assignment)
    with stages("gaps"):
        county = hierarchy.county_numbers()[ground.area]
        gaps = find_gaps(ground, coverage, facilities, radius_m, demand.value, county)
    decisions = Decisions(
        settings,
        hierarchy,
        units,
        ground,
        demand,
        facilities,
        facility_cell,
        radius_m,
        coverage,
        grids,
        assignment,
        staffing,
        gaps,
        partition.certificate,
        roads,
    )
    with stages("proof"):
        levels = proof_of_levels(decisions, partition.border)
    return replace(decisions, certificate={**partition.certificate, "levels": levels})


def road_service(
    settings: PlanSettings, inputs: PlanInputs, ground: Ground, facilities: Facilities
) -> RoadService | None:
    """Roads that distance is measured along, None where it is measured as the crow flies.

    Raises
    ------
    BadValue
        If distance along roads is asked for and there are none.
    """
    if settings.coverage.distance != "network":
        return None
    if inputs.network is None:
        raise BadValue("roads.no_roads", Place(field="coverage.distance"))
    return RoadService.of(inputs.network, settings.roads, ground, facilities)


def break_ground(
    settings: PlanSettings, inputs: PlanInputs, hierarchy: Hierarchy, tell: Callable[[float], None]
) -> tuple[BaseUnits, Partition, Ground]:
    """Lay out base units, the cells they are cut into, and the ground these make up."""
    lowest, resolution = hierarchy.lowest, settings.partition.resolution
    roads, barriers = (
        None if given is None else geometries_to_units(given.geometry) for given in (inputs.roads, inputs.barriers)
    )
    settlement = settlement_of_areas(settings, inputs, hierarchy)
    base = bases(settings.grids, lowest.level, settlement, has_roads=roads is not None)
    least_m2 = settings.roads.min_block_m2 if settings.roads is not None else 0.0
    units = draw_base_units(lowest, base, roads, barriers, inputs.dedicated, inputs.locked, least_m2)
    partition = partition_units(units.geometry, units.area, lowest.geometry, list(lowest.codes), resolution, tell)
    crossable_m = partition.shared_m if barriers is None else partition.crossable_m(barriers)
    return units, partition, _ground(partition, crossable_m, settlement)


def _ground(partition: Partition, crossable_m: Floats, settlement: Rows) -> Ground:
    return Ground(
        partition.cell,
        partition.area,
        partition.unit,
        partition.geometry,
        partition.adjacency,
        partition.shared_m,
        crossable_m,
        settlement[partition.area],
    )


def settlement_of_areas(settings: PlanSettings, inputs: PlanInputs, hierarchy: Hierarchy) -> Rows:
    """(k,) int64: class of each lowest-level area, by which its base is chosen.

    By class code, else by density, as most of its people live, else the default. Density asks for the cells of the
    areas before units are drawn, so it is only looked at where town and country have different bases.
    """
    by_code = hierarchy.settlement_of_lowest(None)
    default = CLASSES.index(settings.profile.default_settlement)
    if settings.grids.urban_base is None or (by_code >= 0).all() or inputs.demand is None:
        return np.where(by_code >= 0, by_code, default)
    lowest = hierarchy.lowest
    partition = partition_areas(lowest.geometry, list(lowest.codes), settings.partition.resolution)
    ground = _ground(partition, partition.shared_m, by_code)
    demand = spread(inputs.demand, ground)
    if not density_applies(demand, settings.density):
        return np.where(by_code >= 0, by_code, default)
    group = ground.area * len(CLASSES) + density_classes(ground, demand.value, settings.density)
    people = sums(group, demand.value, len(lowest) * len(CLASSES)).reshape(-1, len(CLASSES))
    most = np.where(people.any(axis=1), people.argmax(axis=1), default)
    return np.where(by_code >= 0, by_code, most)


def classed(settings: PlanSettings, hierarchy: Hierarchy, ground: Ground, demand: SpreadDemand) -> Ground:
    """Ground with the settlement class of every cell: by class code, else by density, else the default."""
    applies = density_applies(demand, settings.density)
    by_density = density_classes(ground, demand.value, settings.density) if applies else None
    default = settings.profile.default_settlement
    return with_settlement(ground, settlement_of_cells(hierarchy, ground.area, by_density, default))


def draw_grids(
    settings: PlanSettings,
    inputs: PlanInputs,
    hierarchy: Hierarchy,
    units: BaseUnits,
    ground: Ground,
    demand: SpreadDemand,
    facilities: Facilities,
    facility_cell: Rows,
) -> Grids:
    """Grids with their codes, and the levels generated below and above them."""
    asked = settings.grids
    level = parent_level(asked, hierarchy, units.kind)
    if level is None:
        parent_of_area, names = np.zeros(len(hierarchy.lowest), dtype=np.int64), [""]
    else:
        parents = hierarchy.at(level)
        names = [name or code for name, code in zip(parents.names, parents.codes, strict=True)] if parents else []
        parent_of_area = hierarchy.ancestors(level)
    atoms = Atoms.of(ground, units, demand.value)
    drawn = draw_territories(asked, parent_of_area, units, atoms, facilities, facility_cell, names)
    grids = numbered(hierarchy, ground, drawn, GivenGround(inputs.dedicated, inputs.locked, inputs.previous))
    return with_levels(settings, inputs, hierarchy, units, ground, demand, grids, parent_of_area)


def with_levels(
    settings: PlanSettings,
    inputs: PlanInputs,
    hierarchy: Hierarchy,
    units: BaseUnits,
    ground: Ground,
    demand: SpreadDemand,
    grids: Grids,
    parent_of_area: Rows,
) -> Grids:
    """Grids with the sub-grids and super-grids that the settings ask for."""
    asked = settings.grids
    how: dict[str, Any] = {"tolerance": asked.tolerance, "compactness": asked.compactness, "seed": asked.seed}
    taken = codes_before(inputs.previous) - set(grids.codes) if inputs.previous else set()
    nested = inputs.previous.nested if inputs.previous else None
    if nested is not None:
        taken -= set(nested.codes)
    if asked.sub_demand is not None:
        sub = draw_sub_grids(
            hierarchy, units, ground, demand.value, grids, asked.sub_demand, **how, previous=nested, taken=taken
        )
        grids, taken = replace(grids, sub=sub), {*taken, *sub.codes}
    if asked.super_demand is not None:
        above = draw_super_grids(
            hierarchy,
            ground,
            demand.value,
            grids,
            parent_of_area,
            asked.super_demand,
            **how,
            previous=nested,
            taken=taken,
        )
        grids = replace(grids, above=above)
    if inputs.previous is None:
        return grids
    in_force = [*grids.codes, *(grids.sub.codes if grids.sub else ()), *(grids.above.codes if grids.above else ())]
    return replace(grids, retired=tuple(retired_codes(in_force, inputs.previous)))


def staffed(
    settings: PlanSettings,
    inputs: PlanInputs,
    ground: Ground,
    grids: Grids,
    demand: SpreadDemand,
    facilities: Facilities,
    assignment: Assignment,
) -> Staffing:
    """People of every grid."""
    ids = [*facilities.ids.tolist(), None]
    held = sums(grids.of_cell, demand.value, len(grids))
    pair = np.sort(grids.of_cell[ground.adjacency].reshape(-1, 2), axis=1)
    links = np.unique(pair[pair[:, 0] != pair[:, 1]], axis=0)
    return staff_grids(
        grids.codes,
        [ids[row] for row in assignment.primary.tolist()],
        held,
        inputs.staff,
        settings.staffing,
        outlet_ids=[ids[row] for row in facilities.leading.tolist()],
        xy_m=_middles(ground, grids),
        links=links,
        demand_counts=not demand.stands_in,
    )


def _middles(ground: Ground, grids: Grids) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(g, 2) float64: middle of each grid's ground, metres in the plane of the ground."""
    whole = np.zeros(len(grids), dtype=np.bool_)
    row = np.arange(len(grids))
    return Atoms(ground, ground.area_m2, grids.of_cell, row, row, whole).xy_m
