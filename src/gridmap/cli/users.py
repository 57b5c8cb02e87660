"""``gridmap user``: accounts and keys of the service, by who sits at the machine of its store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import catalogue
from gridmap.cli.options import Json, print_json
from gridmap.cli.stores import Database, current_user
from gridmap.domain.access import Role, checked_scope
from gridmap.errors import UsageError
from gridmap.settings import settings

if TYPE_CHECKING:
    from gridmap.store.accounts import AccountInfo, Accounts
    from gridmap.store.api_keys import NewKey


class Action(StrEnum):
    """What is done to accounts."""

    ADD = "add"
    LIST = "list"
    SHOW = "show"
    CHANGE = "change"
    KEY = "key"
    REVOKE = "revoke"
    REVOKE_KEY = "revoke-key"


def _help(name: str) -> str:
    return catalogue.text(f"access.help_{name}")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for beside the action; None and empty where it was not."""

    name: str | None
    role: Role | None
    area: list[str] | None
    institution: list[str] | None
    everything: bool
    subject: str | None
    expires: float | None


#: Options that go with an action; of the others none does.
_OPTIONS = {
    Action.ADD: {"role", "area", "institution", "everything", "subject", "expires"},
    Action.CHANGE: {"role", "area", "institution", "everything", "subject"},
    Action.KEY: {"expires"},
}


def user(
    action: Annotated[Action, typer.Argument(metavar="ACTION", help=_help("action"))],
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=_help("name"))] = None,
    role: Annotated[Role | None, typer.Option("--role", help=_help("role"))] = None,
    area: Annotated[list[str] | None, typer.Option("--area", help=_help("area"), metavar="PREFIX")] = None,
    institution: Annotated[
        list[str] | None, typer.Option("--institution", help=_help("institution"), metavar="NAME")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help=_help("everything"))] = False,
    subject: Annotated[str | None, typer.Option("--subject", help=_help("subject"))] = None,
    expires: Annotated[
        float | None, typer.Option("--expires", help=_help("expires"), metavar="DAYS", min=0.001, max=36_500)
    ] = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Give accounts and keys, or take them away."""
    from gridmap.store import open_store
    from gridmap.store.accounts import Accounts

    wanted = _Wanted(name, role, area or None, institution or None, everything, subject, expires)
    _check(action, wanted)
    address = settings().database_url if database is None else database
    # The first account comes before the service is started: other machines are not served without one.
    store = open_store(address, create=action is Action.ADD)
    try:
        _do(Accounts(store), action, wanted, as_json)
    finally:
        store.close()


def _check(action: Action, wanted: _Wanted) -> None:
    for option in ("role", "area", "institution", "everything", "subject", "expires"):
        if getattr(wanted, option) not in (None, False) and option not in _OPTIONS.get(action, ()):
            raise UsageError("access.option_of_another_action", option=f"--{option}", action=action.value)
    if (wanted.name is None) is not (action is Action.LIST):
        key = "access.name_needed" if wanted.name is None else "access.no_name_needed"
        raise UsageError(key, action=action.value)
    if action is Action.ADD and wanted.role is None:
        raise UsageError("access.role_missing")
    if wanted.everything and (wanted.area or wanted.institution):
        raise UsageError("access.everything_and_less")


def _do(accounts: Accounts, action: Action, wanted: _Wanted, as_json: bool) -> None:
    from gridmap.store.api_keys import prefix_of

    name, who = wanted.name or "", current_user()
    match action:
        case Action.ADD:
            _add(accounts, wanted, who, as_json)
        case Action.LIST:
            _show(accounts.list(), as_json)
        case Action.SHOW:
            _show_one(accounts.find(name), as_json)
        case Action.CHANGE:
            _show_one(accounts.change(name, who=who, **_changed(wanted)), as_json)
        case Action.KEY:
            key = accounts.new_key(name, who=who, expires_at=_moment(wanted.expires))
            _show_one(accounts.find(name), as_json, key)
        case Action.REVOKE:
            _show_one(accounts.revoke(name, who=who), as_json)
        case Action.REVOKE_KEY:
            _show_one(accounts.revoke_key(prefix_of(name) or name.removeprefix("gm_"), who=who), as_json)


def _add(accounts: Accounts, wanted: _Wanted, who: str, as_json: bool) -> None:
    scope = checked_scope(wanted.area or (), wanted.institution or ())
    until = _moment(wanted.expires)
    info = accounts.add(wanted.name or "", wanted.role or Role.VIEWER, scope, subject=wanted.subject, who=who)
    key = None
    if wanted.subject is None:
        key = accounts.new_key(info.name, who=who, expires_at=until)
        info = accounts.find(info.name)
    _show_one(info, as_json, key)
    if not accounts.have_administrator():
        typer.echo(catalogue.text("access.no_administrator"), err=True)


def _changed(wanted: _Wanted) -> dict[str, Any]:
    changed: dict[str, Any] = {"areas": (), "institutions": ()} if wanted.everything else {}
    given = {"role": wanted.role, "areas": wanted.area, "institutions": wanted.institution}
    changed.update({key: value for key, value in given.items() if value is not None})
    if wanted.subject is not None:
        changed["subject"] = wanted.subject or None
    if not changed:
        raise UsageError("access.nothing_to_change")
    return changed


def _moment(days: float | None) -> datetime | None:
    return None if days is None else datetime.now(UTC) + timedelta(days=days)


def _show(found: list[AccountInfo], as_json: bool) -> None:
    if as_json:
        print_json({"accounts": [info.document() for info in found]})
    for info in [] if as_json else found:
        typer.echo(_line(info))


def _show_one(info: AccountInfo, as_json: bool, key: NewKey | None = None) -> None:
    if as_json:
        print_json({**info.document(), **({} if key is None else {"key": key.key})})
        return
    typer.echo(_line(info))
    for one in info.keys:
        state = "key_revoked" if one.revoked_at else "key_expires" if one.expires_at else "key_valid"
        moment = one.revoked_at or one.expires_at or one.created_at
        typer.echo("  " + catalogue.text(f"access.{state}", prefix=one.prefix, at=f"{moment:%Y-%m-%d %H:%M}"))
    if key is not None:
        typer.echo(catalogue.text("access.new_key", key=key.key))


def _line(info: AccountInfo) -> str:
    reach = ", ".join((*info.scope.area_prefixes, *info.scope.institutions)) or catalogue.text("access.all")
    parts = [info.name, info.role.value, reach]
    if info.subject:
        parts.append(info.subject)
    if info.revoked_at:
        parts.append(catalogue.text("access.revoked", at=f"{info.revoked_at:%Y-%m-%d %H:%M}", who=info.revoked_by))
    return " · ".join(parts)
