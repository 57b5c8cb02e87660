"""Answers about one version, each out of one state of the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from gridmap.api.answers import JSON, caching, entity_tag, is_known, json_answer
from gridmap.errors import LostUpdate, StoreConflict
from gridmap.store.protocols import VersionInfo
from gridmap.store.reading import LayerReader
from gridmap.store.repository import Repository

#: Times that a draft is read anew because it was changed meanwhile.
_TRIES = 3


class About:
    """What a request asks of a version of a plan.

    Parameters
    ----------
    number : of the version; None for the one in force
    asked : all else that the answer depends on
    """

    def __init__(
        self, request: Request, repository: Repository, plan_id: str, number: int | None, *asked: object
    ) -> None:
        self._request, self._repository = request, repository
        self._plan_id, self._number = plan_id, number
        self._asked = (repository.identity.scope, *asked)

    def answer(self, compose: Callable[[VersionInfo, LayerReader], Any], *, media_type: str = JSON) -> Response:
        """Answer with what ``compose`` makes of a version, or with 304 where the client holds it already.

        Parameters
        ----------
        compose : makes a document, or its bytes, of what the reader of a version reads; a draft that is changed
            between two transactions is found out

        Raises
        ------
        NotStored
            If there is no such version in reach.
        StoreConflict
            If a draft is changed again and again while it is read.
        """
        for _ in range(_TRIES):
            version = self._repository.version(self._plan_id, self._number)
            tag = entity_tag(version, self._request.url.path, *self._asked)
            headers = caching(version, tag, pinned=self._number is not None)
            if self._request.method != "POST" and is_known(self._request, tag):
                return Response(status_code=304, headers=headers)
            try:
                document = compose(version, self._repository.reader(version))
            except LostUpdate:
                # A draft that was changed since its version was looked up.
                continue
            if isinstance(document, bytes):
                return Response(document, headers=headers, media_type=media_type)
            return json_answer(document, 200, media_type=media_type, **headers)
        raise StoreConflict("store.made_meanwhile")
