"""Accounts and their keys: who may ask, as what, and how far; every change is in ``account_change``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from gridmap.domain.access import Identity, Role, Scope, checked_name, checked_scope, shown
from gridmap.errors import NotStored, StoreConflict, UsageError
from gridmap.store.api_keys import KeyInfo, NewKey, hash_of, is_same, make_key, prefix_of
from gridmap.store.rows import now
from gridmap.store.service_tables import account, account_change, api_key
from gridmap.store.sql import SqlStore

_LONGEST_SUBJECT = 255
_EVERYTHING = Scope()
_KEY_COLUMNS = [api_key.c[name] for name in KeyInfo.__dataclass_fields__]
_REACH = (account.c.name, account.c.role, account.c.area_prefixes, account.c.institutions, account.c.revoked_at)
_BY_PREFIX = (
    select(*_REACH, api_key.c.hash, api_key.c.expires_at, api_key.c.revoked_at)
    .join_from(api_key, account)
    .where(api_key.c.prefix == bindparam("prefix"))
)
_BY_SUBJECT = select(*_REACH).where(account.c.subject == bindparam("subject"))


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account: a role, a scope, its keys; with a ``subject`` also whoever bears a token of that name."""

    name: str
    subject: str | None
    role: Role
    scope: Scope
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str | None
    keys: tuple[KeyInfo, ...]

    def document(self) -> dict[str, Any]:
        """Members of a document about it."""
        return {
            "name": self.name,
            "subject": self.subject,
            "role": self.role.value,
            "areas": list(self.scope.area_prefixes),
            "institutions": list(self.scope.institutions),
            "everything": self.scope.is_whole,
            "created_at": self.created_at,
            "created_by": self.created_by,
            "revoked_at": self.revoked_at,
            "revoked_by": self.revoked_by,
            "keys": [asdict(key) for key in self.keys],
        }


class Accounts:
    """Accounts of a store.

    Of the administrators with the whole reach there is always one left: the change that would leave none is refused.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def exist(self) -> bool:
        """Whether there are accounts, revoked ones too: who had accounts once is not open to everybody later."""
        with self._store.reading() as connection:
            return connection.execute(select(account.c.id).limit(1)).first() is not None

    def identify(self, key: str) -> Identity | None:
        """Find who holds a key; None for one that is unknown, revoked or expired, or of a revoked account."""
        prefix = prefix_of(key)
        if prefix is None:
            return None
        row = next(iter(self._store.look_up("key", lambda: _BY_PREFIX, {"prefix": prefix})), None)
        if row is None:
            is_same(key, None)
            return None
        *reach, hashed, expires_at, key_revoked_at = row
        is_valid = key_revoked_at is None and (expires_at is None or expires_at > now())
        return _identity(*reach) if is_same(key, hashed) and is_valid else None

    def of_subject(self, subject: str) -> tuple[bool, Identity | None]:
        """Whether there is an account of a token's subject, and who that is; None where it is revoked."""
        with self._store.reading() as connection:
            row = connection.execute(_BY_SUBJECT, {"subject": subject}).first()
        return (False, None) if row is None else (True, _identity(*row))

    def have_administrator(self) -> bool:
        """Whether somebody can give accounts over HTTP."""
        with self._store.reading() as connection:
            return _somebody_administers(connection)

    def list(self) -> list[AccountInfo]:
        """List accounts by name, revoked ones too."""
        with self._store.reading() as connection:
            return _infos(connection)

    def find(self, name: str) -> AccountInfo:
        """Find an account.

        Raises
        ------
        NotStored
            If there is none.
        """
        with self._store.reading() as connection:
            return _info(connection, name)

    def add(
        self, name: str, role: Role, scope: Scope = _EVERYTHING, *, subject: str | None = None, who: str
    ) -> AccountInfo:
        """Add an account, without a key yet.

        Raises
        ------
        UsageError
            If the name or the subject is none.
        StoreConflict
            If there is, or was, one of this name or subject.
        """
        name = checked_name(name)
        said = {"role": role.value, "subject": _checked_subject(subject), **_columns_of(scope)}
        with self._store.writing() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(insert(account).values(name=name, **said, created_at=now(), created_by=who))
            except IntegrityError as fault:
                raise StoreConflict("access.account_exists", name=name) from fault
            _note(connection, who, "add", name, said)
            return _info(connection, name)

    def change(self, name: str, *, who: str, **changed: Any) -> AccountInfo:
        """Give another ``role``, other ``areas`` or ``institutions`` in reach, or another ``subject``.

        Raises
        ------
        UsageError
            If one of them is none.
        NotStored
            If there is no such account.
        StoreConflict
            If it is revoked, or the last administrator, or the subject is another's.
        """
        values: dict[str, Any] = {}
        if "role" in changed:
            values["role"] = Role(changed["role"]).value
        # By themselves: somebody else may be changing the others.
        if "areas" in changed:
            values["area_prefixes"] = list(checked_scope(changed["areas"]).area_prefixes)
        if "institutions" in changed:
            values["institutions"] = list(checked_scope((), changed["institutions"]).institutions)
        if "subject" in changed:
            values["subject"] = _checked_subject(changed["subject"])
        with self._store.writing() as connection:
            _lock_administrators(connection)
            before = _usable(connection, name)
            if values:
                try:
                    with connection.begin_nested():
                        connection.execute(update(account).where(account.c.name == before.name).values(**values))
                except IntegrityError as fault:
                    raise StoreConflict("access.account_exists", name=shown(values["subject"] or "")) from fault
                _require_administrator(connection, before)
                _note(connection, who, "change", before.name, values)
            return _info(connection, before.name)

    def revoke(self, name: str, *, who: str) -> AccountInfo:
        """Revoke an account for good: its keys and tokens are refused from now on; raises as ``change``."""
        with self._store.writing() as connection:
            _lock_administrators(connection)
            before = _usable(connection, name)
            ended = {"revoked_at": now(), "revoked_by": who}
            connection.execute(update(account).where(account.c.name == before.name).values(**ended))
            _require_administrator(connection, before)
            _note(connection, who, "revoke", before.name, {})
            return _info(connection, before.name)

    def new_key(self, name: str, *, who: str, expires_at: datetime | None = None) -> NewKey:
        """Make a key for an account.

        Raises
        ------
        UsageError
            If it would have expired already.
        NotStored
            If there is no such account.
        StoreConflict
            If the account is revoked.
        """
        moment = now()
        if expires_at is not None and expires_at <= moment:
            raise UsageError("access.expired_already")
        with self._store.writing() as connection:
            holder = _usable(connection, name)
            number = select(account.c.id).where(account.c.name == holder.name).scalar_subquery()
            values = {"account_id": number, "created_at": moment, "created_by": who, "expires_at": expires_at}
            prefix, key = make_key()
            connection.execute(insert(api_key).values(prefix=prefix, hash=hash_of(key), **values))
            until = None if expires_at is None else expires_at.astimezone(UTC).isoformat()
            _note(connection, who, "add_key", holder.name, {"prefix": prefix, "expires_at": until})
        return NewKey(holder.name, prefix, expires_at, key)

    def revoke_key(self, prefix: str, *, who: str, name: str | None = None) -> AccountInfo:
        """Revoke a key, of the account ``name`` where that is given; done again it changes nothing.

        Raises
        ------
        NotStored
            If there is no such key.
        """
        with self._store.writing() as connection:
            found = select(api_key.c.id, api_key.c.revoked_at, account.c.name).join_from(api_key, account)
            row = connection.execute(found.where(api_key.c.prefix == prefix)).first()
            if row is None or (name is not None and row.name != name):
                raise NotStored("access.no_key", prefix=shown(prefix))
            if row.revoked_at is None:
                ended = {"revoked_at": now(), "revoked_by": who}
                connection.execute(update(api_key).where(api_key.c.id == row.id).values(**ended))
                _note(connection, who, "revoke_key", row.name, {"prefix": prefix})
            return _info(connection, row.name)


