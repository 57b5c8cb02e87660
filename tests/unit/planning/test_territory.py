"""Ground goes to the nearest outlet, and what each outlet gets hangs together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod

from gridmap.planning.land.ground import Ground
from gridmap.planning.service.reach import EarthPoints
from gridmap.planning.territory.nearest import nearest_outlet

Made = Callable[..., Ground]


def outlets_at(*places: tuple[float, float]) -> EarthPoints:
    """Outlets by column and row of the made squares."""
    return EarthPoints(np.array([111 + x / 100 for x, _ in places]), np.array([30 + y / 100 for _, y in places]))


def draw(ground: Ground, outlets: EarthPoints) -> np.ndarray:
    return nearest_outlet(ground.points, ground.adjacency, ground.shared_m, outlets)


def stretches(ground: Ground, members: set[int]) -> int:
    """Count connected stretches of a set of rows, by walking."""
    links = ground.adjacency.tolist()
    found = 0
    while members:
        found += 1
        todo = [members.pop()]
        while todo:
            row = todo.pop()
            near = {b if a == row else a for a, b in links if row in (a, b)} & members
            members -= near
            todo += near
    return found


def test_every_cell_of_open_ground_goes_to_the_outlet_nearest_by_geodesic(made_ground: Made) -> None:
    ground = made_ground(12, 12)
    outlets = outlets_at((2.2, 3.1), (9.7, 8.8), (3.3, 10.2), (10.4, 1.9))
    truth = np.array(
        [
            Geod(ellps="WGS84").inv(np.full(4, lon), np.full(4, lat), outlets.lon, outlets.lat)[2].argmin()
            for lon, lat in zip(ground.points.lon.tolist(), ground.points.lat.tolist(), strict=True)
        ]
    )
    label = draw(ground, outlets)
    assert len(set(zip(label.tolist(), truth.tolist(), strict=True))) == 4 == label.max() + 1


@pytest.mark.parametrize(("east_m", "north_m", "joins"), [(500.0, 10.0, (3, 0)), (10.0, 500.0, (2, 1))])
def test_a_stretch_cut_off_from_its_grid_joins_the_neighbour_it_shares_most_border_with(
    made_ground: Made, east_m: float, north_m: float, joins: tuple[int, int]
) -> None:
    # The square at (2, 0) is nearest to the outlet at (0.5, 0.5), but linked to it only around, through others.
    places = [(0, 0), (2, 0), (3, 0), (4, 0), (5, 0), (0, 1), (2, 1), (0, 2), (1, 2), (2, 2), (2, 3)]
    ground = made_ground(6, 4, keep=[y * 6 + x for x, y in places])
    alone = places.index((2, 0))
    length_m = {places.index((3, 0)): east_m, places.index((2, 1)): north_m}
    shared_m = [
        length_m.get(b if a == alone else a, 1000.0) if alone in (a, b) else 1000.0 for a, b in ground.adjacency
    ]
    label = draw(replace(ground, shared_m=np.array(shared_m)), outlets_at((0.5, 0.5), (5.5, 0.5), (2.5, 3.3)))
    assert label[alone] == label[places.index(joins)] != label[places.index((0, 0))]
    for grid in range(int(label.max()) + 1):
        assert stretches(ground, set(np.flatnonzero(label == grid).tolist())) == 1


@pytest.mark.parametrize("seed", range(12))
def test_what_an_outlet_gets_hangs_together_within_each_connected_part_of_the_ground(
    made_ground: Made, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    keep = sorted(rng.choice(144, 90, replace=False).tolist())
    ground = made_ground(12, 12, keep=keep)
    label = draw(ground, outlets_at(*rng.uniform(0, 12, (5, 2)).tolist()))
    part = np.arange(len(ground))
    for _ in range(len(ground)):
        for a, b in ground.adjacency.tolist():
            part[[a, b]] = min(part[a], part[b])
    for piece in np.unique(part):
        inside = np.flatnonzero(part == piece)
        for outlet in np.unique(label[inside]):
            assert stretches(ground, set(inside[label[inside] == outlet].tolist())) == 1


def test_of_two_outlets_under_one_roof_the_first_gets_all(made_ground: Made) -> None:
    assert draw(made_ground(3, 1), outlets_at((1.5, 0.5), (1.5, 0.5))).tolist() == [0, 0, 0]
