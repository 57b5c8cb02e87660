"""The integer lattice of 1e-7 degree on which every coordinate of a partition lies.

Polygons of the kernel live in the *lattice frame*: shapely geometries whose coordinates are whole numbers
(degrees x 1e7) held exactly in float64. ``n / 1e7`` rounds back to ``n``, so GeoJSON with seven decimals carries the
lattice without loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

LATTICE_DEG = 1e-7
UNITS_PER_DEGREE = 10_000_000

#: Longitude and latitude bounds, lattice units.
MAX_X, MAX_Y = 180 * UNITS_PER_DEGREE, 90 * UNITS_PER_DEGREE

Geometries = NDArray[np.object_]
Packed = NDArray[np.int64]

_Y_BITS = 31
_Y_MASK = (1 << _Y_BITS) - 1


def to_units(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees to lattice units, rounded to the nearest whole unit (ties to even), any shape."""
    return np.rint(degrees * UNITS_PER_DEGREE)


def to_degrees(units: NDArray[Any]) -> NDArray[np.float64]:
    """Lattice units to degrees; exact in the sense that seven decimals print the units back."""
    return units / UNITS_PER_DEGREE


def geometries_to_units(geometries: Geometries) -> Geometries:
    """Geometries in degrees to the lattice frame, vertex by vertex; validity is not looked at."""
    return np.asarray(shapely.transform(geometries, to_units))


def geometries_to_degrees(geometries: Geometries) -> Geometries:
    """Geometries in the lattice frame to degrees."""
    return np.asarray(shapely.transform(geometries, to_degrees))


def pack(xy: NDArray[Any]) -> Packed:
    """Points of the lattice as one int64 each, ordered by x, then y.

    Parameters
    ----------
    xy : (n, 2) whole numbers, lattice units
    """
    whole = xy.astype(np.int64)
    return (whole[:, 0] << _Y_BITS) + (whole[:, 1] + (1 << (_Y_BITS - 1)))


def unpack(packed: Packed) -> NDArray[np.int64]:
    """Inverse of ``pack``: (n, 2) int64, lattice units."""
    return np.stack([packed >> _Y_BITS, (packed & _Y_MASK) - (1 << (_Y_BITS - 1))], axis=1)
