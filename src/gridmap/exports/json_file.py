"""JSON documents on disk: indented, UTF-8, keys in the order given, equal values in equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from gridmap.errors import Place, UnreadableFile
from gridmap.exports.beside import written_beside


def write_json(path: Path, document: Any) -> None:
    """Write ``document``; numbers of numpy are numbers, what is not finite is null."""
    with written_beside(path) as partial:
        partial.write_bytes(json_text(document))


def json_text(document: Any) -> bytes:
    """Bytes of the file that ``write_json`` writes."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document, option=options)


def read_json(path: Path) -> Any:
    """Read a document.

    Raises
    ------
    UnreadableFile
        If the file is missing or is not JSON.
    """
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError as fault:
        raise UnreadableFile("exports.no_plan", Place(file=str(path.parent)), missing=path.name) from fault
    except (OSError, orjson.JSONDecodeError) as fault:
        raise UnreadableFile("exports.broken_plan", Place(file=str(path)), reason=str(fault)) from fault
