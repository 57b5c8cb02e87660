"""Whatever is killed while a version is published: it is published or it is not; readers see one version at a time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import httpx
import pytest
import shapely

from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan import Plan
from gridmap.domain.plan_settings import FacilitySource, PlanSettings
from gridmap.inputs import read_facilities
from gridmap.planning.pipeline import build_plan
from gridmap.settings import Settings
from gridmap.store import Status
from gridmap.store.sql import SqlStore
from live_service import Live, serving
from made_jobs import free_port, served
from store_fixtures import cluster, empty_url, kind, made_tables, made_url, store, url

__all__ = ["cluster", "empty_url", "kind", "made_tables", "made_url", "store", "url"]

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


@pytest.fixture(scope="session")
def smallest() -> Plan:
    """Plan of one village that was really cut, so that it can be proved anew."""
    village = gpd.GeoDataFrame(
        {"area_code": ["990101001001"], "name": ["塆子村"], "level": ["village"], "settlement": ["rural"]},
        geometry=[shapely.box(111.30, 30.80, 111.31, 30.81)],
        crs="EPSG:4326",
    )
    read = read_facilities(FacilitySource(path="outlets.csv"), SAMPLES, outlets=True)
    settings = PlanSettings.model_validate({"plan": {"name": "x"}, "areas": {"village": {"path": "x"}}})
    return build_plan(settings, PlanInputs({AreaLevel.VILLAGE: village}, read.facilities.head(1)))


def marked(plan: Plan, mark: float) -> Plan:
    """Return the same ground with a figure of its own in every cell."""
    return replace(plan, cells=plan.cells.assign(demand=mark))


def publish(port: int, number: int) -> int:
    """Ask for it; returns the status of the answer, 0 where none came."""
    body = {"version": number, "lock_version": 1}
    with suppress(httpx.TransportError):
        return httpx.post(f"http://127.0.0.1:{port}/plans/p/publish", json=body, timeout=60).status_code
    return 0


@pytest.mark.slow
def test_a_version_whose_publishing_was_killed_is_a_draft_or_published(
    store: SqlStore, url: str, tmp_path: Path, smallest: Plan
):
    chance = random.Random(20261122)  # noqa: S311 - of nobody's secrets
    published: list[int] = []
    for number in range(1, 21):
        added, port = store.add_version("p", marked(smallest, float(number)), who="li"), free_port()
        with served(url, tmp_path / "data", port, 0) as process, ThreadPoolExecutor(1) as pool:
            answer = pool.submit(publish, port, number)
            if number < 20:
                time.sleep(chance.uniform(0.0, 0.25))
            else:
                # The last is let be: what is killed is killed where it could have gone well.
                assert answer.result() == 200
            process.kill()
            status = answer.result()
        after = store.version("p", number)
        assert after.digest == added.digest
        if after.status is Status.PUBLISHED:
            published.append(number)
        else:
            assert (after.status, after.lock_version, status) == (Status.DRAFT, added.lock_version, 0)
        # What is written down is what is.
        assert [entry.version for entry in store.audit("p") if entry.action == "publish"] == published
        assert store.read(after).cells["demand"].eq(number).all()
        assert store.version("p").number == (published or [number])[-1]


@pytest.fixture
def live(store: SqlStore, tmp_path: Path) -> Iterator[Live]:
    with serving(store, Settings(data_directory=tmp_path / "data", rate_limit="")) as running:
        yield running


def test_readers_never_see_a_mix_of_versions(store: SqlStore, live: Live, smallest: Plan):
    store.publish(store.add_version("p", marked(smallest, 1.0), who="li"), who="li")
    count, over = len(smallest.cells), threading.Event()

    def walk() -> list[float]:
        """Read the current version page by page, again and again; returns the mark of each walk."""
        seen = []
        with httpx.Client(base_url=live.url, timeout=30) as client:
            while not over.is_set() or not seen:
                path, cells = f"/collections/p.cells/items?limit={count // 3 + 1}", []
                while path:
                    answer = client.get(path)
                    assert answer.status_code == 200, answer.text
                    page = answer.json()
                    cells += page["features"]
                    path = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
                marks = {cell["properties"]["demand"] for cell in cells}
                assert len(marks) == 1, marks
                assert len({cell["properties"]["cell_id"] for cell in cells}) == len(cells) == count
                seen += marks
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(walk) for _ in range(3)]
        for mark in range(2, 8):
            store.publish(store.add_version("p", marked(smallest, float(mark)), who="li"), who="li")
            time.sleep(0.15)
        over.set()
        walks = [one.result(timeout=60) for one in readers]

    for seen in walks:
        # Nobody is led back to a version that was replaced.
        assert seen == sorted(seen)
    assert len({mark for seen in walks for mark in seen}) > 1
