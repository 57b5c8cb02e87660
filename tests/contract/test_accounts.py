"""Accounts and keys are kept the same way in both stores, and end at once when they are ended."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from gridmap.domain.access import Identity, Role, Scope, checked_scope
from gridmap.errors import NotStored, StoreConflict, UsageError
from gridmap.store import accounts as accounts_module
from gridmap.store import open_store
from gridmap.store.accounts import Accounts
from gridmap.store.api_keys import NewKey
from gridmap.store.service_tables import account_change, api_key
from gridmap.store.sql import SqlStore

EVERYTHING = Scope()
TOWNSHIP = checked_scope(["990101001"], ["示例农商银行"])


@pytest.fixture
def accounts(store: SqlStore) -> Accounts:
    return Accounts(store)


@pytest.fixture
def key(accounts: Accounts) -> NewKey:
    """Make a key of 王, who plans one township."""
    accounts.add("王", Role.PLANNER, TOWNSHIP, who="li")
    return accounts.new_key("王", who="li")


def test_a_key_leads_to_its_account(accounts: Accounts, key: NewKey):
    assert accounts.identify(key.key) == Identity("王", Role.PLANNER, TOWNSHIP)
    info = accounts.find("王")
    assert (info.name, info.role, info.scope, info.created_by) == ("王", Role.PLANNER, TOWNSHIP, "li")
    assert [(one.prefix, one.expires_at, one.revoked_at) for one in info.keys] == [(key.prefix, None, None)]
    assert accounts.list() == [info]


def test_only_a_hash_of_a_key_is_kept(accounts: Accounts, key: NewKey, store: SqlStore):
    secret = key.key.removeprefix(f"gm_{key.prefix}_")
    assert len(secret) == 43
    with store.reading() as connection:
        tables = (api_key, account_change)
        rows = [str(tuple(row)) for table in tables for row in connection.execute(select(table))]
    assert len(rows) == 3
    assert not [row for row in rows if secret in row]
    assert key.prefix in "".join(rows)


@pytest.mark.parametrize(
    "change", [lambda key: key[:-1], lambda key: key + "A", lambda key: key[:20] + "\x00" + key[21:], lambda _: ""]
)
def test_what_is_not_the_key_leads_nowhere(accounts: Accounts, key: NewKey, change: Callable[[str], str]):
    assert accounts.identify(change(key.key)) is None


def test_a_key_with_the_prefix_of_another_leads_nowhere(accounts: Accounts, key: NewKey):
    other = accounts.new_key("王", who="li")
    mixed = f"gm_{key.prefix}_{other.key[-43:]}"
    assert accounts.identify(mixed) is None
    assert accounts.identify(f"gm_00000000_{key.key[-43:]}") is None


def test_no_two_keys_are_alike(accounts: Accounts, key: NewKey):
    keys = {accounts.new_key("王", who="li").key for _ in range(20)} | {key.key}
    assert len(keys) == len({one[3:11] for one in keys}) == 21


def test_a_revoked_key_is_refused_at_once_and_others_are_not(accounts: Accounts, key: NewKey):
    other = accounts.new_key("王", who="li")
    accounts.revoke_key(key.prefix, who="li")
    assert accounts.identify(key.key) is None
    assert accounts.identify(other.key) is not None
    first = accounts.find("王").keys[0]
    assert (first.revoked_by, accounts.revoke_key(key.prefix, who="zhao").keys[0]) == ("li", first)


def test_all_keys_of_a_revoked_account_are_refused(accounts: Accounts, key: NewKey):
    accounts.revoke("王", who="li")
    assert accounts.identify(key.key) is None
    assert accounts.find("王").revoked_by == "li"
    for use in (accounts.revoke, accounts.new_key, accounts.change):
        with pytest.raises(StoreConflict) as refused:
            use("王", who="li")
        assert refused.value.key == "access.account_revoked"


def test_what_one_process_revokes_another_refuses_at_once(accounts: Accounts, key: NewKey, url: str):
    elsewhere = open_store(url)
    assert Accounts(elsewhere).identify(key.key) is not None
    accounts.revoke_key(key.prefix, who="li")
    assert Accounts(elsewhere).identify(key.key) is None
    elsewhere.close()


def test_a_key_ends_when_it_expires(accounts: Accounts, key: NewKey, monkeypatch: pytest.MonkeyPatch):
    end = datetime.now(UTC) + timedelta(hours=1)
    short = accounts.new_key("王", who="li", expires_at=end)
    assert short.expires_at == accounts.find("王").keys[1].expires_at == end
    for moment, is_valid in ((end - timedelta(microseconds=1), True), (end, False)):
        monkeypatch.setattr(accounts_module, "now", lambda moment=moment: moment)
        assert (accounts.identify(short.key) is not None) is is_valid
        assert accounts.identify(key.key) is not None


def test_a_key_that_has_expired_already_is_not_made(accounts: Accounts, key: NewKey):
    with pytest.raises(UsageError):
        accounts.new_key("王", who="li", expires_at=datetime.now(UTC))
    assert len(accounts.find("王").keys) == 1


def test_a_change_counts_from_the_next_request_on(accounts: Accounts, key: NewKey):
    accounts.change("王", who="li", role=Role.VIEWER)
    assert accounts.identify(key.key) == Identity("王", Role.VIEWER, TOWNSHIP)
    accounts.change("王", who="li", areas=(), institutions=())
    assert accounts.identify(key.key) == Identity("王", Role.VIEWER, EVERYTHING)
    accounts.change("王", who="li", areas=["9901", "990101"])
    assert accounts.identify(key.key) == Identity("王", Role.VIEWER, checked_scope(["9901"]))


def test_an_account_is_found_by_the_subject_of_tokens(accounts: Accounts):
    assert accounts.of_subject("a1|王") == (False, None)
    accounts.add("王", Role.PLANNER, TOWNSHIP, subject="a1|王", who="li")
    assert accounts.of_subject("a1|王") == (True, Identity("王", Role.PLANNER, TOWNSHIP))
    accounts.revoke("王", who="li")
    assert accounts.of_subject("a1|王") == (True, None)


def test_names_and_subjects_are_given_once(accounts: Accounts):
    accounts.add("a", Role.VIEWER, subject="s", who="li")
    accounts.add("b", Role.VIEWER, who="li")
    accounts.revoke("a", who="li")
    for again in (
        lambda: accounts.add("a", Role.VIEWER, who="li"),
        lambda: accounts.add("c", Role.VIEWER, subject="s", who="li"),
        lambda: accounts.change("b", subject="s", who="li"),
    ):
        with pytest.raises(StoreConflict) as refused:
            again()
        assert refused.value.key == "access.account_exists"
    assert [info.name for info in accounts.list()] == ["a", "b"]


@pytest.mark.parametrize("name", ["", " a", "a ", "a:b", "a/b", "a\nb", "a\x00", "local", "x" * 65, "a\u202eb"])
def test_what_would_be_no_name_is_refused(accounts: Accounts, name: str):
    with pytest.raises(UsageError):
        accounts.add(name, Role.VIEWER, who="li")
    assert not accounts.exist()


def test_what_is_not_there_is_said_so(accounts: Accounts, key: NewKey):
    accounts.add("zhao", Role.VIEWER, who="li")
    for missing in (
        lambda: accounts.find("nobody"),
        lambda: accounts.change("nobody", who="li"),
        lambda: accounts.revoke("nobody", who="li"),
        lambda: accounts.new_key("nobody", who="li"),
        lambda: accounts.revoke_key("00000000", who="li"),
        lambda: accounts.revoke_key(key.prefix, name="zhao", who="li"),
    ):
        with pytest.raises(NotStored):
            missing()
    assert accounts.identify(key.key) is not None


def test_accounts_exist_from_the_first_on_and_for_good(accounts: Accounts):
    assert not accounts.exist()
    accounts.add("a", Role.VIEWER, who="li")
    assert accounts.exist()
    accounts.revoke("a", who="li")
    assert accounts.exist()


def test_the_last_administrator_stays(accounts: Accounts):
    accounts.add("a", Role.ADMINISTRATOR, who="li")
    accounts.add("b", Role.ADMINISTRATOR, who="li")
    accounts.add("scoped", Role.ADMINISTRATOR, TOWNSHIP, who="li")
    accounts.revoke("b", who="li")
    for attempt in (
        lambda: accounts.revoke("a", who="li"),
        lambda: accounts.change("a", role=Role.PUBLISHER, who="li"),
        lambda: accounts.change("a", areas=TOWNSHIP.area_prefixes, who="li"),
    ):
        with pytest.raises(StoreConflict) as refused:
            attempt()
        assert refused.value.key == "access.last_administrator"
    left = accounts.find("a")
    assert (left.role, left.scope, left.revoked_at) == (Role.ADMINISTRATOR, EVERYTHING, None)
    accounts.revoke("scoped", who="li")


def test_two_administrators_who_revoke_each_other_at_once_do_not_both_go(accounts: Accounts, url: str):
    names = ("a", "b", "c", "d")
    for name in names:
        accounts.add(name, Role.ADMINISTRATOR, who="li")
    stores = [open_store(url) for _ in names]

    def revoke(turn: int) -> bool:
        try:
            Accounts(stores[turn]).revoke(names[turn], who=names[turn - 1])
        except StoreConflict:
            return False
        return True

    with ThreadPoolExecutor(len(names)) as pool:
        assert sorted(pool.map(revoke, range(len(names)))) == [False, True, True, True]
    assert len([info for info in accounts.list() if info.revoked_at is None]) == 1
    for one in stores:
        one.close()


def test_every_change_is_written_down(accounts: Accounts, key: NewKey, store: SqlStore):
    accounts.change("王", role=Role.VIEWER, who="zhao")
    accounts.change("王", who="zhao")
    accounts.revoke_key(key.prefix, who="zhao")
    accounts.revoke("王", who="qian")
    wanted = [account_change.c[name] for name in ("who", "action", "account", "details")]
    with store.reading() as connection:
        found = [tuple(row) for row in connection.execute(select(*wanted).order_by(account_change.c.id))]
    reach = {"area_prefixes": ["990101001"], "institutions": ["示例农商银行"]}
    assert found == [
        ("li", "add", "王", {"role": "planner", "subject": None, **reach}),
        ("li", "add_key", "王", {"prefix": key.prefix, "expires_at": None}),
        ("zhao", "change", "王", {"role": "viewer"}),
        ("zhao", "revoke_key", "王", {"prefix": key.prefix}),
        ("qian", "revoke", "王", {}),
    ]


@pytest.mark.parametrize("statement", ["UPDATE account_change SET who = 'me'", "DELETE FROM account_change"])
def test_what_was_written_down_stays(accounts: Accounts, key: NewKey, store: SqlStore, statement: str):
    with pytest.raises(StoreConflict), store.writing() as connection:
        connection.exec_driver_sql(statement)
    with store.reading() as connection:
        assert {row.who for row in connection.execute(select(account_change))} == {"li"}


def test_the_secret_of_a_new_key_shows_in_no_repr(key: NewKey):
    assert key.key not in repr(key)
