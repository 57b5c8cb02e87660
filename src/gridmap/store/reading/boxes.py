"""Boxes that features of a layer meet, settled exactly and alike on both databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    Table,
    and_,
    func,
    literal,
    or_,
    select,
    true,
)

from gridmap.store.boxes import box_shape
from gridmap.store.models import FID, GEOMETRY, SRID
from gridmap.store.protocols import Box
from gridmap.store.sqlite import FID_BITS, rtree_of

#: So many places are looked up one by one; where a box holds more the layer is walked in its order.
_FEW = 20_000
_MEETS = "gridmap_meets_box"


@dataclass(frozen=True, slots=True)
class Boxes:
    """Conditions on the rows of a source that one statement on a connection may have.

    Attributes
    ----------
    table : of the layer
    source : rows of the layer, whatever is selected of them
    row : row number of their version
    """

    connection: Connection
    table: Table
    source: FromClause
    row: int

    @property
    def _has_rtree(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    def meets(self, box: Box) -> ColumnElement[bool]:
        """Whether the geometry of a row meets a box."""
        shape = box_shape(box)
        if not self._has_rtree:
            return meets_shape(self.source.c[GEOMETRY], literal(shapely.to_wkb(shape), LargeBinary))
        shapely.prepare(shape)

        def settled(wkb: bytes | None) -> bool:
            return wkb is not None and bool(shapely.intersects(shapely.from_wkb(wkb), shape))

        driver: Any = self.connection.connection.dbapi_connection
        driver.create_function(_MEETS, 1, settled, deterministic=True)
        return self._found(box, getattr(func, _MEETS)(self.source.c[GEOMETRY], type_=Boolean))

    def is_near(self, box: Box) -> ColumnElement[bool]:
        """Whether a row may meet a box: true of all that do, and of some others; PostGIS sees to that itself."""
        return self._found(box, None) if self._has_rtree else true()

    def _found(self, box: Box, settled: ColumnElement[bool] | None) -> ColumnElement[bool]:
        """Look the box up in the R*Tree; what its index cannot tell is settled one by one."""
        index, fid, first = rtree_of(self.table), self.source.c[FID], self.row << FID_BITS
        near = and_(*self._overlap(index, box))
        # The index holds single floats, rounded outwards: what it has inside is inside.
        inside = and_(
            index.c.west >= box.west,
            index.c.east <= box.east,
            index.c.south >= box.south,
            index.c.north <= box.north,
        )
        some = select(index.c.id).where(near).limit(_FEW + 1).subquery()
        if self.connection.execute(select(func.count()).select_from(some)).scalar_one() > _FEW:
            own = select(index.c.id).where(index.c.id == first + fid, near)
            return (own if settled is None else own.where(or_(inside, settled))).exists()
        fids = select(index.c.id - first)
        placed = fid.in_(fids.where(near))
        return placed if settled is None else and_(placed, or_(fid.in_(fids.where(near, inside)), settled))

    def _overlap(self, index: Any, box: Box) -> list[ColumnElement[bool]]:
        return [
            index.c.first <= self.row,
            index.c.last >= self.row,
            index.c.west <= box.east,
            index.c.east >= box.west,
            index.c.south <= box.north,
            index.c.north >= box.south,
        ]

    def extent(self) -> Box | None:
        """Bounds of all geometries; None without any."""
        column = self.source.c[GEOMETRY]
        if self._has_rtree:
            return self._extent_by_rtree(column)
        whole = func.ST_Extent(column)
        sides = (func.ST_XMin(whole), func.ST_YMin(whole), func.ST_XMax(whole), func.ST_YMax(whole))
        found = self.connection.execute(select(*sides)).one()
        return None if found[0] is None else Box(*found)

    def _extent_by_rtree(self, column: ColumnElement[Any]) -> Box | None:
        index = rtree_of(self.table)
        own = index.c.id == (self.row << FID_BITS) + self.source.c[FID]
        sides = (index.c.west, index.c.south, index.c.east, index.c.north)
        least = [func.min(side) for side in sides[:2]] + [func.max(side) for side in sides[2:]]
        rough = self.connection.execute(select(*least).select_from(self.source).join(index, own)).one()
        if rough[0] is None:
            return None
        # Whatever is outermost is outermost in single floats too: few geometries are left to look at.
        outermost = or_(*(side == value for side, value in zip(sides, rough, strict=True)))
        wkb = self.connection.execute(select(column).join(index, own).where(outermost)).scalars().all()
        bounds = shapely.bounds(shapely.from_wkb(np.array(wkb, dtype=object))).reshape(-1, 4)
        return Box(*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist())


def meets_shape(geometry: ColumnElement[Any], wkb: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Whether a geometry meets one given as WKB, in PostGIS."""
    return func.ST_Intersects(geometry, func.ST_GeomFromWKB(wkb, SRID), type_=Boolean)
