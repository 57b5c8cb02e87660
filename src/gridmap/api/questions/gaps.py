"""Coverage gaps with the names of where they are and of what is nearest, largest uncovered demand first."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import shapely

from gridmap import catalogue
from gridmap.api.questions.coverage import area_chains
from gridmap.exports.geojson import geometry_texts
from gridmap.exports.words import word
from gridmap.store.locating import rows_by
from gridmap.store.reading import LayerReader

Entry = dict[str, Any]
_COLUMNS = (
    "rank", "gap_id", "area_code", "settlement", "kind_missing", "area_m2", "demand", "nearest_facility_id",
    "nearest_distance_m",
)  # fmt: skip


def gaps_of(reader: LayerReader, offset: int, limit: int, lang: catalogue.Language) -> tuple[list[Entry], int]:
    """Gaps of a page, with all their names, and how many there are.

    Parameters
    ----------
    reader : of ``at_once``
    """
    layer = reader.layer("gaps")
    rows = [dict(zip(("fid", *_COLUMNS), row, strict=True)) for row in reader.rows(layer, ("fid", *_COLUMNS))]
    rows.sort(key=lambda row: (row["rank"] is None, row["rank"], row["fid"]))
    page = rows[offset : offset + limit]
    chains = area_chains(reader, {row["area_code"] for row in page})
    nearest = {row["nearest_facility_id"] for row in page}
    columns = ("facility_id", "name", "kind")
    found = rows_by(reader, reader.layer("facilities"), columns, "facility_id", nearest)
    facilities = {row["facility_id"]: row for row in found}
    return [_named(row, chains, facilities, lang) for row in page], len(rows)


def _named(row: Entry, chains: dict[str, list[Entry]], facilities: dict[str, Entry], lang: catalogue.Language) -> Entry:
    facility = facilities.get(row["nearest_facility_id"], {})
    return {
        **row,
        "areas": chains.get(row["area_code"], []),
        "settlement_name": word("settlement", row["settlement"], lang) if row["settlement"] else None,
        "kind_missing_name": word("kind", row["kind_missing"], lang) if row["kind_missing"] else None,
        "nearest_facility_name": facility.get("name"),
        "nearest_facility_kind": facility.get("kind"),
    }


def as_features(reader: LayerReader, gaps: list[Entry]) -> list[Any]:
    """Gaps as GeoJSON features; their properties are the same, areas as one text."""
    rows = rows_by(reader, reader.layer("gaps"), ("fid", "geometry"), "fid", {gap["fid"] for gap in gaps})
    shapes = {row["fid"]: row["geometry"] for row in rows}
    wkb = np.array([*(shapes.get(gap["fid"]) for gap in gaps), None], dtype=object)
    features = []
    for gap, text in zip(gaps, geometry_texts(shapely.from_wkb(wkb)), strict=False):
        properties = {name: value for name, value in gap.items() if name != "fid"}
        properties["areas"] = " ".join(area["name"] or area["code"] for area in gap["areas"])
        geometry = orjson.Fragment(text)
        features.append({"type": "Feature", "id": gap["gap_id"], "geometry": geometry, "properties": properties})
    return features
