"""Describe processes as OGC API Processes has it: inputs and outputs by JSON Schema as OpenAPI 3.0 knows it."""

from __future__ import annotations

from typing import Any

from gridmap import catalogue
from gridmap.domain.plan_settings import PlanSettings
from gridmap.jobs.processes.process import Process

_UPLOAD_TEXT = {"type": "string", "pattern": "^upload:[0-9a-f]{32}$"}
#: Keywords of JSON Schema that OpenAPI 3.0 has not, or that tell nothing.
_LEFT_OUT = frozenset({"propertyNames", "title", "$defs"})


def summary_of(process: Process, lang: catalogue.Language) -> dict[str, Any]:
    """Members of a process in the list of processes."""
    modes = ["reference", "value"] if any(one.by_value for one in process.outputs) else ["reference"]
    return {
        "id": process.id,
        "version": process.version,
        "title": process.title(lang),
        "description": process.description(lang),
        "jobControlOptions": ["async-execute", "dismiss"],
        "outputTransmission": modes,
    }


def description_of(process: Process, lang: catalogue.Language) -> dict[str, Any]:
    """Members of a process with its inputs and outputs."""
    schema = process.inputs.model_json_schema()
    definitions, required = schema.get("$defs", {}), schema.get("required", [])
    inputs = {}
    for name, given in schema["properties"].items():
        inputs[name] = {
            "title": catalogue.text(f"jobs.input_{name}", lang),
            "minOccurs": int(name in required),
            "maxOccurs": 1,
            "schema": _tables_of_a_plan() if (process.id, name) == ("plan", "settings") else _plain(given, definitions),
        }
    outputs = {
        one.name: {
            "title": catalogue.text(f"jobs.output_{one.name}", lang),
            "schema": {**one.schema, "contentMediaType": one.media_type} if not one.by_value else dict(one.schema),
        }
        for one in process.outputs
    }
    return {**summary_of(process, lang), "inputs": inputs, "outputs": outputs}


def _tables_of_a_plan() -> dict[str, Any]:
    """Tables of a plan file, where each path is an upload."""
    schema = PlanSettings.model_json_schema()
    definitions = schema.get("$defs", {})
    named = {
        "type": "object",
        "required": ["upload"],
        "properties": {"upload": {"type": "string"}, "layer": {"type": "string"}},
        "additionalProperties": False,
    }
    for definition in definitions.values():
        if "path" in definition.get("properties", {}):
            definition["properties"]["path"] = named
    tables: dict[str, Any] = _plain(schema, definitions)
    return tables


def _plain(schema: Any, definitions: dict[str, Any]) -> Any:
    """Put what a schema refers to in its place, and say it as OpenAPI 3.0 does."""
    if isinstance(schema, list):
        return [_plain(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        return _plain({**definitions[schema["$ref"].rsplit("/", 1)[-1]], **beside}, definitions)
    # A property may be called as a keyword is.
    plain = {
        name: {one: _plain(inner, definitions) for one, inner in value.items()}
        if name == "properties"
        else _plain(value, definitions)
        for name, value in schema.items()
        if name not in _LEFT_OUT
    }
    options = plain.get("anyOf", [])
    if {"type": "null"} in options:
        del plain["anyOf"]
        left = [one for one in options if one != {"type": "null"}]
        plain = {**(left[0] if len(left) == 1 else {"anyOf": left}), **plain, "nullable": True}
    if plain.get("default", ...) is None:
        del plain["default"]
    if "const" in plain:
        plain["enum"] = [plain.pop("const")]
    if "prefixItems" in plain:
        plain["items"] = plain.pop("prefixItems")[0]
    for bound in ("Minimum", "Maximum"):
        if plain.get(f"exclusive{bound}", True) is not True:
            plain[bound.lower()] = plain[f"exclusive{bound}"]
            plain[f"exclusive{bound}"] = True
    if plain.get("type") == "object" and "upload" in plain.get("properties", {}) and "path" not in plain["properties"]:
        return {"oneOf": [_UPLOAD_TEXT, plain]}
    return plain
