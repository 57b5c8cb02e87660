"""Bearer tokens of an OIDC issuer: proved by its keys, and what their claims give."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt import PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError, PyJWKClientError, PyJWTError

from gridmap.api.access.loopback import is_loopback
from gridmap.domain.access import Role, Scope, checked_scope
from gridmap.errors import NotAllowed, NotIdentified, StoreUnreachable, UsageError
from gridmap.settings import Settings

#: Signatures that whoever checks them cannot make; a shared secret would be no proof.
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
#: Whole reach, said outright.
EVERYTHING = "*"
_LEEWAY_S = 30
_TIMEOUT_S = 5.0
#: Keys are fetched so often; for one that is not known at most once a minute.
_FRESH_S, _COOLDOWN_S = 300.0, 60.0
#: How long keys are still good where the issuer cannot be reached, and how long it is left alone then.
_STALE_S, _LEFT_ALONE_S = 3600.0, 10.0
_LONGEST_TOKEN, _LONGEST_SUBJECT = 16_384, 255
_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Token:
    """What was proved of a token: its subject, and all its claims."""

    subject: str
    claims: dict[str, Any]


class Tokens:
    """Tokens of the issuer in the settings.

    Parameters
    ----------
    config : with ``oidc_issuer``

    Raises
    ------
    UsageError
        If the settings lack an audience, or an address is not https and not on this machine.
    """

    def __init__(self, config: Settings) -> None:
        self._config = config
        self._issuer = config.oidc_issuer or ""
        if not config.oidc_audience:
            raise UsageError("access.no_audience")
        for variable, address in (
            ("GRIDMAP_OIDC_ISSUER", self._issuer),
            ("GRIDMAP_OIDC_JWKS_URL", config.oidc_jwks_url),
        ):
            if address is not None and not _is_safe(address):
                raise UsageError("access.bad_issuer", variable=variable)
        self._keys: _Keys | None = None
        self._lock = Lock()
        self._left_alone_until = 0.0

    def prove(self, text: str) -> Token:
        """Prove a token.

        Raises
        ------
        NotIdentified
            If it is none, or not the issuer's, or not for this service, or its time is not now.
        StoreUnreachable
            If the issuer's keys cannot be had.
        """
        if len(text) > _LONGEST_TOKEN:
            raise NotIdentified("access.refused")
        try:
            header = jwt.get_unverified_header(text)
            # Before any key is fetched for it.
            if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
                raise NotIdentified("access.refused")
            key = self._key_source().get_signing_key(header["kid"])
            claims = jwt.decode(
                text,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._config.oidc_audience,
                issuer=self._issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except PyJWKClientConnectionError as fault:
            raise StoreUnreachable("access.issuer_unreachable") from fault
        except (PyJWTError, PyJWKClientError, ValueError) as fault:
            raise NotIdentified("access.refused") from fault
        subject = claims["sub"]
        if not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
            raise NotIdentified("access.refused")
        return Token(subject, claims)

    def role_of(self, token: Token) -> Role:
        """Role that the claims give; of several the highest.

        Raises
        ------
        NotAllowed
            If they give none.
        """
        claim = self._config.oidc_role_claim
        given = set(_texts(_claimed(token.claims, claim), words=True))
        roles = [role for role in Role if role.value in given]
        if not roles:
            raise NotAllowed("access.token_without_role", claim=claim)
        return roles[-1]

    def scope_of(self, token: Token) -> Scope:
        """Reach that the claims give; both must be there, and only ``*`` means everything.

        Raises
        ------
        NotAllowed
            If one of them is missing, empty or none.
        """
        parts = []
        # Names of institutions may hold spaces.
        for claim, words in ((self._config.oidc_areas_claim, True), (self._config.oidc_institutions_claim, False)):
            given = _texts(_claimed(token.claims, claim), words=words)
            if not given:
                raise NotAllowed("access.token_without_reach", claim=claim)
            parts.append(() if EVERYTHING in given else given)
        try:
            return checked_scope(*parts)
        except UsageError as fault:
            raise NotAllowed(fault.key, **fault.values) from fault

    def _key_source(self) -> _Keys:
        """Where the issuer's keys are, as it publishes it; asked once."""
        if self._keys is not None:
            return self._keys
        with self._lock:
            if self._keys is None:
                if time.monotonic() < self._left_alone_until:
                    raise PyJWKClientConnectionError("left alone")
                try:
                    self._keys = _Keys(self._config.oidc_jwks_url or self._published_address())
                except (PyJWTError, OSError, ValueError, KeyError) as fault:
                    self._left_alone_until = time.monotonic() + _LEFT_ALONE_S
                    raise PyJWKClientConnectionError("no address of keys") from fault
            return self._keys

    def _published_address(self) -> str:
        # It fetches one JSON object, which need not be keys, and follows nobody elsewhere.
        client = PyJWKClient(self._issuer.rstrip("/") + _DISCOVERY, cache_jwk_set=False, timeout=_TIMEOUT_S)
        document = client.fetch_data()
        address = str(document["jwks_uri"])
        if document.get("issuer") != self._issuer or not _is_safe(address):
            raise ValueError("the document is not the issuer's")
        return address


class _Keys(PyJWKClient):
    """Keys of an issuer, which may be away for a while."""

    def __init__(self, address: str) -> None:
        super().__init__(address, lifespan=_FRESH_S, timeout=_TIMEOUT_S, cooldown_duration=_COOLDOWN_S)
        self._kept: tuple[float, Any] | None = None
        self._left_alone_until = 0.0

    def fetch_data(self) -> Any:
        """Fetch the keys, or take those of the last hour where they cannot be had."""
        now = time.monotonic()
        if now >= self._left_alone_until:
            try:
                fetched = super().fetch_data()
            except (PyJWTError, OSError, ValueError):
                self._left_alone_until = now + _LEFT_ALONE_S
            else:
                self._kept = (now, fetched)
                return fetched
        if self._kept is None or now - self._kept[0] > _STALE_S:
            raise PyJWKClientConnectionError("the keys cannot be had")
        return self._kept[1]


def _is_safe(address: str) -> bool:
    """Whether nobody on the way can read or change what an address answers."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def _claimed(claims: dict[str, Any], name: str) -> Any:
    """Value of a claim; a name with dots also leads into claims within claims."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _texts(value: Any, *, words: bool) -> list[str]:
    """Texts of a claim: a list, or one text parted by commas, and where they are ``words`` by spaces."""
    if isinstance(value, str):
        parts = (value.replace(",", " ") if words else value).split(None if words else ",")
        return [part.strip() for part in parts if part.strip()]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
