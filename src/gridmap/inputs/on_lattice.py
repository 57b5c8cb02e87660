"""Bring checked polygons of any datum onto the lattice of 1e-7 degree, borders kept shared."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.errors import InvalidGeometry, Place
from gridmap.geometry.datum import Datum
from gridmap.geometry.lattice import Geometries, to_units
from gridmap.geometry.noding import insert_shared_vertices
from gridmap.inputs.polygons import improper, polygon_parts, untangled
from gridmap.inputs.whereabouts import PlaceOf, to_checked_wgs84

#: How near a vertex must lie to a neighbour's edge to lie on it, in the file's own unit: 0.1 mm of a degree, 1 mm.
NODING_DEG, NODING_M = 1e-9, 1e-3

#: The same on the lattice: rounding moves a point by up to half a unit each way, 0.71 in all.
NODING_UNITS = 0.75

_MOST_ROUNDS = 4


def onto_lattice(geometry: Geometries, datum: Datum, place_of: PlaceOf) -> tuple[Geometries, NDArray[np.intp]]:
    """Node, convert vertex by vertex, round, node again, and mend what rounding made improper.

    Parameters
    ----------
    geometry : (n,) valid polygons or multipolygons, coordinates of ``datum``
    place_of : place of the i-th of them

    Returns
    -------
    (n,) valid polygons or multipolygons in the lattice frame, and the rows that rounding tangled and that were mended
    at lattice precision (no vertex moved by more than a unit, about a centimetre).

    Raises
    ------
    OutOfPlace
        If a coordinate cannot be meant.
    InvalidGeometry
        If nothing is left of a polygon on the lattice.
    """
    noded = insert_shared_vertices(geometry, NODING_M if datum.is_projected else NODING_DEG)
    coordinates, owner = shapely.get_coordinates(noded, return_index=True)
    lonlat = to_checked_wgs84(coordinates, datum, lambda row: place_of(int(owner[row])))
    units = shapely.set_coordinates(noded.copy(), to_units(lonlat))
    mended = np.zeros(len(units), dtype=bool)
    try:
        units = shapely.remove_repeated_points(units, 0.0)
    except shapely.GEOSException:
        # A ring has become a single point; GEOS does not say which.
        for row, one in enumerate(units):
            units[row], mended[row] = _without_repeats(one, place_of(row))
    return _settle(units, mended, place_of)


def _without_repeats(units: shapely.Geometry, place: Place) -> tuple[shapely.Geometry, bool]:
    try:
        return shapely.remove_repeated_points(units, 0.0), False
    except shapely.GEOSException:
        return _mended(units, place), True


def _settle(units: Geometries, mended: NDArray[np.bool_], place_of: PlaceOf) -> tuple[Geometries, NDArray[np.intp]]:
    """Node and mend by turns until neither finds anything to do: mending makes vertices, noding bends edges."""
    unsure = np.ones(len(units), dtype=bool)
    for _ in range(_MOST_ROUNDS):
        noded = insert_shared_vertices(units, NODING_UNITS)
        unsure |= np.array([one is not other for one, other in zip(noded, units, strict=True)], dtype=bool)
        units = noded.copy()
        asked = np.flatnonzero(unsure)
        tangled = asked[~shapely.is_valid(units[asked])]
        if not len(tangled):
            return units, np.flatnonzero(mended)
        for row in tangled:
            units[row] = _mended(units[row], place_of(int(row)))
        mended[tangled] = True
        unsure[:] = False
        unsure[tangled] = True
    raise improper(units[tangled[0]], place_of(int(tangled[0])), len(tangled))


def _mended(units: shapely.Geometry, place: Place) -> shapely.Geometry:
    valid = untangled(units)
    rounded = None if valid is None else polygon_parts(shapely.set_precision(valid, grid_size=1.0))
    if rounded is None:
        raise InvalidGeometry("inputs.lost_on_lattice", place)
    return rounded
