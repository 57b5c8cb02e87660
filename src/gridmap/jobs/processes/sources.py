"""Files that inputs name: uploads in reach of who asks, and never a path of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from gridmap.errors import NotStored, Place, UsageError
from gridmap.jobs.processes.process import Asker, Inputs, Run
from gridmap.store.uploads import UploadRecord, Uploads, upload_path

#: How a text names an upload.
PREFIX = "upload:"


class Source(Inputs):
    """An upload, as ``upload:ID`` or with what must be said of it."""

    upload: str = Field(min_length=1, description="identifier of an upload, as POST /uploads answered it")
    layer: str | None = Field(None, description="layer of the file, where it has several")

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, given: Any) -> Any:
        return {"upload": given} if isinstance(given, str) else given

    @property
    def upload_id(self) -> str:
        """Identifier without the prefix."""
        return self.upload.removeprefix(PREFIX)


class AreaUpload(Source):
    """An upload with areas."""

    datum: str | None = Field(None, description="wgs84, cgcs2000, gcj02, bd09 or EPSG:n; default: the file's own")
    code: str | None = Field(None, description="column of the area code")
    encoding: str | None = Field(None, description="text encoding, where the file does not tell the truth")


def record_of(upload_id: str, field: str, asker: Asker) -> UploadRecord:
    """Find an upload.

    Raises
    ------
    UsageError
        If there is none in reach; the words are the same for one of somebody else.
    """
    try:
        return Uploads(asker.store).get(upload_id, asker.identity)
    except NotStored as fault:
        raise UsageError("jobs.no_upload", Place(field=field), value=upload_id[:80]) from fault


class Staging:
    """Uploads of a run under their own names, in a folder of the run's."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder = run.scratch / "inputs"
        self._folder.mkdir(exist_ok=True)
        self._taken: dict[str, str] = {}

    def path(self, upload_id: str, field: str) -> Path:
        """Path in the folder of an upload that an input names; raises as ``record_of``."""
        record = record_of(upload_id, f"inputs.{field}", self._run.asker)
        file = upload_path(self._run.data_directory, record)
        # Two uploads may have one name.
        own = "" if self._taken.setdefault(file.name, upload_id) == upload_id else upload_id
        link = self._folder / own / file.name
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink():
            os.symlink(file.resolve(), link)
        return link

    @property
    def folder(self) -> Path:
        """Folder that the paths are in."""
        return self._folder
