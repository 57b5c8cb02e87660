"""Run as a program: serve a store on a port with workers of its own, until killed.

``python serve_jobs.py URL DATA_DIRECTORY PORT WORKERS``
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from gridmap.api import Service, create_app
from gridmap.jobs.supervisor import Workers
from gridmap.settings import Settings
from gridmap.store.open import open_store


def main(url: str, data: str, port: int, count: int) -> None:
    """Do it."""
    config = Settings(
        database_url=url, data_directory=Path(data), rate_limit="", job_lost_after_s=1.5, log_level="warning"
    )
    Workers(config, count).start()
    app = create_app(Service(open_store(url), config, is_single_user=True))
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
