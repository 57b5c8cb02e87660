"""What a plan is made with: the tables of the plan file, with their defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.domain.roads import Measure, Profile

Metres = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Minutes = Annotated[float, Field(gt=0, le=1440, allow_inf_nan=False)]
Speed = Annotated[float, Field(gt=0, le=200, allow_inf_nan=False)]

#: ``[urban, rural]`` service radii, metres; fringe ground counts as urban.
DEFAULT_RADIUS_M: dict[FacilityKind, tuple[float, float]] = {
    FacilityKind.BRANCH: (1500.0, 5000.0),
    FacilityKind.SELF_SERVICE: (1000.0, 3000.0),
    FacilityKind.ATM: (1000.0, 3000.0),
    FacilityKind.POS: (500.0, 2000.0),
    FacilityKind.RURAL_CASH_POINT: (500.0, 2000.0),
    FacilityKind.SELF_SERVICE_TERMINAL: (1000.0, 3000.0),
}

#: Three-digit settlement class codes of the statistics bureau; a plan can correct them in ``[profile]``.
DEFAULT_SETTLEMENT_OF_CODE: dict[str, SettlementClass] = {
    "111": SettlementClass.URBAN,
    "121": SettlementClass.URBAN,
    "123": SettlementClass.URBAN,
    "112": SettlementClass.FRINGE,
    "122": SettlementClass.FRINGE,
    "210": SettlementClass.RURAL,
    "220": SettlementClass.RURAL,
}


class Section(BaseModel):
    """A table of the plan file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanSection(Section):
    """``[plan]``."""

    name: str = Field(min_length=1, description="name of the plan, as reports show it")
    institution: str = Field("", description="the bank the plan is for")


class FileSource(Section):
    """A file of the user's, relative to the plan file."""

    path: str = Field(min_length=1, description="file, relative to the plan file")
    layer: str | None = Field(None, description="layer of the file, where it has several")
    datum: str | None = Field(
        None, description="wgs84, cgcs2000, gcj02, bd09 or EPSG:n; default: the file's own CRS, else wgs84"
    )
    encoding: str | None = Field(None, description="text encoding, where neither the file nor its .cpg tells the truth")


class AreaSource(FileSource):
    """``[areas.LEVEL]``."""

    code: str | None = Field(None, description="column of the area code")
    name: str | None = Field(None, description="column of the name")
    settlement: str | None = Field(None, description="column of the three-digit settlement class code")


class DedicatedSource(FileSource):
    """``[dedicated]``: polygons carved out as grids of their own before all others."""

    id: str | None = Field(None, description="column of the identifier; default: id, 编号 and their like")
    name: str | None = Field(None, description="column of the name")


class LockedSource(FileSource):
    """``[locked]``: grids of an earlier plan that keep their shape and their code."""

    code: str | None = Field(None, description="column of the grid code; default: grid_code, 网格编码 and their like")
    name: str | None = Field(None, description="column of the name")


class LineSource(FileSource):
    """A file of lines."""

    class_column: str | None = Field(None, description="column of the class of a line; default: class, highway, 等级")
    classes: list[str] | None = Field(None, description="classes that are used; default: every line")


class RoadSource(LineSource):
    """``[roads]``: the borders of blocks, and what distance is measured along where ``coverage.distance`` says so."""

    min_block_m2: float = Field(
        20_000.0,
        ge=0,
        allow_inf_nan=False,
        description="blocks smaller than this join the neighbour they share most border with, m²",
    )
    profile: Profile | None = Field(None, description="who travels along the roads: walking (default) or driving")
    measure: Measure | None = Field(
        None,
        description="what decides who is reached: metres (default) of the shortest way, or minutes of the quickest",
    )
    minutes: dict[FacilityKind, tuple[Minutes, Minutes]] | None = Field(
        None, description="kind → [urban, rural] travel time, minutes; needed of every kind where minutes decide"
    )
    speed_kmh: dict[str, Speed] | None = Field(
        None, description="class of road → speed, km/h, instead of the one known for it"
    )
    max_off_m: Metres | None = Field(None, description="farthest a place may lie from a road, metres; default: 2000")


class StaffSource(FileSource):
    """``[staff]``: the people who hold grids."""

    columns: dict[str, str] = Field(default_factory=dict, description="our column name → the file's")


class PreviousSource(FileSource):
    """``[previous]``: the plan before this one: equal ground keeps its code, no other ground is given it."""


class FacilitySource(FileSource):
    """``[facilities.outlets]`` and ``[facilities.devices]``."""

    kind: FacilityKind | None = Field(None, description="kind of every row, where the file has no kind column")
    columns: dict[str, str] = Field(default_factory=dict, description="our column name → the file's")


class DemandSource(FileSource):
    """``[demand]``: points with a value, polygons with a value, or a raster."""

    value: str | None = Field(None, description="column of the value; a raster has none")
    unit: str = Field("people", description="what the value counts: people, customers, yuan")


class FacilitySources(Section):
    """``[facilities]``."""

    outlets: FacilitySource | None = None
    devices: FacilitySource | None = None


class PartitionSection(Section):
    """``[partition]``."""

    resolution: int = Field(9, ge=0, le=15, description="H3 resolution of the cells")


