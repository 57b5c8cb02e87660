"""Several who write and read at once: everyone gets one whole state, and nobody's change is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from gridmap.domain.plan import Plan
from gridmap.errors import NotStored, StoreConflict, StoreUnreachable
from gridmap.store import PlanStore, Status, open_store
from same_plan import assert_same_plan

AT_ONCE = 4


def at_once(work: Callable[[int], object]) -> list[object]:
    """Run from several threads that start together; what each returns or raises."""
    start = Barrier(AT_ONCE)

    def run(number: int) -> object:
        start.wait()
        try:
            return work(number)
        except (StoreConflict, NotStored, StoreUnreachable) as refused:
            return refused

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def test_each_of_several_who_add_gets_a_version_of_his_own(store: PlanStore, plan: Plan):
    """Even if the plan itself is not there yet."""
    made = at_once(lambda number: store.add_version("p", plan, who=f"w{number}"))
    assert sorted(one.number for one in made) == [1, 2, 3, 4]
    assert [entry.action for entry in store.audit("p")] == ["create", "add", "add", "add", "add"]
    for version in store.versions("p"):
        assert_same_plan(store.read(version), plan)


def test_one_of_several_who_change_the_same_draft_wins(store: PlanStore, make_plan: Callable[..., Plan]):
    plans = [make_plan(names={"grid": f"网格{number}"}) for number in range(AT_ONCE)]
    seen = store.add_version("p", plans[0], who="li")
    done = at_once(lambda number: store.replace_draft(seen, plans[number], who=f"w{number}"))
    winners = [number for number, one in enumerate(done) if not isinstance(one, Exception)]
    assert len(winners) == 1
    assert {one.key for one in done if isinstance(one, Exception)} == {"store.lost_update"}
    assert_same_plan(store.read(store.version("p", 1)), plans[winners[0]])
    assert [entry.who for entry in store.audit("p")][2:] == [f"w{winners[0]}"]


def test_a_draft_is_either_published_or_deleted(store: PlanStore, plan: Plan):
    seen = store.add_version("p", plan, who="li")

    def work(number: int) -> object:
        return store.publish(seen, who="li") if number % 2 else store.delete_draft(seen, who="li")

    done = at_once(work)
    assert len([one for one in done if not isinstance(one, Exception)]) == 1
    left = store.versions("p")
    assert [one.status for one in left] in ([], [Status.PUBLISHED])
    assert store.count("cells", seen) == (len(plan.cells) if left else 0)


def test_a_reader_sees_one_state_while_a_draft_is_replaced_again_and_again(
    store: PlanStore, url: str, make_plan: Callable[..., Plan]
):
    plans = [make_plan(names={"grid": "东"}), make_plan(rings=2, names={"grid": "西"})]
    first = store.add_version("p", plans[0], who="li")
    reader = open_store(url)

    def work(number: int) -> object:
        if number:
            # A mixture of two states would not have the digest that goes with it.
            return [len(reader.read(first).cells) for _ in range(8)]
        seen = first
        for turn in range(1, 9):
            seen = store.replace_draft(seen, plans[turn % 2], who="li")
        return seen

    last, *read = at_once(work)
    reader.close()
    assert last.lock_version == 9
    assert {cells for lengths in read for cells in lengths} <= {len(plan.cells) for plan in plans}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_writer_who_has_waited_long_enough_is_told_so(store, url: str, plan: Plan, monkeypatch):
    monkeypatch.setattr("gridmap.store.sqlite.PATIENCE_S", 0.2)
    hasty = open_store(url)
    with store.writing(), pytest.raises(StoreUnreachable):
        hasty.add_version("p", plan, who="li")
    hasty.add_version("p", plan, who="li")
    hasty.close()
