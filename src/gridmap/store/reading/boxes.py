"""Conditions that narrow a layer to what meets a box, settled exactly and alike on both databases."""

from __future__ import annotations

from typing import Any

import shapely
from sqlalchemy import Boolean, ColumnElement, Connection, Table, and_, func, or_, select

from gridmap.store.boxes import box_shape
from gridmap.store.models import FID, GEOMETRY, SRID
from gridmap.store.protocols import Box
from gridmap.store.sqlite import FID_BITS, rtree_of

#: So many places are looked up one by one; of more the layer is walked in its order.
_FEW = 20_000
_MEETS = "gridmap_meets_box"


def meets_box(connection: Connection, table: Table, source: Any, version_row: int, box: Box) -> ColumnElement[bool]:
    """Whether the geometry of a row meets a box.

    Parameters
    ----------
    connection : on which the statement runs
    table : of the layer
    source : what the statement selects from
    version_row : row number of the version
    """
    if connection.dialect.name == "sqlite":
        return _by_rtree(connection, table, source, version_row, box)
    shape = func.ST_GeomFromWKB(shapely.to_wkb(box_shape(box)), SRID)
    return func.ST_Intersects(source.c[GEOMETRY], shape, type_=Boolean)


def _by_rtree(connection: Connection, table: Table, source: Any, version_row: int, box: Box) -> ColumnElement[bool]:
    index, shape = rtree_of(table), box_shape(box)
    shapely.prepare(shape)

    def settled(wkb: bytes | None) -> bool:
        return wkb is not None and bool(shapely.intersects(shapely.from_wkb(wkb), shape))

    driver: Any = connection.connection.dbapi_connection
    driver.create_function(_MEETS, 1, settled, deterministic=True)
    here = and_(index.c.first <= version_row, index.c.last >= version_row)
    near = and_(
        here,
        index.c.west <= box.east,
        index.c.east >= box.west,
        index.c.south <= box.north,
        index.c.north >= box.south,
    )
    # The index holds single floats, rounded outwards: what it has inside is inside.
    inside = and_(
        index.c.west >= box.west,
        index.c.east <= box.east,
        index.c.south >= box.south,
        index.c.north <= box.north,
    )
    meets = getattr(func, _MEETS)(source.c[GEOMETRY], type_=Boolean)
    first = version_row << FID_BITS
    if (
        connection.execute(
            select(func.count()).select_from(select(index.c.id).where(near).limit(_FEW + 1).subquery())
        ).scalar_one()
        > _FEW
    ):
        own = index.c.id == first + source.c[FID]
        return select(index.c.id).where(own, near, or_(inside, meets)).exists()
    fids = index.c.id - first
    return and_(
        source.c[FID].in_(select(fids).where(near)),
        or_(source.c[FID].in_(select(fids).where(near, inside)), meets),
    )
