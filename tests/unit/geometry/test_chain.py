"""Directed edges cancel to the boundary of the sum."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.geometry import chain
from gridmap.geometry.chain import Edges, cancel, edges_of, shared_borders, twice_area
from gridmap.geometry.lattice import pack, unpack


def square(x: float, y: float, size: float = 10) -> shapely.Polygon:
    return shapely.box(x, y, x + size, y + size)


def polygons(*made: shapely.Geometry) -> np.ndarray:
    return np.array(made, dtype=object)


@given(st.lists(st.tuples(st.integers(-1_800_000_000, 1_800_000_000), st.integers(-900_000_000, 900_000_000))))
def test_points_survive_packing_in_order(points: list[tuple[int, int]]) -> None:
    xy = np.array(points, np.int64).reshape(-1, 2)
    packed = pack(xy)
    assert np.array_equal(unpack(packed), xy)
    assert [points[row] for row in np.argsort(packed, kind="stable")] == sorted(points)


def test_two_squares_leave_the_border_of_the_pair() -> None:
    left = cancel(edges_of(polygons(square(0, 0), square(10, 0))))
    assert len(left) == 6
    assert twice_area(left) == 2 * 200


def test_rings_wound_either_way_count_alike() -> None:
    hole = shapely.Polygon(square(0, 0, 30).exterior.coords[::-1], [square(10, 10).exterior.coords])
    left = cancel(edges_of(polygons(hole, square(10, 10))))
    assert twice_area(left) == 2 * 900
    assert len(left) == 4


def test_a_doubled_piece_is_left_over_twice() -> None:
    left = cancel(edges_of(polygons(square(0, 0), square(0, 0))))
    assert len(left) == 8
    assert left.owner.tolist() == [0, 1] * 4


def test_empty_and_many_part_polygons() -> None:
    many = shapely.MultiPolygon([square(0, 0), square(50, 0)])
    edges = edges_of(polygons(shapely.Polygon(), many, square(10, 0)))
    assert set(edges.owner.tolist()) == {1, 2}
    assert twice_area(cancel(edges)) == 2 * 300
    assert len(edges_of(polygons())) == 0
    assert twice_area(Edges.join([])) == 0


def test_shared_borders_name_both_owners() -> None:
    pairs, start, end = shared_borders(edges_of(polygons(square(0, 0), square(10, 0), square(20, 0))))
    assert pairs.tolist() == [[0, 1], [1, 2]]
    assert sorted(np.abs(unpack(start) - unpack(end)).sum(axis=1).tolist()) == [10, 10]


@pytest.mark.parametrize("mixing", ["hashed", "colliding"])
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=60))
def test_cancelling_equals_counting(mixing: str, pairs: list[tuple[int, int]]) -> None:
    edges = Edges(
        np.array([a for a, b in pairs if a != b], np.int64),
        np.array([b for a, b in pairs if a != b], np.int64),
        np.arange(sum(a != b for a, b in pairs)),
    )
    with pytest.MonkeyPatch.context() as patch:
        if mixing == "colliding":
            # Every pair hashes alike: the exact sort must take over.
            patch.setattr(chain, "_MIX_LOW", np.uint64(0))
            patch.setattr(chain, "_MIX_HIGH", np.uint64(0))
        left = cancel(edges)
    expected: Counter[tuple[int, int]] = Counter()
    for a, b in zip(edges.start.tolist(), edges.end.tolist(), strict=True):
        expected[a, b] += 1
        expected[b, a] -= 1
    assert Counter(zip(left.start.tolist(), left.end.tolist(), strict=True)) == +expected


def test_areas_of_half_a_globe_do_not_overflow() -> None:
    wide = shapely.box(-900_000_000, -800_000_000, 900_000_000, 800_000_000)
    assert twice_area(edges_of(polygons(wide))) == 2 * 1_800_000_000 * 1_600_000_000
