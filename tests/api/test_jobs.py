"""Runs asked for over HTTP, worked on by real worker processes, end to end on both stores."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from gridmap.verify import prove
from live_service import Live
from made_jobs import OUTLETS, ended, plan_inputs, squares, uploaded, working

Put = Callable[..., str]


@pytest.fixture
def data(live: Live) -> Path:
    return live.service.data_directory


@pytest.fixture
def put(live: Live, data: Path) -> Put:
    """Put an upload of the single user's."""
    return lambda content, name="villages.geojson": uploaded(live.store, data, content, name)


def asked(live: Live, process: str, inputs: dict[str, Any], **more: Any) -> str:
    answer = live.post(f"/processes/{process}/execution", json={"inputs": inputs, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["jobID"])


def test_a_plan_is_made_of_uploads_and_kept_as_a_draft(live: Live, url: str, data: Path, put: Put):
    job_id = asked(live, "plan", plan_inputs(put(squares(2)), put(OUTLETS, "outlets.csv")))
    assert live.json(f"/jobs/{job_id}")["status"] == "accepted"
    with working(url, data):
        status = ended(live.client, job_id)

    assert (status["status"], status["progress"]) == ("successful", 100), status
    assert "示例方案" in status["message"]
    results = live.json(f"/jobs/{job_id}/results")
    made = results["version"]["value"]
    assert (made["plan"], made["version"], made["status"]) == ("county", 1, "draft")
    assert results["summary"]["value"]["indicators"]
    (version,) = live.store.versions("county")
    assert (version.digest, version.created_by) == (made["digest"], live.json(f"/jobs/{job_id}")["owner"])
    kept = live.store.read(version)
    assert kept.certificate["verdict"] == "exact"
    # As a plan file beside the files would have it: no path of a machine, no identifier of an upload.
    assert kept.settings.areas["village"].path == "villages.geojson"
    assert live.json(f"/jobs/{job_id}/results/version")["digest"] == version.digest
    assert not (data / "results" / job_id).exists()
    assert list((data / "work").iterdir()) == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_areas_are_cut_into_files_that_prove_themselves(live: Live, url: str, data: Path, put: Put, tmp_path: Path):
    areas = {"upload": put(squares(3)), "code": "area_code"}
    job_id = asked(live, "partition", {"areas": areas, "resolution": 8})
    other = asked(live, "partition", {"areas": areas, "resolution": 7, "format": "gpkg"}, outputs={"cells": {}})
    with working(url, data):
        assert ended(live.client, job_id)["status"] == "successful"
        assert ended(live.client, other)["status"] == "successful"

    results = live.json(f"/jobs/{job_id}/results")
    assert set(results) == {"cells", "certificate", "summary"}
    assert results["summary"]["value"]["verdict"] == "exact"
    cells = live.get(results["cells"]["href"])
    assert cells.headers["content-type"] == "application/geo+json"
    assert 'filename="cells.geojson"' in cells.headers["content-disposition"]
    assert len(cells.json()["features"]) == results["summary"]["value"]["cells"]
    for name, held in (("cells", cells.content), ("certificate", live.get(results["certificate"]["href"]).content)):
        (tmp_path / f"{name}.json").write_bytes(held)
    assert list(prove(str(tmp_path / "cells.json"), str(tmp_path / "certificate.json"), None)) == []
    part = live.get(results["cells"]["href"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, cells.content[10:20])
    only = live.json(f"/jobs/{other}/results")
    assert list(only) == ["cells"]
    assert live.get(only["cells"]["href"]).content.startswith(b"SQLite format 3")

    assert live.client.delete(f"/jobs/{job_id}").json()["status"] == "dismissed"
    assert live.get(f"/jobs/{job_id}").status_code == 404
    assert live.get(f"/jobs/{job_id}/results/cells").status_code == 404
    assert [folder.name for folder in (data / "results").iterdir()] == [other]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_partition_made_elsewhere_is_proved_or_its_faults_are_listed(live: Live, url: str, data: Path, put: Put):
    good = put(squares(2), "pieces.geojson")
    apart = squares(2)
    apart["features"][1]["geometry"]["coordinates"][0][0][0] += 0.001
    apart["features"][1]["geometry"]["coordinates"][0][4][0] += 0.001
    sound = asked(live, "validate", {"file": f"upload:{good}"})
    broken = asked(live, "validate", {"file": {"upload": put(apart)}, "areas": f"upload:{good}"}, response="raw")
    with working(url, data):
        assert ended(live.client, sound)["status"] == "successful"
        status = ended(live.client, broken)

    # That there are faults is what was asked for, and no failure.
    assert status["status"] == "successful"
    assert live.json(f"/jobs/{sound}/results")["findings"]["type"] == "application/json"
    assert live.json(f"/jobs/{sound}/results/findings")["verdict"] == "valid"
    raw = live.get(f"/jobs/{broken}/results")
    assert raw.status_code == 204
    href = raw.headers["link"].split(">")[0].lstrip("<")
    findings = live.get(href).json()
    assert findings["verdict"] == "invalid"
    assert findings["faults"]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_shows_only_in_the_data_fails_the_job_in_both_languages(live: Live, url: str, data: Path, put: Put):
    overlapping = squares(2)
    overlapping["features"][1]["geometry"]["coordinates"][0][0][0] -= 0.004
    overlapping["features"][1]["geometry"]["coordinates"][0][4][0] -= 0.004
    bad_file = asked(live, "partition", {"areas": {"upload": put("no geojson at all", "x.geojson")}, "resolution": 7})
    bad_rule = asked(live, "partition", {"areas": {"upload": put(overlapping)}, "resolution": 7})
    no_column = asked(live, "partition", {"areas": {"upload": put(squares()), "code": "nowhere"}, "resolution": 7})
    with working(url, data):
        statuses = [ended(live.client, one) for one in (bad_file, bad_rule, no_column)]

    assert [one["status"] for one in statuses] == ["failed"] * 3
    assert [one["attempts"] for one in statuses] == [1] * 3
    for job_id, expected in ((bad_file, 422), (bad_rule, 409), (no_column, 422)):
        english = live.get(f"/jobs/{job_id}/results", headers={"Accept-Language": "en"})
        chinese = live.get(f"/jobs/{job_id}/results", headers={"Accept-Language": "zh"})
        assert english.status_code == chinese.status_code == expected
        assert english.headers["content-type"] == "application/problem+json"
        assert not re.search("[\u4e00-\u9fff]", english.json()["detail"])
        assert re.search("[\u4e00-\u9fff]", chinese.json()["detail"])
        assert str(data) not in english.text
        assert "Traceback" not in english.text
        assert live.json(f"/jobs/{job_id}", headers={"Accept-Language": "zh"})["message"] == chinese.json()["detail"]
    assert "nowhere" in live.get(f"/jobs/{no_column}/results").json()["detail"]
    # Nothing of theirs is left.
    assert not list((data / "results").glob("*/*"))
    assert list((data / "work").iterdir()) == []


def test_results_are_not_there_before_the_end(live: Live, put: Put):
    job_id = asked(live, "partition", {"areas": {"upload": put(squares())}, "resolution": 7})

    early = live.get(f"/jobs/{job_id}/results")
    assert early.status_code == 404
    assert early.json()["type"].endswith("/ogcapi-processes-1/1.0/result-not-ready")
    assert live.get(f"/jobs/{job_id}/results/cells").status_code == 404
    assert live.client.delete(f"/jobs/{job_id}").json()["status"] == "dismissed"
    assert live.json(f"/jobs/{job_id}")["status"] == "dismissed"
    called_off = live.get(f"/jobs/{job_id}/results")
    assert (called_off.status_code, "no results" in called_off.json()["detail"]) == (404, True)
    assert live.client.delete(f"/jobs/{job_id}").status_code == 200
    gone = live.get(f"/jobs/{job_id}")
    assert (gone.status_code, gone.json()["type"].rpartition("/")[2]) == (404, "no-such-job")
    assert live.client.delete(f"/jobs/{job_id}").status_code == 404


def test_the_list_of_jobs_is_filtered_and_paged(live: Live, put: Put):
    upload = put(squares())
    ids = [asked(live, "partition", {"areas": {"upload": upload}, "resolution": number}) for number in range(5)]
    ids.append(asked(live, "validate", {"file": {"upload": upload}}))
    live.client.delete(f"/jobs/{ids[0]}")

    def found(query: str) -> list[str]:
        return [one["jobID"] for one in live.json(f"/jobs?{query}")["jobs"]]

    assert found("") == ids[::-1]
    assert found("status=dismissed") == ids[:1]
    assert found("status=accepted,dismissed&processID=partition") == ids[4::-1]
    assert found("status=accepted&status=dismissed&processID=validate,none") == ids[5:]
    assert found("type=process&limit=2") == ids[:3:-1]
    assert found("type=other") == []
    created = live.json(f"/jobs/{ids[2]}")["created"]
    assert set(found(f"datetime={created}/..")) >= set(ids[3:])
    assert set(found(f"datetime=../{created}")) >= set(ids[:2])
    assert found("datetime=2001-01-01T00:00:00Z/2002-01-01T00:00:00Z") == []
    assert found("minDuration=1000") == []
    page, seen = live.json("/jobs?limit=4&type=process"), []
    while True:
        seen += [one["jobID"] for one in page["jobs"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        page = live.json(following[0])
    assert seen == ids[::-1]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "limit=0",
        "limit=-1",
        "limit=x",
        "datetime=yesterday",
        "datetime=..",
        "datetime=../..",
        "datetime=2026-01-02T00:00:00Z/2026-01-01T00:00:00Z",
        "minDuration=-1",
        "maxDuration=nan",
        "cursor=x",
        "cursor=MjAyNg",
        "offset=1",
    ],
)
def test_a_filter_that_is_none_is_refused_by_name(live: Live, query: str):
    answer = live.get(f"/jobs?{query}")

    assert answer.status_code == 400, answer.text
    assert query.partition("=")[0] in answer.json()["detail"] or "done" in answer.json()["detail"]


def test_jobs_of_others_are_not_there(live: Live, account: Callable[..., dict[str, str]], data: Path):
    chief = account("administrator")
    li, wang, looker = account("planner", name="li"), account("planner", name="wang"), account("viewer")
    upload = uploaded(live.store, data, squares(), owner="li")
    body = {"inputs": {"areas": {"upload": upload}, "resolution": 7}}
    made = live.post("/processes/partition/execution", json=body, headers=li)
    assert made.status_code == 201
    job_id = made.json()["jobID"]

    assert made.json()["owner"] == "li"
    assert live.post("/processes/partition/execution", json=body, headers=looker).status_code == 403
    # The upload is li's: to wang it is not there.
    foreign = live.post("/processes/partition/execution", json=body, headers=wang)
    assert (foreign.status_code, foreign.json()["place"]["field"]) == (400, "inputs.areas")
    for path in ("", "/results", "/results/cells", "/events"):
        assert live.get(f"/jobs/{job_id}{path}", headers=wang).status_code == 404
    assert live.client.delete(f"/jobs/{job_id}", headers=wang).status_code == 404
    assert live.json("/jobs", headers=wang)["jobs"] == []
    assert [one["jobID"] for one in live.json("/jobs", headers=chief)["jobs"]] == [job_id]
    assert live.get("/jobs").status_code == 401


def test_one_account_has_so_many_unfinished_jobs(serve: Callable[..., Live], store: Any):
    live = serve(job_limit=2)
    upload = uploaded(store, live.service.data_directory, squares())
    body = {"inputs": {"areas": {"upload": upload}, "resolution": 7}}
    answers = [live.post("/processes/partition/execution", json=body) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["retry-after"]) > 0


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_planner_makes_plans_of_ground_in_reach_only(
    live: Live, url: str, data: Path, account: Callable[..., dict[str, str]]
):
    li = account("planner", areas=("990101001",), institutions=("示例银行",), name="li")
    outlets = uploaded(live.store, data, OUTLETS, "outlets.csv", "li")
    within = uploaded(live.store, data, squares(2), owner="li")
    beyond = uploaded(live.store, data, squares(2, code=990102001001), owner="li")

    def run(inputs: dict[str, Any]) -> Any:
        return live.post("/processes/plan/execution", json={"inputs": inputs}, headers=li)

    other_bank = plan_inputs(within, outlets)
    other_bank["settings"]["plan"]["institution"] = "别的银行"
    assert run(other_bank).status_code == 403
    inside, outside = run(plan_inputs(within, outlets, "inside")), run(plan_inputs(beyond, outlets, "outside"))
    assert inside.status_code == outside.status_code == 201, inside.text
    live.client.headers.update(li)
    with working(url, data):
        assert ended(live.client, inside.json()["jobID"])["status"] == "successful"
        refused = ended(live.client, outside.json()["jobID"])
    assert refused["status"] == "failed"
    assert "990102001001" in refused["message"]
    assert live.get(f"/jobs/{refused['jobID']}/results").status_code == 403
    assert [plan.plan_id for plan in live.store.plans()] == ["inside"]
    assert orjson.dumps(str(data))[1:-1] not in live.get(f"/jobs/{refused['jobID']}").content
