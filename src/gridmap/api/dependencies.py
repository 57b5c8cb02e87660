"""What endpoints ask for: the service, who asks, the plans in their reach."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from gridmap import catalogue
from gridmap.api.identification import identify
from gridmap.api.language import language_of
from gridmap.api.service import Service
from gridmap.domain.access import Identity
from gridmap.store.repository import Repository


def service_of(request: Request) -> Service:
    """Service that the application was made with."""
    service: Service = request.app.state.service
    return service


def repository_of(request: Request, identity: Annotated[Identity, Depends(identify)]) -> Repository:
    """Plans in reach of whoever asks; endpoints reach plans through nothing else."""
    return Repository(service_of(request).store, identity)


TheService = Annotated[Service, Depends(service_of)]
Asking = Annotated[Identity, Depends(identify)]
Plans = Annotated[Repository, Depends(repository_of)]
AskedLanguage = Annotated[catalogue.Language, Depends(language_of)]
