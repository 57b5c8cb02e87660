"""How much of demand and ground is covered: by settlement class, kind of facility, area and grid, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gridmap import catalogue
from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.errors import NotStored
from gridmap.exports.words import word
from gridmap.store.cover_sums import KEYS, SUMS, cells_of, cover_sums, demand_of
from gridmap.store.locating import rows_by
from gridmap.store.protocols import VersionInfo
from gridmap.store.reading import LayerReader
from gridmap.store.repository import Repository

#: What coverage may be asked by.
BY = ("settlement", "kind", *AreaLevel, "grid")
#: Decimals of sums and shares: databases add up in orders of their own.
_SUM_DECIMALS, _SHARE_DECIMALS = 3, 9

Entry = dict[str, Any]


class Coverage:
    """Coverage of a version, as far as it is in reach.

    Parameters
    ----------
    reader : in one transaction
    lang : of names of classes and kinds
    """

    def __init__(self, reader: LayerReader, lang: catalogue.Language) -> None:
        self._reader, self._lang = reader, lang
        self._sums = cover_sums(reader)

    def whole(self) -> Entry:
        """Sum up all cells in reach."""
        return _figures(_total(self._sums))

    def by(self, group: str) -> list[Entry]:
        """Figures by one of ``BY``, worst first: the least share of demand, then the most demand uncovered."""
        if group == "kind":
            return _worst_first([self._of_kind(kind) for kind in FacilityKind])
        if group == "settlement":
            return _worst_first(self._of_settlements())
        return _worst_first(self._of_grids() if group == "grid" else self._of_areas(AreaLevel(group)))

    def _of_settlements(self) -> list[Entry]:
        sums = _by(self._sums, "settlement")
        return [
            {
                "settlement": one.value,
                "name": word("settlement", one.value, self._lang),
                **_figures(sums[one.value]),
            }
            for one in SettlementClass
            if one.value in sums
        ]

    def _of_kind(self, kind: FacilityKind) -> Entry:
        sums = _total(self._sums)
        figures = _figures(sums) | {
            "covered_demand_share": _share(sums[demand_of(kind)], sums["demand"]),
            "covered_cells_share": _share(sums[cells_of(kind)], sums["cells"]),
            # Circles of one kind were laid over the ground as a whole only.
            "covered_area_share": None,
        }
        return {"kind": kind.value, "name": word("kind", kind.value, self._lang), **figures}

    def _of_grids(self) -> list[Entry]:
        sums = _by(self._sums, "grid_code")
        columns = ("grid_code", "name", "settlement", "primary_outlet_id")
        grids = self._reader.rows(self._reader.layer("grids"), columns)
        return [dict(zip(columns, grid, strict=True)) | _figures(sums[grid[0]]) for grid in grids if grid[0] in sums]

    def _of_areas(self, level: AreaLevel) -> list[Entry]:
        columns = ("area_code", "name", "level", "parent_code", "settlement")
        rows = [dict(zip(columns, row, strict=True)) for row in self._reader.rows(self._reader.layer("areas"), columns)]
        parents = {row["area_code"]: row["parent_code"] for row in rows}
        levels = {row["area_code"]: row["level"] for row in rows}
        above = self._sums["area_code"].map({code: _at_level(code, level, parents, levels) for code in parents})
        sums = _by(self._sums, above)
        shown = ("area_code", "name", "settlement")
        return [
            {name: row[name] for name in shown} | _figures(sums[row["area_code"]])
            for row in rows
            if row["level"] == level and row["area_code"] in sums
        ]


def _at_level(code: str | None, level: str, parents: dict[str, str | None], levels: dict[str, str]) -> str | None:
    """Area of a level that an area lies in, or is."""
    while code in levels and levels[code] != level:
        code = parents[code]
    return code if code in levels else None


def _total(sums: pd.DataFrame) -> Mapping[str, float]:
    return {str(name): float(values.sum()) for name, values in sums.items() if name not in KEYS}


def _by(frame: pd.DataFrame, key: Any) -> dict[Any, Mapping[str, float]]:
    """Sum up the rows of each key."""
    sums = frame.groupby(key)[list(SUMS)].sum()
    return {
        one: dict(zip(SUMS, row, strict=True)) for one, row in zip(sums.index, sums.to_numpy().tolist(), strict=True)
    }


def _figures(sums: Mapping[str, float]) -> Entry:
    return {
        "cells": int(sums["cells"]),
        "demand": round(float(sums["demand"]), _SUM_DECIMALS),
        "area_m2": round(float(sums["area_m2"]), _SUM_DECIMALS),
        "covered_demand_share": _share(sums["covered_demand"], sums["demand"]),
        "covered_area_share": _share(sums["covered_m2"], sums["area_m2"]),
        "covered_cells_share": _share(sums["covered_cells"], sums["cells"]),
    }


def _share(part: float, whole: float) -> float | None:
    return round(float(part / whole), _SHARE_DECIMALS) if whole > 0 else None


def _worst_first(entries: list[Entry]) -> list[Entry]:
    def badness(entry: Entry) -> tuple[float, float, float]:
        share, ground = entry["covered_demand_share"], entry["covered_area_share"]
        uncovered = 0.0 if share is None else entry["demand"] * (1 - share)
        # Where nobody lives the ground tells.
        return (1.0 if share is None else share, -uncovered, 1.0 if ground is None else ground)

    return sorted(entries, key=badness)


def shares_of_kinds(repository: Repository, version: VersionInfo) -> dict[str, float | None]:
    """Share of the ground within reach of each kind; empty for who may not see the whole plan."""
    try:
        indicators = repository.document(version, "indicators")
    except NotStored:
        return {}
    return {kind: figures["all"]["covered_area_share"] for kind, figures in indicators["coverage_by_kind"].items()}


def area_chains(reader: LayerReader, codes: set[str | None]) -> dict[str, list[Entry]]:
    """Areas that each area lies in, widest first, itself last; those in reach only."""
    layer, columns = reader.layer("areas"), ("area_code", "name", "level", "parent_code")
    known: dict[str, Entry] = {}
    wanted = {code for code in codes if code is not None}
    while wanted:
        found = {row["area_code"]: row for row in rows_by(reader, layer, columns, "area_code", wanted)}
        known |= found
        wanted = {row["parent_code"] for row in found.values()} - {None} - set(known)
    chains = {}
    for code in codes:
        chain: list[Entry] = []
        at = code
        while at in known and len(chain) <= len(known):
            row = known[at]
            chain.insert(0, {"code": row["area_code"], "name": row["name"], "level": row["level"]})
            at = row["parent_code"]
        if code is not None:
            chains[code] = chain
    return chains
