"""A plan as tables hold it: documents, and layers of plain columns; and back, bit for bit.

What a database or JSON has no word for is said in one way: a missing number, text or NaN is None, minus zero is zero.
A note of the columns of each frame and their types brings frames back with the same columns, order and types.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from gridmap.domain.layers import LAYERS, Layer
from gridmap.domain.plan import Plan, RuleResult
from gridmap.domain.plan_settings import PlanSettings
from gridmap.errors import BadValue
from gridmap.store.columns import restored_column, stored_column, stored_extra, type_name

GEOMETRY = "geometry"
DOCUMENTS = ("settings", "indicators", "rules", "certificate", "report")
CRS = "EPSG:4326"
_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS

#: Name and type of every column of a frame, in its order; ``gridmap.store.columns`` says what the types are.
Note = list[list[str]]


@dataclass(frozen=True)
class LayerContent:
    """Rows of a layer, by column.

    Attributes
    ----------
    note : of the frame
    columns : a list of values for each column of the layer, in its order; all None where the frame lacks it
    extra : values of columns that the layer does not name, by row; None where there are none
    wkb : little-endian WKB of each geometry; None for a table
    rows : how many
    """

    note: Note
    columns: tuple[list[Any], ...]
    extra: list[dict[str, Any]] | None
    wkb: list[bytes | None] | None
    rows: int


@dataclass(frozen=True)
class Content:
    """A plan: ``documents`` by the names of ``DOCUMENTS``, as JSON knows them, and layers by name."""

    documents: dict[str, Any]
    layers: dict[str, LayerContent]

    @property
    def columns(self) -> dict[str, Note]:
        """Notes of all layers."""
        return {name: layer.note for name, layer in self.layers.items()}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all of it, in hexadecimal."""
        found = hashlib.sha256()
        for part in self._parts():
            found.update(len(part).to_bytes(8, "little"))
            found.update(part)
        return found.hexdigest()

    def _parts(self) -> Iterator[bytes]:
        yield orjson.dumps([self.documents[name] for name in DOCUMENTS], option=orjson.OPT_SORT_KEYS)
        for name, layer in self.layers.items():
            yield orjson.dumps([name, layer.note, layer.rows])
            for values in layer.columns:
                yield orjson.dumps(values)
            yield orjson.dumps(layer.extra, option=orjson.OPT_SORT_KEYS)
            if layer.wkb is not None:
                yield orjson.dumps([None if one is None else len(one) for one in layer.wkb])
                yield b"".join(one for one in layer.wkb if one is not None)


def content_of(plan: Plan) -> Content:
    """Take a plan apart.

    Raises
    ------
    BadValue
        If a value is not what its column holds, with layer, row and column.
    """
    documents = {
        "settings": plan.settings.model_dump(mode="json", exclude_none=True),
        "indicators": plan.indicators,
        "rules": [dataclasses.asdict(rule) for rule in plan.rules],
        "certificate": plan.certificate,
        "report": plan.report,
    }
    try:
        plain = {name: orjson.loads(orjson.dumps(document, option=_JSON)) for name, document in documents.items()}
    except orjson.JSONEncodeError as fault:
        raise BadValue("store.no_document", reason=str(fault)) from fault
    return Content(plain, {layer.name: _layer_content(layer, getattr(plan, layer.name)) for layer in LAYERS})


def _layer_content(layer: Layer, frame: pd.DataFrame) -> LayerContent:
    attributes = frame.drop(columns=GEOMETRY) if layer.geometry else frame
    known = {column.name for column in layer.columns}
    more = [str(name) for name in attributes.columns if name not in known]
    return LayerContent(
        note=[[str(name), GEOMETRY if name == GEOMETRY else type_name(frame[name])] for name in frame.columns],
        columns=tuple(
            stored_column(layer.name, frame[column.name], column.type)
            if column.name in attributes
            else [None] * len(frame)
            for column in layer.columns
        ),
        extra=stored_extra(layer.name, pd.DataFrame(attributes[more])) if more else None,
        wkb=_wkb(frame[GEOMETRY].to_numpy()) if layer.geometry else None,
        rows=len(frame),
    )


def _wkb(shapes: Any) -> list[bytes | None]:
    # One form for every writer: little-endian, two dimensions, no identifier of a CRS.
    return list(shapely.to_wkb(shapes, byte_order=1, output_dimension=2, include_srid=False).tolist())


def plan_of(content: Content) -> Plan:
    """Put a plan together again; rows are numbered from 0."""
    documents = content.documents
    frames: dict[str, Any] = {layer.name: _frame(layer, content.layers[layer.name]) for layer in LAYERS}
    return Plan(
        settings=PlanSettings.model_validate(documents["settings"]),
        indicators=documents["indicators"],
        rules=tuple(RuleResult(**{**entry, "broken_by": tuple(entry["broken_by"])}) for entry in documents["rules"]),
        certificate=documents["certificate"],
        report=documents["report"],
        **frames,
    )


def _frame(layer: Layer, content: LayerContent) -> pd.DataFrame:
    places = {column.name: place for place, column in enumerate(layer.columns)}
    columns: dict[str, Any] = {}
    for name, kind in content.note:
        if kind == GEOMETRY:
            columns[name] = gpd.array.from_shapely(shapely.from_wkb(np.array(content.wkb, dtype=object)), crs=CRS)
        elif name in places:
            columns[name] = restored_column(content.columns[places[name]], kind)
        else:
            columns[name] = restored_column([row[name] for row in content.extra or ()], kind)
    frame = pd.DataFrame(columns)
    return gpd.GeoDataFrame(frame, geometry=GEOMETRY) if layer.geometry else frame
