"""The array clipper and snap rounding agree with each other and with plain intersection."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.geometry.chain import edges_of
from gridmap.geometry.clip import clip
from gridmap.geometry.hexes import library_outlines
from gridmap.geometry.snap_overlay import SnapOverlay

PLACE = (111.3, 30.8)


def cells_around(rings: int, resolution: int = 9) -> np.ndarray:
    return np.array(sorted(h3.grid_disk(h3.latlng_to_cell(PLACE[1], PLACE[0], resolution), rings)), np.uint64)


def corners_of(cells: np.ndarray) -> np.ndarray:
    return library_outlines(cells).points.astype(np.int64).reshape(-1, 6, 2)


def all_pairs(cells: int, edges: int) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(cells), np.arange(edges), indexing="ij"), -1).reshape(-1, 2)


@st.composite
def blobs(draw: st.DrawFn) -> shapely.Polygon:
    count = draw(st.integers(3, 30))
    reach = np.array(draw(st.lists(st.integers(3_000, 90_000), min_size=count, max_size=count)))
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    centre = np.array(PLACE) * 1e7
    return shapely.Polygon(np.rint(centre + np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])))


@settings(max_examples=25, deadline=None)
@given(blobs())
def test_both_ways_of_cutting_agree(area: shapely.Polygon) -> None:
    cells = cells_around(4)
    border = edges_of(np.array([area], dtype=object))
    shapely.prepare(area)
    clipped = clip(corners_of(cells), border, all_pairs(len(cells), len(border)), area)
    overlay = SnapOverlay.of(border)
    hexagons = shapely.polygons(corners_of(cells).astype(float))
    for row, cell in enumerate(cells):
        snapped = shapely.union_all(overlay.cut(int(cell)))
        assert snapped.symmetric_difference(hexagons[row].intersection(area)).area <= area.length + 1
        if row not in set(clipped.undecided.tolist()):
            parts = clipped.parts[clipped.row == row]
            assert shapely.equals_exact(shapely.normalize(shapely.union_all(parts)), shapely.normalize(snapped), 0)


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("a vertex on a side", lambda c: (c[0] + c[1]) // 2),
        ("a vertex on a corner", lambda c: c[2]),
        ("a vertex beside a corner", lambda c: c[2] + [1, 0]),
    ],
)
def test_cells_touched_in_an_unusual_way_are_handed_back(name: str, draw: object) -> None:
    corners = corners_of(cells_around(0))
    touching = draw(corners[0])  # type: ignore[operator]
    area = shapely.Polygon(touching + np.array([(0, 0), (400_000, 90_000), (300_000, -200_000)]))
    shapely.prepare(area)
    border = edges_of(np.array([area], dtype=object))
    assert clip(corners, border, all_pairs(1, len(border)), area).undecided.tolist() == [0], name


def test_an_island_a_lake_and_a_lake_with_an_island_inside_one_cell() -> None:
    cells = cells_around(0)
    corners = corners_of(cells)
    middle = corners[0].mean(axis=0).round()
    shapes = [shapely.Point(middle).buffer(size, quad_segs=4) for size in (6000, 4000, 2000)]
    island, lake, inner = (shapely.transform(shape, np.rint) for shape in shapes)
    hexagon = shapely.Polygon(corners[0])
    for area in (island, hexagon.buffer(9999).difference(lake), island.difference(lake).union(inner)):
        shapely.prepare(area)
        on_lattice = shapely.transform(area, np.rint)
        border = edges_of(np.array([on_lattice], dtype=object))
        clipped = clip(corners, border, all_pairs(1, len(border)), on_lattice)
        parts = clipped.parts if not len(clipped.undecided) else SnapOverlay.of(border).cut(int(cells[0]))
        assert shapely.union_all(parts).equals(hexagon.intersection(on_lattice))
