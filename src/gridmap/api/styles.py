"""Styles of layers: OGC API Styles."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
