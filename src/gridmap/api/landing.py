"""Landing page, conformance, the OpenAPI document."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
