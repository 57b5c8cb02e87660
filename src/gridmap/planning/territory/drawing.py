"""Draw the grids of a plan: carved ground first, then every parent area divided as the settings ask."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridmap.domain.kinds import AreaLevel, BaseUnitKind
from gridmap.domain.plan_settings import GridSection
from gridmap.planning.districting.draw import draw
from gridmap.planning.districting.task import Limits, Reason, Shortfall, Task
from gridmap.planning.land.base_units import BaseUnits
from gridmap.planning.land.hierarchy import Hierarchy
from gridmap.planning.service.facilities import Facilities
from gridmap.planning.service.reach import Floats, Rows
from gridmap.planning.territory.allotment import Sites, anchors_of, best_of_each_unit, count_of, targets_of
from gridmap.planning.territory.atoms import Atoms
from gridmap.planning.territory.heavy_units import HeavyUnits, set_apart
from gridmap.planning.territory.nearest import nearest_outlet

_NO_LIMIT = float("inf")


@dataclass(frozen=True)
class Drawn:
    """Grids as they were drawn, without codes, in no particular order.

    Attributes
    ----------
    of_cell : (n,) int64
    target : (g,) float64, NaN where nothing was asked
    anchor : (g,) int64, facility row, -1 without one
    carved : (g,) int64, row of the dedicated or locked ground, -1 for others
    kind : (g,) BaseUnitKind of carved ground, None for others
    parent : (g,) int64, number of the parent area each was drawn in, -1 for carved ground
    shortfalls : ``district`` is the grid, -1 where it came to nothing; ``unit`` the base unit, -1 where it is no single
    bound : least possible largest deviation that was proved, as a share
    """

    of_cell: Rows
    target: Floats
    anchor: Rows
    carved: Rows
    kind: tuple[BaseUnitKind | None, ...]
    parent: Rows
    shortfalls: tuple[Shortfall, ...]
    bound: float


@dataclass
class _Collected:
    """Grids of parents, gathered one parent after the other."""

    label: Rows
    target: list[Floats]
    anchor: list[Rows]
    parent: list[Rows]
    shortfalls: list[Shortfall]
    bound: float = 0.0
    count: int = 0

    def add(self, rows: Rows, label: Rows, target: Floats, anchor: Rows, parent: int) -> None:
        self.label[rows] = self.count + label
        self.target.append(target)
        self.anchor.append(anchor)
        self.parent.append(np.full(len(target), parent, dtype=np.int64))
        self.count += len(target)


def parent_level(settings: GridSection, hierarchy: Hierarchy, base: tuple[BaseUnitKind, ...]) -> AreaLevel | None:
    """Level whose borders no grid crosses; None where all areas together are one parent.

    Parameters
    ----------
    base : of each lowest-level area
    """
    if settings.within is not None and hierarchy.at(settings.within) is not None:
        return settings.within
    if BaseUnitKind.VILLAGE in base:
        return hierarchy.levels[-2].level if len(hierarchy.levels) > 1 else None
    return hierarchy.lowest.level


def draw_territories(
    settings: GridSection,
    parent_of_area: Rows,
    units: BaseUnits,
    atoms: Atoms,
    facilities: Facilities,
    cell: Rows,
    names: list[str],
) -> Drawn:
    """Divide the atoms of every parent and add the carved ground.

    Parameters
    ----------
    parent_of_area : (k,) int64, number of the parent of each lowest-level area
    cell : (m,) int64, cell each facility stands in, -1 outside every area
    names : of the parents, as errors show them

    Raises
    ------
    PlanError
        If the count asked for is fewer than the parents or more than there are units.
    """
    parent = parent_of_area[atoms.area]
    made = _Collected(np.full(len(atoms), -1, dtype=np.int64), [], [], [], [])
    divided = _is_divided(settings, units)[atoms.unit]
    singles = np.flatnonzero(~divided)
    made.add(singles, np.arange(len(singles)), np.full(len(singles), np.nan), np.full(len(singles), -1), -1)
    made.parent[0] = parent[singles]
    outlets = facilities.leading[cell[facilities.leading] >= 0]
    stands_on = atoms.of_cell[cell[outlets]]
    kept = np.flatnonzero(stands_on >= 0)
    everywhere = Sites(outlets[kept], stands_on[kept])
    numbers = np.unique(parent[divided])
    rows = [np.flatnonzero((parent == number) & divided) for number in numbers.tolist()]
    sites = [_sites_on(everywhere, of_parent) for of_parent in rows]
    demand = np.array([atoms.demand[of_parent].sum() for of_parent in rows])
    sizes = np.array([len(of_parent) for of_parent in rows], dtype=np.int64)
    if settings.mode == "nearest":
        for number, of_parent, here in zip(numbers.tolist(), rows, sites, strict=True):
            _nearest(made, atoms, of_parent, here if len(here.outlet) else None, everywhere, facilities, number)
        return _with_carved(made, atoms, units)
    counts = count_of(settings, demand, sites, sizes, [names[number] for number in numbers.tolist()])
    for number, of_parent, here, count in zip(numbers.tolist(), rows, sites, counts.tolist(), strict=True):
        _divide(made, settings, atoms, of_parent, here, count, facilities, number)
    return _with_carved(made, atoms, units)


def _is_divided(settings: GridSection, units: BaseUnits) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether units of each kind are gathered into grids; else each is one."""
    asked = settings.count is not None or settings.target_demand is not None or settings.one_per is not None
    gathers = asked or settings.mode == "nearest"
    return np.array([gathers or kind is BaseUnitKind.CELLS for kind in units.kind], dtype=np.bool_)


