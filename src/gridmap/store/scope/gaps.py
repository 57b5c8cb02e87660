"""Gaps that reach beyond a scope: their area code is that of most of their demand, not of all their ground."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from sqlalchemy import ColumnElement, Connection, LargeBinary, Table, func, select

from gridmap.store.models import FID, GEOMETRY, VERSION, layer_tables
from gridmap.store.scope.areas import beyond_areas, in_areas


def gaps_within(connection: Connection, row: int, prefixes: tuple[str, ...]) -> tuple[int, ...]:
    """``fid`` of each gap that consists of cells in reach alone.

    Gaps are made of whole uncovered cells: one reaches beyond the scope where a point of a cell from there lies in it.
    """
    gaps, cells = layer_tables["gaps"], layer_tables["cells"]
    own = connection.execute(
        select(gaps.c[FID], _wkb(connection, gaps)).where(
            gaps.c[VERSION] == row, in_areas(gaps.c.area_code, prefixes), gaps.c[GEOMETRY].is_not(None)
        )
    ).fetchall()
    if not own:
        return ()
    others = connection.execute(
        select(_wkb(connection, cells)).where(
            cells.c[VERSION] == row,
            beyond_areas(cells.c.area_code, prefixes),
            cells.c.covered.is_not(True),
            cells.c[GEOMETRY].is_not(None),
        )
    ).scalars()
    points = shapely.point_on_surface(shapely.from_wkb(np.array([*others], dtype=object)))
    shapes = shapely.from_wkb(np.array([wkb for _, wkb in own], dtype=object))
    reaching = set(shapely.STRtree(points).query(shapes, predicate="intersects")[0].tolist())
    return tuple(sorted(fid for place, (fid, _) in enumerate(own) if place not in reaching))


def _wkb(connection: Connection, table: Table) -> ColumnElement[Any]:
    column = table.c[GEOMETRY]
    return column if connection.dialect.name == "sqlite" else func.ST_AsBinary(column, "NDR", type_=LargeBinary)
