"""Whole plans, streamed in the format asked for."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
