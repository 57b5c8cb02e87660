"""Left-over edges follow the border of their area, or the first that does not is named."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gridmap.geometry.boundary import follow
from gridmap.geometry.chain import Edges, edges_of
from gridmap.geometry.lattice import unpack

BORDER = [(0, 0), (1000, 0), (1000, 700), (0, 700)]


def edges(points: list[tuple[int, int]]) -> Edges:
    return edges_of(np.array([shapely.Polygon(points)], dtype=object))


def test_the_border_itself() -> None:
    assert follow(edges(BORDER), edges(BORDER)) == (0.0, [])


def test_points_added_within_rounding() -> None:
    slanted = [(0, 0), (1000, 1), (1000, 700), (0, 700)]
    noded = [(0, 0), (250, 0), (750, 1), (1000, 1), (1000, 700), (0, 700)]
    shift_m, mismatches = follow(edges(slanted), edges(noded))
    assert mismatches == []
    assert shift_m == pytest.approx(0.25 * 0.0111, rel=0.01)


@pytest.mark.parametrize(
    "left",
    [
        [(0, 0), (500, 2), (1000, 0), (1000, 700), (0, 700)],
        [(0, 0), (1000, 0), (1000, 700)],
        [(0, 0), (1000, 0), (1000, 699), (0, 700)],
        [(5000, 0), (6000, 0), (6000, 700)],
    ],
    ids=["aside", "vertex lost", "vertex moved", "elsewhere"],
)
def test_anything_else_is_named(left: list[tuple[int, int]]) -> None:
    _, mismatches = follow(edges(BORDER), edges(left))
    assert mismatches
    places = np.array([*BORDER, *left])
    for mismatch in mismatches:
        assert (places == unpack(np.array([mismatch.start]))[0]).all(axis=1).any()


def test_an_edge_taken_twice_is_named() -> None:
    twice = Edges.join([edges(BORDER), edges(BORDER)])
    assert len(follow(edges(BORDER), twice)[1]) == 4


def test_a_missing_ring_is_named() -> None:
    both = Edges.join([edges(BORDER), edges([(3000, 0), (4000, 0), (4000, 700)])])
    assert len(follow(both, edges(BORDER))[1]) == 3
