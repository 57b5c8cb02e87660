"""What changed between two versions."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
