"""Answers about jobs in every state are those that the OpenAPI document names; OWSLib asks for runs and reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from owslib.ogcapi.processes import Processes
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gridmap.errors import BadValue, InvalidPartition, StoreError, TooLarge
from gridmap.store.job_records import Claim, JobStatus, error_document
from gridmap.store.jobs import Jobs
from live_service import Live
from made_jobs import ended, squares, uploaded, working

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ERRORS = (
    BadValue("jobs.bad_key"),
    TooLarge("jobs.bad_key"),
    InvalidPartition("jobs.bad_key"),
    StoreError("jobs.bug"),
)


def claimed(jobs: Jobs) -> Claim:
    claim = jobs.claim("w", lost_after_s=60, attempts=3)
    assert claim is not None
    return claim


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_answers_about_jobs_in_every_state_are_documented(live: Live):
    jobs, data = Jobs(live.store), live.service.data_directory
    body = {"inputs": {"areas": {"upload": uploaded(live.store, data, squares())}, "resolution": 7}}
    schema = schemathesis.openapi.from_url(f"{live.url}/api")

    def checked(method: str, path: str, **more: Any) -> int:
        case = schema[path][method].Case(**more)
        answer = case.call()
        # A run may fail by a fault of ours, and then this is said.
        case.validate_response(answer, checks=CHECKS if answer.status_code != 500 else CHECKS[1:])
        return int(answer.status_code)

    def ask() -> str:
        case = schema["/processes/{process_id}/execution"]["POST"].Case(
            path_parameters={"process_id": "partition"}, body=body, media_type="application/json"
        )
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code == 201
        return str(answer.json()["jobID"])

    asked = []
    for error in ERRORS:
        asked.append(ask())
        jobs.fail(claimed(jobs), error_document(error))
    asked.append(ask())
    claim = claimed(jobs)
    folder = data / "results" / claim.job.id / claim.token
    folder.mkdir(parents=True)
    (folder / "cells.geojson").write_text("{}")
    outputs = {"cells": {"file": "cells.geojson", "type": "application/geo+json"}, "summary": {"value": {"cells": 0}}}
    jobs.finish_alone(claim, {"message": {"en": "x", "zh": "x"}, "outputs": outputs, "folder": claim.token})
    asked.append(ask())
    running = claimed(jobs).job.id
    asked += [ask(), "nowhere"]
    asked.append(dismissed := ask())
    jobs.dismiss(dismissed, claim.job.identity)

    assert set(jobs.counts().values()) == {1, len(ERRORS)}
    assert {jobs.get(one, claim.job.identity).status for one in asked if one != "nowhere"} == set(JobStatus)
    statuses = []
    for job_id in asked:
        named = {"job_id": job_id}
        assert checked("GET", "/jobs/{job_id}", path_parameters=named) == (404 if job_id == "nowhere" else 200)
        statuses.append(checked("GET", "/jobs/{job_id}/results", path_parameters=named))
        for name in ("cells", "summary", "nothing"):
            checked("GET", "/jobs/{job_id}/results/{name}", path_parameters={**named, "name": name})
    assert statuses == [422, 413, 409, 500, 200, 404, 404, 404, 404]
    assert running in asked
    assert checked("GET", "/jobs", query={"status": "failed", "limit": 2}) == 200
    for process in ("partition", "plan", "validate"):
        assert checked("GET", "/processes/{process_id}", path_parameters={"process_id": process}) == 200
    assert checked("GET", "/processes") == 200
    for job_id in asked:
        checked("DELETE", "/jobs/{job_id}", path_parameters={"job_id": job_id})


@pytest.mark.parametrize("kind", ["postgis"], indirect=True)
def test_owslib_asks_for_a_run(live: Live, url: str, tmp_path: Path):
    data = live.service.data_directory
    upload = uploaded(live.store, data, squares())
    client = Processes(live.url)

    assert {one["id"] for one in client.processes()} == {"partition", "plan", "validate"}
    assert set(client.process("partition")["inputs"]) >= {"areas", "resolution"}
    status = client.execute("partition", {"areas": f"upload:{upload}", "resolution": 8}, async_=True)
    with working(url, data):
        assert ended(live.client, status["jobID"])["status"] == "successful"
    assert live.json(f"/jobs/{status['jobID']}/results")["summary"]["value"]["verdict"] == "exact"
    conformance = live.json("/conformance")["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/dismiss" in conformance
