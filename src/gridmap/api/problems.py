"""Errors as ``application/problem+json`` (RFC 9457), in the language asked for, without SQL or stack."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gridmap import catalogue
from gridmap.api.access.protective_headers import protected
from gridmap.api.language import language_of
from gridmap.errors import (
    GridmapError,
    InputError,
    LostUpdate,
    NotAllowed,
    NotIdentified,
    NotStored,
    PlanError,
    StoreConflict,
    StoreError,
    TooLarge,
    TooMany,
    Unconditional,
    UsageError,
    WrongMediaType,
)

PROBLEM = "application/problem+json"

#: Status of each error: that of the nearest class it descends from.
STATUS: dict[type[GridmapError], HTTPStatus] = {
    UsageError: HTTPStatus.BAD_REQUEST,
    NotIdentified: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotStored: HTTPStatus.NOT_FOUND,
    LostUpdate: HTTPStatus.PRECONDITION_FAILED,
    StoreConflict: HTTPStatus.CONFLICT,
    PlanError: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unconditional: HTTPStatus.PRECONDITION_REQUIRED,
    WrongMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    GridmapError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="gridmap"'},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "5"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "10"},
    # Whoever sends too much may go on sending for ever.
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: {"Connection": "close"},
}
_OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
#: Types of problems that a standard names.
_STANDARD_TYPES = {
    "jobs.no_process": f"{_OGC}no-such-process",
    "jobs.no_job": f"{_OGC}no-such-job",
    "jobs.not_ready": f"{_OGC}result-not-ready",
}
_log = structlog.get_logger("gridmap.api")


def status_of(error: GridmapError) -> HTTPStatus:
    """Status that answers an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_of(error: GridmapError, lang: catalogue.Language) -> dict[str, Any]:
    """Members of the problem document of an error."""
    status = status_of(error)
    members: dict[str, Any] = {
        "type": _STANDARD_TYPES.get(error.key, f"urn:gridmap:problem:{error.key}"),
        "title": status.phrase,
        "status": int(status),
        "detail": error.message(lang),
    }
    mend = error.mend(lang)
    if mend:
        members["mend"] = mend
    if error.place is not None:
        members["place"] = {name: value for name, value in asdict(error.place).items() if value is not None}
    return members


def add_problems(app: FastAPI) -> None:
    """Answer every error of an application with a problem document."""

    @app.exception_handler(GridmapError)
    async def ours(request: Request, error: GridmapError) -> Response:
        if isinstance(error, StoreError) and not isinstance(error, StoreConflict):
            _log.error("store failed", fault=error.message("en"), exc_info=error)
            error = _without_whereabouts(error)
        return problem_answer(error, request)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [
            {"in": str(fault["loc"][0]), "name": ".".join(map(str, fault["loc"][1:])), "reason": fault["msg"]}
            for fault in error.errors()
        ]
        first = faults[0]
        refused = UsageError("api.bad_parameter", name=first["name"] or first["in"], reason=first["reason"])
        return _answer({**problem_of(refused, language_of(request)), "faults": faults})

    @app.exception_handler(HTTPException)
    async def of_routing(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        members = {"type": "about:blank", "title": status.phrase, "status": int(status)}
        return _answer({**members, "detail": str(error.detail)}, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        _log.error("bug", path=request.url.path, exc_info=error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        detail = catalogue.text("api.bug", language_of(request))
        members = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
        # This answer passes by what gives the others their id, and what protects them.
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        answer = _answer(members, {"X-Request-ID": request_id})
        answer.raw_headers = protected(answer.raw_headers, is_https=request.url.scheme == "https")
        return answer


def problem_answer(error: GridmapError, request: Request) -> Response:
    """Answer a request with the problem document of an error."""
    return _answer(problem_of(error, language_of(request)))


def _without_whereabouts(error: StoreError) -> StoreError:
    """Error without what a database said: where it is, and who we are to it, is nobody's business."""
    if "reason" in error.values:
        return type(error)("api.store_failed")
    error.place = None
    return error


def _answer(members: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    status = HTTPStatus(members["status"])
    all_headers = {**_HEADERS.get(status, {}), **(headers or {}), "Cache-Control": "no-store"}
    return Response(orjson.dumps(members, default=str), status, all_headers, PROBLEM)
