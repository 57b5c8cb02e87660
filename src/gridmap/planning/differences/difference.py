"""What changed between two plans, in plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from gridmap.geometry.lattice import Geometries


class Way(StrEnum):
    """How the ground of two plans was compared: cell by cell, or by laying their grids over each other."""

    CELLS = "cells"
    OVERLAY = "overlay"


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is another one now; None where there was or is none."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Changed:
    """Something that is in both plans and is not the same; ``code`` is that of the later one."""

    code: str
    name: str | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class GridChanged:
    """A grid that is in both plans; gained and lost is ground that came from or went to another grid or nowhere.

    ``code_before`` differs from ``code`` where a grid was numbered anew: grids are the same where most of the ground
    of both is.
    """

    code: str
    code_before: str
    name: str | None
    changes: tuple[Change, ...]
    gained_m2: float
    lost_m2: float
    gained_demand: float
    lost_demand: float


@dataclass(frozen=True, slots=True)
class Named:
    """Something that is in one plan only; area and demand as that plan has them, None where it has none."""

    code: str
    name: str | None
    area_m2: float | None = None
    demand: float | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Ground that went from a grid to another: codes of the earlier and the later plan, None for no grid.

    ``cells`` are counted where the ground was compared cell by cell. ``demand`` is that of the later plan.
    """

    code_from: str | None
    code_to: str | None
    area_m2: float
    demand: float
    cells: int | None


@dataclass(frozen=True, slots=True)
class UnitMoved:
    """A base unit that lies in another grid as a whole."""

    unit_code: str
    code_from: str
    code_to: str
    area_m2: float
    demand: float


@dataclass(frozen=True, slots=True)
class FacilityMoved:
    """A facility that stands elsewhere, geodesic metres."""

    code: str
    name: str | None
    distance_m: float


@dataclass(frozen=True, slots=True)
class RuleChanged:
    """A rule with what breaks it anew and what no longer does; codes of the later plan, where it has them."""

    rule: str
    severity: str
    held_before: bool | None
    holds: bool | None
    newly_broken_by: tuple[str, ...]
    mended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all ground that went from a grid to another; shares of all ground and demand of the later plan.

    ``ground_added_m2`` and ``ground_removed_m2`` lie in grids of one plan only.
    """

    demand_unit: str
    moved_area_m2: float
    moved_area_share: float | None
    moved_demand: float
    moved_demand_share: float | None
    moved_cells: int | None
    ground_added_m2: float
    ground_removed_m2: float


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """Everything that changed between two plans; lists begin with what weighs most.

    ``ground`` holds the polygons of ``moves``, one each, lattice frame.
    """

    way: Way
    totals: Totals
    grids_added: tuple[Named, ...]
    grids_removed: tuple[Named, ...]
    grids_changed: tuple[GridChanged, ...]
    moves: tuple[Move, ...]
    units_moved: tuple[UnitMoved, ...]
    facilities_opened: tuple[Named, ...]
    facilities_closed: tuple[Named, ...]
    facilities_moved: tuple[FacilityMoved, ...]
    facilities_changed: tuple[Changed, ...]
    staff_joined: tuple[Named, ...]
    staff_left: tuple[Named, ...]
    staff_changed: tuple[Changed, ...]
    gaps_new: tuple[Named, ...]
    gaps_gone: tuple[Named, ...]
    rules: tuple[RuleChanged, ...]
    settings: tuple[Change, ...]
    indicators: tuple[Change, ...]
    ground: Geometries

    @property
    def is_nothing(self) -> bool:
        """Whether the plans are the same in all that is compared."""
        return not any(getattr(self, one.name) for one in fields(self) if one.name not in ("way", "totals", "ground"))

    def document(self) -> dict[str, Any]:
        """Everything but the polygons, as JSON has it."""
        parts = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "ground"}
        return {name: _plain(part) for name, part in parts.items()}


def _plain(part: Any) -> Any:
    if isinstance(part, tuple):
        return [asdict(one) for one in part]
    return part.value if isinstance(part, Way) else asdict(part)
