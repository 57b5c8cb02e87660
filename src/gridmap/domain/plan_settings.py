"""What a plan is made with: the tables of the plan file, with their defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass

Metres = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]

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

    base: Literal["village", "block", "cell"] = Field("village", description="what grids are made of")
    target_demand: float | None = Field(None, gt=0, description="demand each grid should hold")
    count: int | None = Field(None, ge=1, description="number of grids")
    one_per: Literal["outlet"] | None = Field(None, description="one grid for each outlet")
    mode: Literal["anchored", "free"] = Field("anchored", description="each grid holds its outlet, or most compact")
    tolerance: float = Field(0.05, gt=0, lt=1, description="allowed deviation from the mean, as a share")


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
    dedicated: FileSource | None = None
    roads: FileSource | None = None
    staff: FileSource | None = None
    partition: PartitionSection = Field(default_factory=lambda: PartitionSection())
    grids: GridSection = Field(default_factory=lambda: GridSection())
    coverage: CoverageSection = Field(default_factory=lambda: CoverageSection())
    profile: ProfileSection = Field(default_factory=lambda: ProfileSection())
