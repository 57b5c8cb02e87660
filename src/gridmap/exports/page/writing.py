"""Put template, style, script and data of the page into one file.

The page may fetch nothing: its content security policy allows only the one style sheet and the one script written
here, each by its hash. The plan is a JSON data block; "<" is escaped in it, so that no name can end the block.
"""

from __future__ import annotations

import base64
import hashlib
import html
from importlib.resources import files
from pathlib import Path

import orjson

from gridmap.domain.plan import Plan
from gridmap.exports.beside import written_beside
from gridmap.exports.page.payload import page_payload

#: Parts of the script, in the order in which they need each other.
SCRIPTS = (
    "text.js",
    "decode.js",
    "view.js",
    "measures.js",
    "symbols.js",
    "draw.js",
    "hit.js",
    "card.js",
    "panel.js",
    "legend.js",
    "search.js",
    "main.js",
)


def write_page(plan: Plan, path: Path) -> None:
    """Write the page of ``plan``; it speaks Chinese and English."""
    with written_beside(path) as partial:
        partial.write_text(page_text(plan), encoding="utf-8")


def page_text(plan: Plan) -> str:
    """Text of the page of ``plan``."""
    style = _asset("style.css")
    script = '(() => {\n"use strict";\n' + "\n".join(_asset(name) for name in SCRIPTS) + "\n})();"
    data = orjson.dumps(page_payload(plan), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    parts = {
        "policy": policy,
        "title": html.escape(plan.settings.plan.name),
        "style": style,
        "script": script,
        "data": data.replace("<", "\\u003c"),
    }
    # One pass over the template, so that nothing inserted is itself searched for marks.
    return "".join(
        parts[piece] if at % 2 else piece
        for at, piece in enumerate(_asset("index.html").replace("}}", "{{").split("{{"))
    )


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
