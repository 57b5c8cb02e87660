"""From inputs to a plan: partition, demand, coverage, grids, assignment, gaps, and what they say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

import geopandas as gpd
import h3
import numpy as np
import pyproj
import shapely

from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import AreaLevel, BaseUnitKind, GridKind
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.geometry.lattice import to_degrees
from gridmap.geometry.partition import partition_areas
from gridmap.geometry.tiling import require_tiling
from gridmap.planning.assignment import assign
from gridmap.planning.base_units import BaseUnits
from gridmap.planning.checks import check_inputs
from gridmap.planning.codes import grid_codes
from gridmap.planning.coverage import cover
from gridmap.planning.decisions import Decisions
from gridmap.planning.demand import SpreadDemand, spread
from gridmap.planning.dissolve import dissolve
from gridmap.planning.facilities import Facilities
from gridmap.planning.gaps import find_gaps
from gridmap.planning.grids import Grids
from gridmap.planning.ground import Ground, representative_points
from gridmap.planning.groups import counts
from gridmap.planning.hierarchy import Hierarchy, build_hierarchy
from gridmap.planning.indicators import indicators
from gridmap.planning.plan_frames import geographic_frames, table_frames
from gridmap.planning.reach import Rows
from gridmap.planning.remarks import remarks
from gridmap.planning.rules import evaluate
from gridmap.planning.shortfalls import grid_report
from gridmap.planning.staffing import Staffing
from gridmap.planning.territory import Territory, nearest_outlet, one_per_area

Progress = Callable[[str, float], None]


def build_plan(settings: PlanSettings, inputs: PlanInputs, progress: Progress | None = None) -> Plan:
    """Make a plan: equal settings and inputs give an equal plan, whatever the order of their rows.

    Parameters
    ----------
    progress : called with the name of a stage and the share of it that is done, 0 to 1

    Raises
    ------
    InputError
        If the inputs are not what ``PlanInputs`` asks for.
    PlanError
        If areas of the lowest level overlap or leave gaps between them, or a village has more grids than its codes
        can number.
    ProofFailed
        If the partition could not be proved.
    """
    stages = Stages(progress)
    check_inputs(inputs)
    given = inputs.facilities.sort_values("facility_id", kind="stable").reset_index(drop=True)
    decisions = decide(settings, inputs, given, stages)
    with stages("frames"):
        frames, tables = geographic_frames(decisions, given), table_frames(decisions)
    with stages("indicators"):
        figures, rules = indicators(decisions), evaluate(decisions)
    report = {
        "warnings": [*inputs.warnings, *remarks(decisions)],
        "timings_s": stages.timings_s,
        "versions": versions(),
        "demand": {key: figures["demand"][key] for key in ("unit", "total", "source", "stands_in")},
        **grid_report(decisions),
    }
    return Plan(
        settings=settings,
        **frames,
        **tables,
        indicators=figures,
        rules=rules,
        certificate=decisions.certificate,
        report=report,
    )


class Stages:
    """Stages of a run: tells how far it is, and keeps how long each took."""

    def __init__(self, progress: Progress | None) -> None:
        self.timings_s: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def __call__(self, stage: str) -> Iterator[Callable[[float], None]]:
        """Run a stage; what it yields takes the share done within it."""

        def tell(share: float) -> None:
            if self._progress:
                self._progress(stage, share)

        tell(0.0)
        start = time.perf_counter()
        yield tell
        self.timings_s[stage] = time.perf_counter() - start
        tell(1.0)


def decide(settings: PlanSettings, inputs: PlanInputs, facilities_given: gpd.GeoDataFrame, stages: Stages) -> Decisions:
    """All decisions of a plan, on inputs that have been checked; facilities in the order of their identifiers."""
    hierarchy = build_hierarchy(inputs.areas)
    facilities = Facilities.from_frame(facilities_given)
    with stages("partition") as tell:
        lowest = hierarchy.lowest
        require_tiling(lowest.geometry, list(lowest.codes))
        partition = partition_areas(lowest.geometry, list(lowest.codes), settings.partition.resolution, tell)
        units = BaseUnits(
            lowest.codes,
            np.arange(len(lowest)),
            (BaseUnitKind.VILLAGE,) * len(lowest),
            np.full(len(lowest), -1),
            lowest.geometry,
        )
        ground = Ground(
            partition.cell,
            partition.area,
            partition.area,
            partition.geometry,
            partition.adjacency,
            partition.shared_m,
            partition.shared_m,
            hierarchy.settlement_of_lowest(settings.profile.default_settlement)[partition.area],
        )
    with stages("demand"):
        demand = spread(inputs.demand, ground)
        facility_cell = ground.locate(np.column_stack([facilities.points.lon, facilities.points.lat]))
    with stages("coverage"):
        coverage = cover(ground, facilities, settings.coverage)
        radius_m = facilities.radius_m(settings.coverage)
    with stages("grids"):
        grids = draw_grids(hierarchy, ground, demand, facilities, facility_cell, territory_of(lowest.level))
    with stages("assignment"):
        assignment = assign(
            ground,
            grids.of_cell,
            demand.value,
            facilities,
            facility_cell,
            coverage.in_reach,
            settings.coverage.cooperating_outlets,
        )
    with stages("gaps"):
        county = hierarchy.county_numbers()[ground.area]
        gaps = find_gaps(ground, coverage, facilities, radius_m, demand.value, county)
    none = np.zeros(0, dtype=np.int64)
    lacking = np.full(len(grids), -1)
    staffing = Staffing(None, lacking, none, none, lacking < 0, np.zeros(len(grids), dtype=np.int64), none, none)
    return Decisions(
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
    )


def territory_of(lowest: AreaLevel) -> Territory:
    """How grids are drawn: villages are grids; wider areas are split by nearest outlet."""
    return one_per_area if lowest is AreaLevel.VILLAGE else nearest_outlet


def draw_grids(
    hierarchy: Hierarchy,
    ground: Ground,
    demand: SpreadDemand,
    facilities: Facilities,
    facility_cell: Rows,
    territory: Territory,
) -> Grids:
    """Grids of a territory with their codes, in the order of the codes."""
    outlets = facilities.outlets
    label = territory(ground, demand.value, facilities.points.take(outlets), facility_cell[outlets])
    count = int(label.max(initial=-1)) + 1
    area = ground.area[np.unique(label, return_index=True)[1]]
    shape = dissolve(ground.geometry, label, count)
    lonlat = to_degrees(representative_points(shape))
    homes = [hierarchy.lowest.codes[row] for row in area.tolist()]
    codes = np.array(grid_codes(homes, lonlat, np.zeros(count, dtype=np.bool_), [None] * count, ()), dtype=object)
    order = np.argsort(codes)
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    siblings = counts(area, len(hierarchy.lowest))
    names = [hierarchy.lowest.names[row] or hierarchy.lowest.codes[row] for row in area.tolist()]
    numbered = [
        f"{name} {int(code[-3:])}" if siblings[row] > 1 else name
        for name, row, code in zip(names, area.tolist(), codes.tolist(), strict=True)
    ]
    return Grids(
        of_cell=place[label],
        codes=tuple(codes[order].tolist()),
        names=tuple(numbered[row] for row in order.tolist()),
        kind=(GridKind.ORDINARY,) * count,
        locked=np.zeros(count, dtype=np.bool_),
        level=np.full(count, len(hierarchy.levels) - 1),
        home=area[order],
        shape=shape[order],
        target=np.full(count, np.nan),
        anchor=np.full(count, -1),
    )


def versions() -> dict[str, str]:
    """Versions of what a plan depends on."""
    return {
        "gridmap": version("gridmap"),
        "numpy": np.__version__,
        "shapely": shapely.__version__,
        "geos": shapely.geos_version_string,
        "pyproj": pyproj.__version__,
        "h3": h3.__version__,
    }
