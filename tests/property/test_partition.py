"""Any area is cut exactly, or refused with a clear reason."""

from __future__ import annotations

from itertools import pairwise

import h3.api.numpy_int as h3
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gridmap.errors import InvalidGeometry, OutOfPlace
from gridmap.geometry.area_cut import AreaPieces, cut_area
from gridmap.geometry.chain import cancel, edges_of
from gridmap.geometry.hexes import library_outlines
from gridmap.geometry.lattice import geometries_to_units, to_units
from gridmap.geometry.partition import partition_areas

SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def signed_edges(polygons: object) -> dict[tuple[int, int], int]:
    """Plain oracle: directed edges as a dictionary, opposite ones cancelled."""
    total: dict[tuple[tuple[float, float], tuple[float, float]], int] = {}
    for polygon in np.atleast_1d(np.asarray(polygons, dtype=object)):
        for part in shapely.get_parts(polygon):
            for number, ring in enumerate([part.exterior, *part.interiors]):
                points = list(ring.coords)
                if ring.is_ccw != (number == 0):
                    points.reverse()
                for a, b in pairwise(points):
                    if (b, a) in total:
                        total[b, a] -= 1
                        if not total[b, a]:
                            del total[b, a]
                    elif a != b:
                        total[a, b] = total.get((a, b), 0) + 1
    return total


def assert_exact(area: shapely.Geometry, pieces: AreaPieces) -> None:
    """Check a partition by plain geometry and by a plain edge count, not by the code under test."""
    assert shapely.is_valid(pieces.shapes.on_lattice()).all()
    assert len(np.unique(pieces.cell)) == len(pieces.cell)
    left = signed_edges(pieces.shapes.on_lattice())
    assert all(count == 1 for count in left.values())
    border = shapely.boundary(area)
    ends = shapely.points([point for edge in left for point in edge])
    assert shapely.distance(ends, border).max() <= 0.75
    corners = {tuple(point) for point in shapely.get_coordinates(area)}
    assert corners <= {point for edge in left for point in edge}
    assert abs(shapely.area(pieces.shapes.on_lattice()).sum() - shapely.area(area)) <= shapely.length(area) * 0.75 + 1
    hexagons = library_outlines(pieces.cell)
    for row, piece in enumerate(pieces.shapes.on_lattice()):
        corners_of_cell = hexagons.points[hexagons.offset[row] : hexagons.offset[row + 1]]
        assert shapely.Polygon(corners_of_cell).buffer(1.5).covers(piece)


def has_sharp_corner(area: shapely.Geometry) -> bool:
    """Whether a corner is so sharp, or a place so narrow, that a cell may cut off less than the lattice holds."""
    if shapely.minimum_clearance(area) < 3:
        return True
    for ring in shapely.get_rings(shapely.get_parts(area)):
        points = shapely.get_coordinates(ring)[:-1]
        back, ahead = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
        cosine = (back * ahead).sum(axis=1) / np.hypot(*back.T) / np.hypot(*ahead.T)
        if cosine.max() > np.cos(np.radians(100)):
            return True
    return False


def reaches_a_pole_or_the_antimeridian(area: shapely.Geometry, resolution: int) -> bool:
    cell_deg = 4 * np.degrees(h3.average_hexagon_edge_length(resolution, "m") / 6371007.2)
    west, south, east, north = np.array(area.bounds) / 1e7
    highest = max(abs(south), abs(north)) + cell_deg
    return bool(highest >= 89 or max(-west, east) + cell_deg / np.cos(np.radians(highest)) >= 180)


def cut_or_refuse(area: shapely.Geometry, resolution: int) -> None:
    outcome = outcome_of(area, resolution)
    if isinstance(outcome, InvalidGeometry):
        assert has_sharp_corner(area)
    elif isinstance(outcome, OutOfPlace):
        assert reaches_a_pole_or_the_antimeridian(area, resolution)
    else:
        assert_exact(area, outcome)


def outcome_of(area: shapely.Geometry, resolution: int) -> AreaPieces | InvalidGeometry | OutOfPlace:
    try:
        return cut_area(area, "a", resolution)
    except (InvalidGeometry, OutOfPlace) as refusal:
        return refusal


