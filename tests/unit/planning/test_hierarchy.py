"""Which area lies in which."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gridmap.domain.kinds import AreaLevel, SettlementClass
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.land.hierarchy import build_hierarchy

Frame = Callable[..., gpd.GeoDataFrame]

WEST, EAST = shapely.box(111, 30, 112, 31), shapely.box(112, 30, 113, 31)
BOTH = shapely.box(111, 30, 113, 31)


def test_digits_of_the_code_say_where_an_area_belongs_even_against_its_place(areas_frame: Frame) -> None:
    hierarchy = build_hierarchy(
        {
            AreaLevel.TOWNSHIP: areas_frame(AreaLevel.TOWNSHIP, {"990101001": WEST, "990101002": EAST}),
            AreaLevel.VILLAGE: areas_frame(AreaLevel.VILLAGE, {"990101002001": WEST, "990101001001": EAST}),
        }
    )
    assert hierarchy.lowest.codes == ("990101001001", "990101002001")
    assert hierarchy.lowest.parent.tolist() == [0, 1]


def test_other_codes_go_by_place(areas_frame: Frame) -> None:
    hierarchy = build_hierarchy(
        {
            AreaLevel.COUNTY: areas_frame(AreaLevel.COUNTY, {"X": BOTH}),
            AreaLevel.TOWNSHIP: areas_frame(AreaLevel.TOWNSHIP, {"w": WEST, "e": EAST}),
            AreaLevel.VILLAGE: areas_frame(
                AreaLevel.VILLAGE, {"b": EAST, "a": WEST, "astray": shapely.box(120, 30, 121, 31)}
            ),
        }
    )
    assert hierarchy.lowest.codes == ("a", "astray", "b")
    townships = hierarchy.at(AreaLevel.TOWNSHIP)
    assert townships is not None
    assert [townships.codes[row] if row >= 0 else None for row in hierarchy.lowest.parent.tolist()] == ["w", None, "e"]
    assert hierarchy.ancestors(AreaLevel.COUNTY).tolist() == [0, -1, 0]
    assert hierarchy.ancestors(AreaLevel.VILLAGE).tolist() == [0, 1, 2]


def test_a_level_that_is_not_given_is_skipped(areas_frame: Frame) -> None:
    hierarchy = build_hierarchy(
        {
            AreaLevel.COUNTY: areas_frame(AreaLevel.COUNTY, {"990101": BOTH}),
            AreaLevel.VILLAGE: areas_frame(AreaLevel.VILLAGE, {"990101001001": WEST, "990101002001": EAST}),
        }
    )
    assert hierarchy.at(AreaLevel.TOWNSHIP) is None
    assert hierarchy.ancestors(AreaLevel.TOWNSHIP).tolist() == [-1, -1]
    assert hierarchy.lowest.parent.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("codes", "same_county"),
    [(("990101001", "990101002"), True), (("990101001", "990102001"), False), (("a", "b"), True)],
)
def test_without_a_county_level_six_digits_name_the_county(
    areas_frame: Frame, codes: tuple[str, str], same_county: bool
) -> None:
    townships = areas_frame(AreaLevel.TOWNSHIP, {codes[0]: WEST, codes[1]: EAST})
    number = build_hierarchy({AreaLevel.TOWNSHIP: townships}).county_numbers()
    assert (number[0] == number[1]) == same_county


def test_settlement_is_the_area_s_own_else_that_of_the_area_above_else_the_default(areas_frame: Frame) -> None:
    townships = areas_frame(AreaLevel.TOWNSHIP, {"990101001": WEST, "990101002": EAST})
    townships["settlement"] = ["fringe", None]
    villages = areas_frame(AreaLevel.VILLAGE, {"990101001001": WEST, "990101001002": WEST, "990101002001": EAST})
    villages["settlement"] = ["urban", None, None]
    hierarchy = build_hierarchy({AreaLevel.TOWNSHIP: townships, AreaLevel.VILLAGE: villages})
    classes = [CLASSES[number] for number in hierarchy.settlement_of_lowest(SettlementClass.RURAL).tolist()]
    assert classes == [SettlementClass.URBAN, SettlementClass.FRINGE, SettlementClass.RURAL]
    assert hierarchy.settlement_of_lowest(None).tolist()[-1] == -1


def test_areas_that_the_level_below_does_not_fill_are_named_with_what_is_missing(areas_frame: Frame) -> None:
    county = areas_frame(AreaLevel.COUNTY, {"990101": BOTH})
    full = {"990101001": WEST, "990101002": EAST}
    assert (
        build_hierarchy(
            {AreaLevel.COUNTY: county, AreaLevel.TOWNSHIP: areas_frame(AreaLevel.TOWNSHIP, full)}
        ).not_filled_exactly()
        == []
    )
    short = {"990101001": WEST}
    unlike = build_hierarchy(
        {AreaLevel.COUNTY: county, AreaLevel.TOWNSHIP: areas_frame(AreaLevel.TOWNSHIP, short)}
    ).not_filled_exactly()
    assert [code for code, _ in unlike] == ["990101"]
    # A degree by a degree at 30.5 north.
    np.testing.assert_allclose(unlike[0][1], 111.32e3 * np.cos(np.radians(30.5)) * 110.86e3, rtol=2e-3)


def test_a_gap_and_an_overhang_of_the_same_size_do_not_make_up_for_each_other(areas_frame: Frame) -> None:
    county = areas_frame(AreaLevel.COUNTY, {"990101": BOTH})
    west, south, east, north = BOTH.bounds
    shifted = {"990101001": shapely.box(west + 0.001, south, east + 0.001, north)}
    unlike = build_hierarchy(
        {AreaLevel.COUNTY: county, AreaLevel.TOWNSHIP: areas_frame(AreaLevel.TOWNSHIP, shifted)}
    ).not_filled_exactly()
    assert [code for code, _ in unlike] == ["990101"]
    strip_m2 = 0.001 * 111.32e3 * np.cos(np.radians((south + north) / 2)) * (north - south) * 110.86e3
    np.testing.assert_allclose(unlike[0][1], 2 * strip_m2, rtol=1e-2)


def test_a_vertex_that_only_one_level_has_on_a_straight_border_is_no_difference(areas_frame: Frame) -> None:
    denser = shapely.segmentize(BOTH, BOTH.length / 20)
    for upper, lower in ((BOTH, denser), (denser, BOTH)):
        frames = {
            AreaLevel.COUNTY: areas_frame(AreaLevel.COUNTY, {"990101": upper}),
            AreaLevel.TOWNSHIP: areas_frame(AreaLevel.TOWNSHIP, {"990101001": lower}),
        }
        assert build_hierarchy(frames).not_filled_exactly() == []
