"""Accounts and keys, for administrators."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from gridmap.api.answers import json_answer
from gridmap.api.dependencies import Asking
from gridmap.api.routing import router
from gridmap.domain.access import Scope

routes = router()


@routes.get("/me")
def me(asking: Asking) -> Response:
    """Say who asks, as what, and how far the reach goes."""
    return json_answer({"name": asking.name, "role": asking.role.value, **reach_of(asking.scope)})


def reach_of(scope: Scope) -> dict[str, Any]:
    """Members of a document that say how far a scope goes."""
    return {
        "areas": list(scope.area_prefixes),
        "institutions": list(scope.institutions),
        "everything": scope.is_whole,
    }
