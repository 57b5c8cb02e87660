"""Previews of uploads, in WGS 84 under the datum that was found or that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from gridmap.errors import NotStored, UnknownDatum, UsageError
from gridmap.geometry.datum import KNOWN_DATUMS, Datum

_DECIMALS = 7


def asked_datum(said: str | None) -> Datum | None:
    """Datum that a parameter names.

    Raises
    ------
    UsageError
        If it names none.
    """
    if said is None:
        return None
    try:
        return Datum.parse(said)
    except UnknownDatum:
        known = ", ".join((*KNOWN_DATUMS, "EPSG:n"))
        raise UsageError("uploads.unknown_datum", said=said[:80], known=known) from None


def preview_of(path: Path, layers: list[dict[str, Any]], asked: Datum | None) -> dict[str, Any]:
    """Feature collection that shows an upload.

    Parameters
    ----------
    path : what the inspection drew
    layers : of the findings
    asked : datum to show it under; default: that which each layer was found to be in

    Raises
    ------
    NotStored
        If the file is gone.
    UsageError
        If the coordinates cannot be in the datum asked for.
    """
    try:
        drawn: list[dict[str, Any]] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotStored("uploads.no_upload", id=path.parent.name) from None
    shown: list[dict[str, Any]] = []
    datums: dict[str, str] = {}
    for layer in layers:
        used = asked or _used(layer)
        features = [one for one in drawn if one["properties"]["layer"] == layer["name"]]
        if used is not None and features:
            shown += _converted(features, used)
            datums[layer["name"]] = used.name
    return {
        "type": "FeatureCollection",
        "datum": datums,
        "features_total": sum(layer.get("features", 0) for layer in layers),
        "features_shown": len(shown),
        "features": shown,
    }


def _used(layer: dict[str, Any]) -> Datum | None:
    name = layer["datum"]["used"] if layer["kind"] is not None else None
    try:
        return None if name is None else Datum.parse(name)
    except UnknownDatum:
        # A CRS of the file's own that no word names.
        return Datum.of_crs(layer["datum"]["definition"])


def _converted(features: list[dict[str, Any]], datum: Datum) -> list[dict[str, Any]]:
    shapes = shapely.from_geojson([orjson.dumps(one["geometry"]) for one in features])
    xy = shapely.get_coordinates(shapes)
    lonlat = np.round(datum.to_wgs84(xy), _DECIMALS)
    if not np.isfinite(lonlat).all() or (np.abs(lonlat) > (180, 90)).any():
        sane = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat) <= (180, 90)).all(axis=1)
        if not sane.any():
            raise UsageError("uploads.datum_unfit", datum=datum.name)
        # What lies nowhere under this datum is not drawn.
        whole = np.ones(len(shapes), dtype=bool)
        whole[shapely.get_coordinates(shapes, return_index=True)[1][~sane]] = False
        return (
            _converted([one for one, keep in zip(features, whole, strict=True) if keep], datum) if whole.any() else []
        )
    moved = shapely.to_geojson(shapely.set_coordinates(shapes, lonlat))
    return [{**one, "geometry": orjson.loads(text)} for one, text in zip(features, moved, strict=True)]
