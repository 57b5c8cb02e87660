"""The OpenAPI 3.0 document: what the framework writes of the routes, in the idioms of 3.0, with every problem named."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from gridmap.api.problems import PROBLEM

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"
_DESCRIPTION = (
    "Exact, certified service grids of banks: plans as OGC API Features, Tiles, Styles and Processes, and the answers "
    "that planners ask for. Whatever is wrong with a request is said as application/problem+json (RFC 9457)."
)
#: Keywords of JSON Schema that OpenAPI 3.0 has not.
_NOT_IN_3_0 = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "$comment",
        "contentMediaType",
        "contentEncoding",
        "contentSchema",
        "propertyNames",
        "patternProperties",
        "unevaluatedProperties",
        "dependentRequired",
        "dependentSchemas",
        "if",
        "then",
        "else",
        "contains",
        "itemSchema",
        "const",
        "examples",
        "prefixItems",
    }
)
_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_OF_CHANGES = (
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.PRECONDITION_REQUIRED,
)
#: Variables of paths that the standards of OGC name, and ours.
_STANDARD_NAMES = {"collection_id": "collectionId", "feature_id": "featureId"}
_METHODS = ("get", "put", "post", "delete", "patch")
_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["title", "status"],
    "properties": {
        "type": {"type": "string", "description": "what kind of problem it is"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "what is wrong, in the language asked for"},
        "mend": {"type": "string", "description": "what would mend it"},
        "place": {"type": "object", "description": "where in the data it lies"},
    },
}
_SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "a key, or a token of the issuer"},
    "basic": {"type": "http", "scheme": "basic", "description": "a key as the password"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route, as the document names them."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            for method in sorted(context.methods or ()):
                yield method, str(context.path_format)


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Describe an application; under which address clients reach it is for others to say."""
    written = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.0.3",
        description=_DESCRIPTION,
        routes=app.routes,
    )
    components = written.setdefault("components", {})
    schemas = {name: schema_of_3_0(one) for name, one in components.get("schemas", {}).items()}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["schemas"] = {**schemas, "Problem": _PROBLEM_SCHEMA}
    components["responses"] = {_name(status): _problem(status) for status in (*_ALWAYS, *_OF_CHANGES)}
    components["securitySchemes"] = {**components.get("securitySchemes", {}), **_SECURITY}
    written["paths"] = {_named(path): one for path, one in written["paths"].items()}
    written["security"] = [{}, *({name: []} for name in _SECURITY)]
    for path in written["paths"].values():
        for method in _METHODS:
            if method in path:
                _operation(path[method], changes=method != "get")
    return written


def _named(path: str) -> str:
    """Write the names of variables in a path as the standards do, which is how clients look for them."""
    for ours, theirs in _STANDARD_NAMES.items():
        path = path.replace(f"{{{ours}}}", f"{{{theirs}}}")
    return path


def _operation(operation: dict[str, Any], *, changes: bool) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["name"] = _STANDARD_NAMES.get(parameter["name"], parameter["name"])
        if "schema" in parameter:
            parameter["schema"] = schema_of_3_0(parameter["schema"])
            # A parameter is left out, never null.
            parameter["schema"].pop("nullable", None)
    body = operation.get("requestBody", {})
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for described in (body, *responses.values()):
        for content in described.get("content", {}).values():
            if "schema" in content:
                content["schema"] = schema_of_3_0(content["schema"])
    if not changes:
        responses.setdefault("304", {"description": "the client holds it already"})
    for status in (*_ALWAYS, *(_OF_CHANGES if changes else ())):
        if "content" not in responses.get(str(int(status)), {}):
            responses[str(int(status))] = {"$ref": f"#/components/responses/{_name(status)}"}


def _name(status: HTTPStatus) -> str:
    return status.name.title().replace("_", "")


def _problem(status: HTTPStatus) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": status.phrase, "content": content}


def schema_of_3_0(schema: Any) -> Any:
    """Turn a schema of JSON Schema 2020-12 into one of OpenAPI 3.0."""
    if not isinstance(schema, dict):
        # True and False are schemas elsewhere.
        return {} if schema is True else {"not": {}} if schema is False else schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    made = {key: value for key, value in schema.items() if key not in _NOT_IN_3_0}
    if "const" in schema:
        made["enum"] = [schema["const"]]
    if schema.get("examples"):
        made.setdefault("example", schema["examples"][0])
    if "contentMediaType" in schema:
        made["format"] = "binary"
    if "prefixItems" in schema:
        made["items"] = schema_of_3_0(schema.get("items", {})) or {}
    _turn_bounds(made)
    _turn_types(made)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in made:
            made[key] = [schema_of_3_0(one) for one in made[key]]
    for key in ("items", "not"):
        if key in made:
            made[key] = schema_of_3_0(made[key])
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = schema_of_3_0(made["additionalProperties"])
    if "properties" in made:
        made["properties"] = {name: schema_of_3_0(one) for name, one in made["properties"].items()}
    return _without_null(made)


def _turn_bounds(made: dict[str, Any]) -> None:
    for exclusive, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in made and not isinstance(made[exclusive], bool):
            made[plain], made[exclusive] = made[exclusive], True


def _turn_types(made: dict[str, Any]) -> None:
    if isinstance(made.get("type"), list):
        kinds = made.pop("type")
        made["anyOf"] = [{"type": kind} for kind in kinds]
    if made.get("type") == "array":
        made.setdefault("items", {})


def _without_null(made: dict[str, Any]) -> dict[str, Any]:
    """Say ``nullable`` where null was one of several."""
    for key in ("anyOf", "oneOf"):
        if key not in made:
            continue
        others = [one for one in made[key] if one.get("enum") != [None]]
        if len(others) == len(made[key]):
            continue
        made["nullable"] = True
        if len(others) != 1:
            made[key] = others
        elif "$ref" in others[0]:
            del made[key]
            made["allOf"] = others
        else:
            del made[key]
            made = {**others[0], **made}
    if made.get("type") == "null":
        made = {**made, "enum": [None], "nullable": True}
        del made["type"]
    if made.get("default", 0) is None:
        del made["default"]
    return made
