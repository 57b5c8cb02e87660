"""Any lines and any carved boxes over any areas: the faces tile, the cells of units cancel, the proof holds."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap.geometry.arrangement import arrange
from gridmap.geometry.chain import cancel, edges_of
from gridmap.geometry.lattice import unpack
from made_cuttings import cuttings

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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
