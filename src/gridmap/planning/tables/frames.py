"""Decisions as the frames of a plan, columns as the output reference lists them; WGS 84 degrees on the lattice.

Missing identifiers are missing values (``isna()``), and so is a distance where there is nothing to measure to. Beside
the columns that every plan names, ``cells`` carry for each facility kind ``covered_by_KIND`` (bool),
``nearest_KIND_id`` and ``nearest_KIND_m``, ``facility_ids_in_reach``: all facilities in reach, nearest first, joined
by ``;``, and the base unit and the sub-grid they belong to. ``grids`` carry ``area_code``, the lowest area that holds
them whole; their ``parent_code`` is their super-grid, else the area one level above that area.
``cooperating_outlet_ids`` and ``officer_ids`` are lists. Frames of a kind of their own have modules of their own:
``unit_frame``, ``staff_frame``, ``level_frame``, ``organisation_frame``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.domain.kinds import AssignmentRole, FacilityKind, SettlementClass
from gridmap.planning.decisions import Decisions
from gridmap.planning.groups import counts, sums
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.facilities import KINDS
from gridmap.planning.tables.frame_columns import (
    CRS,
    geographic,
    lists,
    looked_up,
    settlement_names,
    text,
    to_millimetre,
)
from gridmap.planning.tables.shape_figures import compactness, hole_counts, part_counts, radius_m

#: ``gaps.kind_missing`` where the plan has no facility of any kind.
ANY_KIND = "any"


def area_frame(decisions: Decisions) -> gpd.GeoDataFrame:
    """Areas of all levels, widest first, then by code."""
    frames = []
    above: tuple[str, ...] = ()
    for areas in decisions.hierarchy.levels:
        groups = decisions.groups_of(areas.level)
        if groups is None:
            continue
        frames.append(
            geographic(
                areas.geometry,
                area_code=text(areas.codes),
                name=text(areas.names),
                level=text([areas.level.value] * len(areas)),
                parent_code=looked_up(above, areas.parent),
                settlement=settlement_names(groups.settlement),
                area_m2=groups.area_m2,
                demand=groups.demand,
                covered_share=groups.covered_share,
            )
        )
        above = areas.codes
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=CRS)


def cell_frame(decisions: Decisions) -> gpd.GeoDataFrame:
    """Cells, by area code, then cell."""
    ground, coverage, grids, ids = decisions.ground, decisions.coverage, decisions.grids, decisions.facilities.ids
    sub = grids.sub
    by_kind: dict[str, object] = {}
    for row, kind in enumerate(KINDS):
        by_kind[f"covered_by_{kind.value}"] = coverage.covered_by[row]
    for row, kind in enumerate(KINDS):
        by_kind[f"nearest_{kind.value}_id"] = looked_up(ids, coverage.nearest[row])
        by_kind[f"nearest_{kind.value}_m"] = to_millimetre(coverage.nearest_m[row])
    return geographic(
        ground.geometry,
        cell_id=text([f"{cell:x}" for cell in ground.cell.tolist()]),
        area_code=looked_up(decisions.hierarchy.lowest.codes, ground.area),
        grid_code=looked_up(grids.codes, grids.of_cell),
        demand=decisions.demand.value,
        area_m2=ground.area_m2,
        settlement=settlement_names(ground.settlement),
        primary_outlet_id=looked_up(ids, decisions.assignment.primary[grids.of_cell]),
        distance_m=to_millimetre(decisions.assignment.cell_distance_m),
        covered_share=coverage.covered_share,
        covered=coverage.covered,
        crossing_degree=coverage.crossing_degree,
        **by_kind,
        facility_ids_in_reach=text(_ids_in_reach(decisions)),
        unit_code=looked_up(decisions.units.codes, ground.unit),
        sub_code=looked_up(sub.codes, sub.of_cell) if sub else text([None] * len(ground)),
    )


def grid_frame(decisions: Decisions) -> gpd.GeoDataFrame:
    """Grids, by code."""
    grids, groups, assignment = decisions.grids, decisions.grid_groups, decisions.assignment
    staffing = decisions.staffing
    people = staffing.staff.ids if staffing.staff else ()
    home_level, home_code, above_code = _homes(decisions)
    ids, count = decisions.facilities.ids, len(decisions.grids)
    cash_points = groups.of_facility[decisions.facilities.of_kind(FacilityKind.RURAL_CASH_POINT)]
    above = grids.above
    super_code = looked_up(above.codes, above.of_grid) if above else text([None] * count)
    return geographic(
        grids.shape,
        grid_code=text(grids.codes),
        name=text(grids.names),
        level=text(home_level),
        parent_code=super_code.where(super_code.notna(), text(above_code)),
        kind=text(kind.value for kind in grids.kind),
        settlement=settlement_names(groups.settlement),
        area_m2=groups.area_m2,
        demand=groups.demand,
        cells=counts(grids.of_cell, count),
        primary_outlet_id=looked_up(ids, assignment.primary),
        cooperating_outlet_ids=lists([ids[row] for row in rows] for rows in assignment.cooperating(count)),
        manager_id=looked_up(people, staffing.manager),
        officer_ids=lists(_officers(decisions, people)),
        covered_share=groups.covered_share,
        has_outlet=assignment.has_outlet,
        rural_cash_points=counts(cash_points[cash_points >= 0], count),
        compactness=compactness(grids.shape, groups.area_m2, decisions.ground.plane),
        area_code=text(home_code),
        super_code=super_code,
        target_demand=grids.target,
        deviation=decisions.deviation,
        parts=part_counts(grids.shape),
        holes=hole_counts(grids.shape),
        radius_m=to_millimetre(radius_m(grids.shape)),
        locked=grids.locked,
        managers_missing=staffing.managers_missing,
        officers_missing=staffing.officers_missing,
    )


def facility_frame(decisions: Decisions, given: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Facilities as given, by identifier, with where they stand and what they reach."""
    facilities, in_reach = decisions.facilities, decisions.coverage.in_reach
    count = len(facilities)
    unknown = {name: text([None] * count) for name in ("branch", "line_number") if name not in given}
    return given.assign(
        **unknown,
        area_code=looked_up(decisions.hierarchy.lowest.codes, decisions.facility_area),
        radius_urban_m=decisions.radius_m[:, CLASSES.index(SettlementClass.URBAN)],
        radius_rural_m=decisions.radius_m[:, CLASSES.index(SettlementClass.RURAL)],
        cells_in_reach=counts(in_reach.facility, count),
        demand_in_reach=sums(in_reach.facility, decisions.demand.value[in_reach.point], count),
    )


