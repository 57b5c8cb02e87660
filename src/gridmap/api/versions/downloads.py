"""Whole plans, streamed in the format asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import geopandas as gpd
from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from gridmap.api.answers import GEOJSON, caching, entity_tag, is_known
from gridmap.api.dependencies import AskedLanguage, Plans, TheService
from gridmap.api.routing import router
from gridmap.api.spans import PlanId, Version
from gridmap.api.versions.export_files import FileOnce, Turns, disposition, folder_in, turns_of
from gridmap.api.versions.plan_documents import GEOPACKAGE
from gridmap.domain.layers import LAYERS
from gridmap.domain.plan import Plan, RuleResult
from gridmap.domain.plan_settings import PlanSettings
from gridmap.errors import LostUpdate, StoreConflict, UsageError
from gridmap.exports.beside import disk_faults_named
from gridmap.exports.datums import WGS84, in_datum
from gridmap.exports.geojson import collection_texts
from gridmap.exports.ledger import write_ledger
from gridmap.exports.vector import append_layer, write_features
from gridmap.store.handing_out import frames_of
from gridmap.store.protocols import VersionInfo
from gridmap.store.reading import LayerReader
from gridmap.store.repository import Repository

routes = router()

Form = Literal["geojson", "gpkg", "fgb", "parquet", "xlsx"]
OutputDatum = Literal["wgs84", "gcj02", "bd09"]
MEDIA_TYPES = {
    "geojson": GEOJSON,
    "gpkg": GEOPACKAGE,
    "fgb": "application/flatgeobuf",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: Rows of a frame of a stream, and of one that goes into a file.
_STREAMED, _WRITTEN = 5_000, 20_000
_ALL = 2**31 - 1
_EVERY_LAYER = tuple(layer.name for layer in LAYERS)
_PLACED = tuple(layer.name for layer in LAYERS if layer.geometry)
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the file",
        "content": {
            kind: {"schema": {"type": "object"} if kind == GEOJSON else {"type": "string", "format": "binary"}}
            for kind in MEDIA_TYPES.values()
        },
    }
}
_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


@routes.get(
    "/plans/{plan_id}/export",
    summary="A plan, or a layer of it, as a file",
    response_class=Response,
    responses=_FILES,
)
def export(
    request: Request,
    repository: Plans,
    service: TheService,
    lang: AskedLanguage,
    plan_id: PlanId,
    f: Annotated[Form, Query(description="format of the file")],
    layer: Annotated[
        str | None, Query(max_length=80, description="one layer; default: cells, of GeoPackage all of them")
    ] = None,
    datum: Annotated[OutputDatum, Query(description="of the coordinates")] = "wgs84",
    version: Version = None,
) -> Response:
    """Hand out what is in reach of a version; coordinates in ``gcj02`` and ``bd09`` fit maps of Amap and Baidu."""
    name = _layer_of(f, layer)
    found = repository.version(plan_id, version)
    language = lang if f == "xlsx" else None
    tag = entity_tag(found, "export", f, name, datum, language, repository.identity.scope)
    headers = caching(found, tag, pinned=version is not None)
    if f != "geojson":
        # The bytes of these files differ from one making to the next.
        headers["ETag"] = f"W/{tag}"
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    called = repository.plan(plan_id).name
    headers["Content-Disposition"] = _disposition(found, called, f, name, datum)
    try:
        if f == "geojson":
            pieces = _collection(repository.reader(found), str(name), datum, turns_of(request))
            # What cannot be answered shows itself with the first features.
            begun = [next(pieces), next(pieces)]
            return StreamingResponse(chain(begun, pieces), media_type=GEOJSON, headers=headers)
        with folder_in(service.data_directory) as folder, turns_of(request).of_file():
            path = folder / f"plan.{f}"
            if f == "xlsx":
                write_ledger(_without_cells(repository, found, datum), path, lang)
            else:
                _write(repository.reader(found), path, name, datum)
            return FileOnce(path, media_type=MEDIA_TYPES[f], headers=headers)
    except LostUpdate as fault:
        # A draft that was changed since its version was looked up.
        raise StoreConflict("store.made_meanwhile") from fault


def _layer_of(f: str, layer: str | None) -> str | None:
    """Layer that a file holds; None for all that its format has.

    Raises
    ------
    UsageError
        If there is none of this name in such a file.
    """
    if f in ("gpkg", "xlsx") and layer is None:
        return None
    if f == "xlsx":
        raise UsageError("plans.no_layers_in", format=f)
    known = _EVERY_LAYER if f == "gpkg" else _PLACED
    if layer is not None and layer not in known:
        raise UsageError("plans.no_layer_in", layer=layer, format=f, known=", ".join(known))
    return layer or "cells"


def _disposition(version: VersionInfo, called: str, f: str, layer: str | None, datum: str) -> str:
    parts = [f"v{version.number}", *([layer] if layer else []), *([] if datum == WGS84 else [datum])]
    end = f"-{'-'.join(parts)}.{f}"
    fit = _UNFIT.sub(" ", called).strip(" .") or version.plan_id
    return disposition(f"{fit}{end}", f"{version.plan_id}{end}")


def _frames(reader: LayerReader, layer: str, size: int, datum: str) -> Iterator[Any]:
    for frame in frames_of(reader, layer, size):
        yield in_datum(frame, datum)


def _collection(reader: LayerReader, layer: str, datum: str, turns: Turns) -> Iterator[bytes]:
    """Text of a layer; each piece is made in a turn of its own, so that slow clients hold up nobody."""
    named = None if datum == WGS84 else datum
    texts = collection_texts(_frames(reader, layer, _STREAMED, datum), layer=layer, datum=named)
    while True:
        with turns.of_piece():
            piece = next(texts, None)
        if piece is None:
            return
        yield piece[0]


def _write(reader: LayerReader, path: Path, layer: str | None, datum: str) -> None:
    with reader.at_once() as held:
        if path.suffix != ".gpkg":
            write_features(path, _frames(held, str(layer), _WRITTEN, datum), layer=str(layer))
            return
        with disk_faults_named(path):
            for name in (layer,) if layer else _EVERY_LAYER:
                append_layer(path, _frames(held, name, _WRITTEN, datum), name)


def _without_cells(repository: Repository, version: VersionInfo, datum: str) -> Plan:
    """Put together what a ledger is written from; it tells of all of a plan but its cells."""
    documents = {name: repository.document(version, name) for name in ("indicators", "settings", "rules", "report")}
    rules = tuple(RuleResult(**{**one, "broken_by": tuple(one["broken_by"])}) for one in documents["rules"])
    with repository.reader(version).at_once() as held:
        frames: dict[str, Any] = {
            name: next(_frames(held, name, _ALL, datum)) for name in _EVERY_LAYER if name != "cells"
        }
    return Plan(
        settings=PlanSettings.model_validate(documents["settings"]),
        indicators=documents["indicators"],
        rules=rules,
        certificate={},
        report=documents["report"],
        cells=gpd.GeoDataFrame(geometry=[], crs=4326),
        **frames,
    )
