"""Noding gives both sides of a border the same edges and moves nothing."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from gridmap.geometry.noding import insert_shared_vertices


def objects(*geometries: shapely.Geometry) -> np.ndarray:
    array = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    return array


def directed_edges(geometries: np.ndarray) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    edges = []
    for polygon in shapely.get_parts(shapely.orient_polygons(geometries)):
        for ring in (polygon.exterior, *polygon.interiors):
            points = [tuple(point) for point in ring.coords]
            edges += itertools.pairwise(points)
    return edges


def unshared_inside(geometries: np.ndarray) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Edges without a reverse that do not lie on the outline of all."""
    edges = directed_edges(geometries)
    outline = shapely.union_all(geometries).boundary
    return [
        (a, b)
        for a, b in edges
        if (b, a) not in edges and outline.distance(shapely.Point((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)) > 1e-6
    ]


def test_a_t_junction_is_noded():
    wide, low, high = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 0.5), shapely.box(1, 0.5, 2, 1)
    noded = insert_shared_vertices(objects(wide, low, high), 1e-9)
    assert (1.0, 0.5) in noded[0].exterior.coords
    assert noded[1] is low
    assert noded[2] is high
    assert unshared_inside(noded) == []


def test_several_neighbours_on_one_edge_come_in_the_order_of_the_edge():
    wide = shapely.box(0, 0, 1, 10)
    others = [shapely.box(1, y, 2, y + 1) for y in (7, 3, 0, 9, 1, 2, 4, 5, 6, 8)]
    noded = insert_shared_vertices(objects(wide, *others), 1e-9)
    assert noded[0].is_valid
    assert noded[0].area == wide.area
    assert unshared_inside(noded) == []


def test_holes_parts_and_islands_in_holes_are_noded():
    lake = shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(3, 3), (3, 6), (6, 6), (6, 3)]])
    west, east = shapely.box(3, 3, 4.5, 6), shapely.box(4.5, 3, 6, 6)
    parts = shapely.MultiPolygon([shapely.box(9, 0, 10, 4), shapely.box(9, 4, 10, 9)])
    noded = insert_shared_vertices(objects(lake, west, east, parts), 1e-9)
    assert noded[0].geom_type == "Polygon"
    assert noded[3].geom_type == "MultiPolygon"
    assert {(4.5, 3.0), (4.5, 6.0)} <= set(noded[0].interiors[0].coords)
    assert (9.0, 4.0) in noded[0].exterior.coords
    assert unshared_inside(noded) == []


def test_a_vertex_just_off_the_edge_counts_up_to_the_tolerance():
    wide = shapely.box(0, 0, 100, 100)
    near = shapely.Polygon([(100.7, 50), (200, 0), (200, 100)])
    assert (100.7, 50.0) in insert_shared_vertices(objects(wide, near), 0.75)[0].exterior.coords
    assert insert_shared_vertices(objects(wide, near), 0.65)[0] is wide


def test_a_vertex_beside_the_end_of_an_edge_is_not_inserted():
    wide = shapely.box(0, 0, 100, 100)
    near = shapely.Polygon([(100, 99.5), (200, 0), (200, 100)])
    assert insert_shared_vertices(objects(wide, near), 0.75)[0] is wide


def test_nothing_is_copied_where_nothing_is_missing():
    polygons = objects(shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 5, 6, 6))
    noded = insert_shared_vertices(polygons, 1e-9)
    assert all(a is b for a, b in zip(noded, polygons, strict=True))


def test_no_geometries_give_none_back():
    assert len(insert_shared_vertices(objects(), 1.0)) == 0


def lies_inside(edge: tuple[tuple[float, ...], tuple[float, ...]], point: tuple[float, ...]) -> bool:
    """Whether a point lies within the inside of an edge, in exact arithmetic."""
    (ax, ay), (bx, by) = (tuple(map(Fraction, end)) for end in edge)
    px, py = map(Fraction, point)
    if (bx - ax) * (py - ay) != (by - ay) * (px - ax):
        return False
    return 0 < (px - ax) * (bx - ax) + (py - ay) * (by - ay) < (bx - ax) ** 2 + (by - ay) ** 2


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True),
    st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True),
    st.integers(-3, 3),
)
def test_strips_cut_differently_share_every_edge_after_noding(left_cuts, right_cuts, slope):
    """Two columns of strips over whole numbers: on each border every vertex lies exactly on the other side's edge."""

    def column(x: int, cuts: list[int]) -> list[shapely.Polygon]:
        levels = [0, *sorted(cuts), 31]
        return [
            shapely.Polygon([(x, low), (x + 10, low + slope), (x + 10, high + slope), (x, high)])
            for low, high in itertools.pairwise(levels)
        ]

    left = column(0, left_cuts)
    right = [affinity.translate(strip, 0, slope) for strip in column(10, right_cuts)]
    noded = insert_shared_vertices(objects(*left, *right), 1e-9)
    edges = directed_edges(noded)
    points = {point for edge in edges for point in edge}
    assert not [(edge, point) for edge in edges for point in points if lies_inside(edge, point)]
    assert all(a.equals(b) for a, b in zip(noded, [*left, *right], strict=True))


@pytest.mark.parametrize("shift", [0.0, 1e8, 1.1e9])
def test_far_from_the_origin_lattice_units_are_still_exact(shift):
    wide = shapely.box(shift, shift, shift + 1001, shift + 1003)
    near = shapely.Polygon([(shift + 1001, shift + 500), (shift + 2000, shift), (shift + 2000, shift + 900)])
    noded = insert_shared_vertices(objects(wide, near), 0.75)
    assert (shift + 1001, shift + 500) in noded[0].exterior.coords