@st.composite
def centres(draw: st.DrawFn) -> tuple[float, float]:
    lon = draw(st.floats(-179, 179).map(lambda value: round(value, 7)))
    lat = draw(st.floats(-80, 80).map(lambda value: round(value, 7)))
    return lon, lat


@st.composite
def stars(draw: st.DrawFn, radius_cells: st.SearchStrategy[float], resolution: int) -> shapely.Geometry:
    """Draw a star-shaped polygon around a place anywhere, spikes and collinear points included, on the lattice."""
    lon, lat = draw(centres())
    edge_deg = np.degrees(h3.average_hexagon_edge_length(resolution, "m") / 6371007.2)
    size = draw(radius_cells) * edge_deg
    count = draw(st.integers(3, 24))
    spokes = draw(st.lists(st.floats(0.02, 1.0), min_size=count, max_size=count))
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    reach = np.array(spokes) * size
    xy = np.column_stack([lon + reach * np.cos(angle) / np.cos(np.radians(lat)), lat + reach * np.sin(angle)])
    ring = to_units(xy)
    if draw(st.booleans()):
        middle = np.rint((ring + np.roll(ring, -1, axis=0)) / 2)
        ring = np.stack([ring, middle], axis=1).reshape(-1, 2)
    polygon = shapely.Polygon(ring)
    if draw(st.booleans()):
        hole = shapely.affinity.scale(polygon, 0.3, 0.3, origin=(lon * 1e7, lat * 1e7))
        hole = shapely.transform(hole, np.rint)
        polygon = polygon.difference(hole, grid_size=1) if hole.is_valid and hole.area > 0 else polygon
    assume(polygon.is_valid and polygon.area > 0 and polygon.geom_type in ("Polygon", "MultiPolygon"))
    return polygon


@SETTINGS
@given(st.data(), st.integers(2, 12))
def test_pieces_sum_to_the_area_edge_for_edge(data: st.DataObject, resolution: int) -> None:
    area = data.draw(stars(st.floats(0.05, 12), resolution))
    cut_or_refuse(area, resolution)


@SETTINGS
@given(st.data(), st.integers(6, 13))
def test_areas_of_a_few_lattice_units_are_kept(data: st.DataObject, resolution: int) -> None:
    lon, lat = data.draw(centres())
    offsets = data.draw(
        st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=3, max_size=6, unique=True)
    )
    polygon = shapely.Polygon(to_units(np.array([[lon, lat]])) + np.array(offsets))
    assume(polygon.is_valid and polygon.area > 0)
    cut_or_refuse(polygon, resolution)


@SETTINGS
@given(st.data(), st.integers(5, 11))
def test_vertices_on_and_beside_the_corners_and_sides_of_cells(data: st.DataObject, resolution: int) -> None:
    lon, lat = data.draw(centres())
    cells = np.array(h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), 2), np.uint64)
    outlines = library_outlines(cells)
    sides = np.rint((outlines.points + np.roll(outlines.points, -1, axis=0)) / 2)
    spots = np.unique(np.concatenate([outlines.points, sides]), axis=0)
    assume(np.ptp(spots[:, 0]) < 1e9)
    picked = data.draw(st.lists(st.integers(0, len(spots) - 1), min_size=3, max_size=8, unique=True))
    aside = data.draw(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=8, max_size=8))
    hull = shapely.MultiPoint(spots[picked] + np.array(aside[: len(picked)])).convex_hull
    assume(hull.geom_type == "Polygon" and hull.area > 0)
    cut_or_refuse(hull, resolution)


@SETTINGS
@given(st.data(), st.integers(6, 10))
def test_whole_cells_and_rings_of_cells_are_cut_into_themselves(data: st.DataObject, resolution: int) -> None:
    lon, lat = data.draw(centres())
    cells = np.array(h3.grid_ring(h3.latlng_to_cell(lat, lon, resolution), 1), np.uint64)
    outlines = library_outlines(cells)
    assume(np.ptp(outlines.points[:, 0]) < 1e9)
    hexagons = [shapely.Polygon(outlines.points[a:b]) for a, b in pairwise(outlines.offset)]
    area = shapely.union_all(hexagons, grid_size=1)
    pieces = cut_area(area, "a", resolution)
    assert sorted(pieces.cell.tolist()) == sorted(cells.tolist())
    assert_exact(area, pieces)


