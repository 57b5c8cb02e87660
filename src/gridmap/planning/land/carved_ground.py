"""Dedicated and locked ground together: what is carved out before any grid is drawn, and what is refused of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.domain.inputs import Carved
from gridmap.domain.kinds import BaseUnitKind
from gridmap.errors import CoverageFault, InvalidGeometry, OutOfPlace, Place
from gridmap.geometry.faults import degrees, metres
from gridmap.geometry.lattice import Geometries, geometries_to_degrees, geometries_to_units, to_degrees
from gridmap.geometry.width import sizes_of
from gridmap.planning.service.reach import Rows

#: Polygons drawn with a common border may overlap this far by rounding, lattice units.
_ROUNDING_UNITS = 1.0


@dataclass(frozen=True)
class CarvedGround:
    """Dedicated polygons, then locked ones, each by identifier.

    Attributes
    ----------
    geometry : (c,) polygons or multipolygons, lattice frame
    kind : (c,) DEDICATED or LOCKED
    row : (c,) int64, row within the polygons of the same kind
    ids : (c,) str
    source : (c,) str, the file each came from
    """

    geometry: Geometries
    kind: tuple[BaseUnitKind, ...]
    row: Rows
    ids: tuple[str, ...]
    source: tuple[str, ...]

    @classmethod
    def of(cls, dedicated: Carved | None, locked: Carved | None) -> CarvedGround:
        """Both, on the lattice."""
        rows = [
            (ident, number, of_kind, carved.source, polygon)
            for carved, of_kind in ((dedicated, BaseUnitKind.DEDICATED), (locked, BaseUnitKind.LOCKED))
            if carved is not None
            for number, (ident, polygon) in enumerate(zip(carved.ids, carved.geometry, strict=True))
        ]
        # In an order of their own: where two overlap by rounding, it must not be that of the file that decides.
        rows.sort(key=lambda row: (row[2], row[0]))
        geometry = np.empty(len(rows), object)
        geometry[:] = [row[4] for row in rows]
        return cls(
            geometries_to_units(geometry),
            tuple(row[2] for row in rows),
            np.array([row[1] for row in rows], dtype=np.int64),
            tuple(row[0] for row in rows),
            tuple(row[3] for row in rows),
        )

    def refuse_overlaps(self) -> None:
        """Refuse polygons that overlap by more than rounding, the widest overlap first.

        Raises
        ------
        CoverageFault
            Naming both, with the size and the place of what they share.
        """
        one, other = shapely.STRtree(self.geometry).query(self.geometry, predicate="intersects")
        one, other = one[one < other], other[one < other]
        shared = shapely.intersection(self.geometry[one], self.geometry[other])
        wide = np.flatnonzero(~shapely.is_empty(shapely.buffer(shared, -_ROUNDING_UNITS)))
        if not len(wide):
            return
        ground = np.array([_polygons_of(shared[row]) for row in wide.tolist()], dtype=object)
        sizes = sizes_of(geometries_to_degrees(ground))
        named = [sorted((self.ids[one[row]], self.ids[other[row]])) for row in wide.tolist()]
        worst = min(range(len(wide)), key=lambda row: (-sizes.width_m[row], named[row]))
        lon, lat = sizes.lonlat[worst].tolist()
        raise CoverageFault(
            "geometry.carved_overlap",
            Place(file=self.source[one[wide[worst]]]),
            one=named[worst][0],
            other=named[worst][1],
            area=metres(float(sizes.area_m2[worst])),
            width=metres(float(sizes.width_m[worst])),
            lon=degrees(lon),
            lat=degrees(lat),
        )

    def refuse_missing(self, found: Rows, areas: Geometries) -> None:
        """Refuse polygons of which no ground was found.

        Parameters
        ----------
        found : rows of which ground was found, -1 for none
        areas : (n,) polygons or multipolygons, lattice frame

        Raises
        ------
        OutOfPlace
            If a polygon lies outside all areas.
        InvalidGeometry
            If it lies in an area but is too narrow for the lattice.
        """
        missing = np.setdiff1d(np.arange(len(self.ids)), found)
        for row in missing[np.argsort([self.ids[row] for row in missing.tolist()])][:1].tolist():
            polygon = self.geometry[row]
            lon, lat = to_degrees(shapely.get_coordinates(shapely.point_on_surface(polygon)))[0].tolist()
            place, values = Place(file=self.source[row], code=self.ids[row]), {"lon": f"{lon:.5f}", "lat": f"{lat:.5f}"}
            inside = shapely.area(shapely.intersection(areas, polygon)).sum()
            if 2 * inside > shapely.area(polygon):
                raise InvalidGeometry("geometry.carved_too_thin", place, **values)
            raise OutOfPlace("geometry.carved_outside", place, **values)


def _polygons_of(shared: shapely.Geometry) -> shapely.Geometry:
    """Polygons among the parts of an intersection."""
    parts = shapely.get_parts(shared)
    return shapely.multipolygons(parts[shapely.get_dimensions(parts) == 2])
