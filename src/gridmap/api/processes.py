"""Runs asked for, and how they stand: OGC API Processes."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
