"""What was found out about versions is kept while it is asked for, and no longer than its store."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from weakref import ref

from gridmap.store.kept import Kept, kept_of


class Holder:
    """Whatever things are kept for."""


def test_an_answer_is_found_once_and_those_not_asked_for_go_first():
    kept, found = Kept(most=2), []

    def find(name: str) -> str:
        found.append(name)
        return name.upper()

    for name in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(name, lambda name=name: find(name)) == name.upper()
    assert found == ["a", "b", "c", "b"]


def test_what_fails_is_asked_again():
    kept = Kept()
    for _ in range(2):
        try:
            kept.get("a", lambda: 1 // 0)
        except ZeroDivisionError:
            continue
        raise AssertionError
    assert kept.get("a", lambda: 1) == 1


def test_a_store_takes_what_is_kept_about_it_with_it():
    first, second = Holder(), Holder()
    kept_of(first).get("a", lambda: 1)
    assert kept_of(first).get("a", lambda: 2) == 1
    assert kept_of(second).get("a", lambda: 2) == 2
    gone = ref(kept_of(first))
    del first
    gc.collect()
    assert gone() is None


def test_threads_share_it():
    kept = Kept(most=8)
    with ThreadPoolExecutor(8) as pool:
        asked = [number % 16 for number in range(4000)]
        assert list(pool.map(lambda number: kept.get(number, lambda: number * 2), asked)) == [n * 2 for n in asked]
