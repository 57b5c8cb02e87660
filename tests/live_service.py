"""A real server of the service on loopback, in a thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI

from gridmap.api import Service, create_app
from gridmap.api.access.protection import SERVER_OPTIONS
from gridmap.settings import Settings
from gridmap.store.sql import SqlStore


@dataclass
class Live:
    """A service that runs: its address, a client of it, its store."""

    url: str
    client: httpx.Client
    store: SqlStore
    service: Service
    app: FastAPI

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.client.get(path, **options)

    def post(self, path: str, **options: object) -> httpx.Response:
        return self.client.post(path, **options)

    def json(self, path: str, **options: object) -> dict:
        """Document at a path, which must be there."""
        answer = self.client.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def serving(store: SqlStore, config: Settings, *, single_user: bool = True) -> Iterator[Live]:
    """Serve a store until the end of the block."""
    service = Service(store, config, is_single_user=single_user)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = create_app(service)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", **SERVER_OPTIONS))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            yield Live(url, client, store, service, app)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listening.close()
