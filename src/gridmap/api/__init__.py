"""The service: plans over HTTP, as OGC API Features, Tiles, Styles and Processes have it, and what planners ask."""

from gridmap.api.app import create_app
from gridmap.api.service import Service

__all__ = ["Service", "create_app"]
