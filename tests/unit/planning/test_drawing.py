"""Grids are drawn inside their parents, of whole base units, as many and round the outlets that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from gridmap.domain.kinds import BaseUnitKind
from gridmap.domain.plan_settings import GridSection
from gridmap.errors import BadValue, PlanError
from gridmap.planning.checks import check_settings
from gridmap.planning.districting.task import Reason
from gridmap.planning.land.base_units import BaseUnits
from gridmap.planning.land.components import connected_stretches
from gridmap.planning.land.ground import Ground
from gridmap.planning.service.facilities import Facilities
from gridmap.planning.territory.atoms import Atoms
from gridmap.planning.territory.drawing import Drawn, draw_territories

COLUMNS, ROWS = 12, 8


@pytest.fixture
def ground(made_ground: Callable[..., Ground]) -> Ground:
    """Squares in two areas, west and east of the sixth column, ordered by area."""
    made = made_ground(COLUMNS, ROWS)
    east = np.arange(COLUMNS * ROWS) % COLUMNS >= 6
    order = np.argsort(east, kind="stable")
    place = np.argsort(order)
    return replace(
        made,
        area=east[order].astype(np.int64),
        unit=east[order].astype(np.int64),
        geometry=made.geometry[order],
        adjacency=np.sort(place[made.adjacency], axis=1),
    )


def units_of(ground: Ground, kinds: Sequence[BaseUnitKind]) -> BaseUnits:
    """Lay out base units by their numbers in ``ground.unit``; carved ones are numbered kind by kind."""
    area = np.array([ground.area[ground.unit == unit][0] for unit in range(len(kinds))])
    carved = [
        kinds[:row].count(kind) if kind.value in ("dedicated", "locked") else -1 for row, kind in enumerate(kinds)
    ]
    shapes = np.array([None] * len(kinds), dtype=object)
    return BaseUnits(tuple(f"U{row}" for row in range(len(kinds))), area, tuple(kinds), np.array(carved), shapes)


def drawn(
    ground: Ground, units: BaseUnits, facilities: Facilities, demand: np.ndarray | None = None, **asked: object
) -> Drawn:
    cell = ground.locate(np.column_stack([facilities.points.lon, facilities.points.lat]))
    atoms = Atoms.of(ground, units, np.ones(len(ground)) if demand is None else demand)
    settings = GridSection.model_validate(asked)
    return draw_territories(settings, np.array([0, 1]), units, atoms, facilities, cell, ["西镇", "东镇"])


def assert_sound(ground: Ground, found: Drawn) -> None:
    """Every cell has a grid, every grid lies in one area and hangs together."""
    assert (found.of_cell >= 0).all()
    grids = found.of_cell.max() + 1
    assert len(np.unique(found.of_cell)) == grids == len(found.target) == len(found.anchor) == len(found.parent)
    assert connected_stretches(found.of_cell, ground.adjacency).max() + 1 == grids
    assert len(np.unique(found.of_cell * 2 + ground.area)) == grids


@pytest.fixture
def outlets(made_facilities: Callable[..., Facilities]) -> Facilities:
    return made_facilities(
        ("branch", 1.5, 1.5),
        ("self_service", 4.5, 6.5),
        ("branch", 8.5, 2.5),
        ("atm", 10.5, 6.5),
        capacity=[30, 10, 5, 1],
    )


OPEN = (BaseUnitKind.CELLS, BaseUnitKind.CELLS)


@pytest.mark.parametrize("mode", ["anchored", "free"])
def test_a_count_is_shared_by_the_parents_and_balanced_in_each(ground: Ground, outlets: Facilities, mode: str) -> None:
    found = drawn(ground, units_of(ground, OPEN), outlets, count=8, mode=mode)
    assert_sound(ground, found)
    assert np.bincount(found.parent).tolist() == [4, 4]
    assert np.bincount(found.of_cell).tolist() == [12] * 8


def test_one_grid_an_outlet_holds_its_outlet_and_devices_are_none(ground: Ground, outlets: Facilities) -> None:
    found = drawn(ground, units_of(ground, OPEN), outlets, one_per="outlet")
    assert_sound(ground, found)
    cell = ground.locate(np.column_stack([outlets.points.lon, outlets.points.lat]))
    assert found.anchor.tolist() == [0, 1, 2]
    assert found.of_cell[cell[:3]].tolist() == [0, 1, 2]
    assert found.target.tolist() == [24.0, 24.0, 48.0]


def test_targets_follow_capacity_inside_each_parent(ground: Ground, outlets: Facilities) -> None:
    found = drawn(ground, units_of(ground, OPEN), outlets, one_per="outlet", targets="capacity")
    assert found.target.tolist() == [36.0, 12.0, 48.0]
    assert np.bincount(found.of_cell).tolist() == [36, 12, 48]


def test_a_target_of_demand_gives_each_parent_its_number(ground: Ground, outlets: Facilities) -> None:
    demand = np.where(ground.area == 0, 3.0, 1.0)
    found = drawn(ground, units_of(ground, OPEN), outlets, demand, target_demand=24, mode="free")
    assert_sound(ground, found)
    assert np.bincount(found.parent).tolist() == [6, 2]


def test_the_nearest_outlet_of_the_same_parent_has_the_ground(ground: Ground, outlets: Facilities) -> None:
    found = drawn(ground, units_of(ground, OPEN), outlets, mode="nearest")
    assert_sound(ground, found)
    assert sorted(found.anchor.tolist()) == [0, 1, 2]
    assert np.isnan(found.target).all()


def test_base_units_are_never_cut_and_each_is_a_grid_where_nothing_else_is_asked(
    ground: Ground, outlets: Facilities
) -> None:
    rows = np.round((ground.points.lat - 30) * 100 - 0.5).astype(int)
    striped = replace(ground, unit=ground.area * 4 + rows // 2)
    units = units_of(striped, (BaseUnitKind.VILLAGE,) * 8)
    assert drawn(striped, units, outlets).of_cell.tolist() == striped.unit.tolist()
    gathered = drawn(striped, units, outlets, count=4, mode="free")
    assert_sound(striped, gathered)
    assert len(np.unique(striped.unit * 10 + gathered.of_cell)) == 8


def test_carved_ground_is_a_grid_of_its_own_and_counts_for_no_other(ground: Ground, outlets: Facilities) -> None:
    # Dedicated ground across both areas, a locked grid in the west.
    points = np.column_stack([(ground.points.lon - 111) * 100, (ground.points.lat - 30) * 100])
    middle = (np.abs(points - [6.0, 4.0]) < 1).all(axis=1)
    corner = (points < 1).all(axis=1)
    unit = np.select([middle & (ground.area == 0), corner], [1, 2], default=np.where(ground.area == 0, 0, 3))
    unit = np.where(middle & (ground.area == 1), 4, unit)
    order = np.argsort(unit, kind="stable")
    place = np.argsort(order)
    cut = replace(
        ground,
        area=ground.area[order],
        unit=unit[order],
        geometry=ground.geometry[order],
        adjacency=np.sort(place[ground.adjacency], axis=1),
    )
    kinds = (
        BaseUnitKind.CELLS,
        BaseUnitKind.DEDICATED,
        BaseUnitKind.LOCKED,
        BaseUnitKind.CELLS,
        BaseUnitKind.DEDICATED,
    )
    units = replace(units_of(cut, kinds), carved=np.array([-1, 0, 0, -1, 0]))
    found = drawn(cut, units, outlets, one_per="outlet")
    assert found.kind == (None, None, None, BaseUnitKind.DEDICATED, BaseUnitKind.LOCKED)
    assert found.of_cell[middle[order]].tolist() == [3] * 4
    assert found.of_cell[corner[order]].tolist() == [4]
    assert np.bincount(found.of_cell[(found.of_cell < 3)])[2] == 46


def test_a_barrier_is_not_crossed(ground: Ground, outlets: Facilities) -> None:
    # A river between the rows 3 and 4.
    row = np.round((ground.points.lat - 30) * 100 - 0.5).astype(int)
    a, b = ground.adjacency.T
    river = (np.minimum(row[a], row[b]) == 3) & (np.maximum(row[a], row[b]) == 4)
    parted = replace(ground, crossable_m=np.where(river, 0.0, ground.crossable_m))
    found = drawn(parted, units_of(parted, OPEN), outlets, count=8, mode="free")
    assert_sound(parted, found)
    assert len(np.unique(found.of_cell * 2 + (row > 3))) == 8


def test_a_unit_too_heavy_is_a_grid_of_its_own_and_said_to_be(ground: Ground, outlets: Facilities) -> None:
    demand = np.ones(len(ground))
    demand[0] = 100.0
    found = drawn(ground, units_of(ground, OPEN), outlets, demand, count=6, mode="free")
    assert_sound(ground, found)
    alone = int(found.of_cell[0])
    assert np.bincount(found.of_cell)[alone] == 1
    said = [short for short in found.shortfalls if short.reason is Reason.HEAVY_UNIT]
    assert [(short.district, short.unit, short.got) for short in said] == [(alone, 0, 100.0)]


def test_fewer_grids_than_parents_are_refused_by_name(ground: Ground, outlets: Facilities) -> None:
    with pytest.raises(PlanError, match="西镇"):
        drawn(ground, units_of(ground, OPEN), outlets, count=1)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"count": 4, "target_demand": 100}, "count, target_demand"),
        ({"target_demand": 100, "one_per": "outlet"}, "target_demand, one_per"),
        ({"min_demand": 20, "max_demand": 10}, "max_demand"),
        ({"min_area_m2": 2e6, "max_area_m2": 1e6}, "max_area_m2"),
    ],
)
def test_settings_that_contradict_themselves_are_refused_by_their_names(asked: dict[str, object], named: str) -> None:
    with pytest.raises(BadValue, match=named):
        check_settings(GridSection.model_validate(asked))
