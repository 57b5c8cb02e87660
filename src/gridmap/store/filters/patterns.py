"""Patterns of LIKE."""

from __future__ import annotations

import re

_WILD = {"%": "*", "_": "?"}


def glob_of(pattern: str) -> str:
    r"""Write a pattern of LIKE as one of GLOB, which minds capitals everywhere.

    >>> glob_of("50\\%_[%")
    '50%?[[]*'
    """
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(_WILD[part] if part in _WILD else re.sub(r"([*?\[])", r"[\1]", part[-1]) for part in parts)
