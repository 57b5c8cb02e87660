"""What planners ask of a plan: coverage, gaps, indicators, rules, certificate, who serves a place."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
