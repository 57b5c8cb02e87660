"""Services that many tests only read from, on each kind of store: the small plan made by hand, the sample county."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.inputs import read_plan_inputs
from gridmap.planning.pipeline import build_plan
from gridmap.settings import Settings
from gridmap.store import open_store
from live_service import Live, serving
from made_plan import made_plan
from store_fixtures import KINDS

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"


@pytest.fixture(scope="session", params=KINDS)
def small(request: pytest.FixtureRequest, made_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory):
    """Serve the plan ``made`` to a single user: version 1 published, version 2 a draft."""
    with served(request.param, made_url, tmp_path_factory) as live:
        plan = made_plan()
        live.store.publish(live.store.add_version("made", plan, who="test"), who="test")
        live.store.add_version("made", plan, who="test")
        yield live


@pytest.fixture(scope="session")
def county_plan() -> Plan:
    """Plan the sample county at resolution 8."""
    given = tomllib.loads((SAMPLES / "plan.toml").read_text(encoding="utf-8"))
    settings = PlanSettings.model_validate({**given, "partition": {"resolution": 8}})
    return build_plan(settings, read_plan_inputs(settings, SAMPLES))


@pytest.fixture(scope="session", params=KINDS)
def county(
    request: pytest.FixtureRequest,
    made_url: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
    county_plan: Plan,
) -> Iterator[Live]:
    """Serve the plan ``county``, published, to a single user."""
    with served(request.param, made_url, tmp_path_factory) as live:
        live.store.publish(live.store.add_version("county", county_plan, who="test"), who="test")
        yield live


@contextmanager
def served(kind: str, made_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Serve an empty store of a kind to a single user until the end of the block."""
    store = open_store(made_url(kind))
    config = Settings(data_directory=tmp_path_factory.mktemp("data"), rate_limit="")
    try:
        with serving(store, config) as live:
            yield live
    finally:
        store.close()
