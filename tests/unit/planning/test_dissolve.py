"""Dissolving drops shared edges and nothing else: equal to GEOS's coverage union, vertex for vertex."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gridmap.errors import ProofFailed
from gridmap.planning.land.dissolve import dissolve

X0, Y0 = 1_112_000_000, 307_000_000


def squares(columns: int, rows: int, size: int = 10) -> np.ndarray:
    """Squares edge to edge, row by row from below."""
    return np.array(
        [
            shapely.box(X0 + size * x, Y0 + size * y, X0 + size * (x + 1), Y0 + size * (y + 1))
            for y in range(rows)
            for x in range(columns)
        ],
        dtype=object,
    )


def by_geos(pieces: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    return shapely.normalize(
        np.array([shapely.coverage_union_all(pieces[group == number]) for number in range(count)], dtype=object)
    )


@pytest.mark.parametrize("count", [2, 3, 7, 40])
@pytest.mark.parametrize("seed", range(5))
def test_scattered_groups_with_holes_parts_and_corners_that_touch_are_what_geos_makes(count: int, seed: int) -> None:
    pieces = squares(17, 13)
    group = np.random.default_rng(seed).permutation(np.arange(len(pieces)) % count)
    found = dissolve(pieces, group, count)
    assert shapely.is_valid(found).all()
    assert shapely.to_wkb(found).tolist() == shapely.to_wkb(by_geos(pieces, group, count)).tolist()


def test_pieces_with_holes_and_parts_are_summed() -> None:
    ring = shapely.difference(shapely.box(0, 0, 30, 30), shapely.box(10, 10, 20, 20))
    pieces = np.array([ring, shapely.box(10, 10, 20, 20), shapely.MultiPolygon([shapely.box(40, 0, 50, 9)])])
    assert dissolve(pieces, np.array([0, 0, 0]), 1)[0].equals(
        shapely.MultiPolygon([shapely.box(0, 0, 30, 30), shapely.box(40, 0, 50, 9)])
    )
    alone = dissolve(pieces, np.array([0, 1, -1]), 2)
    assert alone[0].equals(ring)
    assert alone[1].equals(pieces[1])


def test_an_island_that_touches_the_shore_of_its_lake_stays_a_part_of_its_own() -> None:
    lake = shapely.difference(shapely.box(0, 0, 40, 40), shapely.Polygon([(20, 0), (40, 20), (20, 40), (0, 20)]))
    island = shapely.Polygon([(20, 0), (30, 20), (20, 30), (10, 20)])
    joined = dissolve(np.array([lake, island]), np.array([0, 0]), 1)[0]
    assert joined.is_valid
    assert joined.geom_type == "MultiPolygon"
    assert joined.area == lake.area + island.area


def test_pieces_that_overlap_are_refused() -> None:
    pieces = np.array([shapely.box(0, 0, 10, 10), shapely.Polygon([(0, 0), (10, 0), (10, 10), (5, 5)])])
    with pytest.raises(ProofFailed):
        dissolve(pieces, np.array([0, 0]), 1)
