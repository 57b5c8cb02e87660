"""Plans and their versions: made, changed, published."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
