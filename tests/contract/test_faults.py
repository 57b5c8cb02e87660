"""A process that is killed, a full disk, a server that is away: nothing is left half done, and it is said in words."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gridmap.domain.plan import Plan
from gridmap.errors import StoreError, StoreOutdated, StoreUnreachable, UsageError
from gridmap.store import PlanStore, Status, open_store
from gridmap.store.open import upgrade_store
from postgres_cluster import Cluster, running_cluster
from same_plan import assert_same_plan

TESTS = Path(__file__).parents[1]


def killed_after(url: str, action: str, steps: int) -> bool:
    """Run the change in a process that kills itself; whether it did."""
    command = [sys.executable, str(TESTS / "killed_at.py"), url, action, str(steps)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


@pytest.mark.parametrize(
    ("action", "points"),
    [
        ("publish", (4,)),
        ("add", (15,)),
        ("replace", (14,)),
        pytest.param("delete", (2,), marks=pytest.mark.slow),
        pytest.param("publish", (1, 2, 3), marks=pytest.mark.slow),
        pytest.param("add", (1, 2, 3, 5, 7, 9, 11, 13, 14), marks=pytest.mark.slow),
        pytest.param("replace", (1, 2, 4, 6, 8, 10, 12), marks=pytest.mark.slow),
    ],
)
def test_what_a_killed_process_began_never_was(
    store: PlanStore, url: str, plan: Plan, action: str, points: tuple[int, ...]
):
    seen = store.add_version("p", plan, who="li")
    before = store.audit()
    for point in points:
        assert killed_after(url, action, point), point
        assert store.versions("p") == [seen]
        assert store.audit() == before
        assert_same_plan(store.read(seen), plan)
    # Nor does it stand in the way of who comes next.
    assert store.publish(seen, who="wang").status is Status.PUBLISHED


def test_the_same_change_is_made_where_nobody_is_killed(store: PlanStore, url: str, plan: Plan):
    store.add_version("p", plan, who="li")
    assert not killed_after(url, "publish", 1000)
    assert store.version("p", 1).status is Status.PUBLISHED


def test_a_full_disk_leaves_a_file_as_it_was(
    made_url: Callable[[str], str], plan: Plan, make_plan: Callable[..., Plan]
):
    """No file may grow beyond a limit of the operating system, which meets the database as a disk that is full."""
    url = made_url("sqlite")
    store = open_store(url)
    seen = store.add_version("p", plan, who="li")
    file = Path(url.removeprefix("sqlite:///"))
    most = max(path.stat().st_size for path in file.parent.iterdir()) + 50_000
    held, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    large = make_plan(rings=12)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        with pytest.raises(StoreError) as refused:
            store.add_version("p", large, who="li")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (held, hard))
        signal.signal(signal.SIGXFSZ, heard)
    assert refused.value.key == "store.failed"
    assert store.versions("p") == [seen]
    assert_same_plan(store.read(seen), plan)
    assert_same_plan(store.read(store.add_version("p", large, who="li")), large)
    store.close()


def test_a_full_disk_leaves_a_database_as_it_was(plan: Plan, make_plan: Callable[..., Plan]):
    """The same limit, for the server and all that it starts."""
    with running_cluster() as small:
        small.execute("CREATE DATABASE small")
        upgrade_store(small.url("small"))
        small.stop()
        small.start(most_file_bytes=2_000_000)
        store = open_store(small.url("small"))
        seen = store.add_version("p", plan, who="li")
        large = make_plan(rings=50)
        with pytest.raises(StoreError) as refused:
            store.add_version("p", large, who="li")
        assert refused.value.key == "store.failed"
        assert store.versions("p") == [seen]
        assert_same_plan(store.read(seen), plan)
        store.close()


def test_a_server_that_restarts_is_found_again(plan: Plan):
    with running_cluster() as own:
        own.execute("CREATE DATABASE own")
        upgrade_store(own.url("own"))
        store = open_store(own.url("own"))
        seen = store.add_version("p", plan, who="li")
        own.stop()
        with pytest.raises(StoreUnreachable):
            store.versions("p")
        own.start()
        assert_same_plan(store.read(seen), plan)
        store.close()


def test_a_server_that_is_not_there_is_said_to_be_away_without_its_password(cluster: Cluster):
    for address in ("postgresql://gridmap:secret@127.0.0.1:1/plans", f"{cluster.url('none_such')}&password=secret"):
        with pytest.raises(StoreUnreachable) as refused:
            open_store(address)
        assert "secret" not in str(refused.value)


def test_a_file_that_is_none_of_a_store_is_refused(tmp_path: Path):
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and long enough to be taken for one" * 40, encoding="utf-8")
    with pytest.raises(StoreUnreachable):
        open_store(str(text))
    with pytest.raises(UsageError):
        open_store(str(tmp_path / "none.sqlite"))
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(StoreOutdated):
        open_store(str(tmp_path / "empty.sqlite"))
    with pytest.raises(StoreUnreachable):
        open_store(str(tmp_path / "no" / "such" / "folder.sqlite"), create=True)


@pytest.mark.parametrize(
    "url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "nonsense://", ":memory:", ""]
)
def test_an_address_that_is_none_is_refused(url: str):
    with pytest.raises(UsageError):
        open_store(url, create=True)
