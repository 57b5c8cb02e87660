"""Endpoints that read drafts: one that is changed while it is read is read anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from gridmap.errors import LostUpdate, StoreConflict

_TRIES = 3
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def read_again(endpoint: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """Call an endpoint until the version it found is the one it read.

    Raises
    ------
    StoreConflict
        If a draft is changed again and again.
    """

    @wraps(endpoint)
    def answer(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        for _ in range(_TRIES):
            try:
                return endpoint(*args, **kwargs)
            except LostUpdate:
                continue
        raise StoreConflict("store.made_meanwhile")

    return answer
