"""Settlement classes by density, against a flood fill that walks from cell to cell."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import h3
import numpy as np
import pytest
import shapely

from gridmap.domain.kinds import AreaLevel, SettlementClass
from gridmap.domain.plan_settings import DensitySection
from gridmap.geometry.lattice import geometries_to_units
from gridmap.planning.land.demand import SpreadDemand
from gridmap.planning.land.density import (
    MAJORITY,
    MOST_HOLE_M2,
    density_applies,
    density_classes,
    settlement_of_cells,
    statistical_cells,
    with_settlement,
)
from gridmap.planning.land.ground import CLASSES, Ground
from gridmap.planning.land.hierarchy import build_hierarchy

URBAN, FRINGE, RURAL = (CLASSES.index(name) for name in SettlementClass)
MIDDLE = (30.3, 111.3)


def hexagons(cells: list[str]) -> Ground:
    """Whole cells as ground, linked as H3 says."""
    row = {cell: number for number, cell in enumerate(cells)}
    links = sorted(
        {
            (min(row[cell], row[near]), max(row[cell], row[near]))
            for cell in cells
            for near in h3.grid_disk(cell, 1)
            if near != cell and near in row
        }
    )
    shapes = [shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]) for cell in cells]
    count, nothing = len(cells), np.zeros(len(cells), dtype=np.int64)
    return Ground(
        np.array([int(cell, 16) for cell in cells], dtype=np.uint64),
        nothing,
        nothing,
        geometries_to_units(np.array(shapes, dtype=object)),
        np.array(links, dtype=np.int64).reshape(-1, 2),
        np.ones(len(links)),
        np.ones(len(links)),
        np.full(count, RURAL),
    )


def disk(rings: int, resolution: int = 8) -> list[str]:
    return sorted(h3.grid_disk(h3.latlng_to_cell(*MIDDLE, resolution), rings))


def plainly(cells: list[str], area_m2: np.ndarray, people: np.ndarray, settings: DensitySection) -> list[int]:
    """Do the same by sets and flood fill on H3's own neighbours, for cells of resolution 8 or wider."""
    known = set(cells)
    density = dict(zip(cells, people / (area_m2 / 1e6), strict=True))
    held, size = dict(zip(cells, people, strict=True)), dict(zip(cells, area_m2, strict=True))

    def near(cell: str) -> set[str]:
        return (set(h3.grid_disk(cell, 1)) - {cell}) & known

    def floods(chosen: set[str]) -> list[set[str]]:
        found, left = [], set(chosen)
        while left:
            stretch, rim = set(), {left.pop()}
            while rim:
                cell = rim.pop()
                stretch.add(cell)
                rim |= (near(cell) & chosen) - stretch
            left -= stretch
            found.append(stretch)
        return found

    def clusters(per_km2: float, least: float) -> list[set[str]]:
        dense = {cell for cell in cells if density[cell] >= per_km2}
        return [stretch for stretch in floods(dense) if sum(held[cell] for cell in stretch) >= least]

    centres = clusters(settings.centre_per_km2, settings.centre_people)
    grown = True
    while grown:
        taken = set().union(*centres) if centres else set()
        joins = [(c, cell) for c in centres for cell in known - taken if len(near(cell) & c) >= MAJORITY]
        for centre, cell in joins:
            centre.add(cell)
        grown = bool(joins)
    taken = set().union(*centres) if centres else set()
    holes: list[tuple[set[str], set[str]]] = []
    for stretch in floods(known - taken):
        rim = set().union(*(near(cell) for cell in stretch)) - stretch
        whole = all(len(near(cell)) == 6 for cell in stretch)
        around = [c for c in centres if rim & c]
        if whole and len(around) == 1 and sum(size[cell] for cell in stretch) < MOST_HOLE_M2:
            holes.append((around[0], stretch))
    for centre, stretch in holes:
        centre |= stretch
    urban = set().union(*centres) if centres else set()
    fringe_clusters = clusters(settings.cluster_per_km2, settings.cluster_people)
    fringe = set().union(*fringe_clusters) if fringe_clusters else set()
    return [URBAN if cell in urban else FRINGE if cell in fringe else RURAL for cell in cells]


