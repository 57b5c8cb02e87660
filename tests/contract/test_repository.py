"""Who may see and change which plans: roles and scopes, the same on both stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gridmap.domain.access import Identity, Role, Scope
from gridmap.domain.plan import Plan
from gridmap.errors import GridmapError, LostUpdate, NotAllowed, NotStored, StoreConflict, UsageError
from gridmap.store import Status
from gridmap.store.repository import Repository
from gridmap.store.sql import SqlStore
from scoped_county import rows_of

BANK = "示例银行"
TOWN, COUNTY = Scope(("990101001",)), Scope(("990101",))
ELSEWHERE = Scope(("9902",))


def as_(store: SqlStore, role: Role, scope: Scope = Scope(), name: str = "li") -> Repository:  # noqa: B008
    return Repository(store, Identity(name, role, scope))


@pytest.fixture
def filled(store: SqlStore, plan: Plan) -> SqlStore:
    """Plan ``made``: versions 1 retired, 2 in force, 3 a draft; ``fresh``: a draft; ``empty``: nothing; ``other``."""
    first = store.publish(store.add_version("made", plan, who="wu"), who="wu")
    store.publish(store.add_version("made", plan, who="wu"), who="wu")
    store.retire(first, who="wu")
    store.add_version("made", plan, who="wu")
    store.add_version("fresh", plan, who="wu")
    store.create("empty", "空", BANK, who="wu")
    store.create("other", "别家", "别家银行", who="wu")
    return store


def names(repository: Repository) -> list[str]:
    return [info.plan_id for info in repository.plans()]


def said(call: Callable[[], object]) -> str:
    with pytest.raises(NotStored) as caught:
        call()
    return caught.value.message("en")


def test_drafts_are_there_for_planners_only(filled: SqlStore):
    viewer, planner = as_(filled, Role.VIEWER), as_(filled, Role.PLANNER)
    assert names(viewer) == ["made"]
    assert names(planner) == ["empty", "fresh", "made", "other"]
    assert [one.number for one in viewer.versions("made")] == [1, 2]
    assert [one.number for one in planner.versions("made")] == [1, 2, 3]
    assert viewer.version("made").number == planner.version("made").number == 2
    assert planner.version("fresh").status is Status.DRAFT
    assert planner.versions("empty") == []
    assert viewer.version("made", 1).status is Status.RETIRED
    assert said(lambda: viewer.version("made", 3)) == said(lambda: viewer.version("made", 4)).replace("4", "3")
    assert said(lambda: viewer.version("fresh")) == said(lambda: viewer.version("nope")).replace("nope", "fresh")
    assert said(lambda: viewer.plan("empty")) == said(lambda: viewer.plan("nope")).replace("nope", "empty")


def test_plans_are_in_reach_with_one_of_their_areas_and_their_institution(filled: SqlStore):
    for scope, seen in [
        (TOWN, ["made"]),
        (COUNTY, ["made"]),
        (ELSEWHERE, []),
        (Scope((), (BANK,)), ["made"]),
        (Scope((), ("别家银行",)), []),
        (Scope(("990101001",), ("别家银行",)), []),
    ]:
        viewer = as_(filled, Role.VIEWER, scope)
        assert names(viewer) == seen, scope
        if not seen:
            for call in (viewer.plan, viewer.versions, viewer.version):
                assert said(lambda call=call: call("made")) == said(lambda call=call: call("nope")).replace(
                    "nope", "made"
                )
    assert names(as_(filled, Role.PLANNER, Scope((), ("别家银行",)))) == ["other"]
    assert names(as_(filled, Role.PLANNER, TOWN)) == ["fresh", "made"]
    assert names(as_(filled, Role.PLANNER, TOWN, "wu")) == ["empty", "fresh", "made", "other"]


def test_what_is_no_identifier_is_no_plan(filled: SqlStore, plan: Plan):
    planner = as_(filled, Role.PLANNER)
    for name in ("a\0b", "", "A", "x" * 64, "'; --", "\ud800"):
        for call in (planner.plan, planner.versions, planner.version, planner.audit):
            with pytest.raises(NotStored):
                call(name)
        with pytest.raises(UsageError):
            planner.add_version(name, plan)


def test_a_version_is_in_force_where_it_is_in_reach(filled: SqlStore, plan: Plan):
    north = replace(plan, areas=plan.areas[plan.areas["area_code"].isin(["990101002001"])])
    filled.publish(filled.add_version("made", north, who="wu"), who="wu")
    town, north_town = as_(filled, Role.VIEWER, TOWN), as_(filled, Role.VIEWER, Scope(("990101002",)))
    assert (town.plan("made").current, town.version("made").number) == (2, 2)
    assert (north_town.plan("made").current, north_town.version("made").number) == (4, 4)
    assert said(lambda: town.version("made", 4)) == "plan made has no version 4"


def test_whole_plans_and_documents_are_for_who_may_see_all_of_them(filled: SqlStore, plan: Plan):
    for scope in (Scope(), COUNTY, Scope(("990101001", "990101002", "990101")), Scope((), (BANK,))):
        viewer = as_(filled, Role.VIEWER, scope)
        version = viewer.version("made")
        assert viewer.covers(version)
        assert rows_of(viewer.read(version).grids) == rows_of(plan.grids)
        for name in ("indicators", "certificate", "report"):
            assert viewer.document(version, name) == getattr(filled.read(version), name)
        assert [rule["broken_by"] for rule in viewer.document(version, "rules")] == [
            list(rule.broken_by) for rule in plan.rules
        ]
        assert viewer.document(version, "settings")["partition"]["resolution"] == 8
    town = as_(filled, Role.VIEWER, TOWN)
    version = town.version("made")
    assert not town.covers(version)
    for call in (lambda: town.read(version), *(lambda n=n: town.document(version, n) for n in ("report", "settings"))):
        with pytest.raises(NotStored):
            call()
    with pytest.raises(UsageError):
        town.document(version, "columns")


def test_rules_tell_of_what_is_in_reach(filled: SqlStore):
    town = as_(filled, Role.VIEWER, TOWN)
    told = {rule["rule"]: rule for rule in town.document(town.version("made"), "rules")}
    assert {name: (rule["holds"], rule["broken_by"], rule["checked"]) for name, rule in told.items()} == {
        "grids_do_not_overlap": (True, [], None),
        # The village is another town's, and D3 lies outside every area.
        "rural_cash_point_per_village": (True, [], None),
        "capacity_not_exceeded": (False, ["A1"], None),
        "no_cash_point_in_urban": (True, [], None),
    }


def test_of_plans_of_others_there_are_no_documents(filled: SqlStore):
    version = filled.version("made")
    for name in ("rules", "indicators"):
        with pytest.raises(NotStored):
            as_(filled, Role.ADMINISTRATOR, Scope((), ("别家银行",))).document(version, name)


CHANGES: dict[str, tuple[Role, Callable[[Repository, Plan], object]]] = {
    "create": (Role.PLANNER, lambda plans, plan: plans.create("new", "新", BANK)),
    "rename": (Role.PLANNER, lambda plans, plan: plans.rename("made", "新", BANK, plans.plan("made"))),
    "add_version": (Role.PLANNER, lambda plans, plan: plans.add_version("made", plan)),
    "replace_draft": (Role.PLANNER, lambda plans, plan: plans.replace_draft(plans._store.version("made", 3), plan)),
    "delete_draft": (Role.PLANNER, lambda plans, plan: plans.delete_draft(plans._store.version("made", 3))),
    "publish": (Role.PUBLISHER, lambda plans, plan: plans.publish(plans._store.version("made", 3))),
    "retire": (Role.PUBLISHER, lambda plans, plan: plans.retire(plans._store.version("made", 2))),
    "audit": (Role.PLANNER, lambda plans, plan: plans.audit("made")),
    "audit of all": (Role.ADMINISTRATOR, lambda plans, plan: plans.audit()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_takes_its_role(filled: SqlStore, plan: Plan, change: str):
    needed, call = CHANGES[change]
    before = filled.audit()
    for role in Role:
        if not role.reaches(needed):
            with pytest.raises(NotAllowed) as caught:
                call(as_(filled, role), plan)
            assert needed.value in caught.value.message("en")
    assert filled.audit() == before
    call(as_(filled, needed, name="chen"), plan)
    if "audit" not in change:
        assert filled.audit()[-1].who == "chen"


@pytest.mark.parametrize("change", [name for name in CHANGES if name not in ("create", "audit", "audit of all")])
def test_a_change_takes_a_scope_that_holds_the_whole_plan(filled: SqlStore, plan: Plan, change: str):
    call, before = CHANGES[change][1], filled.audit()
    for scope in (TOWN, Scope(("990101",), ("别家银行",)), ELSEWHERE):
        expected: type[GridmapError] = NotAllowed if scope == TOWN else NotStored
        expected = StoreConflict if change == "add_version" and scope != TOWN else expected
        with pytest.raises(expected):
            call(as_(filled, Role.ADMINISTRATOR, scope), plan)
    assert filled.audit() == before
    call(as_(filled, Role.ADMINISTRATOR, Scope(("990101",), (BANK,))), plan)
    assert len(filled.audit()) == len(before) + 1


def test_nobody_adds_what_they_may_not_see(filled: SqlStore, plan: Plan):
    planner = as_(filled, Role.PLANNER, Scope(("990101001",), (BANK,)))
    with pytest.raises(NotAllowed) as caught:
        planner.add_version("mine", plan)
    assert "990101" in caught.value.message("en")
    own = replace(plan, areas=plan.areas[plan.areas["area_code"].str.startswith("990101001")])
    facilities = own.facilities.copy()
    facilities.loc[0, "institution"] = "别家银行"
    with pytest.raises(NotAllowed, match="别家银行"):
        planner.add_version("mine", replace(own, facilities=facilities))
    with pytest.raises(NotAllowed, match="别家银行"):
        planner.create("mine", "我", "别家银行")
    with pytest.raises(StoreConflict):
        planner.create("other", "我", BANK)
    assert planner.add_version("mine", own).number == 1
    assert names(as_(filled, Role.VIEWER, ELSEWHERE)) == []


def test_what_goes_with_a_version_happens_with_it_or_not_at_all(filled: SqlStore, plan: Plan):
    planner, seen = as_(filled, Role.PLANNER), []
    added = planner.add_version("made", plan, also=lambda _connection, version: seen.append(version))
    assert seen == [added]

    def fails(_connection: object, _version: object) -> None:
        raise StoreConflict("store.made_meanwhile")

    before = (filled.audit(), filled.versions("made"))
    with pytest.raises(StoreConflict):
        planner.add_version("made", plan, also=fails)
    with pytest.raises(StoreConflict):
        planner.replace_draft(added, plan, also=fails)
    assert (filled.audit(), filled.versions("made")) == before


def test_two_who_rename_at_once_do_not_overwrite_each_other(filled: SqlStore):
    planner = as_(filled, Role.PLANNER)
    seen = planner.plan("made")
    renamed = planner.rename("made", "新名", None, seen)
    assert (renamed.name, renamed.institution, renamed.current) == ("新名", None, 2)
    assert planner.plan("made") == renamed
    with pytest.raises(LostUpdate):
        planner.rename("made", "另名", BANK, seen)
    assert filled.audit("made")[-1].action == "rename"
    assert planner.rename("made", "新名", BANK, renamed).institution == BANK


def test_the_audit_tells_of_plans_that_are_wholly_in_reach(filled: SqlStore):
    assert as_(filled, Role.ADMINISTRATOR).audit() == filled.audit()
    assert as_(filled, Role.ADMINISTRATOR, COUNTY).audit("made") == filled.audit("made")
    assert {entry.plan_id for entry in as_(filled, Role.ADMINISTRATOR, COUNTY).audit()} == {"made", "fresh"}
    assert as_(filled, Role.ADMINISTRATOR, TOWN).audit() == []
    with pytest.raises(NotStored):
        as_(filled, Role.ADMINISTRATOR, TOWN).audit("made")


def test_a_draft_that_changed_is_not_read_as_what_it_was(filled: SqlStore, plan: Plan):
    planner = as_(filled, Role.PLANNER)
    seen = planner.version("made", 3)
    planner.replace_draft(seen, replace(plan, report={**plan.report, "bound": 0.5}))
    reader = planner.reader(seen)
    with pytest.raises(LostUpdate):
        reader.count(reader.layers["cells"])
    planner.delete_draft(planner.version("made", 3))
    with pytest.raises(NotStored):
        reader.count(reader.layers["cells"])


def test_a_plan_given_to_another_institution_is_out_of_reach_at_once(filled: SqlStore):
    bank = as_(filled, Role.VIEWER, Scope((), (BANK,)))
    version = bank.version("made")
    reader = bank.reader(version)
    cells = reader.layer("cells")
    assert reader.count(cells) == 37
    owner = as_(filled, Role.PLANNER)
    owner.rename("made", "新名", "别家银行", owner.plan("made"))
    assert reader.count(cells) == 0
    assert names(bank) == []
