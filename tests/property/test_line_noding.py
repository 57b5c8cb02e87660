"""Joined lines: every vertex on another line is one of its vertices, nothing else changes, in any order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.inputs.line_noding import join_lines

Point = tuple[int, int]
Walk = list[Point]

#: So small a ground that vertices often fall on edges.
points = st.tuples(st.integers(0, 6), st.integers(0, 6))
walks = st.lists(points, min_size=2, max_size=5).filter(lambda walk: all(a != b for a, b in pairwise(walk)))
networks = st.lists(walks, min_size=1, max_size=8)

TOLERANCE = 1e-6


def lies_within(point: Point, start: Point, end: Point) -> bool:
    """Whether a point of whole numbers lies on an edge and is none of its ends: exactly."""
    (px, py), (ax, ay), (bx, by) = point, start, end
    along = (px - ax) * (bx - ax) + (py - ay) * (by - ay)
    square = (bx - ax) ** 2 + (by - ay) ** 2
    return (bx - ax) * (py - ay) == (by - ay) * (px - ax) and 0 < along < square


def joined_by_hand(network: list[Walk]) -> list[Walk]:
    """Every edge against every vertex of the whole network."""
    every = {point for walk in network for point in walk}
    made = []
    for walk in network:
        drawn = [walk[0]]
        for start, end in pairwise(walk):
            on = {point for point in every if lies_within(point, start, end)}
            drawn += sorted(on, key=lambda point: (point[0] - start[0]) ** 2 + (point[1] - start[1]) ** 2)
            drawn.append(end)
        made.append(drawn)
    return made


def joined(network: list[Walk], reach: float = TOLERANCE) -> list[Walk]:
    lines = np.array([shapely.LineString(walk) for walk in network], dtype=object)
    return [[(int(x), int(y)) for x, y in line.coords] for line in join_lines(lines, TOLERANCE, reach)]


@given(networks)
def test_every_vertex_on_an_edge_becomes_its_vertex_and_nothing_else_does(network):
    assert joined(network) == joined_by_hand(network)


@given(networks)
def test_what_is_joined_stays_as_it_is(network):
    once = joined(network)
    assert joined(once) == once


@given(networks, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_none_of_them(network, rng):
    order = list(range(len(network)))
    rng.shuffle(order)
    there = joined(network)
    assert joined([network[row] for row in order]) == [there[row] for row in order]


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_a_loose_end_is_led_on_and_no_vertex_moves(seed, count):
    """Roads that start within reach of a long one, on either side of it: each meets it, and all keep their vertices."""
    rng = np.random.default_rng(seed)
    reach = 1e-3
    main = np.array([(0.0, 0.0), (10.0, 0.0), (20.0, 5.0)])
    trunk = shapely.LineString(main)
    along, off = rng.uniform(0.5, trunk.length - 0.5, count), rng.uniform(-0.9 * reach, 0.9 * reach, count)
    starts = np.array([trunk.interpolate(one).coords[0] for one in along]) + np.array([0, 1]) * off[:, None]
    sides = [shapely.LineString([start, start + np.array([1, 30])]) for start in starts]
    given_lines = np.array([trunk, *sides], dtype=object)
    made = join_lines(given_lines, 1e-9, reach)
    for before, after in zip(given_lines, made, strict=True):
        kept = [point for point in after.coords if point in set(before.coords)]
        assert kept == list(before.coords)
        assert shapely.hausdorff_distance(before, after) <= reach
    for side in made[1:]:
        assert set(side.coords) & set(made[0].coords)
