"""JSON as databases take and give it: numbers to the last bit, keys in their order."""

from __future__ import annotations

from typing import Any

import orjson


def as_json(value: Any) -> str | None:
    """Text of a value; None stays None."""
    return None if value is None else orjson.dumps(value).decode()


def json_options() -> dict[str, Any]:
    """Options of an engine that make it write and read so."""
    return {"json_serializer": as_json, "json_deserializer": orjson.loads}
