"""Versions are numbered, published, retired and deleted by who has seen them as they are, and the audit tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gridmap.domain.plan import Plan
from gridmap.errors import NotStored, StoreConflict, UsageError
from gridmap.store import PlanStore, Status
from same_plan import assert_same_plan


@pytest.fixture
def other(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan(names={"grid": "改名网格"})


def test_a_plan_is_made_with_its_first_version(store: PlanStore, plan: Plan):
    assert store.plans() == []
    first = store.add_version("yiling", plan, who="li")
    second = store.add_version("yiling", plan, who="wang")
    assert [(one.number, one.status, one.created_by) for one in store.versions("yiling")] == [
        (1, Status.DRAFT, "li"),
        (2, Status.DRAFT, "wang"),
    ]
    assert first.digest == second.digest
    (info,) = store.plans()
    assert (info.plan_id, info.name, info.institution, info.current) == (
        "yiling",
        plan.settings.plan.name,
        plan.settings.plan.institution,
        None,
    )


def test_moments_are_told_in_utc(store: PlanStore, plan: Plan):
    made = store.publish(store.add_version("p", plan, who="li"), who="li")
    for moment in (made.created_at, made.published_at, store.audit()[0].at, store.plans()[0].created_at):
        assert moment is not None
        assert moment.tzinfo is UTC
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)


def test_the_published_version_with_the_highest_number_is_in_force(store: PlanStore, plan: Plan, other: Plan):
    first = store.publish(store.add_version("p", plan, who="li"), who="wang")
    assert (first.status, first.published_by) == (Status.PUBLISHED, "wang")
    draft = store.add_version("p", other, who="li")
    assert store.version("p") == first
    second = store.publish(draft, who="wang")
    assert store.version("p") == second
    assert store.plans()[0].current == 2
    assert_same_plan(store.read(first), plan)
    store.retire(second, who="wang")
    assert store.version("p") == first
    assert_same_plan(store.read(store.version("p", 2)), other)


def test_without_a_published_version_the_newest_draft_is_meant(store: PlanStore, plan: Plan):
    store.add_version("p", plan, who="li")
    newest = store.add_version("p", plan, who="li")
    assert store.version("p") == newest


def test_a_draft_is_replaced_whole(store: PlanStore, plan: Plan, other: Plan):
    draft = store.add_version("p", plan, who="li")
    replaced = store.replace_draft(draft, other, who="wang")
    assert (replaced.number, replaced.lock_version) == (draft.number, draft.lock_version + 1)
    assert replaced.digest != draft.digest
    assert_same_plan(store.read(replaced), other)


def test_who_comes_second_is_told_and_overwrites_nothing(store: PlanStore, plan: Plan, other: Plan):
    seen = store.add_version("p", plan, who="li")
    store.replace_draft(seen, other, who="wang")
    for change in (
        lambda: store.replace_draft(seen, plan, who="li"),
        lambda: store.publish(seen, who="li"),
        lambda: store.delete_draft(seen, who="li"),
    ):
        with pytest.raises(StoreConflict) as refused:
            change()
        assert refused.value.key == "store.lost_update"
    assert_same_plan(store.read(store.version("p", 1)), other)


def test_what_is_published_is_changed_by_no_method(store: PlanStore, plan: Plan, other: Plan):
    published = store.publish(store.add_version("p", plan, who="li"), who="li")
    for change in (
        lambda: store.replace_draft(published, other, who="li"),
        lambda: store.publish(published, who="li"),
        lambda: store.delete_draft(published, who="li"),
    ):
        with pytest.raises(StoreConflict) as refused:
            change()
        assert refused.value.key == "store.not_a_draft"
    retired = store.retire(published, who="li")
    with pytest.raises(StoreConflict):
        store.retire(retired, who="li")
    assert_same_plan(store.read(retired), plan)


def test_a_draft_is_deleted_with_all_its_rows_and_its_number_is_not_given_again(store, plan: Plan):
    draft = store.add_version("p", plan, who="li")
    store.delete_draft(draft, who="li")
    assert store.versions("p") == []
    assert store.count("cells", draft) == 0
    for gone in (lambda: store.read(draft), lambda: store.publish(draft, who="li"), lambda: store.version("p")):
        with pytest.raises(NotStored):
            gone()
    again = store.add_version("p", plan, who="li")
    assert again.number == 2
    assert again.row != draft.row


def test_the_audit_tells_who_did_what(store: PlanStore, plan: Plan, other: Plan):
    first = store.add_version("p", plan, who="li")
    second = store.replace_draft(first, other, who="wang")
    store.retire(store.publish(second, who="zhao"), who="qian")
    third = store.add_version("p", plan, who="sun")
    store.delete_draft(third, who="zhou")
    store.create("q", "另一个", None, who="wu")
    was, now = first.digest, second.digest
    assert [(e.who, e.action, e.version, e.digest_before, e.digest_after) for e in store.audit("p")] == [
        ("li", "create", None, None, None),
        ("li", "add", 1, None, was),
        ("wang", "replace", 1, was, now),
        ("zhao", "publish", 1, now, now),
        ("qian", "retire", 1, now, now),
        ("sun", "add", 2, None, was),
        ("zhou", "delete", 2, was, None),
    ]
    assert [entry.plan_id for entry in store.audit()] == ["p"] * 7 + ["q"]


def test_a_plan_is_made_once(store: PlanStore):
    made = store.create("p", "名", "行", who="li")
    assert (made.plan_id, made.name, made.institution, made.current) == ("p", "名", "行", None)
    with pytest.raises(StoreConflict):
        store.create("p", "名", "行", who="li")
    assert store.versions("p") == []


def test_plans_are_listed_in_one_order(store: PlanStore):
    for plan_id in ("b", "a_1", "a-1", "a1", "0"):
        store.create(plan_id, "x", None, who="li")
    assert [info.plan_id for info in store.plans()] == ["0", "a-1", "a1", "a_1", "b"]


@pytest.mark.parametrize("plan_id", ["", "A", "-a", "a.b", "a@1", "a b", "网格", "a" * 64, "a\n", "a/b", "..", "'"])
def test_an_identifier_that_is_none_is_refused(store: PlanStore, plan: Plan, plan_id: str):
    with pytest.raises(UsageError):
        store.add_version(plan_id, plan, who="li")
    with pytest.raises(UsageError):
        store.create(plan_id, "x", None, who="li")


def test_what_is_not_there_is_said_to_be_missing(store: PlanStore, plan: Plan):
    with pytest.raises(NotStored):
        store.versions("p")
    version = store.add_version("p", plan, who="li")
    with pytest.raises(NotStored):
        store.version("p", 2)
    with pytest.raises(NotStored):
        store.read(replace(version, row=99))
