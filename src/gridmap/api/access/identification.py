"""Who asks: the account of a key, the subject of a token, or on loopback without either, the single user."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64

import structlog
from fastapi import Request

from gridmap.api.access.limits import Limit, address_of, answer_with
from gridmap.api.access.tokens import Tokens
from gridmap.api.service import Service
from gridmap.domain.access import SINGLE_USER_NAME, Identity, Role
from gridmap.errors import NotIdentified, UsageError
from gridmap.store.accounts import Accounts
from gridmap.store.api_keys import looks_like_key

SINGLE_USER = Identity(SINGLE_USER_NAME, Role.ADMINISTRATOR)
#: Beginning of the names of token bearers without an account, which no account's name has.
_SUBJECT_MARK = "oidc:"
_log = structlog.get_logger("gridmap.access")


class Gate:
    """Lets in whoever has a valid key or token, and where there are no accounts yet, the single user.

    Parameters
    ----------
    service : what the process works with

    Raises
    ------
    UsageError
        If a setting of access cannot be used.
    """

    def __init__(self, service: Service) -> None:
        config = service.config
        self._accounts = Accounts(service.store)
        self._is_single_user = service.is_single_user
        self._tokens = Tokens(config) if config.oidc_issuer else None
        self._limit = Limit("GRIDMAP_RATE_LIMIT", config.rate_limit)
        self._refusals = Limit("GRIDMAP_LOGIN_RATE_LIMIT", config.login_rate_limit)

    @property
    def may_be_single_user(self) -> bool:
        """Whether nobody has seen an account yet."""
        return self._is_single_user

    def is_single_user(self) -> bool:
        """Whether whoever asks may do everything; over for good with the first account."""
        if self._is_single_user and self._accounts.exist():
            self._is_single_user = False
        return self._is_single_user

    def identify(self, request: Request) -> Identity:
        """Find out who asks; raises as ``identify``."""
        scope = request.scope
        try:
            credential = credential_of(request)
            if credential is None:
                self._limit.spend(scope, address_of(scope))
                if self.is_single_user():
                    return SINGLE_USER
                raise NotIdentified("api.not_identified")
            identity = self._holder_of(credential)
        except NotIdentified as refused:
            _challenge(request, refused)
            if refused.key != "api.not_identified":
                # A valid key passes however many others were refused: behind one address there may be a whole bank.
                _log.warning("credential refused", address=address_of(scope))
                self._refusals.spend(scope, address_of(scope))
            raise
        self._limit.spend(scope, f"account {identity.name}")
        return identity

    def _holder_of(self, credential: str) -> Identity:
        if looks_like_key(credential) or self._tokens is None:
            identity = self._accounts.identify(credential)
        else:
            token = self._tokens.prove(credential)
            is_known, identity = self._accounts.of_subject(token.subject)
            if not is_known:
                role, scope = self._tokens.role_of(token), self._tokens.scope_of(token)
                identity = Identity(f"{_SUBJECT_MARK}{token.subject}", role, scope)
        if identity is None:
            raise NotIdentified("access.refused")
        return identity


def _challenge(request: Request, refused: NotIdentified) -> None:
    """Have the answer say how to ask: to pages not by Basic, or browsers would ask their users for passwords."""
    error = "" if refused.key == "api.not_identified" else ', error="invalid_token"'
    said = f'Bearer realm="gridmap"{error}'
    if request.headers.get("sec-fetch-mode", "navigate") == "navigate":
        said += ', Basic realm="gridmap", charset="UTF-8"'
    answer_with(request.scope, {b"www-authenticate": said.encode()})


def identify(request: Request) -> Identity:
    """Find out who asks.

    Raises
    ------
    UsageError
        If there is more than one key or token.
    NotIdentified
        If there is no key or token, or none that is valid.
    NotAllowed
        If a token gives no role or no reach, and its subject has no account.
    TooMany
        If there were more requests, or refused keys and tokens, than the settings allow.
    StoreUnreachable
        If a token cannot be proved because its issuer cannot be reached.
    """
    gate: Gate = request.app.state.gate
    identity = gate.identify(request)
    # For the log.
    request.state.who = identity.name
    if not identity.scope.is_whole:
        # A reach may grow or shrink: what a client keeps under it must not outlive it.
        answer_with(request.scope, {b"cache-control": b"private, no-cache"})
    return identity


def credential_of(request: Request) -> str | None:
    """Key or token of a request; that of HTTP Basic is its password, whatever the user.

    Raises
    ------
    UsageError
        If there is more than one.
    NotIdentified
        If the header is of no scheme that is known.
    """
    given = request.headers.getlist("authorization")
    keys = request.headers.getlist("x-api-key")
    if len(given) + len(keys) > 1:
        raise UsageError("access.two_credentials")
    if keys:
        return keys[0].strip()
    if not given:
        return None
    scheme, _, value = given[0].strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        return _password_of(value.strip())
    raise NotIdentified("access.refused")


def _password_of(value: str) -> str:
    try:
        return b64decode(value, validate=True).decode().partition(":")[2]
    except (NotBase64, UnicodeDecodeError) as fault:
        raise NotIdentified("access.refused") from fault
