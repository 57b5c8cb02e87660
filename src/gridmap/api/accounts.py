"""Accounts and keys, for administrators."""

from __future__ import annotations

from gridmap.api.routing import router

routes = router()
