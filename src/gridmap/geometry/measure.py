r"""Areas, lengths and local planes of polygons in the lattice frame, on the WGS 84 ellipsoid.

Areas are taken in the cylindrical equal-area plane

.. math:: X = a\,\lambda, \qquad Y = \frac{a}{2}\,q(\varphi), \qquad
    q(\varphi) = (1-e^2)\left[\frac{\sin\varphi}{1-e^2\sin^2\varphi}
    - \frac{1}{2e}\ln\frac{1-e\sin\varphi}{1+e\sin\varphi}\right]

(Snyder, *Map Projections: A Working Manual*, 1987, eq. 3-12), edge by edge between its end points. So areas add up:
pieces that cancel edge for edge have exactly the area of their sum, but for the rounding of the sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from gridmap.geometry.chain import Indices, rings_of
from gridmap.geometry.lattice import Geometries, to_degrees

SEMI_MAJOR_M = 6378137.0
_FLATTENING = 1 / 298.257223563
_E2 = _FLATTENING * (2 - _FLATTENING)
_BLOCK = 2048
_SERIES = [1 + 1 / (2 * k + 1) for k in range(8)]


def _equal_area(units: NDArray[Any]) -> NDArray[np.float64]:
    lon, lat = np.radians(to_degrees(units)).T
    sine = np.sin(lat)
    # The two terms of q as one power series in e² sin² φ, to the last bit: sum of (1 + 1 / (2k + 1)) (e² sin² φ)^k.
    power = _E2 * sine**2
    series = np.polynomial.polynomial.polyval(power, _SERIES)
    q = (1 - _E2) * sine * series
    return np.column_stack([SEMI_MAJOR_M * lon, SEMI_MAJOR_M / 2 * q])


def area_m2(geometries: Geometries) -> NDArray[np.float64]:
    """Area of each geometry, square metres on the ellipsoid.

    Parameters
    ----------
    geometries : (n,) polygons or multipolygons, lattice frame

    Returns
    -------
    (n,) float64
    """
    rings = rings_of(geometries)
    size_m2 = ring_area_m2(rings.points, rings.offset)
    signed = np.where(rings.is_shell, size_m2, -size_m2)
    return np.bincount(rings.polygon, weights=signed, minlength=len(geometries)).astype(np.float64)


def ring_area_m2(points: NDArray[Any], offset: Indices) -> NDArray[np.float64]:
    """Area within each ring, square metres on the ellipsoid.

    Parameters
    ----------
    points : (p, 2) lattice units, rings closed or not
    offset : (n + 1,) where each ring begins
    """
    # In blocks that stay in the processor's cache.
    starts = range(0, len(offset) - 1, _BLOCK)
    blocks = [_block_area_m2(points, offset[first : first + _BLOCK + 1]) for first in starts]
    return np.concatenate([np.empty(0), *blocks])


def _block_area_m2(points: NDArray[Any], offset: Indices) -> NDArray[np.float64]:
    begin, size = offset[:-1] - offset[0], np.diff(offset)
    plane = _equal_area(points[offset[0] : offset[-1]])
    # A local origin keeps the sum from losing digits far from 0, 0; it also makes the edge that closes a ring count 0.
    plane -= np.repeat(plane[begin], size, axis=0)
    cross = plane[:-1, 0] * plane[1:, 1] - plane[1:, 0] * plane[:-1, 1]
    return np.asarray(np.abs(np.add.reduceat(np.append(cross, 0.0), begin)) / 2)


class LocalPlane:
    """A Lambert azimuthal equal-area plane around a place: metres, true area, near-true distance within a county."""

    def __init__(self, lon: float, lat: float) -> None:
        self.crs = f"+proj=laea +lat_0={lat:.6f} +lon_0={lon:.6f} +datum=WGS84 +units=m +no_defs"
        self._forward = Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        self._back = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)

    @classmethod
    def around(cls, geometries: Geometries) -> LocalPlane:
        """Plane centred on the bounding box of lattice-frame geometries."""
        box = to_degrees(np.asarray(shapely.total_bounds(geometries)))
        return cls(float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)

    def from_degrees(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) longitude and latitude, degrees, to (n, 2) metres of the plane."""
        return np.column_stack(self._forward.transform(lonlat[:, 0], lonlat[:, 1]))

    def to_degrees(self, xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) metres of the plane to (n, 2) longitude and latitude, degrees."""
        return np.column_stack(self._back.transform(xy_m[:, 0], xy_m[:, 1]))

    def project(self, geometries: Geometries) -> Geometries:
        """Lattice-frame geometries in metres of the plane."""
        return np.asarray(shapely.transform(geometries, lambda units: self.from_degrees(to_degrees(units))))
