"""What was found in an upload, as the answer words it."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from gridmap import catalogue
from gridmap.api.answers import GEOJSON, link
from gridmap.inputs.formats import Format
from gridmap.inputs.inspection import Told, mend_of, said
from gridmap.store.uploads import UploadRecord


def brief(record: UploadRecord, request: Request) -> dict[str, Any]:
    """Describe an upload in a list."""
    path = f"/uploads/{record.upload_id}"
    return {
        "id": record.upload_id,
        "name": record.name,
        "owner": record.owner,
        "bytes": record.bytes,
        "sha256": record.sha256,
        "format": record.format,
        "format_title": Format(record.format).shown,
        "created": record.created_at,
        "links": [link(request, "self", path), link(request, "preview", f"{path}/preview", kind=GEOJSON)],
    }


def whole(record: UploadRecord, request: Request, language: catalogue.Language) -> dict[str, Any]:
    """Describe an upload with all that was found in it, in a language."""
    findings = record.findings or {}
    layers = [layer_in(layer, language) for layer in findings.get("layers", ())]
    return {**brief(record, request), "layers": layers, "layers_left": findings.get("layers_left", [])}


def layer_in(layer: dict[str, Any], language: catalogue.Language) -> dict[str, Any]:
    """Layer of findings, worded."""
    if layer["kind"] is None:
        return {"name": layer["name"], "kind": None, "unread": _message(layer["unread"], language)}
    faults = layer["faults"]
    listed = [_fault(fault, language) for fault in faults["listed"]]
    return {
        **layer,
        "faults": {**faults, "listed": listed},
        "datum": datum_in(layer["datum"], language),
        "notes": [_message(note, language) for note in layer["notes"]],
    }


def datum_in(datum: dict[str, Any], language: catalogue.Language) -> dict[str, Any]:
    """Datum of findings, worded."""
    warning = datum["warning"]
    return {**datum, "warning": None if warning is None else _message(warning, language)}


def _fault(fault: dict[str, Any], language: catalogue.Language) -> dict[str, Any]:
    members = {name: value for name, value in fault.items() if name != "told"}
    return {**members, **_message(fault["told"], language)}


def _message(told: Told, language: catalogue.Language) -> dict[str, str]:
    mend = mend_of(told, language)
    return {"message": said(told, language), **({} if mend is None else {"mend": mend})}
