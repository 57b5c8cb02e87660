"""On the lattice every inner border is shared edge for edge, whatever the datum and however the areas meet."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import InvalidGeometry, OutOfPlace, Place
from gridmap.geometry.datum import Datum
from gridmap.inputs.on_lattice import onto_lattice


def objects(*geometries: shapely.Geometry) -> np.ndarray:
    array = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    return array


def brick_wall(cuts: list[list[float]], turn: float) -> np.ndarray:
    """Rows of bricks whose upright joints differ from row to row: T-junctions all along, in every direction."""
    bricks = [
        shapely.box(left, row, right, row + 1)
        for row, joints in enumerate(cuts)
        for left, right in pairwise([0.0, *sorted(joints), 10.0])
    ]
    about, size = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]), 0.02
    return shapely.transform(objects(*bricks), lambda xy: xy @ about.T * size + [111.0, 30.5])


def unshared(units: np.ndarray) -> set[tuple[tuple[float, float], tuple[float, float]]]:
    edges = {
        edge
        for part in shapely.get_parts(shapely.orient_polygons(units))
        for ring in (part.exterior, *part.interiors)
        for edge in pairwise(ring.coords)
    }
    return {edge for edge in edges if edge[::-1] not in edges}


def is_one_closed_walk(edges: set[tuple[tuple[float, float], tuple[float, float]]]) -> bool:
    follows = dict(edges)
    start = here = next(iter(follows))
    for _ in follows:
        here = follows[here]
        if here == start:
            break
    return len(follows) == len(edges) and here == start


joints = st.lists(st.floats(0.2, 9.8).map(lambda x: round(x, 3)), min_size=0, max_size=4, unique=True)


@settings(deadline=None, max_examples=40)
@given(st.lists(joints, min_size=2, max_size=5), st.floats(-1.5, 1.5), st.sampled_from(["wgs84", "gcj02", "bd09"]))
def test_a_brick_wall_is_tight_after_conversion(cuts, turn, datum):
    wall = brick_wall(cuts, turn)
    units, _ = onto_lattice(wall, Datum.parse(datum), lambda row: Place(feature=row))
    assert shapely.is_valid(units).all()
    assert (shapely.get_coordinates(units) == np.rint(shapely.get_coordinates(units))).all()
    # What is left over is the outline and nothing else: one closed walk, around the sum of the areas.
    left = unshared(units)
    assert is_one_closed_walk(left)
    around = sum(a[0] * b[1] - b[0] * a[1] for a, b in ((tuple(map(int, a)), tuple(map(int, b))) for a, b in left))
    assert around == sum(round(2 * area) for area in shapely.area(units))


def test_a_projected_wall_is_tight_too():
    wall = shapely.transform(brick_wall([[3.0], [5.0], []], 0.3), lambda xy: (xy - [111.0, 30.5]) * 1e5 + [5e5, 3.4e6])
    units, mended = onto_lattice(wall, Datum.parse("EPSG:4547"), lambda row: Place(feature=row))
    assert is_one_closed_walk(unshared(units))
    assert len(mended) == 0


def test_a_hole_that_shrinks_to_a_point_is_dropped():
    shell = shapely.box(111, 30, 112, 31).exterior
    speck = [(111.5 + x * 1e-8, 30.5 + y * 1e-8) for x, y in ((0, 0), (1, 0), (1, 1))]
    units, mended = onto_lattice(
        objects(shapely.Polygon(shell, [speck])), Datum("wgs84"), lambda row: Place(feature=row)
    )
    assert mended.tolist() == [0]
    assert shapely.get_num_interior_rings(units).tolist() == [0]
    assert shapely.area(units[0]) == 1e14


@pytest.mark.parametrize("size", [1e-9, 4e-8])
def test_an_area_below_the_lattice_names_its_feature(size):
    polygons = objects(shapely.box(111, 30, 112, 31), shapely.box(113.0, 30.0, 113 + size, 30 + size))
    with pytest.raises(InvalidGeometry) as caught:
        onto_lattice(polygons, Datum("wgs84"), lambda row: Place(feature=row))
    assert caught.value.place == Place(feature=1)


def test_coordinates_the_crs_cannot_place_name_their_feature():
    polygons = objects(shapely.box(5e5, 3.4e6, 5.1e5, 3.5e6), shapely.box(9e8, 9e8, 9.1e8, 9.1e8))
    with pytest.raises(OutOfPlace) as caught:
        onto_lattice(polygons, Datum.parse("EPSG:4547"), lambda row: Place(feature=row))
    assert caught.value.place == Place(feature=1)
