"""Backups as the guide says: made while the store is in use, restored, and proved by what they give back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gridmap.domain.plan import Plan
from gridmap.errors import StoreConflict
from gridmap.store import PlanStore, Status, open_store
from gridmap.store.open import check_store
from postgres_cluster import Cluster
from same_plan import assert_same_plan


@pytest.fixture
def later(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan(names={"grid": "后来"})


def assert_is_the_store(url: str, store: PlanStore, plan: Plan, later: Plan) -> None:
    """Demand versions, audit, plans and guards of a store from its backup."""
    assert check_store(url)[1] == "0002"
    restored = open_store(url)
    assert restored.plans() == store.plans()
    assert restored.versions("p") == store.versions("p")
    assert restored.audit() == store.audit()
    assert_same_plan(restored.read(restored.version("p")), plan)
    assert_same_plan(restored.read(restored.version("p", 2)), later)
    with pytest.raises(StoreConflict), restored.writing() as connection:
        connection.exec_driver_sql("DELETE FROM layer_cells WHERE version_id = 1")
    # It goes on where the store stopped.
    added = restored.publish(restored.add_version("p", later, who="li"), who="li")
    assert (added.number, added.status, added.row) == (3, Status.PUBLISHED, 3)
    restored.close()


@pytest.fixture
def used(store: PlanStore, plan: Plan, later: Plan) -> PlanStore:
    store.publish(store.add_version("p", plan, who="li"), who="li")
    store.add_version("p", later, who="wang")
    return store


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_file_is_backed_up_while_it_is_written_to(used, url: str, tmp_path: Path, plan: Plan, later: Plan):
    file, backup = Path(url.removeprefix("sqlite:///")), tmp_path / "backup.sqlite"
    with suppress(KeyboardInterrupt), used.writing() as connection:
        connection.exec_driver_sql("UPDATE plan SET name = 'not yet'")
        source, target = sqlite3.connect(file), sqlite3.connect(backup)
        source.backup(target)
        for one in (source, target):
            one.close()
        raise KeyboardInterrupt
    restored = tmp_path / "restored.sqlite"
    shutil.copy(backup, restored)
    assert_is_the_store(str(restored), used, plan, later)


@pytest.mark.parametrize("kind", ["postgis"])
def test_a_database_is_dumped_and_restored(used, url: str, cluster: Cluster, plan: Plan, later: Plan):
    name, restored = url.split("/")[3].split("?")[0], "restored"
    dump = cluster.folder / "plans.dump"
    place = ("--host", cluster.folder, "--username", "gridmap")
    cluster.run("pg_dump", *place, "--format=custom", f"--file={dump}", name)
    cluster.run("createdb", *place, restored)
    cluster.run("pg_restore", *place, "--exit-on-error", f"--dbname={restored}", dump)
    assert_is_the_store(cluster.url(restored), used, plan, later)
