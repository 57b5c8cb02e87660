"""Bodies of requests: JSON of a bounded size, checked against a model, every fault named by its place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError

from gridmap.errors import TooLarge, UsageError, WrongMediaType

#: Largest body of a request that changes or asks something, bytes.
MOST_BYTES = 1_000_000

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A body that holds what it names and nothing else; numbers are numbers, texts are texts."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True, frozen=True)


def body_of(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """Make the dependency that reads a body.

    The dependency raises ``WrongMediaType`` where it is no JSON by its own word, ``TooLarge`` beyond ``MOST_BYTES``,
    ``UsageError`` where it cannot be read, and ``RequestValidationError`` for what the model refuses.
    """

    async def read(request: Request) -> Model:
        try:
            return model.model_validate(await json_of(request))
        except ValidationError as fault:
            faults = fault.errors(include_url=False, include_context=False, include_input=False)
            raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in faults]) from fault

    return read


async def json_of(request: Request) -> Any:
    """Read a body as JSON.

    Raises
    ------
    WrongMediaType, TooLarge, UsageError
        As ``body_of``.
    """
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != "application/json" and not (said.startswith("application/") and said.endswith("+json")):
        raise WrongMediaType("plans.not_json", type=said[:80] or "–")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise TooLarge("plans.body_too_large", limit=f"{MOST_BYTES:,}")
        parts.append(part)
    try:
        return orjson.loads(b"".join(parts))
    except orjson.JSONDecodeError as fault:
        raise UsageError("plans.bad_json", line=fault.lineno, column=fault.colno, reason=fault.msg[:120]) from fault


def documented(model: type[BaseModel], example: Any = None) -> dict[str, Any]:
    """Describe a body, for the ``openapi_extra`` of its route."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    media: dict[str, Any] = {"schema": _inlined(schema, schema.pop("$defs", {}))}
    if example is not None:
        media["example"] = example
    return {"requestBody": {"required": True, "content": {"application/json": media}}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Put what a schema refers to in its place."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
        return {name: _inlined(value, definitions) for name, value in schema.items()}
    return [_inlined(one, definitions) for one in schema] if isinstance(schema, list) else schema