class GridSection(Section):
    """``[grids]``."""

    base: Literal["village", "block", "cell"] | None = Field(
        None, description="what grids are made of; default: villages where given, blocks where roads are, else cells"
    )
    urban_base: Literal["village", "block", "cell"] | None = Field(
        None, description="what grids are made of on urban and fringe ground; default: as ``base``"
    )
    within: AreaLevel | None = Field(
        None, description="level whose borders no grid crosses; default: the level above the base, else the county"
    )
    target_demand: float | None = Field(None, gt=0, allow_inf_nan=False, description="demand each grid should hold")
    count: int | None = Field(None, ge=1, description="number of grids, dedicated and locked ones not counted")
    one_per: Literal["outlet"] | None = Field(None, description="one grid for each outlet")
    outlets: Literal["own", "all"] = Field(
        "own", description="whose outlets lead grids: those of plan.institution, where any is, or those of all banks"
    )
    mode: Literal["anchored", "free", "nearest"] = Field(
        "anchored", description="each grid holds its outlet, most compact, or whatever is nearest to each outlet"
    )
    targets: Literal["equal", "capacity"] = Field(
        "equal", description="demand of the grids of one parent: equal, or by the capacity of their outlets"
    )
    tolerance: float = Field(0.05, gt=0, lt=1, description="allowed deviation from the target, as a share")
    compactness: float = Field(0.5, ge=0, le=1, description="how much short borders count once the balance holds")
    min_area_m2: float | None = Field(None, gt=0, allow_inf_nan=False, description="smallest grid, m²")
    max_area_m2: float | None = Field(None, gt=0, allow_inf_nan=False, description="largest grid, m²")
    min_demand: float | None = Field(None, ge=0, allow_inf_nan=False, description="least demand of a grid")
    max_demand: float | None = Field(None, gt=0, allow_inf_nan=False, description="most demand of a grid")
    max_radius_m: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="farthest a grid's ground may lie from its centre, metres"
    )
    min_centre_distance_m: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="nearest two centres of grids may lie, metres"
    )
    buffer_m: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="how far around its outlet a grid must reach, metres"
    )
    sub_demand: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="grids of more demand are divided into sub-grids of about this much",
    )
    super_demand: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="grids are gathered into super-grids of about this much demand"
    )
    seed: int = Field(1, ge=0, description="seed of what is tried in random order")


class StaffingSection(Section):
    """``[staffing]``."""

    grids_per_person: int = Field(1, ge=1, description="most grids a person holds")
    officers_per_grid: int = Field(1, ge=0, description="fewest officers of a grid")
    demand_per_officer: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="demand one officer can look after; default: not asked"
    )
    part_time_weight: float = Field(0.5, gt=0, le=1, description="part of a full-time officer a part-time one counts")


class DensitySection(Section):
    """``[density]``: settlement class by density of people, where no class code is given."""

    use: bool = Field(True, description="whether ground without a class code is classed by density")
    centre_per_km2: float = Field(
        1500.0, gt=0, allow_inf_nan=False, description="density of an urban centre, people/km²"
    )
    centre_people: float = Field(50_000.0, gt=0, allow_inf_nan=False, description="people of an urban centre, together")
    cluster_per_km2: float = Field(
        300.0, gt=0, allow_inf_nan=False, description="density of an urban cluster, people/km²"
    )
    cluster_people: float = Field(
        5_000.0, gt=0, allow_inf_nan=False, description="people of an urban cluster, together"
    )


class CoverageSection(Section):
    """``[coverage]``."""

    radius_m: dict[FacilityKind, tuple[Metres, Metres]] = Field(
        default_factory=dict, description="kind → [urban, rural] service radius, metres"
    )
    distance: Literal["geodesic", "network"] = Field("geodesic", description="how distance is measured")
    crossing_ceiling_urban: int = Field(3, ge=1, description="more outlets than this on urban ground is over-served")
    crossing_floor_rural: int = Field(1, ge=0, description="fewer outlets than this on rural ground is under-served")
    cooperating_outlets: int = Field(3, ge=0, description="most cooperating outlets a grid lists")

    def radius_of(self, kind: FacilityKind, settlement: SettlementClass) -> float:
        """Service radius of ``kind`` on ground of ``settlement``, metres."""
        urban, rural = self.radius_m.get(kind, DEFAULT_RADIUS_M[kind])
        return rural if settlement is SettlementClass.RURAL else urban


class ProfileSection(Section):
    """``[profile]``: rules of the field that a user can correct."""

    settlement_of_code: dict[str, SettlementClass] = Field(
        default_factory=lambda: dict(DEFAULT_SETTLEMENT_OF_CODE), description="settlement class code → class"
    )
    default_settlement: SettlementClass = Field(
        SettlementClass.RURAL, description="class of ground whose areas carry no class code"
    )


class PlanSettings(Section):
    """A whole plan file."""

    plan: PlanSection
    areas: dict[AreaLevel, AreaSource] = Field(min_length=1)
    facilities: FacilitySources = Field(default_factory=lambda: FacilitySources())
    demand: DemandSource | None = None
    dedicated: DedicatedSource | None = None
    locked: LockedSource | None = None
    roads: RoadSource | None = None
    barriers: LineSource | None = None
    staff: StaffSource | None = None
    previous: PreviousSource | None = None
    partition: PartitionSection = Field(default_factory=lambda: PartitionSection())
    grids: GridSection = Field(default_factory=lambda: GridSection())
    staffing: StaffingSection = Field(default_factory=lambda: StaffingSection())
    density: DensitySection = Field(default_factory=lambda: DensitySection())
    coverage: CoverageSection = Field(default_factory=lambda: CoverageSection())
    profile: ProfileSection = Field(default_factory=lambda: ProfileSection())
