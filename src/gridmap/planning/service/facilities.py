"""Facilities as arrays: where they stand, of which kind they are, how far they reach."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import CoverageSection
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.reach import EarthPoints, Floats, Rows

#: Facility kinds in the order of their numbers in arrays.
KINDS: tuple[FacilityKind, ...] = tuple(FacilityKind)

_IS_OUTLET = np.array([kind.is_outlet for kind in KINDS])


@dataclass(frozen=True)
class Facilities:
    """Outlets and devices of a plan, one row each.

    Attributes
    ----------
    ids : (m,) object, str
    kind : (m,) int64, index into ``KINDS``
    points : where they stand
    service_radius_m : (m,) float64, metres, NaN where the plan's radius of the kind holds
    capacity : (m,) float64, in the unit of demand, NaN where unknown
    names : (m,) str, "" where unknown; like the next three empty where facilities are mere places
    institutions : (m,) str, bank each belongs to, "" where unknown
    branches : (m,) str, name or identifier of the branch that manages each, "" where unknown
    line_numbers : (m,) str, bank line number as given, "" where unknown
    bank : bank whose outlets alone lead grids, "" where those of all banks do
    """

    ids: NDArray[np.object_]
    kind: Rows
    points: EarthPoints
    service_radius_m: Floats
    capacity: Floats
    names: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    line_numbers: tuple[str, ...] = ()
    bank: str = ""

    @classmethod
    def from_frame(cls, frame: gpd.GeoDataFrame, bank: str = "") -> Facilities:
        """Facilities of a frame as ``PlanInputs`` holds it."""
        return cls(
            frame["facility_id"].to_numpy(dtype=object),
            np.array([KINDS.index(FacilityKind(kind)) for kind in frame["kind"]], dtype=np.int64),
            EarthPoints(frame["lon"].to_numpy(dtype=np.float64), frame["lat"].to_numpy(dtype=np.float64)),
            frame["service_radius_m"].to_numpy(dtype=np.float64),
            frame["capacity"].to_numpy(dtype=np.float64),
            _texts(frame, "name"),
            _texts(frame, "institution"),
            _texts(frame, "branch"),
            _texts(frame, "line_number"),
            bank,
        )

    def __len__(self) -> int:
        """Count of the facilities."""
        return len(self.ids)

    @cached_property
    def is_outlet(self) -> NDArray[np.bool_]:
        """(m,) whether each is an outlet; else it is a device."""
        return _IS_OUTLET[self.kind]

    @cached_property
    def outlets(self) -> Rows:
        """Rows of the outlets."""
        return np.flatnonzero(self.is_outlet)

    @cached_property
    def leading(self) -> Rows:
        """Rows of the outlets that can be responsible for grids.

        Those of ``bank`` and those of which no bank is known; where none is known to be of ``bank``, all of them.
        """
        told = np.array(self.institutions or ("",) * len(self), dtype=object)[self.outlets]
        if not self.bank or not (told == self.bank).any():
            return self.outlets
        return np.asarray(self.outlets[(told == self.bank) | (told == "")])

    def of_kind(self, kind: FacilityKind) -> Rows:
        """Rows of one kind."""
        return np.flatnonzero(self.kind == KINDS.index(kind))

    def radius_m(self, coverage: CoverageSection) -> Floats:
        """(m, classes) float64: service radius of each facility on ground of each settlement class, metres."""
        of_plan = np.array([[coverage.radius_of(kind, settlement) for settlement in CLASSES] for kind in KINDS])
        own = self.service_radius_m[:, None]
        return np.where(np.isnan(own), of_plan[self.kind], own)


def _texts(frame: gpd.GeoDataFrame, column: str) -> tuple[str, ...]:
    """Texts of a column, "" where one is missing or there is no such column."""
    if column not in frame:
        return ("",) * len(frame)
    return tuple(text if isinstance(text, str) else "" for text in frame[column])
