"""What features of tiles tell of themselves: what maps colour and label them by, and cards show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Double, FromClause, func, literal, select, type_coerce

from gridmap.domain.layers import LAYER_BY_NAME, LAYERS, Column, ColumnType, GeometryType
from gridmap.store.models import FID

#: Layers that tiles hold, those that lie below others first.
TILED = tuple(layer.name for layer in LAYERS if layer.geometry is not None)
#: The layer for which sums stand at small scales.
CELLS = "cells"
#: Columns that tiles leave out: they belong to one feature's page.
_LEFT_OUT = {
    "cells": {
        "facility_ids_in_reach",
        *(column.name for column in LAYER_BY_NAME["cells"].columns if column.name.startswith("nearest_")),
    },
    "facilities": {
        "lon", "lat", "lon_given", "lat_given", "datum", "line_number", "radius_urban_m", "radius_rural_m",
    },
    "grids": {"compactness", "parts", "holes"},
    "levels": {"parts", "holes"},
}  # fmt: skip
_WITH_DENSITY = ("cells", "grids", "areas", "units")
DENSITY = "demand_per_km2"
_SETTLEMENT = "settlement"
#: Attributes of the hexagons that stand for cells at small scales.
OF_AGGREGATES = (
    Column("cell_id", ColumnType.TEXT),
    Column("aggregated", ColumnType.BOOLEAN),
    Column("resolution", ColumnType.INTEGER),
    Column("cells", ColumnType.INTEGER),
    Column("demand", ColumnType.NUMBER),
    Column("area_m2", ColumnType.NUMBER),
    Column("covered_demand", ColumnType.NUMBER),
    Column("covered_m2", ColumnType.NUMBER),
    Column("covered_share", ColumnType.NUMBER),
    Column("distance_m", ColumnType.NUMBER),
    Column("crossing_degree", ColumnType.NUMBER),
    Column(DENSITY, ColumnType.NUMBER),
)


def attributes_of(layer: str) -> tuple[Column, ...]:
    """Attributes of the features of a layer in tiles; lists are left out, and so are columns of the users' own."""
    left_out = _LEFT_OUT.get(layer, set())
    kept = [
        column
        for column in LAYER_BY_NAME[layer].columns
        if column.name not in left_out and column.type is not ColumnType.TEXTS
    ]
    if layer in _WITH_DENSITY:
        kept.append(Column(DENSITY, ColumnType.NUMBER))
    if layer == "facilities":
        kept.append(Column(_SETTLEMENT, ColumnType.TEXT))
    return tuple(kept)


def has_polygons(layer: str) -> bool:
    """Whether features of a layer are polygons; they are points otherwise."""
    return LAYER_BY_NAME[layer].geometry is GeometryType.POLYGON


def selected(layer: str, source: FromClause, areas: FromClause) -> list[ColumnElement[Any]]:
    """Columns of a query for the features of a layer: ``fid`` and the attributes.

    Parameters
    ----------
    source, areas : rows of the layer, and of the areas, in reach
    """
    return [source.c[FID], *(_value(layer, column.name, source, areas) for column in attributes_of(layer))]


def _value(layer: str, name: str, source: FromClause, areas: FromClause) -> ColumnElement[Any]:
    if name == DENSITY:
        # By hand: SQLAlchemy would divide as decimals.
        density = (source.c.demand * literal(1e6, Double)).op("/")(func.nullif(source.c.area_m2, 0.0))
        return type_coerce(density, Double).label(DENSITY)
    if layer == "facilities" and name == _SETTLEMENT:
        # Where a facility stands: maps of towns show those of towns.
        of_area = select(areas.c.settlement).where(areas.c.area_code == source.c.area_code)
        return of_area.limit(1).scalar_subquery().label(_SETTLEMENT)
    return source.c[name]
