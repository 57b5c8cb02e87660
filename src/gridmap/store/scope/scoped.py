"""The rows of a layer in reach, with what names others masked: what every answer about a layer is read from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Table,
    and_,
    case,
    false,
    func,
    null,
    select,
    true,
)

from gridmap.domain.kinds import FacilityKind
from gridmap.store.models import FID, VERSION, layer_tables
from gridmap.store.scope.lists import text_in_reach, texts_in_reach
from gridmap.store.scope.named import Named
from gridmap.store.scope.reach import Reach

Value = ColumnElement[Any]
Truth = ColumnElement[bool]


def scoped(layer: str, reach: Reach, dialect: str) -> Subquery:
    """Rows of a layer in reach, with the columns of its table.

    Parameters
    ----------
    layer : its name, which the rows go by in statements too
    dialect : ``sqlite`` or ``postgresql``
    """
    table = layer_tables[layer]
    if reach.is_whole:
        rows: Select[Any] = select(table).where(table.c[VERSION] == reach.row)
    elif reach.is_none:
        rows = select(table).where(false())
    else:
        masked = _masks(layer, table, reach, dialect)
        columns = [masked[one.name].label(one.name) if one.name in masked else one for one in table.c]
        rows = select(*columns).where(table.c[VERSION] == reach.row, _ROWS[layer](Named(reach), table, reach))
    return rows.subquery(layer)


def _areas(named: Named, table: FromClause, _reach: Reach) -> Truth:
    return named.area(table.c.area_code)


def _cells(named: Named, table: FromClause, reach: Reach) -> Truth:
    if not reach.area_prefixes:
        return true()
    # Cells stand by area code: the first and the last in reach spare the rest.
    return and_(table.c[FID].between(*reach.cell_fids), named.area(table.c.area_code))


def _facilities(named: Named, table: FromClause, _reach: Reach) -> Truth:
    return named.facility_row(table)


def _gaps(_named: Named, table: FromClause, reach: Reach) -> Truth:
    return table.c[FID].in_(reach.gap_fids) if reach.area_prefixes else true()


def _levels(named: Named, table: FromClause, reach: Reach) -> Truth:
    if not reach.area_prefixes:
        return true()
    kind, code = table.c.level, table.c.code
    return case(
        (kind == "grid", named.grid(code)),
        (kind == "sub", named.grid(table.c.parent_code)),
        (kind == "super", named.super_grid(code)),
        (kind.in_(("county", "township", "village")), named.area(code)),
        else_=false(),
    )


def _jurisdictions(named: Named, table: FromClause, _reach: Reach) -> Truth:
    return named.jurisdiction(table.c.outlet_id)


def _organisation(named: Named, table: FromClause, _reach: Reach) -> Truth:
    return named.node(table.c.node_id)


def _assignments(named: Named, table: FromClause, _reach: Reach) -> Truth:
    return named.grid(table.c.grid_code)


def _staff(named: Named, table: FromClause, _reach: Reach) -> Truth:
    return named.staff_row(table)


_ROWS: dict[str, Callable[[Named, FromClause, Reach], Truth]] = {
    "areas": _areas,
    "cells": _cells,
    "grids": _areas,
    "facilities": _facilities,
    "gaps": _gaps,
    "jurisdictions": _jurisdictions,
    "units": _areas,
    "levels": _levels,
    "organisation": _organisation,
    "assignments": _assignments,
    "staff": _staff,
}


def _masks(layer: str, table: Table, reach: Reach, dialect: str) -> dict[str, Value]:
    """Columns that name others, or say how far they are, each as it may be seen."""
    named, c = Named(reach), table.c
    found: dict[str, Value] = {}

    def mask(condition: Truth, *names: str) -> None:
        for name in names:
            found[name] = case((condition, c[name]), else_=null())

    match layer:
        case "areas":
            mask(named.area(c.parent_code), "parent_code")
        case "cells":
            mask(named.facility(c.primary_outlet_id), "primary_outlet_id", "distance_m")
            for kind in FacilityKind:
                mask(named.facility(c[f"nearest_{kind}_id"]), f"nearest_{kind}_id", f"nearest_{kind}_m")
            found["facility_ids_in_reach"] = text_in_reach(named, c.facility_ids_in_reach, dialect)
            mask(named.grid(c.grid_code), "grid_code", "sub_code")
            mask(named.unit(c.unit_code), "unit_code")
        case "grids":
            mask(named.level(c.parent_code), "parent_code")
            mask(named.super_grid(c.super_code), "super_code")
            mask(named.facility(c.primary_outlet_id), "primary_outlet_id")
            found["cooperating_outlet_ids"] = texts_in_reach(named, c.cooperating_outlet_ids, dialect)
        case "facilities":
            mask(named.branch(c.branch), "branch")
            if reach.area_prefixes:
                mask(false(), "cells_in_reach", "demand_in_reach")
        case "gaps":
            mask(named.facility(c.nearest_facility_id), "nearest_facility_id", "nearest_distance_m")
            found["rank"] = _rank(table, reach)
        case "units":
            mask(named.grid(c.grid_code), "grid_code")
        case "levels":
            mask(named.level(c.parent_code), "parent_code")
        case "organisation":
            mask(named.node(c.parent_id), "parent_id")
        case "assignments":
            mask(named.facility(c.outlet_id), "outlet_id", "distance_m")
        case "staff":
            mask(named.grid(c.grid_code), "grid_code")
            mask(named.facility(c.outlet_id), "outlet_id")
    return found


def _rank(table: Table, reach: Reach) -> Value:
    """Rank of a gap among those in reach."""
    if not reach.area_prefixes:
        return table.c.rank
    others = table.alias()
    larger = select(func.count()).where(
        others.c[VERSION] == reach.row, others.c[FID].in_(reach.gap_fids), others.c.rank <= table.c.rank
    )
    return larger.correlate(table).scalar_subquery()
