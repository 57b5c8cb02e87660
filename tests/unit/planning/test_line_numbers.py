"""Bank line numbers: the check digit of ISO 7064 MOD 11,10, against numbers in use and against trial by a table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.planning.responsibility.line_numbers import check_digit, valid_line_number

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"

#: Numbers in use, as payment forms list them: head offices and branches of several banks.
IN_USE = [
    "102100099996", "103100000026", "104100000004", "105100000017", "301290000007", "302100011000", "304100040000",
    "307584007998", "308584000013", "309391000011", "403100000004", "102245024171", "102245002006", "102244026098",
]  # fmt: skip

#: Double of each remainder modulo 11 (0 counts as 10), written out: the rows of the table for working by hand.
DOUBLED = {1: 2, 2: 4, 3: 6, 4: 8, 5: 10, 6: 1, 7: 3, 8: 5, 9: 7, 0: 9}

elevens = st.text("0123456789", min_size=11, max_size=11)


def by_trial(first_eleven: str) -> list[str]:
    """Digits that make the sum of the whole number one modulo ten, by the table."""
    fits = []
    for last in "0123456789":
        carried = 10
        for digit in first_eleven:
            carried = DOUBLED[(carried + int(digit)) % 10]
        if (carried + int(last)) % 10 == 1:
            fits.append(last)
    return fits


@pytest.mark.parametrize("number", IN_USE)
def test_numbers_in_use_are_valid(number):
    assert valid_line_number(number)
    assert check_digit(number[:-1]) == number[-1]


@given(elevens)
def test_exactly_one_digit_closes_a_number_and_it_is_that_of_the_table(first_eleven):
    assert by_trial(first_eleven) == [check_digit(first_eleven)]


@given(elevens, st.integers(0, 11), st.integers(1, 9))
def test_a_single_wrong_digit_always_shows(first_eleven, at, shift):
    number = f"{first_eleven}{check_digit(first_eleven)}"
    wrong = str((int(number[at]) + shift) % 10)
    assert not valid_line_number(number[:at] + wrong + number[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10210009999",
        "1021000999966",
        "10210009999x",
        " 102100099996",
        "102100099996\n",
        "".join(chr(ord(digit) + 0xFEE0) for digit in "102100099996"),
        "+02100099996",
    ],
)
def test_what_is_not_twelve_plain_digits_is_not_valid(text):
    assert not valid_line_number(text)


def test_leading_zeros_count():
    assert valid_line_number("001100011002")
    assert not valid_line_number("1100011002")
    assert check_digit("1100011") is None


def test_the_outlets_of_the_sample_all_carry_valid_numbers():
    with (SAMPLES / "outlets.csv").open(encoding="utf-8", newline="") as table:
        numbers = [row["line_number"] for row in csv.DictReader(table)]
    assert len(numbers) == len(set(numbers)) == 41
    assert all(map(valid_line_number, numbers))
