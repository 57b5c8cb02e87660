"""Previews of uploads, in WGS 84 under the datum that was found or that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridmap.errors import NotStored, UnknownDatum, UsageError
from gridmap.geometry.datum import KNOWN_DATUMS, Datum, LonLat
from gridmap.inputs.whereabouts import within_use

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
    # Layers of one name are drawn as one.
    for layer in {one["name"]: one for one in layers}.values():
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
    """Features in WGS 84; without those that would lie nowhere under this datum."""
    shapes = shapely.from_geojson([orjson.dumps(one["geometry"]) for one in features])
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    lonlat = datum.to_wgs84(xy)
    lies_somewhere = np.ones(len(shapes), dtype=bool)
    lies_somewhere[owner[~_lies_somewhere(lonlat, datum)]] = False
    if not lies_somewhere.any():
        raise UsageError("uploads.datum_unfit", datum=datum.name)
    moved = shapely.to_geojson(shapely.set_coordinates(shapes, np.round(lonlat, _DECIMALS))[lies_somewhere])
    drawn = [one for one, keep in zip(features, lies_somewhere, strict=True) if keep]
    return [{**one, "geometry": orjson.loads(text)} for one, text in zip(drawn, moved, strict=True)]


def _lies_somewhere(lonlat: LonLat, datum: Datum) -> NDArray[np.bool_]:
    on_earth = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat) <= (180, 90)).all(axis=1)
    return on_earth & within_use(lonlat, datum) if datum.is_projected else np.asarray(on_earth)
