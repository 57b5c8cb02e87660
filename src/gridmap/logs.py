"""Log lines: one JSON object each (or plain text), with the request or job they belong to and without secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

_SECRET_NAMES = frozenset({"authorization", "x-api-key", "cookie", "password", "token", "key", "secret"})
#: Keys of ours, tokens, and passwords in addresses, wherever in a text they stand.
_SECRETS = re.compile(
    r"(?P<key>\bgm_[A-Za-z0-9]{4,16})_[A-Za-z0-9_-]{8,}"
    r"|(?P<token>\beyJ[A-Za-z0-9_-]{4,})\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"
    r"|(?P<scheme>\b[a-z][a-z0-9+]*://[^\s:/@]*):[^\s@/]+@"
)
HIDDEN = "***"


def configure_logs(level: str, form: Literal["json", "text"], stream: TextIO | None = None) -> None:
    """Send what gridmap and its libraries log to a stream, standard error unless another is given.

    Parameters
    ----------
    level : ``debug``, ``info``, ``warning`` or ``error``
    form : one JSON object a line, or text for people
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    ending = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, ending]
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # What they say of every request and statement we say ourselves, or nobody wants to know.
    for noisy in ("uvicorn.access", "sqlalchemy.engine", "alembic", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def without_secrets(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide keys, tokens and passwords in an entry of the log."""
    for name, value in entry.items():
        if name.lower().replace("_", "-") in _SECRET_NAMES:
            entry[name] = HIDDEN
        elif isinstance(value, str):
            entry[name] = hide_secrets(value)
        elif isinstance(value, (list, tuple, dict)):
            entry[name] = hide_secrets(str(value))
    return entry


def hide_secrets(text: str) -> str:
    """Replace secrets in a text by stars; what identifies a key stays."""

    def hidden(found: re.Match[str]) -> str:
        if found["key"]:
            return f"{found['key']}_{HIDDEN}"
        return f"{found['token']}.{HIDDEN}" if found["token"] else f"{found['scheme']}:{HIDDEN}@"

    return _SECRETS.sub(hidden, text)
