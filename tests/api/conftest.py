"""A service of one's own: a real server on loopback over a fresh store of either kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridmap.domain.plan import Plan
from gridmap.settings import Settings
from gridmap.store.sql import SqlStore
from live_service import Live, serving
from store_fixtures import cluster, empty_url, kind, made_tables, made_url, store, url

__all__ = ["cluster", "empty_url", "kind", "made_tables", "made_url", "store", "url"]


@pytest.fixture
def serve(store: SqlStore, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Serve the store, with other settings where they are given; ``single_user=False`` asks for keys."""
    running = []

    def start(*, single_user: bool = True, **settings: object) -> Live:
        config = Settings(data_directory=tmp_path / "data", rate_limit="", **settings)
        one = serving(store, config, single_user=single_user)
        running.append(one)
        return one.__enter__()

    yield start
    for one in reversed(running):
        one.__exit__(None, None, None)


@pytest.fixture
def live(serve: Callable[..., Live]) -> Live:
    """Serve an empty store to a single user."""
    return serve()


@pytest.fixture
def published(live: Live, plan: Plan) -> Live:
    """Serve the plan ``made``: version 1 published, version 2 a draft, both of the small plan made by hand."""
    version = live.store.add_version("made", plan, who="test")
    live.store.publish(version, who="test")
    live.store.add_version("made", plan, who="test")
    return live
