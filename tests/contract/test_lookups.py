"""Looked up with or without a transaction, rows are the same, and a connection that was cut is made anew."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from sqlalchemy import bindparam, select

from gridmap.domain.plan import Plan
from gridmap.errors import StoreUnreachable
from gridmap.store.models import plan as plan_table
from gridmap.store.models import plan_version
from gridmap.store.rows import select_versions, versions_of
from gridmap.store.sql import SqlStore


def select_names():
    return select(plan_table.c.name).where(plan_table.c.id == bindparam("wanted"))


def test_versions_are_looked_up_as_they_are_listed(store: SqlStore, plan: Plan):
    store.publish(store.add_version("made", plan, who="ann"), who="ben")
    store.add_version("made", plan, who="ann")

    def selected():
        return select_versions(plan_version.c.plan_id == bindparam("wanted"))

    found = versions_of(store.look_up("versions", selected, {"wanted": "made"}))

    assert found == store.versions("made")
    assert found[0].published_at.utcoffset() == timedelta(0)
    assert found[0].published_at.tzinfo is UTC
    assert store.look_up("versions", selected, {"wanted": "another"}) == []


def test_values_are_bound_and_never_part_of_the_statement(store: SqlStore):
    store.create("made", "方案 'x'; --%s%%", None, who="ann")

    for hostile in ("' OR 1=1 --", "%s", "%(wanted)s", "made'"):
        assert store.look_up("names", select_names, {"wanted": hostile}) == []
    assert store.look_up("names", select_names, {"wanted": "made"}) == [("方案 'x'; --%s%%",)]


@pytest.mark.parametrize("kind", ["postgis"], indirect=True)
def test_a_connection_that_was_cut_fails_once_at_most(store: SqlStore):
    store.create("made", "方案", None, who="ann")
    assert store.look_up("names", select_names, {"wanted": "made"})
    with store.writing() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    with pytest.raises(StoreUnreachable):
        store.look_up("names", select_names, {"wanted": "made"})
    assert store.look_up("names", select_names, {"wanted": "made"}) == [("方案",)]


@pytest.mark.parametrize("kind", ["postgis"], indirect=True)
def test_a_statement_that_fails_leaves_the_connection_usable(store: SqlStore):
    store.create("made", "方案", None, who="ann")

    with pytest.raises(Exception, match="nothing_there"):
        store.look_up(
            "broken", lambda: select(bindparam("wanted")).where(plan_table.c.id == select_broken()), {"wanted": "x"}
        )
    assert store.look_up("names", select_names, {"wanted": "made"}) == [("方案",)]


def select_broken():
    from sqlalchemy import literal_column

    return literal_column("nothing_there")
