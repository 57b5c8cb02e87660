"""Hexagons that stand for cells in a tile: sums over the area codes in reach."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Double, Select, cast, func, literal, null, select, type_coerce
from sqlalchemy.types import BigInteger, Boolean

from gridmap.store.models import GEOMETRY
from gridmap.store.reading.layers import LayerReader
from gridmap.store.service_tables import cells_aggregate as table
from gridmap.store.tiles.attributes import DENSITY
from gridmap.store.tiles.scale import Sums, of_reach

Side = float | BindParameter[float]


def hexagons(reader: LayerReader, sums: Sums, west: Side, south: Side, east: Side, north: Side) -> Select[Any]:
    """Select the hexagons whose bounds meet a box: ``OF_AGGREGATES`` and the geometry, by hexagon."""
    reach = reader.reach
    demand, area_m2 = func.sum(table.c.demand), func.sum(table.c.area_m2)

    def mean(of: Any, over: Any) -> Any:
        return type_coerce(of.op("/")(func.nullif(over, 0.0)), Double)

    # How far it is to outlets that are out of reach is nobody's business.
    distance: Any = mean(func.sum(table.c.distance_m3), func.sum(table.c.measured_m2))
    if not reach.is_whole:
        distance = type_coerce(null(), Double)
    return (
        select(
            table.c.hexagon.label("cell_id"),
            literal(True, Boolean).label("aggregated"),
            literal(sums.resolution, BigInteger).label("resolution"),
            cast(func.sum(table.c.cells), BigInteger).label("cells"),
            demand.label("demand"),
            area_m2.label("area_m2"),
            func.sum(table.c.covered_demand).label("covered_demand"),
            func.sum(table.c.covered_m2).label("covered_m2"),
            mean(func.sum(table.c.covered_m2), area_m2).label("covered_share"),
            distance.label("distance_m"),
            mean(func.sum(table.c.crossing_m2), area_m2).label("crossing_degree"),
            mean(demand * 1e6, area_m2).label(DENSITY),
            table.c[GEOMETRY],
        )
        .where(
            *of_reach(reader.version.row, reach),
            table.c.resolution == sums.resolution,
            # Narrowed from both sides, for the index.
            table.c.west.between(west - sums.width_deg, east),
            table.c.east >= west,
            table.c.south <= north,
            table.c.north >= south,
        )
        .group_by(table.c.hexagon, table.c[GEOMETRY])
        .order_by(table.c.hexagon)
    )
