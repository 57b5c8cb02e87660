"""Files that were taken in: their rows in the store, and where their bytes lie."""

from __future__ import annotations

import re
import shutil
import time
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select

from gridmap.domain.access import Identity, Role
from gridmap.errors import NotStored, StoreConflict
from gridmap.store.rows import now
from gridmap.store.service_tables import job, upload
from gridmap.store.sql import SqlStore

#: Folders of the data directory: what is still coming in, and what was taken in.
INCOMING, TAKEN_IN = "incoming", "uploads"
#: Beside the file, under a name that no stored file has: what a preview is drawn from.
PREVIEW = ".preview.json"
#: Age at which what was left half-done counts as left for good, seconds.
_LEFT_AFTER_S = 86_400.0
_LONGEST_STEM, _LONGEST_SUFFIX = 120, 12
_UNFINISHED = ("accepted", "running")
#: What the identifier of an upload looks like.
UPLOAD_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A file that was taken in.

    Attributes
    ----------
    upload_id : 32 hexadecimal digits
    owner : name of the identity that brought it
    name : of the file, as its owner has it; data, never a path
    bytes : of the file as it came
    sha256 : of the same, hexadecimal
    format : value of the format that it was found to be
    created_at : when it was taken in
    findings : what was found in it, None in lists
    """

    upload_id: str
    owner: str
    name: str
    bytes: int
    sha256: str
    format: str
    created_at: datetime
    findings: dict[str, Any] | None = None


_COLUMNS = [upload.c.id, *(upload.c[name] for name in ("owner", "name", "bytes", "sha256", "format", "created_at"))]


def stored_name(name: str) -> str:
    """Name under which a file of this name is stored: no path, nothing hidden, nothing that a shell would trip over."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(sign if sign.isalnum() or sign in "-_. " else "_" for sign in last).strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if not dot or not stem or len(suffix) > _LONGEST_SUFFIX or not suffix.isascii():
        stem, dot, suffix = kept, "", ""
    # Cut by bytes: file systems count those.
    stem = stem.encode()[:_LONGEST_STEM].decode(errors="ignore").strip(" .")
    return f"{stem or 'upload'}{dot}{suffix}"


def upload_folder(data_directory: Path, upload_id: str) -> Path:
    """Folder of an upload."""
    return data_directory / TAKEN_IN / upload_id


def upload_path(data_directory: Path, record: UploadRecord) -> Path:
    """File of an upload."""
    return upload_folder(data_directory, record.upload_id) / stored_name(record.name)


class Uploads:
    """Rows of uploads; each identity sees its own, an administrator all."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def add(self, record: UploadRecord) -> None:
        """Write down an upload whose file is in its place."""
        values = {name: getattr(record, name) for name in UploadRecord.__dataclass_fields__ if name != "upload_id"}
        with self._store.writing() as connection:
            connection.execute(insert(upload).values(id=record.upload_id, **values))

    def get(self, upload_id: str, identity: Identity) -> UploadRecord:
        """Find an upload, with its findings.

        Raises
        ------
        NotStored
            If it is not there, or not of this identity.
        """
        if UPLOAD_ID.fullmatch(upload_id):
            asked = select(*_COLUMNS, upload.c.findings).where(upload.c.id == upload_id, *_in_reach(identity))
            with self._store.reading() as connection:
                row = connection.execute(asked).first()
            if row is not None:
                return _record(row)
        raise NotStored("uploads.no_upload", id=upload_id[:80])

    def list(self, identity: Identity, limit: int = 1000, after: str | None = None) -> list[UploadRecord]:
        """List uploads in reach, newest first, without their findings.

        Parameters
        ----------
        after : only those that come after this one in the list

        Raises
        ------
        NotStored
            If ``after`` is none in reach.
        """
        asked = select(*_COLUMNS).where(*_in_reach(identity))
        if after is not None:
            last = self.get(after, identity)
            older = upload.c.created_at < last.created_at
            same = and_(upload.c.created_at == last.created_at, upload.c.id < last.upload_id)
            asked = asked.where(or_(older, same))
        with self._store.reading() as connection:
            rows = connection.execute(asked.order_by(upload.c.created_at.desc(), upload.c.id.desc()).limit(limit))
            return [_record(row) for row in rows]

    def remove(self, upload_id: str, identity: Identity, data_directory: Path) -> None:
        """Remove an upload and its file.

        Raises
        ------
        NotStored
            As ``get``.
        StoreConflict
            If a job that has not ended names it.
        """
        self.get(upload_id, identity)
        with self._store.writing() as connection:
            if _named_by_jobs(connection, [upload_id]):
                raise StoreConflict("uploads.in_use", id=upload_id)
            connection.execute(delete(upload).where(upload.c.id == upload_id))
        _remove_folder(upload_folder(data_directory, upload_id))


def remove_old(store: SqlStore, data_directory: Path, keep_days: float) -> int:
    """Remove uploads past their time that no unfinished job names, and what was left half-done for a day.

    Returns
    -------
    How many uploads and leftovers were removed.
    """
    with store.writing() as connection:
        asked = select(upload.c.id).where(upload.c.created_at < now() - timedelta(days=keep_days))
        past = list(connection.execute(asked).scalars())
        gone = sorted(set(past) - _named_by_jobs(connection, past))
        for upload_id in gone:
            connection.execute(delete(upload).where(upload.c.id == upload_id))
        known = set(connection.execute(select(upload.c.id)).scalars())
    for upload_id in gone:
        _remove_folder(upload_folder(data_directory, upload_id))
    left = [*_older_than_a_day(data_directory / INCOMING)]
    left += [folder for folder in _older_than_a_day(data_directory / TAKEN_IN) if folder.name not in known]
    for folder in left:
        _remove_folder(folder)
    return len(gone) + len(left)


def _record(row: Sequence[Any]) -> UploadRecord:
    return UploadRecord(*row)


def _in_reach(identity: Identity) -> list[ColumnElement[bool]]:
    return [] if identity.role.reaches(Role.ADMINISTRATOR) else [upload.c.owner == identity.name]


def _named_by_jobs(connection: Connection, upload_ids: Collection[str]) -> set[str]:
    """Those of the uploads that the inputs of an unfinished job name anywhere."""
    if not upload_ids:
        return set()
    inputs = connection.execute(select(job.c.inputs).where(job.c.status.in_(_UNFINISHED))).scalars()
    texts = [orjson.dumps(one).decode() for one in inputs]
    return {upload_id for upload_id in upload_ids if any(upload_id in text for text in texts)}


def _older_than_a_day(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    before = time.time() - _LEFT_AFTER_S
    return [entry for entry in folder.iterdir() if entry.stat().st_mtime < before]


def _remove_folder(folder: Path) -> None:
    # Somebody else may be removing it too.
    shutil.rmtree(folder, ignore_errors=True)