@pytest.mark.parametrize("seed", range(30))
def test_classes_are_those_of_a_plain_flood_fill(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = [cell for cell in disk(12) if rng.random() > 0.04 * (seed % 3)]
    ground = hexagons(cells)
    # Towns of several sizes, and noise about both thresholds.
    middle = np.array([h3.cell_to_latlng(cell) for cell in cells])
    people = np.zeros(len(cells))
    for _ in range(6):
        town, reach, peak = rng.choice(len(cells)), rng.uniform(0.01, 0.05), rng.uniform(300, 4000)
        people += peak * np.exp(-((middle - middle[town]) ** 2).sum(axis=1) / reach**2)
    people = np.floor(people * rng.uniform(0.3, 1.7, len(cells)))
    settings = DensitySection(centre_people=float(rng.choice([5_000, 20_000, 50_000])))
    found = density_classes(ground, people, settings)
    assert found.tolist() == plainly(cells, ground.area_m2, people, settings)


def test_ground_that_a_centre_encloses_belongs_to_it() -> None:
    cells = disk(6)
    middle = h3.latlng_to_cell(*MIDDLE, 8)
    settings = DensitySection()
    ring = {near for near in h3.grid_disk(middle, 3) if h3.grid_distance(middle, near) >= 2}
    people = np.array([3000.0 if cell in ring else 0.0 for cell in cells])
    found = dict(zip(cells, density_classes(hexagons(cells), people, settings).tolist(), strict=True))
    # Seven empty cells, 5 km², lie enclosed: a hole of the centre, not countryside.
    assert {found[cell] for cell in h3.grid_disk(middle, 3)} == {URBAN}
    assert {found[cell] for cell in cells if h3.grid_distance(middle, cell) > 4} == {RURAL}


def test_ground_enclosed_by_a_centre_stays_what_it_is_where_it_is_too_large_or_the_plan_ends_there() -> None:
    cells, middle = disk(8), h3.latlng_to_cell(*MIDDLE, 8)
    ring = {near for near in cells if 4 <= h3.grid_distance(middle, near) <= 5}
    people = np.array([3000.0 if cell in ring else 0.0 for cell in cells])
    found = dict(zip(cells, density_classes(hexagons(cells), people, DensitySection()).tolist(), strict=True))
    assert found[middle] == RURAL  # 37 cells are 27 km²

    small = [cell for cell in disk(6) if cell != middle]
    ring = {near for near in small if 2 <= h3.grid_distance(middle, near) <= 3}
    people = np.array([3000.0 if cell in ring else 0.0 for cell in small])
    found = dict(zip(small, density_classes(hexagons(small), people, DensitySection()).tolist(), strict=True))
    assert {found[cell] for cell in h3.grid_ring(middle, 1)} == {RURAL}


def test_both_thresholds_must_be_reached_and_reaching_them_is_enough() -> None:
    ground = hexagons(disk(3))
    people = np.ceil(ground.area_m2 / 1e6 * 2000.0)
    all_people = float(people.sum())
    at = DensitySection(centre_per_km2=2000.0, centre_people=all_people, cluster_people=1.0)
    assert (density_classes(ground, people, at) == URBAN).all()
    too_few = at.model_copy(update={"centre_people": all_people + 1})
    assert (density_classes(ground, people, too_few) == FRINGE).all()
    too_thin = at.model_copy(update={"centre_per_km2": 2003.0})
    assert (density_classes(ground, people, too_thin) == FRINGE).all()
    neither = too_thin.model_copy(update={"cluster_people": all_people + 1})
    assert (density_classes(ground, people, neither) == RURAL).all()


def test_fine_cells_are_classed_by_the_square_kilometre_around_them() -> None:
    parents = disk(4)
    fine = sorted(cell for parent in parents for cell in h3.cell_to_children(parent, 9))
    rng = np.random.default_rng(3)
    of_parent = dict(zip(parents, rng.choice([0.0, 400.0, 3000.0], len(parents)), strict=True))
    # All people of a parent in one of its children: density is that of the parent all the same.
    first = {h3.cell_to_center_child(parent, 9) for parent in parents}
    people = np.array([of_parent[h3.cell_to_parent(cell, 8)] if cell in first else 0.0 for cell in fine])
    settings = DensitySection(centre_people=10_000.0)
    found = density_classes(hexagons(fine), people, settings)
    coarse_ground = hexagons(parents)
    expected = dict(
        zip(
            parents,
            plainly(parents, coarse_ground.area_m2, np.array([of_parent[cell] for cell in parents]), settings),
            strict=True,
        )
    )
    assert found.tolist() == [expected[h3.cell_to_parent(cell, 8)] for cell in fine]
    assert set(found.tolist()) == {URBAN, FRINGE, RURAL}


@pytest.mark.parametrize("resolution", [5, 8, 9, 10, 12, 15])
def test_statistical_cells_are_h3_s_own_parents(resolution: int) -> None:
    rng = np.random.default_rng(resolution)
    cells = [h3.latlng_to_cell(lat, lon, resolution) for lat, lon in rng.uniform([-80, -180], [80, 180], (50, 2))]
    found = statistical_cells(np.array([int(cell, 16) for cell in cells], dtype=np.uint64))
    assert [f"{cell:x}" for cell in found.tolist()] == [h3.cell_to_parent(cell, min(resolution, 8)) for cell in cells]


def test_density_is_of_the_ground_the_plan_has_not_of_the_whole_cell() -> None:
    cell = h3.latlng_to_cell(*MIDDLE, 8)
    whole = hexagons([cell])
    west, south, east, north = shapely.bounds(whole.geometry[0])
    half = shapely.intersection(whole.geometry[0], shapely.box(west, south, (west + east) / 2, north), grid_size=1)
    part = Ground(
        whole.cell, whole.area, whole.unit, np.array([half], dtype=object), whole.adjacency, whole.shared_m,
        whole.crossable_m, whole.settlement,
    )  # fmt: skip
    per_km2 = 1000.0 / (float(whole.area_m2[0]) / 1e6)
    settings = DensitySection(cluster_per_km2=per_km2 * 1.5, cluster_people=1.0)
    assert density_classes(whole, np.array([1000.0]), settings).tolist() == [RURAL]
    assert density_classes(part, np.array([1000.0]), settings).tolist() == [FRINGE]


def test_the_order_of_the_cells_changes_no_class() -> None:
    cells = disk(8)
    rng = np.random.default_rng(11)
    people = dict(zip(cells, np.floor(rng.gamma(0.5, 2500, len(cells))), strict=True))
    settings = DensitySection(centre_people=10_000.0)
    shuffled = rng.permutation(np.array(cells)).tolist()
    one, other = (
        dict(zip(order, density_classes(hexagons(order), np.array([people[c] for c in order]), settings), strict=True))
        for order in (cells, shuffled)
    )
    assert one == other
    assert set(one.values()) == {URBAN, FRINGE, RURAL}


def test_a_class_code_goes_before_density_its_own_before_the_upper_one_and_the_default_comes_last(
    areas_frame: Callable[..., gpd.GeoDataFrame],
) -> None:
    west, east = shapely.box(111, 30, 112, 31), shapely.box(112, 30, 113, 31)
    townships = areas_frame(AreaLevel.TOWNSHIP, {"990101001": west, "990101002": east})
    townships["settlement"] = ["fringe", None]
    villages = areas_frame(AreaLevel.VILLAGE, {"990101001001": west, "990101001002": west, "990101002001": east})
    villages["settlement"] = ["urban", None, None]
    hierarchy = build_hierarchy({AreaLevel.TOWNSHIP: townships, AreaLevel.VILLAGE: villages})
    area = np.array([2, 0, 1, 2])
    density = np.array([URBAN, RURAL, RURAL, FRINGE])
    default = SettlementClass.RURAL
    assert settlement_of_cells(hierarchy, area, density, default).tolist() == [URBAN, URBAN, FRINGE, FRINGE]
    assert settlement_of_cells(hierarchy, area, None, default).tolist() == [RURAL, URBAN, FRINGE, RURAL]


def test_density_applies_to_people_only() -> None:
    def demand(unit: str, stands_in: bool = False) -> SpreadDemand:
        return SpreadDemand(np.ones(1), unit, "f", stands_in, 1.0, 0.0, np.zeros(0), np.zeros((0, 2)))

    assert density_applies(demand("people"), DensitySection())
    assert not density_applies(demand("people"), DensitySection(use=False))
    assert not density_applies(demand("customers"), DensitySection())
    assert not density_applies(demand("m2", stands_in=True), DensitySection())


def test_ground_with_other_classes_is_not_measured_again() -> None:
    ground = hexagons(disk(1))
    measured = ground.area_m2
    classed = with_settlement(ground, np.full(len(ground), URBAN))
    assert classed.area_m2 is measured
    assert classed.settlement.tolist() == [URBAN] * len(ground)
    assert ground.settlement.tolist() == [RURAL] * len(ground)
