"""The tables are made, checked, taken away and made again, the same on both databases as the models say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from gridmap.domain.plan import Plan
from gridmap.errors import StoreDamaged, StoreError, StoreOutdated
from gridmap.store import open_store
from gridmap.store.migration import check, differences_of, downgrade, upgrade
from gridmap.store.models import metadata
from gridmap.store.open import check_store, upgrade_store
from gridmap.store.sql import SqlStore
from same_plan import assert_same_plan

THINGS = {
    "sqlite": """
        SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE name NOT GLOB 'sqlite_*'""",
    "postgis": """
        SELECT table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable
            FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT proname FROM pg_proc WHERE starts_with(proname, 'gridmap')""",
}


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url)
    yield opened
    opened.close()


def things(store: SqlStore, kind: str) -> set[str]:
    """Tell every table, column, index, constraint and trigger apart from what the database brings."""
    with store.reading() as connection:
        found = {str(row[0]) for row in connection.exec_driver_sql(THINGS[kind])}
    not_ours = ("alembic_version", "spatial_ref_sys", "geometry_columns", "geography_columns")
    return {thing for thing in found if not any(name in thing for name in not_ours)}


def test_up_check_down_and_up_again(store: SqlStore, kind: str, plan: Plan):
    before = things(store, kind)
    assert check(store) == "0002"
    downgrade(store, "base")
    assert things(store, kind) == set()
    with pytest.raises(StoreOutdated):
        check(store)
    upgrade(store)
    assert things(store, kind) == before
    assert check(store) == "0002"
    assert_same_plan(store.read(store.add_version("p", plan, who="li")), plan)


def test_each_table_of_the_models_is_there_and_guarded(store: SqlStore, kind: str):
    found = " ".join(things(store, kind))
    for table in metadata.tables:
        assert table in found
    triggers = [thing for thing in things(store, kind) if "TRIGGER" in thing]
    # Of versions, the audit and changes of accounts; of every layer and the sums of cells: inserts, deletes and
    # updates; of SQLite also what keeps the index of those with a place.
    assert len(triggers) == (2 + 2 + 2 + 12 * 3 + 9 if kind == "sqlite" else 2 + 1 + 1 + 12 * 3)


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(store: SqlStore, url: str, kind: str):
    before = things(store, kind)
    assert upgrade_store(url)[1] == "0002"
    assert things(store, kind) == before


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE layer_cells ADD COLUMN more text",
        "ALTER TABLE layer_grids DROP COLUMN compactness",
        "DROP INDEX ix_layer_cells_key",
        "DROP TABLE layer_staff",
    ],
)
def test_tables_that_differ_are_noticed(store: SqlStore, url: str, statement: str):
    with store.reading() as connection:
        assert differences_of(connection) == []
    with store.writing() as connection:
        connection.exec_driver_sql(statement)
    with pytest.raises(StoreDamaged) as refused:
        check_store(url)
    assert statement.split()[2 if statement.startswith("DROP") else 5] in str(refused.value)


@pytest.mark.parametrize("kind", ["postgis"])
def test_a_missing_index_of_geometries_is_noticed(store: SqlStore, url: str):
    with store.writing() as connection:
        connection.exec_driver_sql("DROP INDEX ix_layer_cells_geometry")
    with pytest.raises(StoreDamaged):
        check_store(url)


def test_tables_of_a_later_gridmap_are_left_alone(store: SqlStore, url: str, kind: str):
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = things(store, kind)
    for use in (open_store, upgrade_store, check_store):
        with pytest.raises(StoreOutdated) as refused:
            use(url)
        assert refused.value.key == "store.newer"
    assert things(store, kind) == before


def test_two_who_upgrade_at_once_both_find_it_done(empty_url: Callable[[str], str], kind: str):
    command = [sys.executable, "-m", "gridmap", "db", "upgrade", "--database", empty_url(kind)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate() for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert check_store(command[-1])[1] == "0002"


def test_an_upgrade_that_fails_leaves_nothing(empty_url: Callable[[str], str], kind: str):
    url = empty_url(kind)
    upgrade_store(url)
    store = open_store(url)
    downgrade(store, "base")
    with store.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE layer_levels (mine integer)")
    with pytest.raises(StoreError, match="exist"):
        upgrade_store(url)
    left = [thing for thing in things(store, kind) if "layer_" in thing]
    assert len(left) == 1
    store.close()


@pytest.mark.parametrize("kind", ["postgis"])
def test_a_server_without_tables_says_what_to_do(empty_url: Callable[[str], str], kind: str):
    with pytest.raises(StoreOutdated) as refused:
        open_store(empty_url(kind))
    assert "gridmap db upgrade" in str(refused.value)
