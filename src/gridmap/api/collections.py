"""Layers of plans as collections: OGC API Features."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
