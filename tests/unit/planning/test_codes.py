"""Grid codes of fifteen digits."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap.errors import PlanError
from gridmap.planning.codes import grid_codes, is_administrative


def test_numbers_run_west_to_east_then_north_to_south() -> None:
    lonlat = np.array([[111.2, 30.0], [111.1, 30.0], [111.1, 30.5]])
    assert grid_codes(["990101001001"], np.zeros(3, dtype=np.int64), lonlat) == [
        "990101001001003",
        "990101001001002",
        "990101001001001",
    ]


@pytest.mark.parametrize(
    ("area_code", "grid_code"),
    [
        ("990101", "990101000000001"),
        ("990101001", "990101001000001"),
        ("990101001001", "990101001001001"),
        ("A7", "A7-001"),
        ("3", "3-001"),
        ("９９０１０１", "９９０１０１-001"),  # noqa: RUF001 - full-width digits are the point
    ],
)
def test_missing_levels_are_filled_with_zeros_and_other_codes_get_a_number_behind(
    area_code: str, grid_code: str
) -> None:
    assert grid_codes([area_code], np.array([0]), np.array([[111.0, 30.0]])) == [grid_code]


def test_codes_are_unique_even_where_areas_of_two_levels_fill_up_to_the_same_digits() -> None:
    codes = grid_codes(["990101", "990101000"], np.array([0, 1, 1]), np.array([[3.0, 0], [1.0, 0], [2.0, 0]]))
    assert codes == ["990101000000003", "990101000000001", "990101000000002"]


def test_999_grids_fit_into_a_village_and_one_more_does_not() -> None:
    lonlat = np.column_stack([np.arange(1000.0), np.zeros(1000)])
    codes = grid_codes(["990101001001"], np.zeros(999, dtype=np.int64), lonlat[:999])
    assert codes[-1] == "990101001001999"
    with pytest.raises(PlanError) as refused:
        grid_codes(["990101001001"], np.zeros(1000, dtype=np.int64), lonlat)
    assert refused.value.values == {"count": 1000, "most": 999}
    assert "990101001001" in refused.value.message("zh")


def test_administrative_codes_are_six_nine_or_twelve_ascii_digits() -> None:
    good = ["420506", "420506100", "420506100201"]
    bad = ["", "42050", "4205061", "42050610020", "4205 6", "42050a", "４２０５０６"]  # noqa: RUF001
    assert all(map(is_administrative, good))
    assert not any(map(is_administrative, bad))
