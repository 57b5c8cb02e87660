"""Routes that refuse query parameters they do not know: a filter misspelled would look like one that matched all."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from gridmap.errors import UsageError

#: Mark of an endpoint that takes parameters of any name, and refuses the unknown ones itself.
FREE_PARAMETERS = "takes_free_parameters"


Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def free_parameters(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint so."""
    setattr(endpoint, FREE_PARAMETERS, True)
    return endpoint


class StrictRoute(APIRoute):
    """A route with the query parameters that its endpoint names, and no others."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which raises ``UsageError`` for a parameter that is none."""
        handler = super().get_route_handler()
        if getattr(self.endpoint, FREE_PARAMETERS, False):
            return handler
        known = {
            parameter.alias for parameter in get_flat_params(self.dependant) if isinstance(parameter.field_info, Query)
        }

        async def strict(request: Request) -> Response:
            refuse_unknown(request, known)
            return await handler(request)

        return strict


def refuse_unknown(request: Request, known: set[str]) -> None:
    """Raise ``UsageError`` for the first query parameter that is not known."""
    for name in request.query_params:
        if name not in known:
            raise UsageError("api.unknown_parameter", name=name[:80], known=", ".join(sorted(known)) or "–")


def router() -> APIRouter:
    """Make a router of such routes."""
    return APIRouter(route_class=StrictRoute)