def _sites_on(everywhere: Sites, rows: Rows) -> Sites:
    place = np.searchsorted(rows, everywhere.atom)
    found = np.flatnonzero(np.r_[rows, -1][place] == everywhere.atom)
    return Sites(everywhere.outlet[found], place[found])


def _nearest(
    made: _Collected,
    atoms: Atoms,
    rows: Rows,
    here: Sites | None,
    everywhere: Sites,
    facilities: Facilities,
    parent: int,
) -> None:
    outlet = facilities.leading if here is None else here.outlet
    if not len(outlet):
        made.add(rows, np.zeros(len(rows), dtype=np.int64), np.array([np.nan]), np.array([-1]), parent)
        return
    graph = atoms.graph(rows)
    chosen = nearest_outlet(atoms.points.take(rows), graph.links, graph.border_m, facilities.points.take(outlet))
    used, label = np.unique(chosen, return_inverse=True)
    anchor = outlet[used] if here is not None else np.full(len(used), -1)
    made.add(rows, label.reshape(-1), np.full(len(used), np.nan), anchor, parent)


def _divide(
    made: _Collected,
    settings: GridSection,
    atoms: Atoms,
    rows: Rows,
    sites: Sites,
    count: int,
    facilities: Facilities,
    parent: int,
) -> None:
    by_outlet = settings.count is None and settings.target_demand is None
    if not by_outlet:
        graph = atoms.graph(rows)
        heavy = set_apart(graph, count, settings.target_demand, settings.tolerance)
        _add_heavy(made, atoms, rows, sites, heavy, facilities, parent)
        left = np.flatnonzero(heavy.grid < 0)
        rows, sites, count = rows[left], _sites_on(sites, left), heavy.count
    if len(rows):
        _divide_rest(made, settings, atoms, rows, sites, count, facilities, parent)


def _add_heavy(
    made: _Collected, atoms: Atoms, rows: Rows, sites: Sites, heavy: HeavyUnits, facilities: Facilities, parent: int
) -> None:
    """Grids of units that alone hold too much, each with the best outlet that stands on it."""
    demand = atoms.demand[rows[heavy.unit]]
    anchor = np.full(len(heavy.unit), -1, dtype=np.int64)
    for number, unit in enumerate(heavy.unit.tolist()):
        here = sites.take(np.flatnonzero(sites.atom == unit))
        if len(here.outlet):
            anchor[number] = here.outlet[best_of_each_unit(here, facilities)[0]]
        made.shortfalls.append(
            Shortfall(
                Reason.HEAVY_UNIT,
                made.count + number,
                int(atoms.unit[rows[unit]]),
                heavy.mean,
                float(demand[number]),
            )
        )
        # It is never cut, so whatever is drawn, one grid is off by this much.
        made.bound = max(made.bound, float(demand[number]) / heavy.mean - 1)
    held = heavy.grid >= 0
    made.add(rows[held], heavy.grid[held], np.full(len(heavy.unit), heavy.mean), anchor, parent)


def _divide_rest(
    made: _Collected,
    settings: GridSection,
    atoms: Atoms,
    rows: Rows,
    sites: Sites,
    count: int,
    facilities: Facilities,
    parent: int,
) -> None:
    graph = atoms.graph(rows)
    site = anchors_of(settings, count, sites, graph, facilities)
    drawn_round = np.r_[sites.outlet, -1][site]
    task = Task(
        graph,
        targets_of(settings, site, sites, float(graph.demand.sum()), facilities),
        np.r_[sites.atom, -1][site],
        settings.tolerance,
        settings.compactness,
        limits_of(settings),
        settings.seed,
    )
    districts = draw(task)
    held, label = np.unique(districts.label, return_inverse=True)
    number = np.full(len(task.target), -1, dtype=np.int64)
    number[held] = np.arange(len(held)) + made.count
    unit = atoms.unit[rows]
    for short in districts.shortfalls:
        stands = int(unit[short.unit]) if short.unit >= 0 else -1
        made.shortfalls.append(replace(short, district=int(number[short.district]), unit=stands))
    made.bound = max(made.bound, districts.bound)
    made.add(rows, label.reshape(-1), task.target[held], drawn_round[held], parent)


def limits_of(settings: GridSection) -> Limits:
    """Bounds of every grid, as the settings ask."""
    return Limits(
        settings.min_demand or 0.0,
        settings.max_demand or _NO_LIMIT,
        settings.min_area_m2 or 0.0,
        settings.max_area_m2 or _NO_LIMIT,
    )


def _with_carved(made: _Collected, atoms: Atoms, units: BaseUnits) -> Drawn:
    """Grids of all parents, and after them one for each carved ground."""
    of_cell = np.where(atoms.of_cell >= 0, made.label[atoms.of_cell], -1)
    kinds: list[BaseUnitKind | None] = [None] * made.count
    carved = [np.full(made.count, -1, dtype=np.int64)]
    for kind in (BaseUnitKind.DEDICATED, BaseUnitKind.LOCKED):
        of_kind = np.array([one is kind for one in units.kind], dtype=np.bool_)
        ground = np.unique(units.carved[of_kind])
        cells = of_kind[atoms.ground.unit]
        of_cell[cells] = len(kinds) + np.searchsorted(ground, units.carved[atoms.ground.unit[cells]])
        kinds += [kind] * len(ground)
        carved.append(ground)
    extra = len(kinds) - made.count
    return Drawn(
        of_cell,
        np.concatenate([*made.target, np.full(extra, np.nan)]),
        np.concatenate([*made.anchor, np.full(extra, -1)]).astype(np.int64),
        np.concatenate(carved).astype(np.int64),
        tuple(kinds),
        np.concatenate([*made.parent, np.full(extra, -1)]).astype(np.int64),
        tuple(made.shortfalls),
        made.bound,
    )
