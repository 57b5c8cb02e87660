"""The service beside tipg, on the same rows in the same PostGIS: processor time of each request, and its wait.

``python benchmarks/serving.py`` makes a private PostgreSQL with PostGIS, stores a county of 300,000 cells in it, starts
the service (with an account and its key) and tipg, each one process, and sends both the same requests, one after the
other and in turns. Processor time is that of the server's process and of all of PostgreSQL, from the kernel's accounts,
divided by the requests; the service's own statement caches are warm, as tipg's are. At the end fifty readers page
through the plan while a new version is published, and every answer is checked.

The equal answers are not byte-equal: tipg writes all columns of the table, which we do too, but knows no scope, no
version and no conditional requests.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from made_plan import made_plan  # noqa: E402
from postgres_cluster import Cluster, running_cluster  # noqa: E402

#: The same rows and columns with a key of one column, which tipg wants, and the same index.
_TIPG_TABLE = (
    "CREATE TABLE public.flat_cells AS SELECT * FROM layer_cells",
    "ALTER TABLE public.flat_cells ADD PRIMARY KEY (fid)",
    "CREATE INDEX ON public.flat_cells USING gist (geometry)",
)
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PLAN, LAYER = "bench", "cells"
#: Rings of cells of resolution 10 around one cell: 300,517 of them.
RINGS, RESOLUTION = 316, 10


def cpu_s(pids: list[int]) -> float:
    """Processor time of processes and of their children that ended, seconds."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        total += sum(map(int, fields[11:15]))
    return total * _TICK_S


def children_of(parent: int) -> list[int]:
    """All processes below one, itself included."""
    found = [parent]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A server process and a client of it."""

    def __init__(self, name: str, command: list[str], port: int, environment: dict[str, str], headers: dict[str, str]):
        self.name = name
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, headers=headers)
        deadline = time.monotonic() + 120
        while True:
            try:
                self.client.get("/healthz")
                return
            except httpx.TransportError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{name} did not start") from None
                time.sleep(0.1)

    def stop(self) -> None:
        """End the process."""
        self.client.close()
        self.process.terminate()
        self.process.wait(30)


def measured(
    server: Server, postmaster: int, paths: list[str], wanted: Callable[[httpx.Response], None]
) -> dict[str, Any]:
    """Send requests one after the other; milliseconds of processor time each, and of waiting."""
    # A connection is closed after a while; the first request of each round pays for what the others share.
    for path in paths[:2]:
        wanted(server.client.get(path))
    database = children_of(postmaster)
    before_server, before_database = cpu_s(children_of(server.process.pid)), cpu_s(database)
    waits, size = [], 0
    for path in paths:
        started = time.perf_counter()
        answer = server.client.get(path)
        waits.append(time.perf_counter() - started)
        size += len(answer.content)
    wanted(answer)
    own = cpu_s(children_of(server.process.pid)) - before_server
    theirs = cpu_s(children_of(postmaster)) - before_database
    return {
        "server_ms": round(own / len(paths) * 1000, 2),
        "database_ms": round(theirs / len(paths) * 1000, 2),
        "p50_ms": round(statistics.median(waits) * 1000, 2),
        "p99_ms": round(float(np.quantile(waits, 0.99)) * 1000, 2),
        "kB": round(size / len(paths) / 1000, 1),
        "requests": len(paths),
    }


def tile_at(lon: float, lat: float, zoom: int) -> str:
    """Address of a tile: zoom, row, column."""
    across = (lon + 180) / 360
    down = (1 - np.log(np.tan(np.radians(lat)) + 1 / np.cos(np.radians(lat))) / np.pi) / 2
    return f"{zoom}/{int(down * 2**zoom)}/{int(across * 2**zoom)}"


def cases(cells: int, centre: tuple[float, float]) -> list[tuple[str, list[str], list[str]]]:
    """Name, requests to us, requests to tipg."""
    rng = np.random.default_rng(7)
    fids = rng.integers(1, cells, 400).tolist()
    ours, theirs = f"/collections/{PLAN}.{LAYER}", f"/collections/public.flat_{LAYER}"
    tiles = {
        zoom: [
            tile_at(centre[0] + dx, centre[1] + dy, zoom)
            for dx, dy in rng.uniform(-spread, spread, (count, 2)).tolist()
        ]
        for zoom, spread, count in ((14, 0.2, 200), (12, 0.15, 40), (11, 0.1, 12), (10, 0.05, 5), (8, 0.0, 3))
    }
    boxes = [
        ",".join(f"{value:.5f}" for value in (x, y, x + 0.02, y + 0.02))
        for x, y in (rng.uniform(-0.25, 0.25, (100, 2)) + centre).tolist()
    ]
    tile = "tiles/WebMercatorQuad"
    return [
        ("one item", [f"{ours}/items/{fid}" for fid in fids], [f"{theirs}/items/{fid}?f=geojson" for fid in fids]),
        ("page of 1,000", [f"{ours}/items?limit=1000"] * 60, [f"{theirs}/items?limit=1000&f=geojson"] * 60),
        (
            "box, up to 1,000",
            [f"{ours}/items?limit=1000&bbox={box}" for box in boxes],
            [f"{theirs}/items?limit=1000&f=geojson&bbox={box}" for box in boxes],
        ),
        *(
            (
                f"tile z{zoom}",
                [f"{ours}/{tile}/{one}" for one in found],
                [f"{theirs}/{tile}/{_xy(one)}" for one in found],
            )
            for zoom, found in tiles.items()
        ),
    ]


def _xy(tile: str) -> str:
    zoom, row, column = tile.split("/")
    return f"{zoom}/{column}/{row}"


def found(answer: httpx.Response) -> None:
    """End the run where an answer is none."""
    if answer.status_code not in (200, 204):
        raise SystemExit(f"{answer.url}: {answer.status_code} {answer.text[:300]}")


@contextmanager
def servers(cluster: Cluster, key: str, folder: Path) -> Iterator[dict[str, Server]]:
    """Both, each one process."""
    ports = free_port(), free_port()
    address = cluster.url("bench")
    socket_folder = str(cluster.folder).replace("/", "%2F")
    own = {
        "GRIDMAP_DATA_DIRECTORY": str(folder / "data"),
        "GRIDMAP_RATE_LIMIT": "",
        "GRIDMAP_JOB_WORKERS": "0",
        "GRIDMAP_LOG_LEVEL": "warning",
    }
    gridmap = Server(
        "gridmap",
        [str(Path(sys.executable).with_name("gridmap")), "serve", "--port", str(ports[0]), "--database", address],
        ports[0],
        own,
        {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"},
    )
    tipg = Server(
        "tipg",
        [sys.executable, "-m", "uvicorn", "tipg.main:app", "--port", str(ports[1]), "--log-level", "warning"],
        ports[1],
        {"DATABASE_URL": f"postgresql://gridmap@{socket_folder}/bench", "TIPG_DB_TABLES": f'["public.flat_{LAYER}"]'}
        | {"TIPG_MAX_FEATURES_PER_TILE": "1000000", "TIPG_MAX_FEATURES_PER_QUERY": "10000"},
        {"Accept-Encoding": "identity"},
    )
    try:
        yield {"gridmap": gridmap, "tipg": tipg}
    finally:
        gridmap.stop()
        tipg.stop()


def store_plan(url: str, rings: int) -> tuple[str, int, tuple[float, float]]:
    """Store and publish the plan, and a draft to be published later; returns a viewer's key, cells and their centre."""
    from gridmap.domain.access import Role
    from gridmap.store import open_store
    from gridmap.store.accounts import Accounts
    from gridmap.store.open import upgrade_store

    upgrade_store(url)
    plan = made_plan(rings=rings, resolution=RESOLUTION)
    store = open_store(url)
    try:
        store.publish(store.add_version(PLAN, plan, who="benchmark"), who="benchmark")
        accounts = Accounts(store)
        accounts.add("admin", Role.ADMINISTRATOR, who="benchmark")
        accounts.add("reader", Role.VIEWER, who="benchmark")
        key = accounts.new_key("reader", who="benchmark")
        with store.writing() as connection:
            for statement in _TIPG_TABLE:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("ANALYZE")
    finally:
        store.close()
    west, south, east, north = plan.cells.total_bounds
    return str(getattr(key, "key", key)), len(plan.cells), ((west + east) / 2, (south + north) / 2)


