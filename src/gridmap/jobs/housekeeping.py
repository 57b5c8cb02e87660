"""Remove what nobody needs any more: old jobs with their files, and what runs that were killed left behind."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from pathlib import Path

from gridmap.jobs.results import RESULTS, WORK, remove_results
from gridmap.settings import Settings
from gridmap.store.jobs import Jobs
from gridmap.store.sql import SqlStore
from gridmap.store.uploads import remove_old

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S


class Housekeeping:
    """Clears up a store and its data directory, once an hour at most."""

    def __init__(self, store: SqlStore, config: Settings) -> None:
        self._store, self._config = store, config
        self._next = time.monotonic() + _HOUR_S

    def now_and_then(self) -> None:
        """Clear up, if it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _HOUR_S
            self.clear_up()

    def clear_up(self) -> None:
        """Remove jobs and uploads past their time, and files of runs that are long over."""
        jobs, data = Jobs(self._store), self._config.data_directory
        for job_id in jobs.remove_old(timedelta(days=self._config.job_keep_days)):
            remove_results(data, job_id)
        remove_old(self._store, data, self._config.upload_keep_days)
        left = _older_than_a_day(data / RESULTS)
        known = jobs.seen([folder.name for folder in left])
        # A run that takes longer than a day is ended, so that no folder of one is that old.
        for folder in (*_older_than_a_day(data / WORK), *(one for one in left if one.name not in known)):
            shutil.rmtree(folder, ignore_errors=True)


def _older_than_a_day(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    before = time.time() - _DAY_S
    return [entry for entry in folder.iterdir() if entry.stat().st_mtime < before]
