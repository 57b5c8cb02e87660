"""Files that are taken in: received, looked into, kept for their owner, shown, removed."""

from __future__ import annotations

import codecs
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import Query, Request, Response

from gridmap.api.answers import GEOJSON, href, json_answer, link
from gridmap.api.dependencies import AskedLanguage, Plans, TheService
from gridmap.api.features.collection_ids import CollectionId
from gridmap.api.intake.inspected import brief, datum_in, whole
from gridmap.api.intake.previews import asked_datum, preview_of
from gridmap.api.intake.receiving import Received, disk_faults_named, receive
from gridmap.api.problems import problem_answer
from gridmap.api.routing import router
from gridmap.api.service import Service
from gridmap.domain.access import Role
from gridmap.errors import GridmapError, NotStored, StoreError, TooMany, UsageError
from gridmap.inputs.inspection import Asked, Inspected, inspect_file, write_reference
from gridmap.store.repository import Repository
from gridmap.store.rows import now
from gridmap.store.sql import PLAN_ID
from gridmap.store.uploads import INCOMING, PREVIEW, UPLOAD_ID, UploadRecord, Uploads, upload_folder, upload_path

routes = router()

_MOST_LISTED = 1_000
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}

StatedDatum = Annotated[str | None, Query(max_length=100, description="datum that the file is said to be in")]
ReferenceAsked = Annotated[
    str | None, Query(max_length=200, description="areas whose place is known: an upload, a plan, or PLAN.areas")
]


class Desk:
    """Where uploads are received and looked into: so many at a time, each with a thread that waits for it."""

    def __init__(self, places: int) -> None:
        self._places, self._taken = places, 0
        self._threads = anyio.CapacityLimiter(max(1, places))

    @asynccontextmanager
    async def folder(self, service: Service) -> AsyncIterator[Path]:
        """Folder to work in, gone at the end of the block whatever happens.

        Raises
        ------
        TooMany
            If all places are taken.
        """
        if self._taken >= self._places:
            raise TooMany("uploads.too_many", limit=self._places)
        self._taken += 1
        folder = service.data_directory / INCOMING / secrets.token_hex(16)
        try:
            with disk_faults_named():
                folder.mkdir(parents=True)
            yield folder
        finally:
            self._taken -= 1
            shutil.rmtree(folder, ignore_errors=True)

    async def look_into(self, asked: Asked, folder: Path, service: Service) -> Inspected:
        """Look into a file without keeping anybody else waiting."""
        # A service that stops does not wait: the process ends with the service that it works for.
        return await anyio.to_thread.run_sync(
            inspect_file, asked, folder, service.config, limiter=self._threads, abandon_on_cancel=True
        )


def _desk(request: Request, service: Service) -> Desk:
    state = request.app.state
    if not hasattr(state, "uploads_desk"):
        state.uploads_desk = Desk(service.config.max_uploads)
    desk: Desk = state.uploads_desk
    return desk


@routes.post("/uploads", status_code=201, openapi_extra=_BODY, tags=["uploads"])
async def take_in(
    request: Request,
    service: TheService,
    plans: Plans,
    language: AskedLanguage,
    name: Annotated[str | None, Query(description="name of the file")] = None,
    datum: StatedDatum = None,
    encoding: Annotated[str | None, Query(max_length=40, description="encoding of its text")] = None,
    reference: ReferenceAsked = None,
) -> Response:
    """Take a file in, look into it, and keep it."""
    try:
        plans.require(Role.PLANNER)
        asked_datum(datum)
        _check_encoding(encoding)
        desk = _desk(request, service)
        async with desk.folder(service) as folder:
            areas = await anyio.to_thread.run_sync(_reference, reference, plans, service, folder)
            received = await receive(request, folder, name, service.config.max_upload_bytes)
            asked = Asked(received.path, received.name, datum, encoding, areas)
            inspected = await desk.look_into(asked, folder, service)
            record = await anyio.to_thread.run_sync(_keep, received, inspected, plans.identity.name, service)
    except GridmapError as error:
        if isinstance(error, StoreError):
            raise
        answer = problem_answer(error, request)
        # The rest of the content, if there is any, is not waited for.
        answer.headers["Connection"] = "close"
        return answer
    location = href(request, f"/uploads/{record.upload_id}")
    return json_answer(whole(record, request, language), 201, Location=location, Cache_Control="no-store")


