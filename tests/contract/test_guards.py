"""The database itself keeps what is published and what the audit says, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gridmap.domain.layers import LAYERS
from gridmap.domain.plan import Plan
from gridmap.errors import StoreConflict
from gridmap.store import PlanStore, open_store
from same_plan import assert_same_plan

KINDS = ("sqlite", "postgis")
TABLES = [f"layer_{layer.name}" for layer in LAYERS]


def change(store, statement: str) -> None:
    with store.writing() as connection:
        connection.exec_driver_sql(statement)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def store(kind: str, made_url: Callable[[str], str]) -> Iterator[PlanStore]:
    """Return one store for all tests: none of them may change it."""
    opened = open_store(made_url(kind))
    opened.create("other", "x", None, who="li")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def published(store, plan: Plan):
    return store.publish(store.add_version("p", plan, who="li"), who="li")


@pytest.mark.parametrize("column", [
    "settings", "indicators", "rules", "certificate", "report", "columns", "digest", "created_by", "published_by",
    "plan_id",
])  # fmt: skip
def test_no_column_of_a_published_version_changes(store, published, column: str):
    value = (
        "'\"x\"'" if column in ("settings", "indicators", "rules", "certificate", "report", "columns") else "'other'"
    )
    for also in ("", ", status = 'retired'", ", status = 'draft'"):
        with pytest.raises(StoreConflict) as refused:
            change(store, f"UPDATE plan_version SET {column} = {value}{also}")
        assert refused.value.key == "store.immutable"
    assert store.version("p") == published


def test_a_published_version_is_no_draft_again_and_a_retired_one_nothing_else(store, plan: Plan, published):
    with pytest.raises(StoreConflict):
        change(store, "UPDATE plan_version SET status = 'draft'")
    retired = store.retire(store.publish(store.add_version("other", plan, who="li"), who="li"), who="li")
    for status in ("draft", "published"):
        with pytest.raises(StoreConflict):
            change(store, f"UPDATE plan_version SET status = '{status}' WHERE id = {retired.row}")


def test_a_published_version_is_not_deleted(store, plan: Plan, published):
    for statement in ("DELETE FROM plan_version", "DELETE FROM plan"):
        with pytest.raises(StoreConflict):
            change(store, statement)
    assert_same_plan(store.read(published), plan)


@pytest.mark.parametrize("table", TABLES)
def test_no_row_of_a_published_version_is_changed_deleted_or_added(store, plan: Plan, published, table: str):
    for statement in (
        f"UPDATE {table} SET fid = fid + 1000",
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE fid = 1",
        f"INSERT INTO {table} (version_id, fid) VALUES ({published.row}, 1000)",
    ):
        with pytest.raises(StoreConflict):
            change(store, statement)
    assert_same_plan(store.read(published), plan)


@pytest.mark.parametrize("table", ["layer_cells", "layer_staff"])
def test_rows_of_a_draft_are_not_put_into_a_published_version(store, plan: Plan, published, table: str):
    draft = store.add_version("other", plan, who="li")
    with pytest.raises(StoreConflict):
        change(store, f"UPDATE {table} SET version_id = {published.row}, fid = 1000 WHERE version_id = {draft.row}")
    assert_same_plan(store.read(published), plan)


def test_tables_are_not_emptied_at_a_stroke(store, kind: str, plan: Plan, published):
    if kind == "postgis":
        for table in (*TABLES, "plan_version", "audit_entry"):
            with pytest.raises(StoreConflict):
                change(store, f"TRUNCATE {table} CASCADE")
    assert_same_plan(store.read(published), plan)


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET who = 'nobody'", "DELETE FROM audit_entry"])
def test_the_audit_only_grows(store, published, statement: str):
    before = store.audit()
    with pytest.raises(StoreConflict):
        change(store, statement)
    assert store.audit() == before


def test_a_status_that_is_none_is_refused(store, plan: Plan):
    draft = store.add_version("other", plan, who="li")
    with pytest.raises(StoreConflict):
        change(store, f"UPDATE plan_version SET status = 'Draft' WHERE id = {draft.row}")
