"""Base units: villages stay whole, roads cut blocks, barriers cut open ground, carved ground is a unit of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gridmap.domain.inputs import Carved
from gridmap.domain.kinds import AreaLevel, BaseUnitKind
from gridmap.errors import CoverageFault, InvalidGeometry, OutOfPlace
from gridmap.geometry.chain import cancel, edges_of
from gridmap.geometry.lattice import geometries_to_degrees, geometries_to_units, to_units
from gridmap.geometry.measure import area_m2
from gridmap.planning.land.base_units import BaseUnits, draw_base_units
from gridmap.planning.land.hierarchy import AreaSet

VILLAGE, BLOCK, CELLS = BaseUnitKind.VILLAGE, BaseUnitKind.BLOCK, BaseUnitKind.CELLS
SAMPLES = Path(__file__).parents[3] / "data" / "samples"
WEST, SOUTH = 111.0, 30.0


def many(*shapes: shapely.Geometry) -> np.ndarray:
    found = np.empty(len(shapes), object)
    found[:] = shapes
    return found


def units_of(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, lambda xy: to_units(xy + (WEST, SOUTH)))  # noqa: RUF005 - an array, not a tuple


def box(x: float, y: float, right: float, top: float) -> shapely.Polygon:
    return units_of(shapely.box(x, y, right, top))


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return units_of(shapely.LineString(xy))


def area_set(*polygons: shapely.Geometry) -> AreaSet:
    count = len(polygons)
    return AreaSet(
        AreaLevel.VILLAGE,
        tuple(f"99010100100{number}" for number in range(count)),
        ("",) * count,
        many(*polygons),
        np.full(count, -1),
        np.full(count, -1),
    )


def carved(**polygons: shapely.Geometry) -> Carved:
    shapes = geometries_to_degrees(many(*polygons.values()))
    return Carved(shapes, tuple(polygons), ("",) * len(polygons), "carved.geojson")


#: Two squares side by side, about a kilometre each.
TWO = area_set(box(0, 0, 0.01, 0.01), box(0.01, 0, 0.02, 0.01))
ACROSS = line((-0.005, 0.005), (0.025, 0.005))


def draw(
    base: list[BaseUnitKind],
    roads: np.ndarray | None = None,
    barriers: np.ndarray | None = None,
    dedicated: Carved | None = None,
    locked: Carved | None = None,
    min_block_m2: float = 0.0,
    areas: AreaSet = TWO,
) -> BaseUnits:
    units = draw_base_units(areas, base, roads, barriers, dedicated, locked, min_block_m2)
    assert_tiles(units, areas)
    return units


def assert_tiles(units: BaseUnits, areas: AreaSet) -> None:
    """Every area is filled by its units to the rounding of its border, and all their inner borders cancel."""
    assert len(set(units.codes)) == len(units)
    assert list(zip(units.area.tolist(), units.codes, strict=True)) == sorted(
        zip(units.area.tolist(), units.codes, strict=True)
    )
    assert shapely.is_valid(units.geometry).all()
    for row, area in enumerate(areas.geometry):
        own = units.geometry[units.area == row]
        left = cancel(edges_of(own))
        ends = shapely.points(np.stack([left.start >> 31, (left.start & 0x7FFFFFFF) - (1 << 30)], axis=1))
        assert shapely.distance(ends, shapely.boundary(area)).max() <= 0.75
        assert shapely.area(own).sum() == pytest.approx(shapely.area(area), abs=shapely.length(area))


def test_roads_and_barriers_leave_villages_whole_bit_for_bit() -> None:
    units = draw([VILLAGE, VILLAGE], many(ACROSS), many(ACROSS))
    assert units.codes == TWO.codes
    assert [unit is area for unit, area in zip(units.geometry, TWO.geometry, strict=True)] == [True, True]


def test_roads_cut_blocks_only_and_barriers_open_ground_too() -> None:
    units = draw([BLOCK, CELLS], many(ACROSS))
    assert units.codes == ("990101001000-B001", "990101001000-B002", "990101001001")
    assert units.kind == (BLOCK, BLOCK, CELLS)
    units = draw([BLOCK, CELLS], barriers=many(ACROSS))
    assert [code[12:] for code in units.codes] == ["-B001", "-B002", "-C001", "-C002"]
    assert [code[12:] for code in draw([VILLAGE, CELLS], barriers=many(ACROSS)).codes] == ["", "-C001", "-C002"]


def test_codes_run_west_to_east_then_north_to_south() -> None:
    units = draw([BLOCK, VILLAGE], many(ACROSS, line((0.005, -0.001), (0.005, 0.011))))
    centres = shapely.get_coordinates(shapely.centroid(units.geometry[:4])) / 1e7 - (WEST, SOUTH)
    expected = [(0.0025, 0.0075), (0.0025, 0.0025), (0.0075, 0.0075), (0.0075, 0.0025)]
    assert centres == pytest.approx(np.array(expected), abs=1e-9)


def test_small_blocks_join_the_block_they_share_most_border_with() -> None:
    # A strip of 100 m along the west cut in two, the upper part the smaller.
    roads = many(line((0.001, -0.001), (0.001, 0.011)), line((-0.001, 0.006), (0.001, 0.006)))
    assert len(draw([BLOCK, VILLAGE], roads)) == 4
    units = draw([BLOCK, VILLAGE], roads, min_block_m2=50_000.0)
    # The upper part shares 400 m with the rest and 100 m with the lower part.
    assert len(units) == 3
    assert area_m2(units.geometry[:1])[0] == pytest.approx(64_000, rel=0.01)
    assert len(draw([BLOCK, VILLAGE], roads, min_block_m2=100_000.0)) == 2


def test_a_small_block_without_a_neighbour_in_its_area_stays() -> None:
    islet = shapely.MultiPolygon([box(0, 0, 0.01, 0.01), box(0.02, 0, 0.0201, 0.0001)])
    units = draw([BLOCK], many(ACROSS), min_block_m2=1e5, areas=area_set(islet))
    assert len(units) == 3
    assert area_m2(units.geometry).min() < 200


def test_carved_ground_is_one_unit_an_area_and_what_is_left_of_a_village_one_more() -> None:
    mall = carved(Z01=box(0.004, -0.001, 0.006, 0.011))
    units = draw([VILLAGE, VILLAGE], dedicated=mall, locked=carved(L1=box(0.009, 0.002, 0.011, 0.003)))
    assert [code[12:] for code in units.codes] == ["", "-D001", "-L001", "", "-L001"]
    assert units.carved.tolist() == [-1, 0, 0, -1, 0]
    assert shapely.get_num_geometries(units.geometry).tolist() == [2, 1, 1, 1, 1]


def test_a_road_through_carved_ground_does_not_cut_it() -> None:
    units = draw([BLOCK, BLOCK], many(ACROSS), dedicated=carved(Z01=box(0.004, 0.004, 0.006, 0.006)))
    assert [code[12:] for code in units.codes] == ["-B001", "-B002", "-D001", "-B001", "-B002"]


def test_rows_of_carved_ground_are_those_of_the_file_in_any_order() -> None:
    one, other = box(0.002, 0.002, 0.003, 0.003), box(0.005, 0.005, 0.006, 0.006)
    units = draw([VILLAGE, VILLAGE], dedicated=carved(Z02=one, Z01=other))
    again = draw([VILLAGE, VILLAGE], dedicated=carved(Z01=other, Z02=one))
    assert units.codes == again.codes
    assert units.carved.tolist() == [-1, 0, 1, -1]
    assert again.carved.tolist() == [-1, 1, 0, -1]
    assert shapely.to_wkb(units.geometry).tolist() == shapely.to_wkb(again.geometry).tolist()


def test_carved_ground_that_overlaps_is_refused_by_name_size_and_place() -> None:
    pair = carved(Z01=box(0.002, 0.002, 0.004, 0.004), Z02=box(0.003, 0.002, 0.005, 0.004))
    with pytest.raises(CoverageFault) as caught:
        draw([VILLAGE, VILLAGE], dedicated=pair)
    said = caught.value.message("en")
    assert all(word in said for word in ("Z01", "Z02", "carved.geojson", "21,", "111.003", "30.00"))
    alike = box(0, 0, 0.004, 0.004)
    with pytest.raises(CoverageFault):
        draw([VILLAGE, VILLAGE], dedicated=carved(Z01=alike), locked=carved(G1=alike))


def test_carved_ground_may_touch_and_overlap_by_rounding() -> None:
    one = box(0.002, 0.002, 0.004, 0.004)
    other = shapely.transform(box(0.004, 0.002, 0.006, 0.004), lambda xy: xy - (xy[:, :1] < 1_110_050_000) * (1, 0))
    units = draw([VILLAGE, VILLAGE], dedicated=carved(Z01=one, Z02=other))
    assert [code[12:] for code in units.codes] == ["", "-D001", "-D002", ""]


def test_carved_ground_outside_all_areas_is_refused_and_cut_at_their_border() -> None:
    with pytest.raises(OutOfPlace, match="Z09"):
        draw([VILLAGE, VILLAGE], dedicated=carved(Z01=box(0, 0, 0.001, 0.001), Z09=box(1, 1, 1.1, 1.1)))
    with pytest.raises(InvalidGeometry, match="Z03"):
        draw([VILLAGE, VILLAGE], dedicated=carved(Z03=box(0.002, 0.002, 0.003, 0.0020001)))
    units = draw([VILLAGE, VILLAGE], dedicated=carved(Z01=box(-0.01, 0.002, 0.001, 0.003)))
    assert area_m2(units.geometry[1:2])[0] == pytest.approx(96.4 * 110.9, rel=0.01)


@pytest.mark.parametrize("base", [VILLAGE, BLOCK, CELLS])
def test_the_sample_county(base: BaseUnitKind) -> None:
    names = ("villages", "roads", "dedicated")
    villages, roads, dedicated = (gpd.read_file(SAMPLES / f"{name}.geojson") for name in names)
    shapes = geometries_to_units(villages.geometry.to_numpy())
    count = len(shapes)
    areas = replace(area_set(*shapes), codes=tuple(villages["area_code"]))
    ground = Carved(dedicated.geometry.to_numpy(), tuple(dedicated["id"]), tuple(dedicated["name"]), "d.geojson")
    lines = geometries_to_units(roads.geometry.to_numpy())
    units = draw([base] * count, lines, None, ground, min_block_m2=20_000.0, areas=areas)
    assert {row for row in units.carved.tolist() if row >= 0} == set(range(5))
    blocks = [number for number, kind in enumerate(units.kind) if kind is BLOCK]
    if base is BLOCK:
        assert len(blocks) > count + 50
        assert area_m2(units.geometry[blocks]).min() >= 20_000
    order = np.random.default_rng(2).permutation(len(lines))
    again = draw([base] * count, shapely.reverse(lines[order]), None, ground, min_block_m2=20_000.0, areas=areas)
    assert again.codes == units.codes
    assert shapely.to_wkb(again.geometry).tolist() == shapely.to_wkb(units.geometry).tolist()