@routes.get("/uploads", tags=["uploads"])
def list_uploads(
    request: Request,
    service: TheService,
    plans: Plans,
    limit: Annotated[int, Query(ge=1)] = 100,
    after: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """List uploads, newest first: one's own, for administrators all."""
    plans.require(Role.PLANNER)
    limit = min(limit, _MOST_LISTED)
    found = Uploads(service.store).list(plans.identity, limit + 1, after)
    shown = found[:limit]
    links = [link(request, "self", "/uploads")]
    if len(found) > limit:
        links.append(link(request, "next", f"/uploads?limit={limit}&after={shown[-1].upload_id}"))
    return json_answer({"uploads": [brief(one, request) for one in shown], "links": links}, Cache_Control=_PRIVATE)


@routes.get("/uploads/{upload_id}", tags=["uploads"])
def show_upload(
    upload_id: str, request: Request, service: TheService, plans: Plans, language: AskedLanguage
) -> Response:
    """Show what was found in an upload."""
    return json_answer(whole(_record(upload_id, service, plans), request, language), Cache_Control=_PRIVATE)


@routes.get("/uploads/{upload_id}/preview", tags=["uploads"])
def show_preview(upload_id: str, service: TheService, plans: Plans, datum: StatedDatum = None) -> Response:
    """Show an upload as simplified GeoJSON, under the datum found or another."""
    record = _record(upload_id, service, plans)
    path = upload_folder(service.data_directory, upload_id) / PREVIEW
    document = preview_of(path, (record.findings or {})["layers"], asked_datum(datum))
    return json_answer(document, media_type=GEOJSON, Cache_Control=_PRIVATE)


@routes.get("/uploads/{upload_id}/datum", tags=["uploads"])
async def detect_datum(
    upload_id: str,
    request: Request,
    service: TheService,
    plans: Plans,
    language: AskedLanguage,
    reference: ReferenceAsked = None,
    datum: StatedDatum = None,
) -> Response:
    """Ask the datum detective about an upload, with areas whose place is known."""
    record = await anyio.to_thread.run_sync(_record, upload_id, service, plans)
    asked_datum(datum)
    desk = _desk(request, service)
    async with desk.folder(service) as folder:
        areas = await anyio.to_thread.run_sync(_reference, reference, plans, service, folder)
        path = upload_path(service.data_directory, record)
        inspected = await desk.look_into(Asked(path, record.name, datum, None, areas), folder, service)
    layers = [
        {"name": layer["name"], **datum_in(layer["datum"], language)}
        for layer in inspected.findings["layers"]
        if layer["kind"] is not None
    ]
    return json_answer({"id": upload_id, "layers": layers}, Cache_Control=_PRIVATE)


@routes.delete("/uploads/{upload_id}", status_code=204, tags=["uploads"])
def remove_upload(upload_id: str, service: TheService, plans: Plans) -> Response:
    """Remove an upload that no unfinished job uses."""
    plans.require(Role.PLANNER)
    Uploads(service.store).remove(upload_id, plans.identity, service.data_directory)
    return Response(status_code=204)


_PRIVATE = "private, no-cache"


def _record(upload_id: str, service: Service, plans: Repository) -> UploadRecord:
    plans.require(Role.PLANNER)
    return Uploads(service.store).get(upload_id, plans.identity)


def _check_encoding(encoding: str | None) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except (LookupError, ValueError):
        raise UsageError("uploads.unknown_encoding", said=str(encoding)[:40]) from None


def _keep(received: Received, inspected: Inspected, owner: str, service: Service) -> UploadRecord:
    """Move the file to its place and write down what was found: both, or neither."""
    record = UploadRecord(
        secrets.token_hex(16),
        owner,
        received.name,
        received.bytes,
        received.sha256,
        inspected.findings["format"],
        now(),
        inspected.findings,
    )
    folder = upload_folder(service.data_directory, record.upload_id)
    try:
        with disk_faults_named():
            folder.mkdir(parents=True)
            received.path.rename(upload_path(service.data_directory, record))
            inspected.preview.rename(folder / PREVIEW)
        Uploads(service.store).add(record)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return record


def _reference(said: str | None, plans: Repository, service: Service, folder: Path) -> dict[str, Any] | None:
    """Areas that a parameter names, as the inspection takes them.

    Raises
    ------
    NotStored
        If they are not there, or not in reach.
    UsageError
        If the parameter names nothing, or what it names has no areas.
    """
    if said is None:
        return None
    if UPLOAD_ID.fullmatch(said):
        record = Uploads(service.store).get(said, plans.identity)
        layers = (record.findings or {})["layers"]
        areas = next((one for one in layers if one["kind"] == "polygons" and one["datum"]["used"]), None)
        if areas is None:
            raise UsageError("uploads.reference_without_areas")
        return {"path": str(upload_path(service.data_directory, record).resolve()), "datum": areas["datum"]["used"]}
    return _areas_of_plan(said, plans, folder)


def _areas_of_plan(said: str, plans: Repository, folder: Path) -> dict[str, Any]:
    if PLAN_ID.fullmatch(said):
        wanted = CollectionId(said, None, "areas")
    else:
        try:
            wanted = CollectionId.parse(said)
        except NotStored:
            raise UsageError("uploads.bad_reference", said=said[:80]) from None
        if wanted.layer != "areas":
            raise UsageError("uploads.bad_reference", said=said[:80])
    reader = plans.reader(plans.version(wanted.plan_id, wanted.number))
    areas = reader.frame(reader.layer("areas"))
    path = (folder / "reference.arrow").resolve()
    with disk_faults_named():
        write_reference(path, areas["area_code"].tolist(), areas["name"].tolist(), areas.geometry.to_wkb().tolist())
    return {"written": str(path)}
