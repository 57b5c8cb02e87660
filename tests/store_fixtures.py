"""Stores to test with: both kinds, each test with a fresh one; a missing PostgreSQL fails the run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from gridmap.store import PlanStore, open_store
from gridmap.store.open import upgrade_store
from postgres_cluster import Cluster, running_cluster

KINDS = ("sqlite", "postgis")
_numbers = count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        running.execute("CREATE DATABASE made_tables")
        upgrade_store(running.url("made_tables"))
        yield running


@pytest.fixture(scope="session")
def made_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File with the tables of a store, to be copied."""
    path = tmp_path_factory.mktemp("store") / "made.sqlite"
    upgrade_store(str(path))
    return path


@pytest.fixture(scope="session")
def empty_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Address of a database without tables."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('empty') / 'store.sqlite'}"
        return str(_new_database(request.getfixturevalue("cluster"), ""))

    return make


@pytest.fixture(scope="session")
def made_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Address of a store that holds nothing."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            path = tmp_path_factory.mktemp("made") / "store.sqlite"
            shutil.copy(request.getfixturevalue("made_tables"), path)
            return f"sqlite:///{path}"
        return str(_new_database(request.getfixturevalue("cluster"), "TEMPLATE made_tables"))

    return make


def _new_database(cluster: Cluster, template: str) -> str:
    name = f"store_{next(_numbers)}"
    cluster.execute(f"CREATE DATABASE {name} {template} {'STRATEGY FILE_COPY' if template else ''}")
    return cluster.url(name)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, made_url: Callable[[str], str]) -> str:
    return made_url(kind)


@pytest.fixture
def store(url: str) -> Iterator[PlanStore]:
    opened = open_store(url)
    yield opened
    opened.close()
