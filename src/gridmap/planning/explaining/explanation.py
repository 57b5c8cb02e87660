"""What is to be known of why a piece of ground lies in its grid: plain values, ready for words or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Drawing(StrEnum):
    """How a grid came about."""

    ANCHORED = "anchored"
    FREE = "free"
    NEAREST = "nearest"
    UNIT = "unit"
    """Nothing was asked but that each base unit be a grid."""
    DEDICATED = "dedicated"
    LOCKED = "locked"


class Objection(StrEnum):
    """What speaks against moving ground to another grid."""

    CARVED = "carved"
    """The ground was carved out as dedicated or locked."""
    OTHER_CARVED = "other_carved"
    """The other grid is dedicated or locked and takes no ground."""
    PARENT = "parent"
    """The other grid lies in another parent area, whose border no grid crosses."""
    EMPTIES = "empties"
    """The grid would have nothing left."""
    BREAKS = "breaks"
    """The grid would fall into more parts."""
    APART = "apart"
    """The ground would be a part of the other grid that does not adjoin the rest of it."""
    LOSES_OUTLET = "loses_outlet"
    """The grid would lose the outlet it was drawn round."""
    LIMITS = "limits"
    """A bound of demand or area would be passed."""
    BALANCE = "balance"
    """The larger of the two deviations would grow beyond the tolerance."""
    CAPACITY = "capacity"
    """The other grid's outlet would hold more than its capacity."""
    BORDER = "border"
    """The border between grids would be longer."""
    DISTANCE = "distance"
    """The other grid's outlet is farther."""


#: What cannot be traded for anything else.
FORBIDDING: frozenset[Objection] = frozenset(
    {
        Objection.CARVED,
        Objection.OTHER_CARVED,
        Objection.PARENT,
        Objection.EMPTIES,
        Objection.BREAKS,
        Objection.APART,
        Objection.LOSES_OUTLET,
    }
)


class Verdict(StrEnum):
    """What comes of weighing a move."""

    FORBIDDEN = "forbidden"
    WORSE = "worse"
    EVEN = "even"
    BETTER = "better"


class Outcome(StrEnum):
    """Why the ground is where it is, of all that was weighed."""

    CARVED = "carved"
    """It is dedicated or locked ground."""
    ALONE = "alone"
    """Its grid has no neighbour."""
    ONLY_HERE = "only_here"
    """Every move is forbidden."""
    BEST_HERE = "best_here"
    """Every move is forbidden or worse."""
    EVEN = "even"
    """Some move would do as well."""
    COULD_MOVE = "could_move"
    """Some move would do better by itself; the grids were drawn for all of the ground together."""


@dataclass(frozen=True, slots=True)
class Place:
    """Ground that is explained: one row of ``cells``.

    ``areas`` are code and name of the areas that hold it, widest first; demand in the plan's unit, areas in m².
    """

    cell_id: str
    area_code: str
    areas: tuple[tuple[str, str], ...]
    lon: float
    lat: float
    settlement: str | None
    demand: float
    area_m2: float


@dataclass(frozen=True, slots=True)
class Unit:
    """Base unit it lies in: what moves as a whole. ``code`` is None where the cell moves by itself."""

    code: str | None
    kind: str
    cells: int
    demand: float
    area_m2: float


@dataclass(frozen=True, slots=True)
class Held:
    """A grid before a move and after it; ``target`` and deviations None where nothing was asked."""

    grid_code: str
    name: str
    kind: str
    locked: bool
    target: float | None
    demand: float
    demand_after: float
    deviation: float | None
    deviation_after: float | None
    area_m2: float
    area_m2_after: float
    parts: int
    parts_after: int


@dataclass(frozen=True, slots=True)
class Reached:
    """An outlet or device and how far it is, metres: from the place, and on average from what would move."""

    facility_id: str
    name: str
    kind: str
    distance_m: float | None
    mean_distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """What moving the base unit (or cell) to another grid would do.

    ``shared_m`` is the border it shares with that grid, ``border_change_m`` what all borders between grids together
    would gain (less is more compact), both metres; ``outlet`` the other grid's primary outlet.
    """

    own: Held
    other: Held
    shared_m: float
    border_change_m: float
    outlet: Reached | None
    outlet_load_after: float | None
    outlet_capacity: float | None
    objections: tuple[Objection, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one piece of ground is in its grid, and what each neighbouring grid would make of it.

    Attributes
    ----------
    place, unit : the ground, and what moves with it
    grid : its grid as it is (before and after alike)
    drawn : how the grid came about
    tolerance : allowed deviation, as a share
    parent_level, parent_code, parent_name : area whose border its grid may not cross, None where there is none
    outlet : the grid's primary outlet
    manager, officers : people of the grid, by name where the plan has it
    served_by : what reaches the place, nearest first
    covered_share : share of its ground within reach
    alternatives : best first
    outcome : what comes of them
    shortfalls : what was asked for its grid and could not be, in words
    barriers : the plan has barriers; a move across one is not told from others
    """

    place: Place
    unit: Unit
    grid: Held
    drawn: Drawing
    tolerance: float
    parent_level: str | None
    parent_code: str | None
    parent_name: str | None
    outlet: Reached | None
    manager: str | None
    officers: tuple[str, ...]
    served_by: tuple[Reached, ...]
    covered: bool
    covered_share: float
    crossing_degree: int
    alternatives: tuple[Alternative, ...]
    outcome: Outcome
    shortfalls: tuple[str, ...]
    barriers: bool
