"""Accounts and keys, and who changed what: for administrators of everything; and who one is, for everybody."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Path, Query, Request, Response
from pydantic import Field

from gridmap.api.answers import href, json_answer, link
from gridmap.api.bodies import Body, body_of, documented
from gridmap.api.dependencies import Asking, TheService
from gridmap.api.routing import router
from gridmap.api.spans import Limit
from gridmap.domain.access import SINGLE_USER_NAME, Identity, Role, Scope, checked_scope
from gridmap.errors import NotAllowed, UsageError
from gridmap.store.accounts import AccountInfo, Accounts
from gridmap.store.api_keys import NewKey
from gridmap.store.auditing import NOTHING_SEEN, AccountChange, Entry, Seen, audit_page
from gridmap.store.protocols import AuditEntry

routes = router()
_SEEN = re.compile(r"([0-9]{1,10})-([0-9]{1,10})")
#: Nothing of this is kept, by nobody.
_FRESH = "no-store"

AccountName = Annotated[str, Path(max_length=200, description="name of an account")]
Prefix = Annotated[str, Path(max_length=200, description="the eight characters after gm_ that a key begins with")]
_Days = Annotated[float, Field(ge=0.001, le=36_500, description="days until the key expires; default: never")]
_Areas = Annotated[
    list[str], Field(max_length=1000, description="prefixes of area codes in reach, 2 to 12 digits; none: all")
]
_Institutions = Annotated[list[str], Field(max_length=1000, description="institutions in reach; none: all")]
_Role = Annotated[Role, Field(strict=False)]


class NewAccount(Body):
    """An account to be made."""

    name: Annotated[str, Field(description="1 to 64 letters and digits, inside also . @ + - _ and spaces")]
    role: _Role
    areas: _Areas = Field(default_factory=list)
    institutions: _Institutions = Field(default_factory=list)
    subject: Annotated[str | None, Field(description="claim sub of the tokens that are this account's")] = None
    expires_days: _Days | None = None


class AccountUpdate(Body):
    """What is to change of an account; what is left out stays."""

    role: _Role | None = None
    areas: _Areas | None = None
    institutions: _Institutions | None = None
    subject: str | None = None


class WantedKey(Body):
    """A key to be made."""

    expires_days: _Days | None = None


async def administrator(asking: Asking) -> Identity:
    """Whoever asks, if they may give accounts: reach over a part is no right to open the whole.

    Raises
    ------
    NotAllowed
        If they are no administrator, or one of a part.
    """
    if not asking.role.reaches(Role.ADMINISTRATOR):
        raise NotAllowed("access.role_needed", needed=Role.ADMINISTRATOR.value, role=asking.role.value)
    if not asking.scope.is_whole:
        raise NotAllowed("access.whole_reach_needed")
    return asking


async def accounts_of(service: TheService) -> Accounts:
    """Accounts of the store."""
    return Accounts(service.store)


Administrator = Annotated[Identity, Depends(administrator)]
TheAccounts = Annotated[Accounts, Depends(accounts_of)]


@routes.get("/me", tags=["access"], summary="Who asks, as what, and how far the reach goes")
def me(asking: Asking) -> Response:
    """Say what a key or token gives."""
    return _answer({"name": asking.name, "role": asking.role.value, **_reach(asking.scope)})


@routes.get("/accounts", tags=["access"], summary="Accounts")
def list_accounts(request: Request, _administrator: Administrator, accounts: TheAccounts) -> Response:
    """List accounts by name, revoked ones too."""
    found = [_account(request, info) for info in accounts.list()]
    return _answer({"accounts": found, "links": [link(request, "self", "/accounts")]})


_EXAMPLE = {"name": "wang", "role": "planner", "areas": ["330106001"], "institutions": ["示例农商银行"]}


@routes.post(
    "/accounts",
    status_code=201,
    tags=["access"],
    summary="Make an account, and its first key",
    openapi_extra=documented(NewAccount, _EXAMPLE),
)
def add_account(
    request: Request,
    asking: Administrator,
    accounts: TheAccounts,
    wanted: Annotated[NewAccount, Depends(body_of(NewAccount))],
) -> Response:
    """Make an account; the key shows in this answer only. One with a subject is known by its tokens and gets none."""
    scope = checked_scope(wanted.areas, wanted.institutions)
    if asking.name == SINGLE_USER_NAME and not (wanted.role is Role.ADMINISTRATOR and scope.is_whole):
        # From the first account on nobody is let in without one: somebody must be able to make the others.
        raise UsageError("access.first_account")
    until = _moment(wanted.expires_days)
    info = accounts.add(wanted.name, wanted.role, scope, subject=wanted.subject, who=asking.name)
    key = None
    if wanted.subject is None:
        key = accounts.new_key(info.name, who=asking.name, expires_at=until)
        info = accounts.find(info.name)
    document = {**_account(request, info), **({} if key is None else {"key": key.key})}
    return _answer(document, 201, Location=href(request, _path(info.name)))


@routes.get("/accounts/{name}", tags=["access"], summary="An account and its keys")
def get_account(request: Request, _administrator: Administrator, accounts: TheAccounts, name: AccountName) -> Response:
    """Show an account; of its keys the prefixes, for more is not kept."""
    return _answer(_account(request, accounts.find(name)))


@routes.patch(
    "/accounts/{name}",
    tags=["access"],
    summary="Give another role, reach or subject",
    openapi_extra=documented(AccountUpdate, {"role": "publisher"}),
)
def change_account(
    request: Request,
    asking: Administrator,
    accounts: TheAccounts,
    name: AccountName,
    wanted: Annotated[AccountUpdate, Depends(body_of(AccountUpdate))],
) -> Response:
    """Change an account; it counts from its next request on. An empty list reaches everything."""
    changed = {key: value for key, value in wanted if key in wanted.model_fields_set}
    for key in ("role", "areas", "institutions"):
        if changed.get(key, key) is None:
            del changed[key]
    return _answer(_account(request, accounts.change(name, who=asking.name, **changed)))


@routes.delete("/accounts/{name}", tags=["access"], summary="Revoke an account")
def revoke_account(request: Request, asking: Administrator, accounts: TheAccounts, name: AccountName) -> Response:
    """Revoke an account for good: its keys and tokens are refused from now on."""
    return _answer(_account(request, accounts.revoke(name, who=asking.name)))


@routes.post(
    "/accounts/{name}/keys",
    status_code=201,
    tags=["access"],
    summary="Make another key",
    openapi_extra=documented(WantedKey, {"expires_days": 90}),
)
def add_key(
    asking: Administrator,
    accounts: TheAccounts,
    name: AccountName,
    wanted: Annotated[WantedKey, Depends(body_of(WantedKey))],
) -> Response:
    """Make a key; it shows in this answer only."""
    return _answer(_new_key(accounts.new_key(name, who=asking.name, expires_at=_moment(wanted.expires_days))), 201)


@routes.delete("/accounts/{name}/keys/{prefix}", tags=["access"], summary="Revoke a key")
def revoke_key(
    request: Request, asking: Administrator, accounts: TheAccounts, name: AccountName, prefix: Prefix
) -> Response:
    """Revoke a key for good: it is refused from now on."""
    return _answer(_account(request, accounts.revoke_key(prefix, name=name, who=asking.name)))


@routes.get("/audit", tags=["access"], summary="Who changed what, newest first")
def audit(
    request: Request,
    _administrator: Administrator,
    service: TheService,
    limit: Limit = 100,
    before: Annotated[str | None, Query(max_length=32, description="as the link next has it")] = None,
) -> Response:
    """List changes of plans and of accounts."""
    seen = NOTHING_SEEN
    if before is not None:
        match = _SEEN.fullmatch(before)
        if match is None or max(int(match[1]), int(match[2])) > max(NOTHING_SEEN):
            raise UsageError("access.bad_place_in_audit")
        seen = Seen(int(match[1]), int(match[2]))
    entries, next_seen = audit_page(service.store, min(limit, service.config.page_limit), seen)
    links = [link(request, "self", "/audit")]
    if next_seen is not None:
        links.append(link(request, "next", f"/audit?limit={limit}&before={next_seen.plans}-{next_seen.accounts}"))
    return _answer({"entries": [_entry(one) for one in entries], "links": links})


def _answer(document: Any, status: int = 200, **headers: str) -> Response:
    return json_answer(document, status, Cache_Control=_FRESH, **headers)


def _reach(scope: Scope) -> dict[str, Any]:
    return {
        "areas": list(scope.area_prefixes),
        "institutions": list(scope.institutions),
        "everything": scope.is_whole,
    }


def _path(name: str) -> str:
    return f"/accounts/{quote(name, safe='')}"


def _account(request: Request, info: AccountInfo) -> dict[str, Any]:
    return {**info.document(), "links": [link(request, "self", _path(info.name))]}


def _new_key(key: NewKey) -> dict[str, Any]:
    return {"account": key.account, "prefix": key.prefix, "expires_at": key.expires_at, "key": key.key}


def _moment(days: float | None) -> datetime | None:
    return None if days is None else datetime.now(UTC) + timedelta(days=days)


def _entry(entry: Entry) -> dict[str, Any]:
    kind = AuditEntry if isinstance(entry, AuditEntry) else AccountChange
    named = {name: getattr(entry, name) for name in kind.__dataclass_fields__}
    if isinstance(entry, AuditEntry):
        named["plan"] = named.pop("plan_id")
    return named
