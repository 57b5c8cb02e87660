"""Processes are described as the standard has it, and what cannot be run is refused at once, by its place."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema_rs
import pytest

from gridmap.jobs.processes import PROCESSES
from live_service import Live
from made_jobs import OUTLETS, plan_inputs, squares, uploaded

ONE_STORE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def execute(live: Live, process: str, body: Any, **headers: str) -> Any:
    return live.post(f"/processes/{process}/execution", json=body, headers=headers)


@pytest.fixture
def areas(live: Live) -> str:
    return uploaded(live.store, live.service.data_directory, squares(2))


@pytest.fixture
def outlets(live: Live) -> str:
    return uploaded(live.store, live.service.data_directory, OUTLETS, "outlets.csv")


@ONE_STORE
def test_every_process_is_listed_and_described_in_both_languages(live: Live):
    listed = live.json("/processes")["processes"]

    assert {one["id"] for one in listed} == set(PROCESSES) == {"partition", "plan", "validate"}
    for one in listed:
        assert one["jobControlOptions"] == ["async-execute", "dismiss"]
        (own,) = [link["href"] for link in one["links"] if link["rel"] == "self"]
        described = live.json(own, headers={"Accept-Language": "en"})
        assert {**described, "links": one["links"]}.items() >= one.items()
        chinese = live.json(own, headers={"Accept-Language": "zh"})
        assert described["title"].isascii()
        assert not chinese["title"].isascii()
        for kind in ("inputs", "outputs"):
            assert described[kind]
            for name, member in described[kind].items():
                assert member["title"].isascii(), name
                assert not chinese[kind][name]["title"].isascii(), name
        (run,) = [link["href"] for link in described["links"] if link["rel"].endswith("/execute")]
        assert run.endswith(f"/processes/{one['id']}/execution")
    assert live.get("/processes?limit=1").json()["processes"][0]["id"] == listed[0]["id"]
    assert live.get("/processes/coverage").status_code == 404
    assert live.get("/processes/coverage").json()["type"].endswith("/no-such-process")
    assert execute(live, "coverage", {"inputs": {}}).json()["type"].endswith("/no-such-process")


@ONE_STORE
def test_the_schemas_of_inputs_are_of_openapi_3_0_and_take_what_is_taken(live: Live, areas: str, outlets: str):
    requests = {
        "partition": {"areas": {"upload": areas, "datum": "wgs84"}, "resolution": 7, "tolerance": 0.5},
        "plan": plan_inputs(areas, outlets, grids={"count": 2, "mode": "free"}, coverage={"radius_m": {"atm": [1, 2]}}),
        "validate": {"file": f"upload:{areas}", "areas": {"upload": areas, "layer": "x"}},
    }
    for process, inputs in requests.items():
        described = live.json(f"/processes/{process}")["inputs"]
        assert {name for name, one in described.items() if one["minOccurs"]} <= set(inputs) <= set(described)
        for name, value in inputs.items():
            schema = described[name]["schema"]
            for word in ("$ref", "$defs", "prefixItems", "'null'", "'const'"):
                assert word not in str(schema), (process, name)
            jsonschema_rs.validator_for(_of_2020(schema)).validate(value)
        assert execute(live, process, {"inputs": inputs}).status_code == 201
    tables = live.json("/processes/plan")["inputs"]["settings"]["schema"]
    path = {"plan": {"name": "x"}, "areas": {"village": {"path": "villages.geojson"}}}
    assert not jsonschema_rs.validator_for(_of_2020(tables)).is_valid(path)


def _of_2020(schema: Any) -> Any:
    """Exclusive bounds are written otherwise in OpenAPI 3.0."""
    if isinstance(schema, list):
        return [_of_2020(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    said = {name: _of_2020(value) for name, value in schema.items()}
    for bound in ("Minimum", "Maximum"):
        if said.get(f"exclusive{bound}") is True:
            said[f"exclusive{bound}"] = said.pop(bound.lower())
    return said


def test_a_run_is_recorded_before_the_answer(live: Live, areas: str):
    answer = execute(
        live, "partition", {"inputs": {"areas": f"upload:{areas}", "resolution": 7}}, Prefer="respond-async"
    )

    assert answer.status_code == 201
    status = answer.json()
    assert answer.headers["location"] == live.url + f"/jobs/{status['jobID']}"
    assert answer.headers["preference-applied"] == "respond-async"
    assert (status["status"], status["processID"], status["type"]) == ("accepted", "partition", "process")
    assert live.json(f"/jobs/{status['jobID']}") == status
    assert "preference-applied" not in execute(live, "validate", {"inputs": {"file": f"upload:{areas}"}}).headers


def test_the_same_request_with_the_same_key_is_the_same_job(live: Live, areas: str):
    body = {"inputs": {"areas": {"upload": areas}, "resolution": 7}}
    first = execute(live, "partition", body, **{"Idempotency-Key": "k1"})
    again = execute(live, "partition", body, **{"Idempotency-Key": "k1"})
    other = execute(live, "partition", {"inputs": {**body["inputs"], "resolution": 8}}, **{"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert first.headers["location"] == again.headers["location"]
    assert execute(live, "partition", body).headers["location"] != first.headers["location"]
    with ThreadPoolExecutor(6) as pool:
        raced = list(pool.map(lambda _: execute(live, "partition", body, **{"Idempotency-Key": "race"}), range(6)))
    assert {answer.status_code for answer in raced} == {201}
    assert len({answer.headers["location"] for answer in raced}) == 1
    for bad in ("", "x" * 129, "a b"):
        assert execute(live, "partition", body, **{"Idempotency-Key": bad}).status_code == 400


BAD: list[tuple[str, Callable[[str, str], Any], str, str]] = [
    ("partition", lambda a, _: {"areas": {"upload": a}}, "inputs", "resolution"),
    ("partition", lambda a, _: {"areas": {"upload": a}, "resolution": 16}, "inputs.resolution", "16"),
    ("partition", lambda a, _: {"areas": {"upload": a}, "resolution": "7"}, "inputs.resolution", "'7'"),
    (
        "partition",
        lambda a, _: {"areas": {"upload": a}, "resolution": 7, "resolutoin": 7},
        "inputs.resolutoin",
        "resolution",
    ),
    ("partition", lambda a, _: {"areas": {"upload": a}, "resolution": 7, "format": "shp"}, "inputs.format", "geojson"),
    ("partition", lambda a, _: {"areas": {"upload": a}, "resolution": 7, "tolerance": 0}, "inputs.tolerance", "0"),
    ("partition", lambda _a, _b: {"areas": "/etc/passwd", "resolution": 7}, "inputs.areas", "/etc/passwd"),
    ("partition", lambda _a, _b: {"areas": {"upload": "0" * 32}, "resolution": 7}, "inputs.areas", "0" * 32),
    ("partition", lambda _a, _b: {"areas": {"upload": "../x"}, "resolution": 7}, "inputs.areas", "../x"),
    ("partition", lambda a, _: {"areas": {"path": a}, "resolution": 7}, "inputs.areas.path", "upload"),
    ("validate", lambda _a, _b: {}, "inputs", "file"),
    ("plan", lambda a, o: {**plan_inputs(a, o), "plan": "No Name"}, "inputs.plan", "No Name"),
    ("plan", lambda a, o: plan_inputs(a, o, grids={"mode": "fre"}), "inputs.settings.grids.mode", "free"),
    ("plan", lambda a, o: plan_inputs(a, o, gridz={}), "inputs.settings.gridz", "grids"),
    ("plan", lambda a, o: plan_inputs(a, o, grids={"count": 2, "target_demand": 5}), "inputs.settings.grids", "count"),
    ("plan", lambda a, o: plan_inputs(a, o, demand={"path": "/etc/passwd"}), "inputs.settings.demand.path", "POST"),
    ("plan", lambda a, o: plan_inputs(a, o, demand={"path": "people.csv"}), "inputs.settings.demand.path", "POST"),
    ("plan", lambda a, o: plan_inputs(a, o, staff={"path": "upload:1"}), "inputs.settings.staff.path", "1"),
    ("plan", lambda a, o: plan_inputs(a, o, areas={}), "inputs.settings.areas", ""),
    ("plan", lambda a, o: plan_inputs(a, o, areas=7), "inputs.settings.areas", "7"),
    ("plan", lambda a, o: plan_inputs(a, o, areas={"village": {"path": {"upload": 7}}}), "inputs.settings.areas", "7"),
]


@ONE_STORE
@pytest.mark.parametrize(
    ("process", "make", "where", "said"), BAD, ids=[f"{one[0]}-{one[2]}-{one[3][:12]}" for one in BAD]
)
def test_inputs_that_cannot_be_run_are_refused_by_their_place(
    live: Live, areas: str, outlets: str, process: str, make: Callable[[str, str], Any], where: str, said: str
):
    for language in ("en", "zh"):
        answer = execute(live, process, {"inputs": make(areas, outlets)}, **{"Accept-Language": language})
        assert answer.status_code == 400, answer.text
        problem = answer.json()
        assert problem["place"]["field"].startswith(where), problem
        assert said in problem["detail"] + problem.get("mend", ""), problem
    assert live.json("/jobs")["jobs"] == []


@ONE_STORE
@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [], "outputs": {}},
        {"inputs": {}, "subscriber": {"successUri": "http://127.0.0.1/"}},
        {"inputs": {}, "response": "stream"},
        {"inputs": {}, "outputs": {"cells": {"transmissionMode": "post"}}},
        [],
        7,
    ],
)
def test_requests_that_are_none_are_refused(live: Live, body: Any):
    assert execute(live, "partition", body).status_code == 400
    assert live.json("/jobs")["jobs"] == []


@ONE_STORE
def test_outputs_are_chosen_by_name_and_way(live: Live, areas: str):
    inputs = {"areas": {"upload": areas}, "resolution": 7}
    for outputs, response, expected in (
        ({"cells": {}}, "document", 201),
        ({"certificate": {"transmissionMode": "reference"}}, "raw", 201),
        ({"cells": {"transmissionMode": "value"}}, "document", 400),
        ({"nothing": {}}, "document", 400),
        ({}, "raw", 400),
        ({"cells": {}, "summary": {}}, "raw", 400),
    ):
        answer = execute(live, "partition", {"inputs": inputs, "outputs": outputs, "response": response})
        assert answer.status_code == expected, (outputs, answer.text)


@ONE_STORE
def test_a_body_that_is_too_large_or_no_json_is_refused(live: Live):
    path = "/processes/partition/execution"
    large = b'{"inputs": {"areas": "' + b"x" * 1_100_000 + b'"}}'
    json_type = {"Content-Type": "application/json"}

    assert live.post(path, content=large, headers=json_type).status_code == 413
    assert live.post(path, content=b"{", headers=json_type).status_code == 400
    assert live.post(path, content=b"[" * 100_000, headers=json_type).status_code == 400
    assert live.post(path, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
