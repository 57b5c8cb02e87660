"""Random areas that tile a box, lines over them and boxes carved out of them."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import strategies as st
from scipy.spatial import Voronoi

X0, Y0, SIZE = 1_112_000_000, 307_000_000, 200_000
ORIGIN = np.array([X0, Y0])


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
