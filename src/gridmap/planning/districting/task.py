"""What is to be divided and how, and what came of it: the seam between planning and the solvers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from gridmap.planning.service.reach import Floats, Rows


@dataclass(frozen=True)
class UnitGraph:
    """Units that are never cut, and which of them adjoin.

    Attributes
    ----------
    demand : (n,) float64, not negative
    area_m2 : (n,) float64
    xy_m : (n, 2) float64, a point of each unit in a local plane, metres
    links : (m, 2) int64, units that share a border a district may cross; lower first, sorted, distinct
    border_m : (m,) float64, length of that border, metres
    outline_m : (n,) float64, length of each unit's whole outline, metres
    """

    demand: Floats
    area_m2: Floats
    xy_m: Floats
    links: Rows
    border_m: Floats
    outline_m: Floats

    def __len__(self) -> int:
        """Count of the units."""
        return len(self.demand)


@dataclass(frozen=True)
class Limits:
    """Bounds of every district; demand in its unit, areas in square metres."""

    min_demand: float = 0.0
    max_demand: float = np.inf
    min_area_m2: float = 0.0
    max_area_m2: float = np.inf


@dataclass(frozen=True)
class Task:
    """Units to be divided into ``len(target)`` districts.

    Attributes
    ----------
    target : (k,) float64, demand each district should hold; they sum to the demand of all units
    anchor : (k,) int64, unit each district must hold, -1 where it is free to lie anywhere
    tolerance : allowed deviation from the target, as a share of it
    compactness : 0 to 1, how much short borders count once the balance holds
    limits : bounds of every district
    seed : of what is tried in random order
    """

    graph: UnitGraph
    target: Floats
    anchor: Rows
    tolerance: float = 0.05
    compactness: float = 0.5
    limits: Limits = field(default_factory=Limits)
    seed: int = 1


class Reason(StrEnum):
    """Why a district is not what was asked for."""

    HEAVY_UNIT = "heavy_unit"
    """One unit holds more than target and tolerance; units are never cut."""
    ISLAND = "island"
    """Ground apart from all others holds too little or too much for a whole number of districts."""
    CHOKE_POINT = "choke_point"
    """The district can only grow or shrink through one narrow place."""
    COARSE_UNITS = "coarse_units"
    """No unit that can cross its border brings the district near enough to the target: units are too large for it."""
    ANCHORS_TOGETHER = "anchors_together"
    """Several outlets stand in one unit: only one of their districts can hold it."""
    TOO_FEW_UNITS = "too_few_units"
    """There are fewer units than districts asked for."""
    ENCLOSED = "enclosed"
    """Districts of other outlets shut this one in."""
    LIMITS = "limits"
    """A bound of demand or area cannot be kept together with the targets."""
    NOT_CONTIGUOUS = "not_contiguous"
    """The district has parts that do not adjoin, because the ground itself has."""


@dataclass(frozen=True)
class Shortfall:
    """One thing that was asked for and cannot be.

    Attributes
    ----------
    reason : why
    district : number of the district concerned
    unit : the unit that stands in the way, -1 where it is no single one
    wanted, got : demand (or m², for bounds of area) asked for and come to
    """

    reason: Reason
    district: int
    unit: int
    wanted: float
    got: float


@dataclass(frozen=True)
class Districts:
    """A division.

    Attributes
    ----------
    label : (n,) int64, district of each unit, 0 to k-1; a district is empty only with a shortfall that says why
    shortfalls : what could not be met, by district; empty where all was
    bound : least possible largest deviation that could be proved, as a share; 0 where nothing was proved
    """

    label: Rows
    shortfalls: tuple[Shortfall, ...]
    bound: float = 0.0
