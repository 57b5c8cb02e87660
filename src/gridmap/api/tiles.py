"""Vector tiles of layers: OGC API Tiles."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
