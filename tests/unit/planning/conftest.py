"""Small made ground: squares of one hundredth of a degree, neighbours known by construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.domain.inputs import Demand, PlanInputs, Staff
from gridmap.domain.kinds import AreaLevel, BaseUnitKind, Employment, GridKind, SettlementClass, StaffRole
from gridmap.domain.plan_settings import AreaSource, CoverageSection, PartitionSection, PlanSection, PlanSettings
from gridmap.planning.deciding import decide
from gridmap.planning.decisions import Decisions
from gridmap.planning.districting.task import Reason, Shortfall
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.land.ground import CLASSES, Ground
from gridmap.planning.pipeline import Stages
from gridmap.planning.responsibility.staffing import Staffing
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import EarthPoints
from gridmap.planning.territory.grids import SubGrids, SuperGrids

WEST, SOUTH, STEP = 111.0, 30.0, 0.01


@pytest.fixture(scope="session")
def made_ground() -> Callable[..., Ground]:
    """Ground of ``columns`` x ``rows`` squares, row after row from the south-west; ``keep`` leaves some out."""

    def make(
        columns: int,
        rows: int,
        area: Sequence[int] | None = None,
        settlement: Sequence[str] | str = "rural",
        keep: Sequence[int] | None = None,
    ) -> Ground:
        places = [(x, y) for y in range(rows) for x in range(columns)]
        kept = [places[number] for number in (keep if keep is not None else range(len(places)))]
        links = [
            (i, j)
            for i, (x, y) in enumerate(kept)
            for j, (u, v) in enumerate(kept)
            if i < j and abs(x - u) + abs(y - v) == 1
        ]
        unit = round(STEP * 1e7)
        west, south = round(WEST * 1e7), round(SOUTH * 1e7)
        squares = [
            shapely.box(west + x * unit, south + y * unit, west + (x + 1) * unit, south + (y + 1) * unit)
            for x, y in kept
        ]
        names = [settlement] * len(kept) if isinstance(settlement, str) else list(settlement)
        areas = np.array(area if area is not None else [0] * len(kept), dtype=np.int64)
        return Ground(
            np.arange(len(kept), dtype=np.uint64),
            areas,
            areas,
            np.array(squares, dtype=object),
            np.array(links, dtype=np.int64).reshape(-1, 2),
            np.full(len(links), 1000.0),
            np.full(len(links), 1000.0),
            np.array([CLASSES.index(SettlementClass(name)) for name in names], dtype=np.int64),
        )

    return make


@pytest.fixture(scope="session")
def made_facilities() -> Callable[..., Facilities]:
    """Facilities from (kind, column, row) or (kind, column, row, radius) in squares from the south-west corner."""

    def make(*places: tuple[object, ...], capacity: Sequence[float] | None = None) -> Facilities:
        return Facilities(
            np.array([f"F{number}" for number in range(len(places))], dtype=object),
            np.array([KINDS.index(place[0]) for place in places], dtype=np.int64),
            EarthPoints(
                np.array([WEST + STEP * float(place[1]) for place in places]),
                np.array([SOUTH + STEP * float(place[2]) for place in places]),
            ),
            np.array([float(place[3]) if len(place) > 3 else np.nan for place in places]),
            np.array(capacity if capacity is not None else [np.nan] * len(places), dtype=np.float64),
        )

    return make


@pytest.fixture(scope="session")
def coverage_settings() -> CoverageSection:
    return CoverageSection()


@pytest.fixture(scope="session")
def plan_settings() -> Callable[..., PlanSettings]:
    def make(resolution: int = 8, **sections: object) -> PlanSettings:
        return PlanSettings(
            plan=PlanSection(name="made"),
            areas={AreaLevel.VILLAGE: AreaSource(path="villages.geojson")},
            partition=PartitionSection(resolution=resolution),
            **sections,
        )

    return make


@pytest.fixture(scope="session")
def areas_frame() -> Callable[..., gpd.GeoDataFrame]:
    """Areas of one level from code → polygon in degrees."""

    def make(
        level: AreaLevel, polygons: dict[str, shapely.Geometry], settlement: str | None = None
    ) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(
            {
                "area_code": list(polygons),
                "name": [f"name of {code}" for code in polygons],
                "level": level.value,
                "settlement": pd.Series([settlement] * len(polygons), dtype="object"),
            },
            geometry=list(polygons.values()),
            crs="EPSG:4326",
        )

    return make


@pytest.fixture(scope="session")
def facilities_frame() -> Callable[..., gpd.GeoDataFrame]:
    """Facilities from (id, kind, lon, lat) or (id, kind, lon, lat, capacity)."""

    def make(*places: tuple[object, ...]) -> gpd.GeoDataFrame:
        lon = np.array([place[2] for place in places], dtype=np.float64)
        lat = np.array([place[3] for place in places], dtype=np.float64)
        return gpd.GeoDataFrame(
            {
                "facility_id": pd.Series([place[0] for place in places], dtype="str"),
                "name": pd.Series([f"name of {place[0]}" for place in places], dtype="str"),
                "kind": pd.Series([str(place[1]) for place in places], dtype="str"),
                "lon": lon,
                "lat": lat,
                "service_radius_m": np.full(len(places), np.nan),
                "capacity": np.array([place[4] if len(place) > 4 else np.nan for place in places], dtype=np.float64),
                "institution": pd.Series([""] * len(places), dtype="str"),
                "lon_given": lon,
                "lat_given": lat,
                "datum": pd.Series(["wgs84"] * len(places), dtype="str"),
            },
            geometry=shapely.points(lon, lat),
            crs="EPSG:4326",
        )

    return make


@pytest.fixture(scope="session")
def two_villages(
    areas_frame: Callable[..., gpd.GeoDataFrame], facilities_frame: Callable[..., gpd.GeoDataFrame]
) -> PlanInputs:
    """Two villages side by side: 990101001001 with a branch and 600 people, 990101001002 with 300 and nothing."""
    villages = areas_frame(
        AreaLevel.VILLAGE,
        {
            "990101001001": shapely.box(111.0, 30.0, 111.05, 30.05),
            "990101001002": shapely.box(111.05, 30.0, 111.15, 30.05),
        },
        "rural",
    )
    people = Demand(
        np.array(shapely.points([[111.02, 30.02], [111.03, 30.03], [111.14, 30.02]])),
        np.array([400.0, 200.0, 300.0]),
        "people",
        "people.csv",
    )
    return PlanInputs({AreaLevel.VILLAGE: villages}, facilities_frame(("B1", "branch", 111.02, 30.02, 500.0)), people)


SUB_CODES, SUPER_CODE = ("990101001001002", "990101001001003"), "990101001000001"


@pytest.fixture(scope="session")
def rich(plan_settings: Callable[..., PlanSettings], two_villages: PlanInputs) -> Decisions:
    """Decide on the two villages, then add all that a plan can carry.

    The first grid has a target, a manager, an officer who also looks after the second, and two sub-grids; the second is
    dedicated and locked, lacks a manager and two officers, and could not be what was asked; a super-grid holds both.
    """
    decided = decide(plan_settings(), two_villages, two_villages.facilities, Stages(None))
    ground, grids, units = decided.ground, decided.grids, decided.units
    in_first = grids.of_cell == 0
    half = np.where(in_first, (ground.points.lat > np.median(ground.points.lat[in_first])).astype(np.int64), -1)
    both = np.zeros(2, dtype=np.int64)
    staff = Staff(
        ids=("P3", "P1", "P2", "P4"),
        names=("", "Wang", "Li", "Zhao"),
        roles=(StaffRole.OFFICER, StaffRole.MANAGER, StaffRole.OFFICER, StaffRole.OFFICER),
        employment=(Employment.FULL_TIME, Employment.FULL_TIME, Employment.PART_TIME, Employment.FULL_TIME),
        outlet_ids=("B9", "B1", "B1", ""),
        grid_codes=((), (), (), ()),
        source="staff.csv",
    )
    return replace(
        decided,
        units=replace(
            units, codes=(units.codes[0], f"{units.codes[1]}-D001"), kind=(units.kind[0], BaseUnitKind.DEDICATED)
        ),
        grids=replace(
            grids,
            kind=(GridKind.ORDINARY, GridKind.DEDICATED),
            locked=np.array([False, True]),
            target=np.array([625.0, np.nan]),
            shortfalls=(
                Shortfall(Reason.HEAVY_UNIT, 1, 1, 200.0, 300.0),
                Shortfall(Reason.TOO_FEW_UNITS, -1, -1, 200.0, 0.0),
            ),
            bound=0.25,
            retired=("990101001001009",),
            sub=SubGrids(half, SUB_CODES, both, dissolve(ground.geometry, half, 2)),
            above=SuperGrids(both, (SUPER_CODE,), both[:1], both[:1], dissolve(grids.shape, both, 1)),
        ),
        staffing=Staffing(
            staff,
            manager=np.array([1, -1]),
            officer_grid=np.array([0, 1]),
            officer=np.array([2, 2]),
            managers_missing=np.array([False, True]),
            officers_missing=np.array([0, 2]),
            unplaced=np.array([0, 3]),
            misplaced=np.array([0]),
        ),
    )
