"""Areas cut by lines and carved ground: every case a planner draws, on small ground that can be checked by eye."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gridmap.geometry.absorption import absorb
from gridmap.geometry.arrangement import Arrangement, arrange
from gridmap.geometry.trimming import Cuts

X0, Y0 = 1_112_000_000, 307_000_000


def at(*xy: tuple[int, int]) -> list[tuple[int, int]]:
    return [(X0 + x, Y0 + y) for x, y in xy]


def box(x: int, y: int, right: int, top: int) -> shapely.Polygon:
    return shapely.Polygon(at((x, y), (right, y), (right, top), (x, top)))


def line(*xy: tuple[int, int]) -> shapely.LineString:
    return shapely.LineString(at(*xy))


def many(*shapes: shapely.Geometry) -> np.ndarray:
    found = np.empty(len(shapes), object)
    found[:] = shapes
    return found


NONE = many()
SQUARE, EAST = box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)


def tiles(found: Arrangement, areas: np.ndarray) -> bool:
    """Whether the faces are valid, lie in their areas and fill them, to the rounding of the borders."""
    for row, area in enumerate(areas):
        faces = found.faces[found.area == row]
        apart = shapely.symmetric_difference(shapely.union_all(faces), area)
        if shapely.area(apart) > shapely.length(area) or not shapely.is_valid(faces).all():
            return False
    return bool(shapely.area(found.faces).sum() == pytest.approx(shapely.area(areas).sum(), abs=1e-3))


def test_a_road_across_two_areas_cuts_both_in_two() -> None:
    areas = many(SQUARE, EAST)
    found = arrange(areas, many(line((-500, 300), (2500, 700))), NONE)
    assert found.area.tolist() == [0, 0, 1, 1]
    assert tiles(found, areas)
    assert (found.carved == -1).all()


def test_what_nothing_touches_is_the_very_polygon_that_was_given() -> None:
    areas = many(SQUARE, EAST, shapely.MultiPolygon([box(5000, 0, 5100, 100), box(5200, 0, 5300, 100)]))
    found = arrange(areas, many(line((500, -100), (500, 1100)), line((-900, -900), (9000, -900))), NONE)
    assert found.area.tolist() == [0, 0, 1, 2]
    assert found.faces[2] is EAST
    assert found.faces[3] is areas[2]


@pytest.mark.parametrize(
    "cutting",
    [
        line((500, 500), (500, 1500)),
        line((200, 200), (800, 800)),
        line((-100, -100), (-100, 2000)),
        line((0, 0), (1000, 0)),
        line((-300, 0), (1300, 1)),
        line((-500, 500), (500, -500)),
        line((0, 250), (0, 750)),
    ],
    ids=["dangling", "inside", "outside", "along the border", "along it by rounding", "touching a corner", "on a side"],
)
def test_a_line_that_encloses_nothing_cuts_nothing(cutting: shapely.LineString) -> None:
    found = arrange(many(SQUARE), many(cutting), NONE)
    assert len(found) == 1
    assert tiles(found, many(SQUARE))


def test_a_road_that_ends_on_another_cuts_with_it() -> None:
    found = arrange(many(SQUARE), many(line((0, 500), (1000, 500)), line((300, 500), (300, 1000))), NONE)
    assert sorted(shapely.area(found.faces).tolist()) == [150_000.0, 350_000.0, 500_000.0]


def test_a_ring_road_cuts_out_its_inside_and_leaves_a_face_with_a_hole() -> None:
    ring = line((300, 300), (700, 300), (700, 700), (300, 700), (300, 300))
    found = arrange(many(SQUARE), many(ring), NONE)
    assert shapely.get_num_interior_rings(found.faces).tolist() == [1, 0]
    assert tiles(found, many(SQUARE))


def test_a_ring_road_around_a_lake_or_in_it_does_not_fill_the_lake() -> None:
    lake = box(0, 0, 1000, 1000).difference(box(400, 400, 600, 600))
    around = line((300, 300), (700, 300), (700, 700), (300, 700), (300, 300))
    within = line((450, 450), (550, 450), (550, 550), (450, 550), (450, 450))
    found = arrange(many(lake), many(around, within), NONE)
    assert len(found) == 2
    assert tiles(found, many(lake))


def test_islands_and_an_area_within_another_are_kept() -> None:
    outer = shapely.MultiPolygon([box(0, 0, 1000, 1000).difference(box(400, 400, 600, 600)), box(1500, 0, 1600, 100)])
    areas = many(outer, box(400, 400, 600, 600))
    found = arrange(areas, many(line((500, -10), (500, 1010))), NONE)
    assert found.area.tolist() == [0, 0, 0, 1, 1]
    assert tiles(found, areas)


def test_carved_ground_is_cut_out_of_every_area_it_covers_and_at_their_border() -> None:
    areas = many(SQUARE, EAST)
    found = arrange(areas, NONE, many(box(800, 200, 1200, 400), box(1800, 900, 3000, 1400)))
    assert list(zip(found.area.tolist(), found.carved.tolist(), strict=True)) == [
        (0, -1),
        (0, 0),
        (1, -1),
        (1, 0),
        (1, 1),
    ]
    assert shapely.area(found.faces).tolist() == [960_000.0, 40_000.0, 940_000.0, 40_000.0, 20_000.0]


def test_carved_ground_may_touch_hold_a_court_and_cover_a_whole_area() -> None:
    court = box(100, 100, 500, 500).difference(box(200, 200, 300, 300))
    areas = many(SQUARE, EAST)
    found = arrange(areas, NONE, many(court, box(500, 100, 700, 500), box(1000, 0, 2000, 1000)))
    assert list(zip(found.area.tolist(), found.carved.tolist(), strict=True)) == [
        (0, -1),
        (0, -1),
        (0, 0),
        (0, 1),
        (1, 2),
    ]
    assert tiles(found, areas)


def test_carved_borders_drawn_beside_the_areas_by_a_unit_leave_no_slivers() -> None:
    areas = many(SQUARE, EAST)
    found = arrange(areas, NONE, many(shapely.Polygon(at((600, -1), (1001, 0), (1000, 999), (601, 1001)))))
    assert found.carved.tolist() == [-1, 0, -1]
    assert tiles(found, areas)


def test_lines_cut_only_the_areas_they_may() -> None:
    areas = many(SQUARE, EAST)
    across = many(line((-500, 300), (2500, 700)))
    found = arrange(areas, across, NONE, Cuts(np.zeros(1, np.int64), np.array([[False, True]])))
    assert found.area.tolist() == [0, 1, 1]
    # The neighbour has the same point where the road ends at the common border.
    assert (1000, 500) in {(x - X0, y - Y0) for x, y in shapely.get_coordinates(found.faces[0]).tolist()}
    assert tiles(found, areas)


def test_the_order_and_direction_of_lines_and_areas_change_nothing() -> None:
    areas = many(SQUARE, EAST)
    lines = many(line((-9, 300), (2009, 777)), line((333, -9), (1444, 1009)), line((1777, -9), (5, 1009)))
    found = arrange(areas, lines, many(box(100, 600, 300, 650)))
    again = arrange(areas[::-1], shapely.reverse(lines[::-1]), many(box(100, 600, 300, 650)))
    assert (
        shapely.to_wkb(found.faces[found.area == 0]).tolist() == shapely.to_wkb(again.faces[again.area == 1]).tolist()
    )
    assert len(found) == len(again)


def test_small_things_join_the_longest_border_smallest_first_and_grow_until_they_are_large_enough() -> None:
    size = np.array([1.0, 2.0, 3.0, 50.0, 60.0, 1.0])
    pairs = np.array([(0, 1), (1, 2), (2, 3), (2, 4), (0, 4)])
    length = np.array([5.0, 4.0, 1.0, 2.0, 3.0])
    joined = absorb(size, np.full(6, 10.0), pairs, length)
    # 0 joins 1 (5 m), then 2 (3.0) meets {0, 1} with 4 m; together 6 < 10 they join 4: 2 m + 3 m.
    assert joined.tolist() == [4, 4, 4, 3, 4, 5]
