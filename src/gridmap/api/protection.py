"""What every request passes before it is answered, and what every answer bears."""

from __future__ import annotations

from fastapi import FastAPI

from gridmap.api.identification import Gate
from gridmap.api.service import Service


def install(app: FastAPI, service: Service) -> None:
    """Put an application behind its gate."""
    app.state.gate = Gate(service)
