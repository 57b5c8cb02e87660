"""Whether the service lives, is ready, and what it does: health and metrics."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
