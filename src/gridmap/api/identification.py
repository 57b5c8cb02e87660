"""Who asks: the account of a key, the subject of a token, or on loopback without either, the single user."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64

from fastapi import Request

from gridmap.api.service import Service
from gridmap.domain.access import SINGLE_USER_NAME, Identity, Role
from gridmap.errors import NotIdentified, UsageError
from gridmap.store.accounts import Accounts

SINGLE_USER = Identity(SINGLE_USER_NAME, Role.ADMINISTRATOR)


class Gate:
    """Lets in whoever has a valid key, and where there are no accounts yet, the single user.

    Parameters
    ----------
    service : what the process works with
    """

    def __init__(self, service: Service) -> None:
        self._accounts = Accounts(service.store)
        self._is_single_user = service.is_single_user

    def is_single_user(self) -> bool:
        """Whether whoever asks may do everything; over for good with the first account."""
        if self._is_single_user and self._accounts.exist():
            self._is_single_user = False
        return self._is_single_user

    def identify(self, request: Request) -> Identity:
        """Find out who asks; raises as ``identify``."""
        credential = credential_of(request)
        if credential is None:
            if self.is_single_user():
                return SINGLE_USER
            raise NotIdentified("api.not_identified")
        identity = self._accounts.identify(credential)
        if identity is None:
            raise NotIdentified("access.refused")
        return identity


def identify(request: Request) -> Identity:
    """Find out who asks.

    Raises
    ------
    UsageError
        If there is more than one key or token.
    NotIdentified
        If there is no key or token, or none that is valid.
    """
    gate: Gate = request.app.state.gate
    identity = gate.identify(request)
    # For the log.
    request.state.who = identity.name
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
