"""Rows of uploads on both databases: each identity sees its own; what is used or young stays."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from gridmap.domain.access import Identity, Role
from gridmap.errors import NotStored, StoreConflict
from gridmap.store.rows import now
from gridmap.store.service_tables import job
from gridmap.store.sql import SqlStore
from gridmap.store.uploads import UploadRecord, Uploads, remove_old, stored_name, upload_path

LI, WANG = Identity("li", Role.PLANNER), Identity("wang", Role.PLANNER)
ADMINISTRATOR = Identity("admin", Role.ADMINISTRATOR)


def record(number: int, *, owner: str = "li", days: float = 0.0, **values: Any) -> UploadRecord:
    given = {"name": f"夷陵{number}.geojson", "bytes": 5_000_000_000 + number, "sha256": "0" * 64, "format": "geojson"}
    made = now() - timedelta(days=days, seconds=number)
    return UploadRecord(f"{number:032x}", owner, created_at=made, **{**given, "findings": {"layers": []}, **values})


def put(store: SqlStore, folder: Path, one: UploadRecord) -> Path:
    path = upload_path(folder, one)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    Uploads(store).add(one)
    return path


def add_job(store: SqlStore, status: str, inputs: dict[str, Any]) -> None:
    values = {
        **{name: [] for name in ("area_prefixes", "institutions")},
        **{name: now() for name in ("created_at", "updated_at")},
        **{"sequence": 0, "progress": 0.0, "outputs": {}, "attempts": 0},
        **{"owner": "li", "role": "planner", "language": "en", "process": "plan", "request_digest": ""},
    }
    with store.writing() as connection:
        connection.execute(insert(job).values(id=f"{status:0>32}", status=status, inputs=inputs, **values))


def test_what_is_added_is_found_as_it_was(store: SqlStore):
    one = record(1, findings={"layers": [{"name": "塆子", "extent": [111.1, 30.1, 111.2, 30.2]}]})
    Uploads(store).add(one)
    assert Uploads(store).get(one.upload_id, LI) == one


def test_uploads_of_others_are_not_there(store: SqlStore, tmp_path: Path):
    uploads = Uploads(store)
    put(store, tmp_path, record(1))
    put(store, tmp_path, record(2, owner="wang"))
    for act in (
        lambda: uploads.get(f"{2:032x}", LI),
        lambda: uploads.remove(f"{2:032x}", LI, tmp_path),
        lambda: uploads.list(LI, after=f"{2:032x}"),
        lambda: uploads.get("../1", LI),
    ):
        with pytest.raises(NotStored):
            act()
    assert [one.upload_id for one in uploads.list(LI)] == [f"{1:032x}"]
    assert [one.upload_id for one in uploads.list(WANG)] == [f"{2:032x}"]
    assert [one.upload_id for one in uploads.list(ADMINISTRATOR)] == [f"{1:032x}", f"{2:032x}"]
    assert uploads.get(f"{2:032x}", ADMINISTRATOR).owner == "wang"


def test_a_list_goes_on_where_it_stopped(store: SqlStore):
    uploads = Uploads(store)
    at = now()
    for number in range(7):
        uploads.add(UploadRecord(f"{number:032x}", "li", "a", 1, "0" * 64, "csv", at, {}))
    found, after = [], None
    while page := uploads.list(LI, limit=3, after=after):
        found += [one.upload_id for one in page]
        after = found[-1]
    assert found == [f"{number:032x}" for number in reversed(range(7))]


def test_what_is_removed_is_gone_with_its_file(store: SqlStore, tmp_path: Path):
    path = put(store, tmp_path, record(1))
    Uploads(store).remove(f"{1:032x}", LI, tmp_path)
    assert not path.parent.exists()
    with pytest.raises(NotStored):
        Uploads(store).get(f"{1:032x}", LI)


def test_what_an_unfinished_job_names_stays(store: SqlStore, tmp_path: Path):
    path = put(store, tmp_path, record(1, days=40))
    add_job(store, "running", {"settings": {"areas": {"village": {"path": {"upload": f"{1:032x}"}}}}})
    with pytest.raises(StoreConflict):
        Uploads(store).remove(f"{1:032x}", LI, tmp_path)
    assert remove_old(store, tmp_path, 30.0) == 0
    assert path.exists()


def test_old_uploads_and_leftovers_are_removed(store: SqlStore, tmp_path: Path):
    old, young = put(store, tmp_path, record(1, days=31)), put(store, tmp_path, record(2, days=29))
    add_job(store, "successful", {"areas": f"upload:{1:032x}"})
    left = [tmp_path / "incoming" / "half", tmp_path / "uploads" / f"{9:032x}"]
    fresh = tmp_path / "incoming" / "coming"
    for folder in (*left, fresh):
        folder.mkdir(parents=True)
    for folder in (*left, young.parent):
        os.utime(folder, (time.time() - 90_000,) * 2)

    assert remove_old(store, tmp_path, 30.0) == 3
    assert [path.exists() for path in (old.parent, young, *left, fresh)] == [False, True, False, False, True]
    assert [one.upload_id for one in Uploads(store).list(LI)] == [f"{2:032x}"]
    assert remove_old(store, tmp_path / "nowhere", 30.0) == 0


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("villages.gpkg", "villages.gpkg"),
        ("夷陵区 村界.shp", "夷陵区 村界.shp"),
        ("../../etc/passwd", "passwd"),
        ("C:\\maps\\a.zip", "a.zip"),
        (".preview.json", "preview.json"),
        ("..", "upload"),
        ("", "upload"),
        ("a\x00b\r\n.csv", "a_b__.csv"),
        ("🗺️.kml", "__.kml"),
        ("x" * 40_000 + ".geojson", "x" * 120 + ".geojson"),
        ("塆" * 300, "塆" * 40),
        ("a." + "b" * 300, "a." + "b" * 118),
    ],
)
def test_a_stored_name_is_never_a_path(name: str, stored: str):
    assert stored_name(name) == stored
