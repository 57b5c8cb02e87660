"""Everything that is found in a file, as a document that can be worded in any language, and its preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.errors import InputError
from gridmap.geometry.datum import Datum
from gridmap.inputs.detective import Reference
from gridmap.inputs.inspection.checks import check_layer
from gridmap.inputs.inspection.columns import Column, describe_columns
from gridmap.inputs.inspection.datums import DatumFound
from gridmap.inputs.inspection.faults import Faults
from gridmap.inputs.inspection.layers import (
    MOST_LAYERS,
    Kind,
    Layer,
    Unread,
    contents_of,
    read_layers,
)
from gridmap.inputs.inspection.preview import draw
from gridmap.inputs.inspection.telling import clean, tell, tell_error, tell_warning
from gridmap.inputs.inspection.uses import Use, suggest_uses

_MOST_COLUMNS = 200


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes
    ----------
    document : format, layers, faults, datums; wordings as ``telling`` keeps them
    features : of the preview, coordinates as in the file
    """

    document: dict[str, Any]
    features: list[dict[str, Any]]


def look_into(path: Path, stated: Datum | None, encoding: str | None, reference: Reference | None) -> Findings:
    """Look into every layer of a file.

    Parameters
    ----------
    stated : datum that the user says it is in
    encoding : of its text, where the user says it
    reference : areas whose place is known, for the datum detective

    Raises
    ------
    InputError
        If none of its layers can be read.
    """
    contents = contents_of(path, encoding)
    layers: list[dict[str, Any]] = []
    features: list[dict[str, Any]] = []
    share = 1 / min(len(contents.layers), MOST_LAYERS)
    refused: list[InputError] = []
    for layer in read_layers(path, contents, encoding):
        if isinstance(layer, Unread):
            refused.append(layer.error)
            layers.append({"name": clean(layer.name), "kind": None, "unread": tell_error(layer.error)})
            continue
        document, drawn = _describe(layer, stated, reference, share)
        layers.append(document)
        features += drawn
    if len(refused) == len(layers):
        raise refused[0]
    left = [clean(str(name)) for name in contents.layers[MOST_LAYERS:]]
    return Findings({"format": contents.format.value, "layers": layers, "layers_left": left}, features)


def _describe(
    layer: Layer, stated: Datum | None, reference: Reference | None, share: float
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    columns = describe_columns(layer.attributes)
    uses = suggest_uses(layer)
    use = uses[0] if uses else None
    datum = DatumFound(layer, stated, reference)
    faults = check_layer(layer, use, columns, datum.used)
    if datum.unknown_crs is not None:
        faults.add(datum.unknown_crs)
    notes = [tell_warning(warning) for warning in layer.warnings]
    if layer.is_tabular and layer.lon is None:
        notes.append(tell("uploads.no_coordinates"))
    elif reference is None and datum.guess.datum is None and len(layer.xy):
        notes.append(tell("uploads.reference_would_tell"))
    try:
        drawn = draw(layer, use, share)
        told = datum.as_json()
    except shapely.GEOSException:
        # Shapes so broken that GEOS will not touch them are no reason to refuse the rest.
        drawn, told = [], datum.without_outlines()
        notes.append(tell("uploads.no_preview"))
    document = {**_figures(layer, columns, uses, faults), "datum": {**told, **_used(layer, datum)}, "notes": notes}
    return document, drawn


def _figures(layer: Layer, columns: Sequence[Column], uses: Sequence[Use], faults: Faults) -> dict[str, Any]:
    types, counts = np.unique(shapely.get_type_id(layer.geometry), return_counts=True)
    named = {int(kind): kind.name for kind in shapely.GeometryType}
    document = {
        "name": clean(layer.name),
        "kind": layer.kind.value,
        "encoding": layer.encoding,
        "features": len(layer.attributes),
        "geometry": [
            {"type": _GEOJSON_NAMES.get(named[int(kind)], "None"), "features": int(count)}
            for kind, count in zip(types, counts, strict=True)
        ],
        "vertices": len(layer.xy),
        "extent": _extent(layer.xy),
        "columns": [column.as_json() for column in columns[:_MOST_COLUMNS]],
        "columns_total": len(columns),
        "suggested_uses": [use.as_json() for use in uses],
        "faults": faults.as_json(),
    }
    if layer.kind is Kind.RASTER:
        values = layer.attributes["value"].to_numpy()
        document["values"] = {"sum": float(values.sum()), "max": float(values.max()) if len(values) else 0.0}
    return document


_GEOJSON_NAMES = {
    "MISSING": "None",
    "POINT": "Point",
    "LINESTRING": "LineString",
    "LINEARRING": "LineString",
    "POLYGON": "Polygon",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
    "GEOMETRYCOLLECTION": "GeometryCollection",
}


def _used(layer: Layer, datum: DatumFound) -> dict[str, Any]:
    """Datum that the preview is drawn in, and the extent in WGS 84 under it."""
    if datum.used is None or not len(layer.xy):
        return {"used": None, "definition": None, "extent_wgs84": None}
    return {
        "used": datum.used.name,
        "definition": datum.used.definition,
        "extent_wgs84": _extent(datum.used.to_wgs84(layer.xy)),
    }


def _extent(xy: NDArray[np.float64]) -> list[float] | None:
    finite = xy[np.isfinite(xy).all(axis=1)]
    if not len(finite):
        return None
    return [round(float(value), 7) for value in (*finite.min(axis=0), *finite.max(axis=0))]
