"""Fixtures for every room: a small plan made by hand, and what every refusal must be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from gridmap.domain.plan import Plan
from gridmap.errors import InputError
from made_plan import made_plan

Refused = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def refused() -> Refused:
    """Context in which exactly one clear refusal of the given sort must come."""

    @contextmanager
    def expect(leaf: type[InputError], *words: str) -> Iterator[None]:
        with pytest.raises(InputError) as caught:
            yield
        error = caught.value
        assert type(error) is leaf, f"{type(error).__name__}: {error}"
        said = error.message("en")
        for word in words:
            assert word in str(error), str(error)
        for text in (said, error.message("zh")):
            assert "\n" not in text
            assert not re.search(r"\{[a-z_]+\}", text), "a placeholder is left"
            assert "gridmap-" not in text, "names the staged copy"
            assert "Traceback" not in text
        assert error.exit_code == 2

    return expect


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    """Make a plan of three villages on the ``rings`` rings of cells around one cell; ``names`` rename things."""
    return made_plan


@pytest.fixture(scope="session")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    """37 cells, 3 grids, 5 facilities, 1 gap."""
    return make_plan()
