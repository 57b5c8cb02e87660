"""What endpoints ask for: the service, who asks, the plans in their reach."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from gridmap import catalogue
from gridmap.api.access.identification import identify
from gridmap.api.language import language_of
from gridmap.api.service import Service
from gridmap.domain.access import Identity
from gridmap.store.repository import Repository


# What waits for nothing is asynchronous: anything else takes a turn in a thread, which costs more than what it does.
async def service_of(request: Request) -> Service:
    """Service that the application was made with."""
    service: Service = request.app.state.service
    return service


async def repository_of(
    service: Annotated[Service, Depends(service_of)], identity: Annotated[Identity, Depends(identify)]
) -> Repository:
    """Plans in reach of whoever asks; endpoints reach plans through nothing else."""
    return Repository(service.store, identity)


async def asked_language(request: Request) -> catalogue.Language:
    """Language that a request asks for."""
    return language_of(request)


TheService = Annotated[Service, Depends(service_of)]
Asking = Annotated[Identity, Depends(identify)]
Plans = Annotated[Repository, Depends(repository_of)]
AskedLanguage = Annotated[catalogue.Language, Depends(asked_language)]
