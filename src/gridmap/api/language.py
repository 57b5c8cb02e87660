"""The language a request asks for."""

from __future__ import annotations

from fastapi import Request

from gridmap import catalogue


def language_of(request: Request) -> catalogue.Language:
    """Language of ``Accept-Language`` with the highest weight of those there are, else that of the process."""
    best, chosen = 0.0, catalogue.language()
    for entry in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, weight = entry.strip().partition(";q=")
        try:
            share = float(weight) if weight else 1.0
        except ValueError:
            continue
        for known in catalogue.LANGUAGES:
            if tag.lower().split("-")[0] == known and share > best:
                best, chosen = share, known
    return chosen