def _identity(
    name: str, role: str, area_prefixes: list[str], institutions: list[str], revoked_at: datetime | None
) -> Identity | None:
    return None if revoked_at else Identity(name, Role(role), Scope(tuple(area_prefixes), tuple(institutions)))


def _columns_of(scope: Scope) -> dict[str, list[str]]:
    return {"area_prefixes": list(scope.area_prefixes), "institutions": list(scope.institutions)}


def _checked_subject(subject: str | None) -> str | None:
    if subject is not None and (not subject.isprintable() or not 0 < len(subject) <= _LONGEST_SUBJECT):
        raise UsageError("access.bad_subject", subject=shown(subject))
    return subject


def _infos(connection: Connection, name: str | None = None) -> list[AccountInfo]:
    asked = select(account)
    keys = select(api_key.c.account_id, *_KEY_COLUMNS).order_by(api_key.c.id)
    if name is not None:
        asked = asked.where(account.c.name == name)
        keys = keys.join(account).where(account.c.name == name)
    held: dict[int, list[KeyInfo]] = {}
    for number, *values in connection.execute(keys):
        held.setdefault(number, []).append(KeyInfo(*values))
    found = [
        AccountInfo(
            row.name,
            row.subject,
            Role(row.role),
            Scope(tuple(row.area_prefixes), tuple(row.institutions)),
            row.created_at,
            row.created_by,
            row.revoked_at,
            row.revoked_by,
            tuple(held.get(row.id, ())),
        )
        for row in connection.execute(asked)
    ]
    # Sorted here: databases differ in how they order text.
    return sorted(found, key=lambda info: info.name)


def _info(connection: Connection, name: str) -> AccountInfo:
    found = _infos(connection, name)
    if not found:
        raise NotStored("access.no_account", name=shown(name))
    return found[0]


def _usable(connection: Connection, name: str) -> AccountInfo:
    found = _info(connection, name)
    if found.revoked_at is not None:
        raise StoreConflict("access.account_revoked", name=found.name)
    return found


def _administers(role: str, scope: Scope) -> bool:
    return role == Role.ADMINISTRATOR and scope.is_whole


def _somebody_administers(connection: Connection) -> bool:
    return any(one.revoked_at is None and _administers(one.role, one.scope) for one in _infos(connection))


def _lock_administrators(connection: Connection) -> None:
    """Make those who change administrators at the same time take turns; on SQLite all writers do."""
    held = select(account.c.id).where(account.c.role == Role.ADMINISTRATOR.value).order_by(account.c.id)
    connection.execute(held.with_for_update())


def _require_administrator(connection: Connection, before: AccountInfo) -> None:
    """Refuse a change after which nobody could give accounts, if somebody could before it."""
    if _administers(before.role, before.scope) and not _somebody_administers(connection):
        raise StoreConflict("access.last_administrator", name=before.name)


def _note(connection: Connection, who: str, action: str, name: str, details: dict[str, Any]) -> None:
    entry = {"at": now(), "who": who, "action": action, "account": name, "details": details}
    connection.execute(insert(account_change).values(**entry))
