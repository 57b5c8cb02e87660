"""Who may be served without keys: whoever sits at this machine, as long as nobody set up accounts."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from gridmap.errors import UsageError
from gridmap.settings import Settings
from gridmap.store.accounts import Accounts
from gridmap.store.sql import SqlStore


def decide_single_user(store: SqlStore, config: Settings, host: str) -> bool:
    """Whether whoever asks may do everything.

    Only where nobody but this machine's users can ask: bound to loopback, not behind a proxy, without accounts or an
    issuer of tokens, and not switched off.

    Parameters
    ----------
    host : address that the service is bound to
    """
    is_alone = is_loopback(host) and not config.trusted_proxies.strip() and _leads_here(config.base_url)
    return config.single_user and is_alone and not config.oidc_issuer and not Accounts(store).exist()


def check_binding(store: SqlStore, config: Settings, host: str) -> None:
    """Refuse to serve other machines where nobody could be told apart.

    Raises
    ------
    UsageError
        If ``host`` is not loopback, and there are neither accounts nor an issuer of tokens.
    """
    if not is_loopback(host) and not config.oidc_issuer and not Accounts(store).exist():
        raise UsageError("access.open_binding", host=host)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, and is so by its name alone."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _leads_here(base_url: str | None) -> bool:
    return base_url is None or is_loopback(urlsplit(base_url).hostname or "")
