"""Whoever sits at the machine of the store gives accounts and keys by the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridmap.domain.access import Identity, Role, checked_scope
from gridmap.settings import settings
from gridmap.store import open_store
from gridmap.store.accounts import Accounts


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in a folder of one's own, with the store of the settings in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRIDMAP_DATABASE_URL", raising=False)
    settings.cache_clear()
    return tmp_path


@pytest.fixture
def accounts(here: Path, run) -> Iterator[Accounts]:
    """Look into the store, where ``boss`` is the administrator."""
    assert run("user", "add", "boss", "--role", "administrator").status == 0
    store = open_store("gridmap.sqlite")
    yield Accounts(store)
    store.close()


def added(run, *arguments: object) -> dict[str, Any]:
    ran = run("user", "add", *arguments, "--json")
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


def test_an_account_is_made_with_a_key_that_shows_once(run, accounts: Accounts):
    reach = ["--area", "990101001", "--area", "9901010011", "--institution", "甲银行"]
    ran = run("user", "add", "wang", "--role", "planner", *reach)
    assert ran.status == 0, ran.err
    key = next(line for line in ran.out.splitlines() if line.startswith("gm_"))
    assert accounts.identify(key) == Identity("wang", Role.PLANNER, checked_scope(["990101001"], ["甲银行"]))
    for again in (run("user", "show", "wang"), run("user", "list"), run("user", "list", "--json")):
        assert key not in again.out + again.err
        assert "wang" in again.out
    assert "990101001, 甲银行" in run("user", "show", "wang").out
    assert key[3:11] in run("user", "show", "wang").out


def test_keys_are_added_and_revoked(run, accounts: Accounts):
    first = added(run, "wang", "--role", "viewer", "--expires", "30")
    assert first["keys"][0]["expires_at"] > first["created_at"]
    second = json.loads(run("user", "key", "wang", "--json").out)
    assert second["keys"][1]["expires_at"] is None
    assert run("user", "revoke-key", first["keys"][0]["prefix"]).status == 0
    assert accounts.identify(first["key"]) is None
    assert accounts.identify(second["key"]) is not None
    ended = run("user", "revoke-key", second["key"])
    assert (ended.status, accounts.identify(second["key"])) == (0, None)
    assert second["key"] not in ended.out


def test_accounts_are_changed_and_revoked(run, accounts: Accounts):
    key = added(run, "wang", "--role", "viewer", "--area", "9901")["key"]
    for options, expected in (
        (["--role", "planner"], Identity("wang", Role.PLANNER, checked_scope(["9901"]))),
        (["--institution", "甲银行"], Identity("wang", Role.PLANNER, checked_scope(["9901"], ["甲银行"]))),
        (["--everything"], Identity("wang", Role.PLANNER)),
    ):
        assert run("user", "change", "wang", *options).status == 0
        assert accounts.identify(key) == expected
    assert run("user", "revoke", "wang").status == 0
    assert accounts.identify(key) is None
    assert "revoked" in run("user", "show", "wang").out


def test_an_account_with_a_subject_gets_no_key(run, accounts: Accounts):
    made = added(run, "wang", "--role", "viewer", "--subject", "a1|wang")
    assert (made["subject"], made["keys"], "key" in made) == ("a1|wang", [], False)
    assert run("user", "change", "wang", "--subject", "").status == 0
    assert accounts.find("wang").subject is None


def test_the_last_administrator_stays(run, accounts: Accounts):
    for attempt in (["revoke", "boss"], ["change", "boss", "--role", "viewer"], ["change", "boss", "--area", "99"]):
        assert run("user", *attempt).status == 3
    assert accounts.find("boss").role is Role.ADMINISTRATOR


def test_a_store_without_an_administrator_is_remarked_on(run, here: Path):
    assert "administrator" in run("user", "add", "wang", "--role", "viewer").err
    assert run("user", "add", "boss", "--role", "administrator").err == ""


def test_the_store_may_be_another(run, here: Path):
    assert run("user", "add", "boss", "--role", "administrator", "--database", here / "other.sqlite").status == 0
    assert not (here / "gridmap.sqlite").exists()
    assert run("user", "list").status == 2
    assert "boss" in run("user", "list", "--database", here / "other.sqlite").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["add"],
        ["add", "wang"],
        ["add", "wang", "--role", "king"],
        ["add", "wang", "--role", "viewer", "--area", "99x"],
        ["add", "wang", "--role", "viewer", "--area", "99", "--everything"],
        ["add", "wang", "--role", "viewer", "--expires", "-1"],
        ["add", "wang", "--role", "viewer", "--expires", "0"],
        ["add", "local", "--role", "viewer"],
        ["add", "boss", "extra", "--role", "viewer"],
        ["list", "boss"],
        ["list", "--role", "viewer"],
        ["show"],
        ["show", "nobody"],
        ["change", "boss"],
        ["change", "boss", "--expires", "3"],
        ["key", "boss", "--area", "99"],
        ["revoke", "nobody"],
        ["revoke-key", "00000000"],
        ["fire", "boss"],
    ],
)
def test_a_call_that_cannot_be_changes_nothing(run, accounts: Accounts, arguments: list[str]):
    before = accounts.list()
    ran = run("user", *arguments)
    assert ran.status == 2
    assert ran.err
    assert accounts.list() == before
