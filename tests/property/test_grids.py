"""Any villages, roads, carved ground, outlets and people, in any mode: the grids keep every promise."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap.domain.inputs import Carved, Demand, Lines, PlanInputs, Staff
from gridmap.domain.kinds import AreaLevel, Employment, StaffRole
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.geometry.chain import edges_of, shared_borders
from gridmap.geometry.lattice import geometries_to_units
from gridmap.planning.pipeline import build_plan

WEST, SOUTH, STEP = 111.0, 30.0, 0.02
ORIGIN = np.array([WEST, SOUTH])
FRAMES = ("areas", "cells", "grids", "facilities", "assignments", "gaps", "jurisdictions", "units", "levels", "staff")

MODES = st.sampled_from(
    [
        {},
        {"count": 7},
        {"target_demand": 150.0, "urban_base": "block"},
        {"base": "block", "target_demand": 100.0, "mode": "free", "within": "county"},
        {"base": "cell", "within": "county", "one_per": "outlet"},
        {"base": "cell", "within": "township", "count": 9, "mode": "free", "sub_demand": 40.0, "super_demand": 400.0},
        {"base": "cell", "within": "county", "one_per": "outlet", "targets": "capacity"},
        {"base": "cell", "mode": "nearest", "within": "county"},
    ]
)


def county(seed: int) -> PlanInputs:
    """Make a county of two townships and eight villages with all there can be, from a seed."""
    rng = np.random.default_rng(seed)
    villages = [
        shapely.box(WEST + x * STEP, SOUTH + y * STEP, WEST + (x + 1) * STEP, SOUTH + (y + 1) * STEP)
        for x in range(4)
        for y in range(2)
    ]
    town = [f"99010110{1 + (number >= 4)}" for number in range(8)]
    codes = [f"{code}{200 + number:03d}" for number, code in enumerate(town)]
    halves = [shapely.union_all(villages[:4]), shapely.union_all(villages[4:])]
    levels = {
        AreaLevel.COUNTY: (["990101"], [shapely.union_all(villages)]),
        AreaLevel.TOWNSHIP: (["990101101", "990101102"], halves),
        AreaLevel.VILLAGE: (codes, villages),
    }
    classes = ["urban" if rng.random() < 0.4 else "rural" for _ in codes]
    areas = {
        level: gpd.GeoDataFrame(
            {"area_code": names, "name": [f"n{name}" for name in names], "level": level.value, "settlement": None},
            geometry=shapes,
            crs="EPSG:4326",
        )
        for level, (names, shapes) in levels.items()
    }
    areas[AreaLevel.VILLAGE]["settlement"] = classes
    size = np.array([4 * STEP, 2 * STEP])
    places = np.round(rng.uniform(0, size, (7, 2)) + ORIGIN, 6)
    facilities = gpd.GeoDataFrame(
        {
            "facility_id": [f"F{number}" for number in range(7)],
            "name": [f"f{number}" for number in range(7)],
            "kind": ["branch", "branch", "branch", "self_service", "atm", "rural_cash_point", "pos"],
            "lon": places[:, 0],
            "lat": places[:, 1],
            "service_radius_m": np.nan,
            "capacity": [300.0, 200.0, np.nan, 100.0, np.nan, np.nan, np.nan],
            "institution": "",
            "branch": None,
            "line_number": None,
            "lon_given": places[:, 0],
            "lat_given": places[:, 1],
            "datum": "wgs84",
        },
        geometry=shapely.points(places),
        crs="EPSG:4326",
    )
    homes = np.round(rng.uniform(0, size, (250, 2)) + ORIGIN, 6)
    roads = [np.round(rng.uniform(-0.005, size + 0.005, (3, 2)) + ORIGIN, 7) for _ in range(4)]
    corner = np.round(rng.uniform([0.01, 0.005], size - 0.015, 2) + ORIGIN, 5)
    mall = shapely.box(*corner, *np.round(corner + rng.uniform(0.003, 0.009, 2), 7))
    staff = [(f"P{number}", StaffRole.MANAGER if number % 2 else StaffRole.OFFICER) for number in range(12)]
    return PlanInputs(
        areas,
        facilities,
        Demand(shapely.points(homes), rng.integers(0, 9, 250).astype(float), "people", "people.csv"),
        roads=Lines(shapely.linestrings(roads), np.full(4, "", dtype=object), "roads"),
        dedicated=Carved(np.array([mall], dtype=object), ("Z1",), ("mall",), "dedicated"),
        staff=Staff(
            tuple(ident for ident, _ in staff),
            tuple(ident.lower() for ident, _ in staff),
            tuple(role for _, role in staff),
            (Employment.FULL_TIME,) * 12,
            tuple(f"F{number % 4}" for number in range(12)),
            ((),) * 12,
            "staff",
        ),
    )


def turned(inputs: PlanInputs, seed: int) -> PlanInputs:
    """Return the same inputs with all rows in another order."""
    rng = np.random.default_rng(seed)
    demand, roads, staff = inputs.demand, inputs.roads, inputs.staff
    assert demand is not None
    assert roads is not None
    assert staff is not None
    of_demand, of_roads, of_staff = (rng.permutation(count) for count in (len(demand.value), 4, 12))

    def moved(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(values[row] for row in of_staff.tolist())

    return replace(
        inputs,
        areas={level: frame.sample(frac=1, random_state=seed) for level, frame in inputs.areas.items()},
        facilities=inputs.facilities.sample(frac=1, random_state=seed),
        demand=replace(demand, geometry=demand.geometry[of_demand], value=demand.value[of_demand]),
        roads=replace(roads, geometry=roads.geometry[of_roads]),
        staff=Staff(
            moved(staff.ids),
            moved(staff.names),
            moved(staff.roles),
            moved(staff.employment),
            moved(staff.outlet_ids),
            moved(staff.grid_codes),
            staff.source,
        ),
    )


def planned(inputs: PlanInputs, grids: dict[str, Any]) -> Plan:
    document = {
        "plan": {"name": "made"},
        "areas": {level.value: {"path": "a"} for level in inputs.areas},
        "roads": {"path": "roads", "min_block_m2": 10_000.0},
        "partition": {"resolution": 9},
        "grids": grids,
    }
    return build_plan(PlanSettings.model_validate(document), inputs)


def stretches(cells: np.ndarray, links: list[tuple[int, int]]) -> int:
    """Count what hangs together among rows, by walking."""
    left = set(cells.tolist())
    near: dict[int, set[int]] = {}
    for a, b in links:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = 0
    while left:
        found += 1
        todo = [left.pop()]
        while todo:
            beside = near.get(todo.pop(), set()) & left
            left -= beside
            todo += beside
    return found


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), MODES)
def test_grids_are_whole_contiguous_disjoint_and_within_tolerance_or_explained(
    seed: int, grids: dict[str, Any]
) -> None:
    inputs = county(seed)
    plan = planned(inputs, grids)
    cells = plan.cells
    code = cells["grid_code"].to_numpy(dtype=object)
    assert cells["grid_code"].notna().all()
    assert set(code) == set(plan.grids["grid_code"])
    assert plan.grids["grid_code"].is_unique
    assert plan.certificate["verdict"] == "exact"
    demand = inputs.demand
    assert demand is not None
    assert cells["demand"].sum() == plan.grids["demand"].sum() == demand.value.sum()

    # Contiguous by shared edges; base units may lie in parts where a mall was carved out of them.
    pairs, _, _ = shared_borders(edges_of(geometries_to_units(cells.geometry.to_numpy())))
    links = [(a, b) for a, b in pairs.tolist() if code[a] == code[b]]
    unit = cells["unit_code"].to_numpy(dtype=object)
    explained = {short["grid_code"] for short in plan.report["shortfalls"]}
    whole = set(plan.units.loc[plan.units["kind"] != "cells", "unit_code"])
    for name in np.unique(code):
        rows = np.flatnonzero(code == name)
        within_units = [(a, b) for a, b in links if code[a] == name]
        joined = within_units + [
            pair for one in set(unit[rows]) & whole for pair in pairwise(np.flatnonzero(unit == one).tolist())
        ]
        assert stretches(rows, joined) == 1 or name in explained
    for one in whole:
        assert len(set(code[unit == one])) == 1

    tolerance = plan.settings.grids.tolerance
    off = plan.grids.loc[plan.grids["deviation"].abs() > tolerance + 1e-9, "grid_code"]
    assert set(off) <= explained


@pytest.mark.parametrize(
    "grids",
    [
        {"target_demand": 150.0, "urban_base": "block", "sub_demand": 80.0},
        {"base": "cell", "within": "county", "one_per": "outlet"},
        {"base": "cell", "within": "township", "count": 9, "mode": "free"},
    ],
    ids=["mixed", "anchored", "free"],
)
def test_the_order_of_rows_changes_no_border_and_no_byte(grids: dict[str, Any]) -> None:
    inputs = county(11)
    first, again = planned(inputs, grids), planned(turned(inputs, 3), grids)
    for name in FRAMES:
        one, other = getattr(first, name), getattr(again, name)
        if isinstance(one, gpd.GeoDataFrame):
            assert (
                shapely.to_wkb(one.geometry.to_numpy()).tolist() == shapely.to_wkb(other.geometry.to_numpy()).tolist()
            )
            one, other = pd.DataFrame(one.drop(columns="geometry")), pd.DataFrame(other.drop(columns="geometry"))
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert first.rules == again.rules
    assert first.certificate == again.certificate
