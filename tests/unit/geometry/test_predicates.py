"""The side of a line, against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from gridmap.geometry.predicates import orientation

Points = NDArray[np.float64]


def as_fractions(a: Points, b: Points, c: Points) -> list[int]:
    signs = []
    for p, q, r in zip(a.tolist(), b.tolist(), c.tolist(), strict=True):
        (px, py), (qx, qy), (rx, ry) = ([Fraction(value) for value in point] for point in (p, q, r))
        determinant = (px - rx) * (qy - ry) - (py - ry) * (qx - rx)
        signs.append((determinant > 0) - (determinant < 0))
    return signs


def nearly_collinear(seed: int, offset: float, scale: float) -> tuple[Points, Points, Points]:
    random = np.random.default_rng(seed)
    a = offset + scale * random.integers(-5, 5, (400, 2))
    b = a + scale * random.integers(-5, 5, (400, 2))
    c = a + (b - a) * random.integers(-2, 3, (400, 1)) * 0.5
    nudge = random.integers(-1, 2, (400, 2))
    return a, b, np.where(nudge == 0, c, np.nextafter(c, np.where(nudge < 0, -np.inf, np.inf)))


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 0.1), (111.2, 0.1), (111.2, 1e-7), (1.112e9, 1.0), (-63.9, 0.3)])
def test_orientation_of_nearly_collinear_points_is_exact(offset: float, scale: float) -> None:
    a, b, c = nearly_collinear(1, offset, scale)
    expected = as_fractions(a, b, c)
    assert {-1, 0, 1} == set(expected)
    assert orientation(a, b, c).tolist() == expected


def test_orientation_survives_underflow() -> None:
    a, b, c = (point * 1e-170 for point in nearly_collinear(2, 0.0, 0.1))
    assert orientation(a, b, c).tolist() == as_fractions(a, b, c)
