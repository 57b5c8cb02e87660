"""Any lines and any carved boxes over any areas: the faces tile, the cells of units cancel, the proof holds."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial import Voronoi

from gridmap.geometry.arrangement import arrange
from gridmap.geometry.chain import cancel, edges_of
from gridmap.geometry.lattice import unpack

X0, Y0, SIZE = 1_112_000_000, 307_000_000, 200_000
ORIGIN = np.array([X0, Y0])
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def noded_areas(seed: int, count: int) -> np.ndarray:
    """Areas that tile a box, with lattice corners: faces of the noded borders of a Voronoi diagram, some joined."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, SIZE, (count, 2))
    diagram = Voronoi(np.vstack([points, 3 * SIZE * np.array([(-1, -1), (-1, 2), (2, -1), (2, 2)])]))
    ridges = [diagram.vertices[ridge] for ridge in diagram.ridge_vertices if -1 not in ridge]
    frame = shapely.box(0, 0, SIZE, SIZE)
    lines = shapely.intersection(shapely.linestrings(np.array(ridges)), frame)
    lines = shapely.transform(np.append(lines, frame.exterior), lambda xy: np.rint(xy))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all(lines, grid_size=1))))
    return np.asarray(shapely.transform(faces, lambda xy: xy + ORIGIN))


def coordinates() -> st.SearchStrategy[tuple[int, int]]:
    reach = st.integers(-SIZE // 10, SIZE + SIZE // 10)
    return st.tuples(reach, reach)


@st.composite
def cuttings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Areas, lines and carved boxes; some lines run through corners of areas or a unit beside their borders."""
    areas = noded_areas(draw(st.integers(0, 10_000)), draw(st.integers(2, 12)))
    corners = shapely.get_coordinates(areas)
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        points = np.array(draw(st.lists(coordinates(), min_size=2, max_size=6, unique=True))) + ORIGIN
        for row in range(len(points)):
            if draw(st.booleans()):
                shift = draw(st.tuples(st.integers(-1, 1), st.integers(-1, 1)))
                points[row] = corners[draw(st.integers(0, len(corners) - 1))] + shift
        lines.append(shapely.LineString(points))
    boxes: list[shapely.Polygon] = []
    for _ in range(draw(st.integers(0, 3))):
        x, y = draw(coordinates())
        wide, high = draw(st.tuples(st.integers(5, SIZE // 3), st.integers(5, SIZE // 3)))
        made = shapely.box(X0 + x, Y0 + y, X0 + x + wide, Y0 + y + high)
        if not any(shapely.area(shapely.intersection(made, other)) for other in boxes):
            boxes.append(made)
    found = [np.empty(len(shapes), object) for shapes in (lines, boxes)]
    for array, shapes in zip(found, (lines, boxes), strict=True):
        array[:] = shapes
    return areas, found[0], found[1]


@SETTINGS
@given(cuttings())
def test_faces_tile_the_areas_edge_for_edge_and_keep_every_corner(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    areas, lines, carved = case
    found = arrange(areas, lines, carved)
    assert shapely.is_valid(found.faces).all()
    borders, outline = shapely.boundary(areas), cancel(edges_of(found.faces))
    for row, border in enumerate(borders):
        left = cancel(edges_of(found.faces[found.area == row]))
        kept = {tuple(point) for point in shapely.get_coordinates(areas[row]).astype(int).tolist()}
        ends = np.concatenate([_xy(left.start), _xy(left.end)])
        assert kept <= {tuple(point) for point in ends.tolist()}
        assert shapely.distance(shapely.points(ends), border).max() <= 0.75
    assert shapely.distance(shapely.points(_xy(outline.start)), shapely.union_all(areas).boundary).max() <= 0.75
    for row, box in enumerate(carved):
        shared = shapely.intersection(box, shapely.union_all(areas)).area
        mine = shapely.area(found.faces[found.carved == row]).sum()
        assert abs(mine - shared) <= 3 * shapely.length(box) + 10


@SETTINGS
@given(cuttings(), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(case: tuple[np.ndarray, np.ndarray, np.ndarray], random: object) -> None:
    areas, lines, carved = case
    order = list(range(len(lines)))
    random.shuffle(order)  # type: ignore[attr-defined]
    found, again = arrange(areas, lines, carved), arrange(areas, shapely.reverse(lines[order]), carved)
    assert shapely.to_wkb(found.faces).tolist() == shapely.to_wkb(again.faces).tolist()
    assert np.array_equal(found.area, again.area)
    assert np.array_equal(found.carved, again.carved)


@SETTINGS
@given(cuttings())
def test_ground_is_cut_where_a_line_runs_and_nowhere_else(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    areas, lines, carved = case
    found = arrange(areas, lines, carved)
    # Oracle: what GEOS makes of all linework in floats; faces of rounding aside.
    linework = shapely.union_all(np.concatenate([shapely.boundary(areas), lines, shapely.boundary(carved)]))
    plain = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.node(linework))))
    wide = plain[shapely.area(plain) > 3 * shapely.length(plain)]
    inside = wide[shapely.intersects(shapely.union_all(areas), shapely.point_on_surface(wide))]
    for place in shapely.point_on_surface(inside):
        assert shapely.intersects(found.faces, place).sum() == 1
    for face in found.faces[shapely.area(found.faces) > 3 * shapely.length(found.faces)]:
        assert (shapely.area(shapely.intersection(face, wide)) > 3 * shapely.length(face)).sum() <= 1


def _xy(packed: np.ndarray) -> np.ndarray:
    return unpack(packed)