def assignment_frame(decisions: Decisions) -> pd.DataFrame:
    """Grids and their outlets, primary first, then by demand in reach."""
    table, ids = decisions.assignment, decisions.facilities.ids
    roles = np.where(table.is_primary, AssignmentRole.PRIMARY.value, AssignmentRole.COOPERATING.value)
    return pd.DataFrame(
        {
            "grid_code": looked_up(decisions.grids.codes, table.grid),
            "outlet_id": looked_up(ids, table.outlet),
            "role": text(roles.tolist()),
            "distance_m": to_millimetre(table.distance_m),
            "demand_in_reach": table.demand_in_reach,
        }
    )


def gap_frame(decisions: Decisions) -> gpd.GeoDataFrame:
    """Coverage gaps, by rank."""
    gaps = decisions.gaps
    kinds = [kind.value for kind in KINDS]
    return geographic(
        dissolve(decisions.ground.geometry, gaps.gap_of_cell, len(gaps)),
        gap_id=text([f"G{rank:03d}" for rank in range(1, len(gaps) + 1)]),
        area_code=looked_up(decisions.hierarchy.lowest.codes, gaps.area),
        settlement=settlement_names(gaps.settlement),
        kind_missing=text([kinds[kind] if kind >= 0 else ANY_KIND for kind in gaps.kind_missing.tolist()]),
        area_m2=gaps.area_m2,
        demand=gaps.demand,
        nearest_facility_id=looked_up(decisions.facilities.ids, gaps.nearest_facility),
        nearest_distance_m=to_millimetre(gaps.nearest_distance_m),
        rank=np.arange(1, len(gaps) + 1),
    )


def jurisdiction_frame(decisions: Decisions, given: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Ground of each outlet that is primary somewhere: all its grids together, by outlet identifier."""
    primary, groups = decisions.assignment.primary, decisions.grid_groups
    outlets = np.unique(primary[primary >= 0])
    place = np.where(primary >= 0, np.searchsorted(outlets, primary), -1)
    held = np.flatnonzero(place >= 0)
    count = len(outlets)
    return geographic(
        dissolve(decisions.grids.shape, place, count),
        outlet_id=looked_up(decisions.facilities.ids, outlets),
        name=text(given["name"].iloc[outlets].tolist()),
        grids=counts(place[held], count),
        area_m2=sums(place[held], groups.area_m2[held], count),
        demand=sums(place[held], groups.demand[held], count),
        capacity=decisions.facilities.capacity[outlets],
    )


def _ids_in_reach(decisions: Decisions) -> list[str]:
    """List what reaches each cell, nearest first, joined by ``;``."""
    pairs = decisions.coverage.in_reach
    order = np.lexsort((pairs.facility, pairs.distance_m, pairs.point))
    ids = decisions.facilities.ids[pairs.facility[order]].tolist()
    ends = np.searchsorted(pairs.point[order], np.arange(len(decisions.ground) + 1)).tolist()
    return [";".join(ids[start:end]) for start, end in pairwise(ends)]


def _officers(decisions: Decisions, people: Sequence[str]) -> list[list[str]]:
    """Officers of each grid."""
    staffing = decisions.staffing
    ends = np.searchsorted(staffing.officer_grid, np.arange(len(decisions.grids) + 1)).tolist()
    return [[people[row] for row in staffing.officer[start:end].tolist()] for start, end in pairwise(ends)]


def _homes(decisions: Decisions) -> tuple[list[str | None], list[str | None], list[str | None]]:
    """Level and code of the lowest area that holds each grid, and the code of the area above that."""
    levels = decisions.hierarchy.levels
    found: list[tuple[str | None, str | None, str | None]] = []
    for number, row in zip(decisions.grids.level.tolist(), decisions.grids.home.tolist(), strict=True):
        if number < 0:
            found.append((None, None, None))
            continue
        areas, above = levels[number], int(levels[number].parent[row])
        found.append((areas.level.value, areas.codes[row], levels[number - 1].codes[above] if above >= 0 else None))
    return [one[0] for one in found], [one[1] for one in found], [one[2] for one in found]
