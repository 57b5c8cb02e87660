"""Where two segments of the lattice cross, rounded to it: one answer, whichever way either is directed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.geometry.lattice import Packed, pack, unpack


def cross(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Cross product of vectors along the last axis, exact for whole numbers below 2^31."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def crossing_points(start: Packed, end: Packed, first: Packed, second: Packed) -> Packed:
    """Lattice points nearest to where segments (start, end) cross the lines through (first, second).

    The two must not be parallel.
    """
    a, b = unpack(np.minimum(start, end)), unpack(np.maximum(start, end))
    c, d = unpack(np.minimum(first, second)), unpack(np.maximum(first, second))
    along, side = b - a, d - c
    share = cross(c - a, side) / cross(along, side)
    # Rounded as an offset: at full magnitude float64 would keep too few digits of the fraction.
    return pack(a + np.floor(share[:, None] * along + 0.5).astype(np.int64))
