"""Jobs to test with: uploads put in their place by hand, the smallest requests, workers of one's own."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from gridmap.domain.access import SINGLE_USER_NAME
from gridmap.jobs.supervisor import Workers
from gridmap.settings import Settings
from gridmap.store.sql import SqlStore
from gridmap.store.uploads import UploadRecord, Uploads, upload_path

TESTS = Path(__file__).parent
VILLAGE = "990101001001"


def squares(count: int = 1, code: int = int(VILLAGE), size: float = 0.01) -> dict[str, Any]:
    """Villages side by side, each a square."""
    features = []
    for number in range(count):
        west, south = 111.30 + size * number, 30.80
        ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
        ring = [[round(lon, 7), round(lat, 7)] for lon, lat in ring]
        named = {"area_code": str(code + number), "name": f"村{number}", "class_code": "220"}
        features.append(
            {"type": "Feature", "properties": named, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    return {"type": "FeatureCollection", "features": features}


OUTLETS = "id,name,kind,lon,lat\nA1,中心支行,branch,111.305,30.805\n"


def uploaded(
    store: SqlStore,
    data: Path,
    content: dict[str, Any] | str | bytes,
    name: str = "villages.geojson",
    owner: str = SINGLE_USER_NAME,
) -> str:
    """Put an upload in its place; returns its identifier."""
    if isinstance(content, dict):
        content = json.dumps(content, ensure_ascii=False)
    held = content if isinstance(content, bytes) else content.encode()
    record = UploadRecord(
        secrets.token_hex(16),
        owner,
        name,
        len(held),
        hashlib.sha256(held).hexdigest(),
        "geojson",
        datetime.now(UTC),
        {},
    )
    path = upload_path(data, record)
    path.parent.mkdir(parents=True)
    path.write_bytes(held)
    Uploads(store).add(record)
    return record.upload_id


def plan_inputs(villages: str, outlets: str, plan: str = "county", **settings: Any) -> dict[str, Any]:
    """Ask for the smallest plan there is."""
    return {
        "plan": plan,
        "settings": {
            "plan": {"name": "示例方案", "institution": "示例银行"},
            "areas": {"village": {"path": {"upload": villages}, "settlement": "class_code"}},
            "facilities": {"outlets": {"path": f"upload:{outlets}"}},
            "partition": {"resolution": 8},
            **settings,
        },
    }


@contextmanager
def working(store_url: str, data: Path, count: int = 1, **settings: Any) -> Iterator[Workers]:
    """Run worker processes until the end of the block."""
    quick = {"job_lost_after_s": 1.5, "shutdown_grace_s": 5.0, "log_level": "warning", **settings}
    workers = Workers(Settings(database_url=store_url, data_directory=data, **quick), count)
    workers.start()
    try:
        yield workers
    finally:
        workers.stop()


def ended(client: httpx.Client, job_id: str, timeout_s: float = 60.0) -> dict[str, Any]:
    """Wait until a job has ended; returns its status."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = client.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        if status["status"] not in ("accepted", "running"):
            return status
        assert time.monotonic() < deadline, status
        time.sleep(0.05)


def free_port() -> int:
    """Port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def served(url: str, data: Path, port: int, workers: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """Serve with workers, in a process that can be killed."""
    command = [sys.executable, str(TESTS / "serve_jobs.py"), url, str(data), str(port), str(workers)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(TESTS)})
    try:
        deadline = time.monotonic() + 30
        while True:
            with suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()
