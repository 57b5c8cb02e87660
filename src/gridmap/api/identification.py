"""Who asks: the account of a key, the subject of a token, or on loopback without either, the single user."""

from __future__ import annotations

from fastapi import Request

from gridmap.api.service import Service
from gridmap.domain.access import Identity, Role
from gridmap.errors import NotIdentified

SINGLE_USER = Identity("local", Role.ADMINISTRATOR)


def identify(request: Request) -> Identity:
    """Find out who asks.

    Raises
    ------
    NotIdentified
        If there is no key or token, or none that is valid.
    """
    service: Service = request.app.state.service
    if service.is_single_user:
        return SINGLE_USER
    raise NotIdentified("api.not_identified")
