"""What was found out about versions is kept for a while: their content never changes, or goes by another digest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar
from weakref import WeakKeyDictionary

_MOST = 1024
_T = TypeVar("_T")


class Kept:
    """Answers by what was asked; those longest not asked for go first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._lock = most, Lock()
        self._answers: OrderedDict[Hashable, object] = OrderedDict()

    def get(self, asked: Hashable, find: Callable[[], _T]) -> _T:
        """Answer from what is kept, else find the answer out and keep it."""
        with self._lock:
            if asked in self._answers:
                self._answers.move_to_end(asked)
                return self._answers[asked]  # type: ignore[return-value]
        found = find()
        with self._lock:
            self._answers[asked] = found
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return found


_OF_STORES: WeakKeyDictionary[object, Kept] = WeakKeyDictionary()
_LOCK = Lock()


def kept_of(store: object) -> Kept:
    """Find what is kept about the versions of a store."""
    with _LOCK:
        return _OF_STORES.setdefault(store, Kept())
