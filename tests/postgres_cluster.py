"""A real PostgreSQL with PostGIS of one's own: made in a temporary folder, reached by a socket, gone at the end."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

_OPTIONS = "-c listen_addresses='' -c fsync=off -c max_connections=50 -c unix_socket_directories="


class Cluster:
    """A server in a folder of its own."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder, self.tools = folder, tools

    def run(self, tool: str, *arguments: object, most_file_bytes: int | None = None) -> None:
        """Run a tool of PostgreSQL as the user that owns the cluster."""

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_file_bytes or 0, most_file_bytes or 0))

        stays = tool == "pg_ctl"
        done = subprocess.run(
            [str(self.tools / tool), *map(str, arguments)],
            check=False,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if stays else subprocess.PIPE,
            preexec_fn=limit if most_file_bytes else None,
            text=True,
            **_as_somebody(),
        )
        assert done.returncode == 0, f"{tool} failed: {done.stderr or (self.folder / 'log').read_text()}"

    def make(self) -> None:
        """Make its files."""
        as_owner = ("-U", "gridmap", "-A", "trust")
        self.run(
            "initdb",
            "-D",
            self.folder / "data",
            *as_owner,
            "--no-sync",
            "--wal-segsize=1",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        )

    def start(self, most_file_bytes: int | None = None) -> None:
        """Start it and wait until it answers; no file of its may grow beyond ``most_file_bytes``."""
        options = f"{_OPTIONS}{self.folder}"
        log = ("-l", self.folder / "log")
        self.run(
            "pg_ctl", "-D", self.folder / "data", "-w", *log, "-o", options, "start", most_file_bytes=most_file_bytes
        )

    def stop(self, how: str = "fast") -> None:
        """Stop it."""
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "-m", how, "stop")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement outside a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as one:
            one.execute(statement)  # type: ignore[call-overload]

    def url(self, database: str) -> str:
        """Address of a database."""
        return f"postgresql://gridmap@/{database}?host={self.folder}"


def _as_somebody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    name = "postgres" if any(user.pw_name == "postgres" for user in pwd.getpwall()) else "nobody"
    user = pwd.getpwnam(name)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _tools() -> Path:
    """Folder of the newest PostgreSQL that is installed; a missing one fails the run."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("pg_ctl")
    folder = found[-1].parent if found else Path(on_path).resolve().parent if on_path else None
    assert folder, "the tests need PostgreSQL with PostGIS: make apt"
    return folder


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Make a cluster, start it, and take it away again."""
    folder = Path(tempfile.mkdtemp(prefix="gridmap-pg-"))
    somebody = _as_somebody()
    if somebody:
        os.chown(folder, somebody["user"], somebody["group"])
    cluster = Cluster(folder, _tools())
    try:
        cluster.make()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
