"""Whatever is wrong with a request is said as a problem document, in the language asked for."""

from __future__ import annotations

import pytest

from gridmap.api.problems import STATUS, status_of
from gridmap.errors import GridmapError
from live_service import Live


def every(kind: type[GridmapError]) -> list[type[GridmapError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in every(child))]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_is_not_there_is_a_problem_document(live: Live):
    answer = live.get("/nowhere")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


@pytest.mark.parametrize("error", every(GridmapError))
def test_every_error_has_a_status(error: type[GridmapError]):
    assert 400 <= status_of(error("errors.place_code", value=1)) < 600
    assert set(STATUS) <= set(every(GridmapError))
