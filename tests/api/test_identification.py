"""Whoever asks is known by a key, sent in one of three ways; nothing else lets anybody in."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest

from live_service import Live

Account = Callable[..., dict[str, str]]
Serve = Callable[..., Live]


def key_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.fixture
def guarded(serve: Serve) -> Live:
    """Serve with accounts and without a single user."""
    return serve(single_user=False)


def test_a_key_is_taken_in_each_way_that_clients_can_send_it(guarded: Live, account: Account):
    headers = account("viewer", ("990101001",), ("示例农商银行",), name="王")
    key = key_of(headers)
    ways = [headers, {"X-API-Key": key}, basic("", key), basic("anybody", key), {"authorization": f"bEARER  {key}"}]
    for way in ways:
        assert guarded.json("/me", headers=way) == {
            "name": "王",
            "role": "viewer",
            "areas": ["990101001"],
            "institutions": ["示例农商银行"],
            "everything": False,
        }
