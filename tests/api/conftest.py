"""A service of one's own: a real server on loopback over a fresh store of either kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from gridmap.domain.access import Role, checked_scope
from gridmap.domain.plan import Plan
from gridmap.settings import Settings
from gridmap.store.accounts import Accounts
from gridmap.store.sql import SqlStore
from live_service import Live, serving
from shared_services import county, county_plan, small
from store_fixtures import cluster, empty_url, kind, made_tables, made_url, store, url

__all__ = [
    "cluster",
    "county",
    "county_plan",
    "empty_url",
    "kind",
    "made_tables",
    "made_url",
    "small",
    "store",
    "url",
]


@pytest.fixture
def serve(store: SqlStore, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Serve the store, with other settings where they are given; ``single_user=False`` asks for keys."""
    running = []

    def start(*, single_user: bool = True, **settings: object) -> Live:
        config = Settings(**{"data_directory": tmp_path / "data", "rate_limit": "", **settings})
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


@pytest.fixture
def account(store: SqlStore) -> Callable[..., dict[str, str]]:
    """Make an account, and headers with a key of it; with the first one nobody is the single user any more."""
    accounts, numbers = Accounts(store), count(1)

    def make(
        role: str, areas: tuple[str, ...] = (), institutions: tuple[str, ...] = (), name: str | None = None
    ) -> dict[str, str]:
        called = name or f"{role}-{next(numbers)}"
        accounts.add(called, Role(role), checked_scope(areas, institutions), who="test")
        return {"Authorization": f"Bearer {accounts.new_key(called, who='test').key}"}

    return make
