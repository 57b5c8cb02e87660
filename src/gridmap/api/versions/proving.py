"""Proofs before publishing: each content once, in the background where it takes longer than a client should wait.

A client waits for ``PATIENCE_S``; a proof that takes longer goes on, and who asks again finds it under way or done.
Large plans are proved in a process of their own, so that readers are not slowed down.
"""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillUnderWay
from threading import Lock, Semaphore, Thread

from fastapi import Request

from gridmap.errors import LostUpdate
from gridmap.store.proof import prove_again
from gridmap.store.protocols import VersionInfo
from gridmap.store.proving import is_proved, note_proof
from gridmap.store.repository import Repository
from gridmap.store.sql import SqlStore

PATIENCE_S = 20.0
#: Plans with more cells are proved in a process of their own.
FEW_CELLS = 3000


class Proofs:
    """Proofs of the contents of one store that are under way; threads share it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._under_way: dict[str, Future[None]] = {}
        self._lock, self._one_at_a_time = Lock(), Semaphore(1)

    def prove(self, repository: Repository, version: VersionInfo, patience_s: float) -> bool:
        """Prove a version whose content was not proved since it was stored.

        Returns
        -------
        Whether it is proved; False where that takes longer than ``patience_s``.

        Raises
        ------
        NotStored
            If the version is gone, or not wholly in reach.
        LostUpdate
            If it was changed since it was seen.
        InvalidPartition
            If it cannot be proved, with the first reason and its place.
        """
        if is_proved(self._store, version):
            return True
        with self._lock:
            waiting = self._under_way.get(version.digest)
            if waiting is None:
                waiting = self._under_way[version.digest] = Future()
                Thread(target=self._prove, args=(repository, version, waiting), daemon=True).start()
        try:
            waiting.result(patience_s)
        except StillUnderWay:
            return False
        return True

    def _prove(self, repository: Repository, version: VersionInfo, outcome: Future[None]) -> None:
        try:
            with self._one_at_a_time:
                plan = repository.read(version)
                if repository.version(version.plan_id, version.number).lock_version != version.lock_version:
                    raise LostUpdate("store.lost_update", id=version.plan_id, number=version.number)
                prove_again(plan, apart=len(plan.cells) > FEW_CELLS)
                del plan
                note_proof(self._store, version, who=repository.identity.name)
            outcome.set_result(None)
        except BaseException as fault:
            # Whoever waits is told; nobody may be left to wait.
            outcome.set_exception(fault)
        finally:
            with self._lock:
                del self._under_way[version.digest]


def proofs_of(request: Request) -> Proofs:
    """Proofs of the service that a request is made to."""
    state = request.app.state
    if not hasattr(state, "proofs"):
        state.proofs = Proofs(state.service.store)
    found: Proofs = state.proofs
    return found
