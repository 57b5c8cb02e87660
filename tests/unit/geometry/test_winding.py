"""Winding numbers of chains of polygons, against counting the polygons over a point."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gridmap.geometry.chain import Edges
from gridmap.geometry.winding import Chain, chain_of, faces_of, left_over, unresolved


def over(polygons: list[shapely.Polygon]) -> tuple[np.ndarray, np.ndarray]:
    """Faces and winding numbers of the sum of polygons."""
    array = np.array(polygons, dtype=object)
    faces = faces_of(left_over(chain_of(array, np.arange(len(array)))).chain)
    return faces.polygon, faces.winding


def test_neighbours_cancel_to_their_outline() -> None:
    polygons, winding = over([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    assert winding.tolist() == [1]
    assert polygons[0].equals(shapely.box(0, 0, 2, 1))


def test_a_vertex_on_a_neighbours_edge_splits_it_and_is_told() -> None:
    squares = [shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 1), shapely.box(2, 1, 4, 2)]
    left = left_over(chain_of(np.array(squares, dtype=object), np.arange(3)))
    assert {tuple(point) for point in left.unnoded.tolist()} == {(2.0, 1.0)}
    assert set(map(tuple, left.unnoded_owners.tolist())) <= {(0, 1), (0, 2)}
    assert faces_of(left.chain).winding.tolist() == [1]
    assert len(left.crossings) == 0


@pytest.mark.parametrize("seed", range(20))
def test_winding_is_the_number_of_polygons_over_each_face(seed: int) -> None:
    random = np.random.default_rng(seed)
    centres = random.uniform(0, 10, (6, 2))
    polygons = [shapely.Point(c).buffer(random.uniform(1, 4), quad_segs=int(random.integers(1, 5))) for c in centres]
    polygons.append(shapely.Point(5, 5).buffer(3).difference(shapely.Point(5, 5).buffer(1)))
    # On a coarse grid, so that edges overlap, touch and share vertices as well as cross.
    coarse = shapely.set_precision(shapely.set_precision(np.array(polygons, dtype=object), 0.5), 0)
    polygons = [p for p in coarse if not p.is_empty]
    faces, winding = over(polygons)
    holding = [sum(p.contains(face.representative_point()) for p in polygons) for face in faces]
    assert winding.tolist() == holding
    assert sum(face.area for face, n in zip(faces, winding, strict=True) if n) == pytest.approx(
        shapely.union_all(np.array(polygons, dtype=object)).area
    )


def test_edges_that_bound_no_face_are_told() -> None:
    bow_tie = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 2.0]])
    chain = Chain(bow_tie, Edges(np.array([0, 3, 2, 1]), np.array([3, 2, 1, 0]), np.zeros(4, np.int64)))
    assert unresolved(faces_of(chain), chain).any()
    square = chain_of(np.array([shapely.box(0, 0, 1, 1)], dtype=object), np.array([0]))
    assert not unresolved(faces_of(square), square).any()
