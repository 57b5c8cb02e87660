"""Bodies and headers of answers: JSON, links, entity tags, how long a copy may be kept."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from fastapi import Request, Response

from gridmap.api.service import Service
from gridmap.store.protocols import Status, VersionInfo

JSON = "application/json"
GEOJSON = "application/geo+json"
#: Answers differ by who asks and in what language.
_VARY = "Authorization, X-API-Key, Accept, Accept-Language"
_KEPT = "private, max-age=31536000, immutable"
_ASKED_AGAIN = "private, no-cache"


def json_answer(document: Any, status: int = 200, *, media_type: str = JSON, **headers: str) -> Response:
    """Answer with a document; underscores in names of headers stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = orjson.dumps(document, default=str, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
    return Response(body, status, named, media_type)


def href(request: Request, path: str) -> str:
    """Address of a path of the service, as its clients reach it."""
    service: Service = request.app.state.service
    base = service.config.base_url or str(request.base_url)
    return f"{base.rstrip('/')}{path}"


def link(request: Request, rel: str, path: str, *, kind: str = JSON, title: str | None = None) -> dict[str, Any]:
    """Link object as OGC API has them."""
    members: dict[str, Any] = {"rel": rel, "href": href(request, path), "type": kind}
    return members if title is None else {**members, "title": title}


def entity_tag(version: VersionInfo, *representation: object) -> str:
    """Strong tag of a representation of a version: it changes with its content, its status, and what was asked."""
    asked = repr((version.row, version.lock_version, version.digest, representation))
    return f'"{hashlib.sha256(asked.encode()).hexdigest()[:32]}"'


def caching(version: VersionInfo, tag: str, *, pinned: bool) -> dict[str, str]:
    """Headers of an answer about a version.

    Parameters
    ----------
    pinned : the address names the version, so that it will always mean this one
    """
    is_final = pinned and version.status is not Status.DRAFT
    return {"ETag": tag, "Cache-Control": _KEPT if is_final else _ASKED_AGAIN, "Vary": _VARY}


def asked_again() -> dict[str, str]:
    """Headers of an answer that a client asks for anew each time, and keeps for itself."""
    return {"Cache-Control": _ASKED_AGAIN, "Vary": _VARY}


def is_known(request: Request, tag: str) -> bool:
    """Whether the client holds what a tag stands for already, so that 304 answers it."""
    held = request.headers.get("if-none-match", "")
    return held.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in held.split(",")}
