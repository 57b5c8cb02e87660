"""The format an answer is asked for in: by ``f``, else by ``Accept``; JSON where neither says otherwise."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from gridmap.api.features.parameters import choice_of

FORMATS = ("json", "html")
HTML = "text/html; charset=utf-8"
_JSON_TYPES = ("application/json", "application/geo+json", "application/schema+json", "application/*", "*/*")

AskedFormat = Annotated[
    str | None,
    Query(description="`json` or `html`; by default what `Accept` asks for", json_schema_extra={"enum": [*FORMATS]}),
]


def format_of(request: Request, asked: str | None) -> str:
    """Return ``json`` or ``html``.

    Raises
    ------
    UsageError
        If ``f`` asks for something else.
    """
    return choice_of("f", asked, FORMATS, "html" if _prefers_html(request) else "json")


def _prefers_html(request: Request) -> bool:
    weights = {"html": 0.0, "json": 0.0}
    for entry in request.headers.get("accept", "")[:400].split(","):
        kind, *options = (part.strip() for part in entry.split(";"))
        weight = next((option[2:] for option in options if option.startswith("q=")), "1")
        try:
            share = float(weight)
        except ValueError:
            continue
        if kind == "text/html":
            weights["html"] = max(weights["html"], share)
        elif kind in _JSON_TYPES:
            weights["json"] = max(weights["json"], share)
    return weights["html"] > weights["json"] or (weights["html"] == weights["json"] > 0 and _html_first(request))


def _html_first(request: Request) -> bool:
    return request.headers.get("accept", "").lstrip().startswith("text/html")
