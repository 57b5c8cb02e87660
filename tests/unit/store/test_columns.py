"""Columns become plain values and columns again: the same values, types and gaps, or a refusal that names the row."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.layers import ColumnType
from gridmap.errors import BadValue
from gridmap.store.columns import restored_column, stored_column, stored_extra, type_name

#: What a database can hold of text: neither the character 0 nor halves of characters.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NUMBERS = st.floats(allow_infinity=False)


def there_and_back(column: pd.Series, kind: ColumnType) -> pd.Series:
    stored = stored_column("cells", column, kind)
    # As a database keeps them: plain values that go through text.
    return restored_column(json.loads(json.dumps(stored)), type_name(column))


def assert_same(found: pd.Series, expected: pd.Series) -> None:
    assert found.dtype == expected.dtype
    assert len(found) == len(expected)
    for one, other in zip(found.tolist(), expected.tolist(), strict=True):
        both_missing = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
        assert both_missing or (type(one) is type(other) and one == other)


@given(values=st.lists(st.none() | TEXTS))
@pytest.mark.parametrize("dtype", ["str", "object"])
def test_text(values, dtype):
    column = pd.Series(values, dtype=dtype, name="name")
    assert_same(there_and_back(column, ColumnType.TEXT), column)


@given(values=st.lists(NUMBERS))
def test_numbers_to_the_last_bit(values):
    column = pd.Series(values, dtype="float64", name="area_m2")
    assert_same(there_and_back(column, ColumnType.NUMBER), column)


@given(values=st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers(values):
    column = pd.Series(values, dtype="int64", name="cells")
    assert_same(there_and_back(column, ColumnType.INTEGER), column)


@given(values=st.lists(st.booleans()))
def test_booleans(values):
    column = pd.Series(values, dtype="bool", name="covered")
    assert_same(there_and_back(column, ColumnType.BOOLEAN), column)


@given(values=st.lists(st.lists(TEXTS), min_size=1))
def test_lists(values):
    column = pd.Series(values, dtype="object", name="officer_ids")
    assert_same(there_and_back(column, ColumnType.TEXTS), column)


def test_minus_zero_is_zero_whatever_keeps_it():
    stored = stored_column("cells", pd.Series([-0.0, 0.0], name="demand"), ColumnType.NUMBER)
    assert [math.copysign(1, value) for value in stored] == [1, 1]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "b\0"], ColumnType.TEXT),
        (["a", "\udc80"], ColumnType.TEXT),
        (["a", 1.5], ColumnType.TEXT),
        (["a", True], ColumnType.TEXT),
        ([1, 1.5], ColumnType.INTEGER),
        ([1, 2**63], ColumnType.INTEGER),
        ([1, True], ColumnType.INTEGER),
        ([1, "2"], ColumnType.INTEGER),
        ([1.0, np.inf], ColumnType.NUMBER),
        ([1.0, "x"], ColumnType.NUMBER),
        ([True, 1], ColumnType.BOOLEAN),
        ([["a"], "b"], ColumnType.TEXTS),
        ([["a"], ["b", None]], ColumnType.TEXTS),
        ([["a"], ["b", 1]], ColumnType.TEXTS),
    ],
)
def test_what_is_no_value_of_its_column_is_refused(values, kind):
    with pytest.raises(BadValue) as refused:
        stored_column("cells", pd.Series(values, dtype="object", name="x"), kind)
    assert refused.value.place is not None
    assert (refused.value.place.layer, refused.value.place.feature, refused.value.place.field) == ("cells", 1, "x")


def test_infinity_among_floats_is_refused():
    with pytest.raises(BadValue):
        stored_column("cells", pd.Series([0.0, -np.inf], name="x"), ColumnType.NUMBER)


def test_a_column_of_the_users_own_of_a_strange_type_is_refused():
    moments = pd.DataFrame({"when": pd.to_datetime(["2026-01-01"])})
    with pytest.raises(BadValue) as refused:
        stored_extra("facilities", moments)
    assert refused.value.place is not None
    assert refused.value.place.field == "when"
