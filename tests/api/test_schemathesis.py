"""Whatever is asked of any route, right or wrong: no failure of ours, and only answers that the document names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from live_service import Live
from made_plan import made_plan
from shared_services import served
from store_fixtures import KINDS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: What really is there, for the variables of paths: names made up are not found, and prove little.
REAL = {
    "collectionId": "made.grids",
    "featureId": "990101001001001",
    "plan_id": "made",
    "number": 1,
    "version": 1,
    "tileMatrixSetId": "WebMercatorQuad",
    "process_id": "plan",
    "style_id": "made.urban-outlets",
    "z": 10,
    "x": 828,
    "y": 419,
}
#: Examples of each operation: in every run, and in the long one.
FEW, MANY = 3, 25


@pytest.fixture
def asked(kind: str, made_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with served(kind, made_url, tmp_path_factory) as live:
        live.store.publish(live.store.add_version("made", made_plan(), who="test"), who="test")
        yield live


def failures_of(operation: Any, examples: int) -> dict[str, str]:
    """Return what is wrong with answers of an operation, by the check that says so."""
    found: dict[str, str] = {}

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=bool(os.environ.get("CI")),
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def ask(case: schemathesis.Case) -> None:
        try:
            case.call_and_validate(checks=CHECKS, timeout=10)
            if case.method.upper() == "GET" and set(case.path_parameters or {}) & set(REAL):
                real = {name: REAL.get(name, value) for name, value in case.path_parameters.items()}
                case.path_parameters = real
                case.call_and_validate(checks=CHECKS, timeout=10)
        except BaseExceptionGroup as group:
            for one in group.exceptions:
                found.setdefault(type(one).__name__, str(one))

    ask()
    return found


@pytest.mark.parametrize("kind", KINDS, indirect=True)
@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_every_answer_is_one_that_the_document_names(asked: Live, examples: int):
    schema = schemathesis.openapi.from_url(f"{asked.url}/api")
    # Streams of events do not end by themselves.
    operations = [one.ok() for one in schema.exclude(path_regex="/events$").get_all_operations()]
    wrong = {one.label: found for one in operations if (found := failures_of(one, examples))}

    assert len(operations) > 10
    assert not wrong, "\n".join(
        f"{label}: {name}\n{text}" for label, one in wrong.items() for name, text in one.items()
    )
    assert asked.json("/collections/made.grids")["id"] == "made.grids"
