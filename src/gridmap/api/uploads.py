"""Files that are taken in."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
