"""Grid codes of fifteen digits."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.domain.inputs import PreviousGrids
from gridmap.errors import DuplicateId, PlanError
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.planning.territory.codes import grid_codes, is_administrative, is_grid_code, kept_codes, retired_codes

VILLAGE = "990101001001"


def numbered(
    homes: Sequence[str | None],
    lonlat: Sequence[tuple[float, float]] | None = None,
    dedicated: Collection[int] = (),
    kept: dict[int, str] | None = None,
    taken: Collection[str] = (),
    after: Collection[str] = (),
) -> list[str]:
    """Codes of grids that by default stand in a row from west to east."""
    count = len(homes)
    places = np.array(lonlat if lonlat is not None else [(float(row), 0.0) for row in range(count)])
    flags = np.isin(np.arange(count), list(dedicated))
    return grid_codes(homes, places, flags, [(kept or {}).get(row) for row in range(count)], taken, after)


def sequence(*numbers: int, stem: str = VILLAGE) -> list[str]:
    return [f"{stem}{number:03d}" for number in numbers]


def test_numbers_run_west_to_east_then_north_to_south() -> None:
    assert numbered([VILLAGE] * 3, [(111.2, 30.0), (111.1, 30.0), (111.1, 30.5)]) == sequence(3, 2, 1)


@pytest.mark.parametrize(
    ("area_code", "grid_code"),
    [
        ("990101", "990101000000001"),
        ("990101001", "990101001000001"),
        ("990101001001", "990101001001001"),
        ("A7", "A7-001"),
        ("3", "3-001"),
        ("９９０１０１", "９９０１０１-001"),  # noqa: RUF001 - full-width digits are the point
        (None, "000000000000001"),
    ],
)
def test_missing_levels_are_filled_with_zeros_and_other_codes_get_a_number_behind(
    area_code: str | None, grid_code: str
) -> None:
    assert numbered([area_code]) == [grid_code]
    assert is_grid_code(grid_code)


def test_codes_are_unique_even_where_areas_of_two_levels_fill_up_to_the_same_digits() -> None:
    codes = numbered(["990101", "990101000", "990101000"], [(3.0, 0), (1.0, 0), (2.0, 0)])
    assert codes == ["990101000000003", "990101000000001", "990101000000002"]


def test_dedicated_grids_are_numbered_from_601_in_the_same_order() -> None:
    assert numbered([VILLAGE] * 5, dedicated={1, 3}) == sequence(1, 601, 2, 602, 3)
    assert numbered(["A7", "A7"], dedicated={1}) == ["A7-001", "A7-601"]


def test_ordinary_numbers_that_pass_600_go_round_the_dedicated_ones_in_use() -> None:
    codes = numbered([VILLAGE] * 605, dedicated={0, 4}, kept={4: f"{VILLAGE}603"})
    assert codes[0] == f"{VILLAGE}601"
    ordinary = [code for row, code in enumerate(codes) if row not in (0, 4)]
    assert ordinary == sequence(*range(1, 601), 602, 604, 605)


def test_a_kept_code_stays_and_the_others_pass_it_over() -> None:
    # A kept code need not begin with the code of the area that holds the grid today.
    codes = numbered([VILLAGE] * 4, kept={2: f"{VILLAGE}001", 3: "990101002001002"})
    assert codes == [f"{VILLAGE}002", f"{VILLAGE}003", f"{VILLAGE}001", "990101002001002"]


def test_retired_codes_are_never_given_again() -> None:
    assert numbered([VILLAGE] * 3, taken=sequence(1, 3, 601)) == sequence(2, 4, 5)
    assert numbered([VILLAGE], dedicated={0}, taken=sequence(1, 3, 601)) == sequence(602)


def test_sub_and_super_grids_begin_after_the_highest_ordinary_number_of_the_same_area() -> None:
    grids = [*sequence(1, 2, 7), *sequence(601)]
    other = "990101001002"
    codes = numbered([VILLAGE, VILLAGE, other], taken=grids, after=sequence(1, 2, 7))
    assert codes == [*sequence(8, 9), f"{other}001"]
    # Where nothing is left above, what is free below is used.
    assert numbered([VILLAGE] * 3, taken=sequence(1, 998), after=sequence(1, 998)) == sequence(999, 2, 3)


def test_999_grids_fit_into_a_village_and_one_more_does_not() -> None:
    assert numbered([VILLAGE] * 999)[-1] == f"{VILLAGE}999"
    with pytest.raises(PlanError) as refused:
        numbered([VILLAGE] * 1000)
    assert refused.value.values == {"count": 1000, "most": 999}
    assert VILLAGE in refused.value.message("zh")


def test_399_dedicated_grids_fit_into_a_village_and_one_more_does_not() -> None:
    assert numbered([VILLAGE] * 399, dedicated=range(399))[-1] == f"{VILLAGE}999"
    with pytest.raises(PlanError) as refused:
        numbered([VILLAGE] * 400, dedicated=range(400))
    assert refused.value.key == "rules.too_many_dedicated"
    assert refused.value.values == {"count": 400, "most": 399}


def test_numbers_that_were_all_given_before_are_an_error_not_a_second_time() -> None:
    retired = sequence(*range(1, 999))
    assert numbered([VILLAGE], taken=retired) == sequence(999)
    with pytest.raises(PlanError) as refused:
        numbered([VILLAGE] * 2, taken=retired)
    assert refused.value.key == "rules.grid_codes_used_up"
    assert refused.value.values == {"count": 2, "free": 1}


def test_two_grids_cannot_keep_one_code() -> None:
    with pytest.raises(DuplicateId, match=f"{VILLAGE}001"):
        numbered([VILLAGE] * 2, kept={0: f"{VILLAGE}001", 1: f"{VILLAGE}001"})


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_codes_are_distinct_and_follow_place_alone_not_the_order_of_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    homes = [[None, VILLAGE, "990101001", "990101", "A7"][row] for row in rng.integers(0, 5, count).tolist()]
    lonlat = rng.uniform(0, 1, (count, 2))
    dedicated = rng.random(count) < 0.3
    taken = set(sequence(*rng.integers(1, 30, 10).tolist(), *rng.integers(601, 620, 5).tolist()))
    kept: list[str | None] = [None] * count
    for row in rng.permutation(count)[: count // 4].tolist():
        kept[row] = f"{VILLAGE}{100 + row:03d}"
    codes = grid_codes(homes, lonlat, dedicated, kept, taken)
    assert len(set(codes)) == count
    assert not taken & set(codes)
    assert all(map(is_grid_code, codes))
    for row, code in enumerate(codes):
        assert code == kept[row] if kept[row] else (int(code[-3:]) > 600) == dedicated[row]
    order = rng.permutation(count)
    again = grid_codes(
        [homes[row] for row in order], lonlat[order], dedicated[order], [kept[row] for row in order], taken
    )
    assert again == [codes[row] for row in order]


SQUARE = shapely.box(1_110_000_000, 300_000_000, 1_110_100_000, 300_100_000)
BESIDE = shapely.box(1_110_100_000, 300_000_000, 1_110_200_000, 300_100_000)


def previous(*grids: tuple[str, shapely.Geometry], retired: tuple[str, ...] = ()) -> PreviousGrids:
    shapes = geometries_to_degrees(np.array([shape for _, shape in grids], dtype=object))
    return PreviousGrids(tuple(code for code, _ in grids), shapes, retired, "before.gpkg")


def test_equal_ground_keeps_its_code_whatever_the_rows_and_other_ground_is_given_a_new_one() -> None:
    before = previous(("B", BESIDE), ("A", SQUARE), ("C", shapely.box(0, 0, 10_000, 10_000)))
    assert kept_codes(np.array([SQUARE, BESIDE], dtype=object), before) == ["A", "B"]
    grown = shapely.box(1_110_000_000, 300_000_000, 1_110_100_003, 300_100_000)
    assert kept_codes(np.array([grown], dtype=object), before) == [None]
    inside = shapely.Point(1_110_050_000, 300_050_000).buffer(1000)
    assert kept_codes(np.array([SQUARE - inside], dtype=object), before) == [None]


def test_ground_that_only_noding_changed_is_equal() -> None:
    west, south, east, north = SQUARE.bounds
    noded = shapely.Polygon([(west, south), (east, south), (east, north), (west + 31_007, north + 1), (west, north)])
    assert kept_codes(np.array([noded], dtype=object), previous(("A", SQUARE))) == ["A"]
    assert kept_codes(np.array([SQUARE], dtype=object), previous(("A", noded))) == ["A"]


def test_a_mere_list_of_codes_keeps_none_and_still_retires_what_is_given_up() -> None:
    before = PreviousGrids(("A-001", "A-002"), None, ("A-009",), "codes.csv")
    assert kept_codes(np.array([SQUARE], dtype=object), before) == [None]
    assert retired_codes(["A-002", "A-003"], before) == ["A-001", "A-009"]


def test_administrative_codes_are_six_nine_or_twelve_ascii_digits() -> None:
    good = ["420506", "420506100", "420506100201"]
    bad = ["", "42050", "4205061", "42050610020", "4205 6", "42050a", "４２０５０６"]  # noqa: RUF001
    assert all(map(is_administrative, good))
    assert not any(map(is_administrative, bad))


def test_a_grid_code_ends_in_a_number_from_001() -> None:
    bad = ["", "001", "-001", "A7-000", "A7-01", "990101001001000", "99010100100101", "9901010010010001", "A7-００１"]  # noqa: RUF001
    assert not any(map(is_grid_code, bad))
