"""Demand and ground of a version, and how much of both is covered, summed up where the cells lie in reach."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Integer, cast, func, select

from gridmap.domain.kinds import FacilityKind
from gridmap.store.reading.layers import LayerReader

#: What cells are told apart by.
KEYS = ("area_code", "grid_code", "settlement")
SUMS = ("cells", "demand", "area_m2", "covered_cells", "covered_demand", "covered_m2")


def demand_of(kind: str) -> str:
    """Column with the demand in reach of a kind of facility."""
    return f"demand_by_{kind}"


def cells_of(kind: str) -> str:
    """Column with the cells in reach of a kind of facility."""
    return f"cells_by_{kind}"


def cover_sums(reader: LayerReader) -> pd.DataFrame:
    """Sum up the cells of each grid in each area, by settlement class.

    Parameters
    ----------
    reader : of ``at_once``

    Returns
    -------
    ``KEYS``, ``SUMS``, and for each kind of facility ``demand_by_KIND`` and ``cells_by_KIND``; areas square metres
    """
    source = reader.source(reader.layer("cells"))
    demand, area, covered = source.c.demand, source.c.area_m2, source.c.covered
    sums: list[ColumnElement[Any]] = [func.count(), func.sum(demand), func.sum(area)]
    sums += [_counted(covered), _sum_where(covered, demand), func.sum(area * source.c.covered_share)]
    for kind in FacilityKind:
        of_kind = source.c[f"covered_by_{kind}"]
        sums += [_sum_where(of_kind, demand), _counted(of_kind)]
    keys = [source.c[name] for name in KEYS]
    rows = reader.connection.execute(select(*keys, *sums).group_by(*keys)).fetchall()
    of_kinds = [name for kind in FacilityKind for name in (demand_of(kind), cells_of(kind))]
    frame = pd.DataFrame([tuple(row) for row in rows], columns=[*KEYS, *SUMS, *of_kinds])
    numbers = [*SUMS, *of_kinds]
    frame[numbers] = frame[numbers].astype("float64").fillna(0.0)
    # Databases answer groups in orders of their own.
    return frame.sort_values(list(KEYS), na_position="first", ignore_index=True)


def _counted(flag: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(cast(flag, Integer))


def _sum_where(flag: ColumnElement[Any], value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(cast(flag, Integer) * value)
