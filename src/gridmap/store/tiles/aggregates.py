"""Cells summed up by hexagons of coarser resolutions, written with the cells of a version.

Every cell counts towards exactly one hexagon of each resolution, so that the sums over all hexagons are the sums over
all cells. Sums are kept by area code: a scope takes those in its reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import ColumnElement, Connection, LargeBinary, func, insert, select

from gridmap.domain.layers import LAYER_BY_NAME
from gridmap.store.models import FID, GEOMETRY, SRID, VERSION, layer_tables, plan_version
from gridmap.store.service_tables import cells_aggregate
from gridmap.store.tiles.parents import Cells, indices, outlines, parents, resolution_of

Floats = NDArray[np.float64]
#: Plans with no more cells are never summed up.
FEW_CELLS = 2000
#: Hexagons that a whole plan may have at its coarsest resolution.
FEW_HEXAGONS = 1000
#: What is summed up, in the order of the table.
SUMS = ("demand", "area_m2", "covered_demand", "covered_m2", "measured_m2", "distance_m3", "crossing_m2")
_READ = (
    "cell_id", "area_code", "demand", "area_m2", "covered", "covered_share", "distance_m", "crossing_degree",
)  # fmt: skip
_COLUMNS = (
    VERSION, "resolution", "hexagon", "area_code", "cells", *SUMS, "west", "south", "east", "north", GEOMETRY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Summed:
    """Cells by H3 index and area code, with what they add to each sum."""

    cells: Cells
    area: NDArray[np.int64]
    area_codes: list[str]
    adds: dict[str, Floats]


def write_aggregates(
    connection: Connection, row: int, columns: Sequence[Sequence[Any]], wkb: Sequence[bytes | None] | None
) -> None:
    """Write the sums of the cells of the version with this row number.

    Parameters
    ----------
    columns : values of each column of ``cells``, in the order of the layer
    wkb : of their geometries
    """
    names = [column.name for column in LAYER_BY_NAME["cells"].columns]
    _write(connection, row, [columns[names.index(name)] for name in _READ], wkb or [None] * len(columns[0]))


def fill_aggregates(connection: Connection) -> None:
    """Write the sums of all versions; there must be none."""
    table = layer_tables["cells"]
    shape: ColumnElement[Any] = table.c[GEOMETRY]
    if connection.dialect.name != "sqlite":
        shape = func.ST_AsBinary(shape, "NDR", type_=LargeBinary)
    for row in connection.execute(select(plan_version.c.id)).scalars().all():
        wanted = [*(table.c[name] for name in _READ), shape]
        rows = connection.execute(select(*wanted).where(table.c[VERSION] == row).order_by(table.c[FID])).fetchall()
        if rows:
            *columns, wkb = (list(values) for values in zip(*rows, strict=True))
            _write(connection, row, columns, [None if one is None else bytes(one) for one in wkb])


def _write(connection: Connection, row: int, columns: Sequence[Sequence[Any]], wkb: Sequence[bytes | None]) -> None:
    if len(columns[0]) <= FEW_CELLS:
        return
    rows = list(_rows(row, _summed(columns, wkb)))
    if connection.dialect.name == "sqlite":
        statement = insert(cells_aggregate).compile(dialect=connection.dialect, column_keys=list(_COLUMNS))
        order = [_COLUMNS.index(name) for name in statement.positiontup or ()]
        connection.exec_driver_sql(str(statement), [tuple(one[place] for place in order) for one in rows])
        return
    names = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    copying = sql.SQL("COPY cells_aggregate ({}) FROM STDIN").format(names)
    shapes = shapely.set_srid(shapely.from_wkb([one[-1] for one in rows]), SRID)
    ewkb = shapely.to_wkb(shapes, hex=True, byte_order=1, include_srid=True).tolist()
    with connection.connection.cursor() as cursor, cursor.copy(copying) as copy:  # type: ignore[attr-defined]
        for one, shape in zip(rows, ewkb, strict=True):
            copy.write_row((*one[:-1], shape))


def _summed(columns: Sequence[Sequence[Any]], wkb: Sequence[bytes | None]) -> _Summed:
    given = dict(zip(_READ, columns, strict=True))
    codes = [code or "" for code in given["area_code"]]
    area_codes = sorted(set(codes))
    place = {code: number for number, code in enumerate(area_codes)}
    demand, area, distance = _numbers(given["demand"]), _numbers(given["area_m2"]), _numbers(given["distance_m"])
    measured = np.array([value is not None for value in given["distance_m"]])
    covered = np.array([value is True for value in given["covered"]])
    return _Summed(
        indices(given["cell_id"], wkb),
        np.array([place[code] for code in codes], np.int64),
        area_codes,
        {
            "demand": demand,
            "area_m2": area,
            "covered_demand": np.where(covered, demand, 0.0),
            "covered_m2": area * _numbers(given["covered_share"]),
            "measured_m2": np.where(measured, area, 0.0),
            "distance_m3": area * distance,
            "crossing_m2": area * _numbers(given["crossing_degree"]),
        },
    )


def _numbers(values: Sequence[Any]) -> Floats:
    return np.array([0.0 if value is None else value for value in values], np.float64)


def _rows(row: int, summed: _Summed) -> Iterator[tuple[Any, ...]]:
    """Rows of the table: resolutions from just above the cells' to one at which the plan has few hexagons."""
    placed = summed.cells != 0
    if not placed.any():
        return
    cells, area = summed.cells[placed], summed.area[placed]
    for resolution in range(int(resolution_of(cells[:1])[0]) - 1, -1, -1):
        hexagons, of_cell = np.unique(parents(cells, resolution), return_inverse=True)
        pairs, of_pair = np.unique(of_cell * len(summed.area_codes) + area, return_inverse=True)
        hexagon, code = np.divmod(pairs, len(summed.area_codes))
        shapes = outlines(hexagons)
        bounds = shapely.bounds(shapes)
        wkb = shapely.to_wkb(shapes, byte_order=1)
        count = np.bincount(of_pair)
        sums = [np.bincount(of_pair, weights=summed.adds[name][placed]).tolist() for name in SUMS]
        yield from zip(
            [row] * len(pairs),
            [resolution] * len(pairs),
            [f"{int(index):x}" for index in hexagons[hexagon]],
            [summed.area_codes[number] for number in code.tolist()],
            count.tolist(),
            *sums,
            *bounds[hexagon].T.tolist(),
            wkb[hexagon].tolist(),
            strict=True,
        )
        if len(hexagons) <= FEW_HEXAGONS:
            return
