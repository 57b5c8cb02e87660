"""``gridmap serve`` and ``gridmap worker`` as processes: they begin, answer, end when told to, refuse the rest."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

PROGRAM = Path(sys.executable).with_name("gridmap")
Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Start verbs in an empty folder, ended at the end of the test."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **settings: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "GRIDMAP_LANGUAGE": "en",
            **{f"GRIDMAP_{name.upper()}": settings[name] for name in settings},
        }
        one = subprocess.Popen(
            [str(PROGRAM), *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(one)
        return one

    yield start
    for one in running:
        one.kill()
        one.communicate()


def address_of(service: subprocess.Popen[str]) -> str:
    """Address that it says it listens on."""
    said = service.stdout.readline()
    assert "http://" in said, said + service.stderr.read()
    return said.split(" at ")[1].split()[0]


def ready(address: str) -> dict:
    deadline = time.monotonic() + 20
    while True:
        try:
            return httpx.get(f"{address}/readyz").json()
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_without_configuration_it_serves_a_new_sqlite_file_to_this_machine(started: Started, tmp_path: Path):
    service = started("serve", "--port", "0")
    address = address_of(service)

    assert ready(address)["status"] == "ok"
    assert (tmp_path / "gridmap.sqlite").is_file()
    assert httpx.get(f"{address}/plans").status_code == 200
    service.send_signal(signal.SIGTERM)
    assert service.wait(20) == 0


def test_told_to_stop_it_lets_its_workers_end(started: Started):
    service = started("serve", "--port", "0", job_workers="2")
    ready(address_of(service))
    deadline = time.monotonic() + 20
    while len(workers_of(service.pid)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = workers_of(service.pid)

    service.send_signal(signal.SIGINT)

    assert service.wait(30) == 0
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def workers_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for children in listed for child in children.read_text().split()]


def test_a_port_that_is_taken_is_said_before_any_work(started: Started):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        refused = started("serve", "--port", port)
        said = refused.communicate(timeout=20)[1]

    assert refused.returncode == 2
    assert f"port {port} of 127.0.0.1 is taken" in said
    assert "Traceback" not in said


def test_others_may_not_reach_a_service_that_asks_nobody_for_a_key(started: Started):
    refused = started("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - it is refused
    said = refused.communicate(timeout=20)[1]

    assert refused.returncode == 2
    assert "gridmap user" in said
    assert "Traceback" not in said


def test_an_address_of_another_machine_is_refused(started: Started):
    refused = started(
        "serve", "--host", "192.0.2.1", "--port", "0", oidc_issuer="https://login.example.org", oidc_audience="x"
    )
    said = refused.communicate(timeout=20)[1]

    assert refused.returncode == 2
    assert "192.0.2.1" in said


def test_a_worker_without_a_store_says_so_once(started: Started):
    refused = started("worker", "--database", "sqlite:///nothing.sqlite")
    said = refused.communicate(timeout=20)[1]

    assert refused.returncode == 2
    assert said.count("there is no store here") == 1


def test_a_worker_ends_when_told_to(started: Started, tmp_path: Path):
    done = subprocess.run([str(PROGRAM), "db", "upgrade", "--database", "plans.sqlite"], cwd=tmp_path, check=False)
    assert done.returncode == 0
    worker = started("worker", "--database", "plans.sqlite", log_format="json")
    assert "worker began" in worker.stderr.readline()

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(30) == 0