@SETTINGS
@given(st.data(), st.integers(5, 11))
def test_neighbours_made_apart_cancel_along_their_shared_border(data: st.DataObject, resolution: int) -> None:
    area = data.draw(stars(st.floats(1, 8), resolution))
    low_x, low_y, high_x, high_y = shapely.bounds(area)
    share = data.draw(st.floats(0.2, 0.8))
    x = round(low_x + share * (high_x - low_x))
    tilt = data.draw(st.integers(-1000, 1000))
    blade = shapely.Polygon([(low_x - 9, low_y - 9), (x, low_y - 9), (x + tilt, high_y + 9), (low_x - 9, high_y + 9)])
    halves = [
        shapely.intersection(area, blade, grid_size=1),
        shapely.difference(area, blade, grid_size=1),
    ]
    halves = [half for half in halves if half.geom_type in ("Polygon", "MultiPolygon") and half.area > 0]
    assume(len(halves) == 2)
    sides = np.array(halves, dtype=object)
    assume(len(signed_edges(sides)) < sum(len(signed_edges(side)) for side in halves))
    apart = [cut_area(side, "a", resolution) for side in halves]
    together = partition_areas(sides, ["1", "2"], resolution)
    assert [list(p.cell) for p in apart] == [list(together.cell[together.area == row]) for row in (0, 1)]
    left = signed_edges(np.concatenate([pieces.shapes.on_lattice() for pieces in apart]))
    outline = cancel(edges_of(sides))
    assert (
        shapely.distance(
            shapely.points([point for edge in left for point in edge]),
            shapely.union_all(shapely.boundary(sides)),
        ).max()
        <= 0.75
    )
    assert sum(left.values()) >= len(outline)


@pytest.mark.parametrize("lat", [89.0, -89.0])
@pytest.mark.parametrize("resolution", [4, 6, 8])
def test_near_the_poles_areas_are_cut_or_refused(lat: float, resolution: int) -> None:
    area = geometries_to_units(np.array([shapely.box(10, lat - 0.05, 12, lat + 0.05)], dtype=object))[0]
    outcome = outcome_of(area, resolution)
    if isinstance(outcome, OutOfPlace):
        assert "antimeridian or a pole" in outcome.message("en")
    else:
        assert_exact(area, outcome)


@pytest.mark.parametrize("resolution", [3, 6, 9])
def test_at_the_antimeridian_areas_are_refused(resolution: int) -> None:
    area = geometries_to_units(np.array([shapely.box(179.9, 10, 180, 10.1)], dtype=object))[0]
    with pytest.raises(OutOfPlace):
        cut_area(area, "a", resolution)


@st.composite
def specks(draw: st.DrawFn, resolution: int) -> shapely.Geometry:
    """Draw a polygon of a few lattice units on a side of a cell: everything in it is about as wide as the rounding."""
    lon, lat = draw(centres())
    assume(abs(lat) < 75 and abs(lon) < 178)
    corners = library_outlines(np.array([h3.latlng_to_cell(lat, lon, resolution)], np.uint64)).points
    share = draw(st.floats(0, 1))
    place = np.rint(corners[0] + (corners[1] - corners[0]) * share).astype(np.int64)
    shape = draw(st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=3, max_size=6, unique=True))
    speck = shapely.Polygon(np.array(shape) + place)
    assume(speck.is_valid and speck.area > 0)
    return speck


@given(specks(14))
@settings(parent=SETTINGS, max_examples=400)
def test_ground_as_narrow_as_the_rounding_is_cut_exactly_or_refused_by_its_place(speck: shapely.Geometry):
    cut_or_refuse(speck, 14)


@pytest.mark.parametrize(
    ("shape", "origin", "resolution"),
    [
        ([(0, 1), (1, 1), (-4, 0), (2, 3)], (1258987226, 0), 13),
        ([(-4, 2), (-4, 1), (3, -3)], (1081231627, 357612983), 14),
        ([(-3, 0), (1, -2), (-1, 0)], (1177504634, 307354096), 15),
    ],
)
def test_what_rounding_would_close_is_refused_by_its_place(shape, origin, resolution):
    with pytest.raises(InvalidGeometry) as caught:
        cut_area(shapely.Polygon(np.array(shape) + np.array(origin)), "a", resolution)

    assert f"{origin[0] / 1e7:.5f}" in caught.value.message("en")