def readers_during_publish(url: str, server: Server, cells: int, readers: int = 50) -> dict[str, Any]:
    """Page through the plan from many sides while the next version is stored and published."""
    from gridmap.store import open_store

    store = open_store(url)
    draft = store.add_version(PLAN, made_plan(rings=60, resolution=RESOLUTION), who="benchmark")
    other = 3 * 60 * 61 + 1
    stop, answered, faults = threading.Event(), itertools.count(), []
    totals: set[int] = set()

    def read(number: int) -> None:
        with httpx.Client(base_url=server.client.base_url, headers=server.client.headers, timeout=120) as client:
            while not stop.is_set():
                path, matched, seen = f"/collections/{PLAN}.{LAYER}/items?limit=2000", None, 0
                for _ in range(3 + number % 5):
                    answer = client.get(path)
                    next(answered)
                    if answer.status_code != 200:
                        faults.append(answer.text[:200])
                        return
                    page = answer.json()
                    if matched not in (None, page["numberMatched"]):
                        faults.append(f"a page of {matched} cells led to one of {page['numberMatched']}")
                    matched = page["numberMatched"]
                    totals.add(matched)
                    seen += page["numberReturned"]
                    path = next((one["href"] for one in page["links"] if one["rel"] == "next"), "")
                    if not path:
                        break

    threads = [threading.Thread(target=read, args=(number,)) for number in range(readers)]
    for thread in threads:
        thread.start()
    time.sleep(4)
    store.publish(draft, who="benchmark")
    store.close()
    time.sleep(4)
    stop.set()
    for thread in threads:
        thread.join()
    faults += [f"a version of {total} cells was never published" for total in totals - {cells, other}]
    return {"readers": readers, "answers": next(answered), "faults": faults, "versions_seen": sorted(totals)}


def main() -> None:
    """Measure, and print a table and the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rings", type=int, default=RINGS, help="rings of cells around one cell")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is measured; the least counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_cluster() as cluster:
        cluster.execute("CREATE DATABASE bench")
        url = cluster.url("bench")
        key, cells, centre = store_plan(url, arguments.rings)
        postmaster = int((cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        figures: dict[str, dict[str, Any]] = {}
        with servers(cluster, key, Path(name)) as both:
            for case, *requests in cases(cells, centre):
                for _ in range(arguments.rounds):
                    for server, paths in zip(both.values(), requests, strict=True):
                        one = measured(server, postmaster, paths, found)
                        best = figures.setdefault(case, {}).get(server.name)
                        if (
                            best is None
                            or one["server_ms"] + one["database_ms"] < best["server_ms"] + best["database_ms"]
                        ):
                            figures[case][server.name] = one
                print(case, json.dumps(figures[case]), flush=True)
            figures["readers during a publish"] = readers_during_publish(url, both["gridmap"], cells)
    print(json.dumps({"cells": cells, **figures}, indent=1))


if __name__ == "__main__":
    main()
