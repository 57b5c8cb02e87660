"""No query of a reader takes longer than it may, and no process more connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from gridmap.domain.plan import Plan
from gridmap.errors import StoreUnreachable
from gridmap.settings import Settings
from gridmap.store import open_store
from gridmap.store.sql import SqlStore

SLOW = {
    "postgis": "SELECT count(pg_sleep(0.05)) FROM generate_series(1, {steps})",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {steps}00000) "
    "SELECT max(i) FROM n",
}


@pytest.fixture
def hurried(url: str) -> Iterator[SqlStore]:
    store = open_store(url, config=Settings(statement_timeout_s=0.2, database_connections=4))
    yield store
    store.close()


def test_a_query_that_takes_too_long_ends_with_words(hurried: SqlStore, kind: str, plan: Plan):
    with pytest.raises(StoreUnreachable) as caught, hurried.reading() as connection:
        connection.execute(text(SLOW[kind].format(steps=5000)))
    assert caught.value.message("en").endswith("the answer took longer than one query may take")
    assert "GRIDMAP_STATEMENT_TIMEOUT_S" in str(caught.value)
    # The connection goes on working, and short queries are answered.
    version = hurried.add_version("made", plan, who="li")
    assert hurried.count("cells", version) == 37


def test_whole_plans_and_changes_take_as_long_as_they_take(hurried: SqlStore, kind: str):
    steps = 10 if kind == "postgis" else 60
    for transaction in (hurried.reading(unhurried=True), hurried.writing()):
        with transaction as connection:
            connection.execute(text(SLOW[kind].format(steps=steps)))
    with pytest.raises(StoreUnreachable), hurried.reading() as connection:
        connection.execute(text(SLOW[kind].format(steps=steps)))


@pytest.mark.parametrize("kind", ["postgis"])
def test_one_process_opens_so_many_connections_and_no_more(hurried: SqlStore, kind: str):
    with ExitStack() as held:
        # On PostGIS one of the four is for what is looked up without a transaction.
        for _ in range(2 if kind == "postgis" else 3):
            held.enter_context(hurried.reading())
        held.enter_context(hurried.writing())
        for transaction in (hurried.reading(), hurried.writing()):
            with pytest.raises(StoreUnreachable), transaction:
                pass
    with hurried.reading() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
