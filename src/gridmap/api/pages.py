"""Answers for people: the same documents as small pages, with nothing from outside and no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from fastapi import Response

from gridmap import catalogue
from gridmap.api.formats import HTML

Document = Mapping[str, Any]
#: Pages bring their own style and load nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,'Noto Sans CJK SC',sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color:#1b2733;background:#fff}a{color:#0b5cad}nav a{margin-right:1rem}h1{font-size:1.5rem}"
    "table{border-collapse:collapse;font-size:.875rem}th,td{border:1px solid #ccd5dd;padding:.25rem .5rem;"
    "text-align:left;vertical-align:top;font-variant-numeric:tabular-nums}th{background:#f2f5f8}"
    ".wide{overflow-x:auto}dt{font-weight:600}dd{margin:0 0 .5rem}"
)


def html_answer(body: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a page."""
    return Response(body, 200, {**(headers or {}), "Content-Security-Policy": _POLICY}, HTML)


def document_page(document: Document, lang: catalogue.Language) -> str:
    """Page of a document with a title, a description and links."""
    return _page(str(document["title"]), _described(document) + _links(document["links"]), lang)


def conformance_page(document: Document, lang: catalogue.Language) -> str:
    """Page of the conformance classes."""
    classes = "".join(f"<li>{escape(one)}</li>" for one in document["conformsTo"])
    return _page(catalogue.text("features.conformance", lang), f"<ul>{classes}</ul>", lang)


def collections_page(document: Document, lang: catalogue.Language) -> str:
    """Page of the list of collections."""
    rows = [(_anchor(one), escape(one["id"]), escape(one["description"])) for one in document["collections"]]
    headings = [catalogue.text(f"features.html_{name}", lang) for name in ("collection", "id", "description")]
    body = _table(headings, rows) + _links(document["links"])
    return _page(catalogue.text("features.collections", lang), body, lang)


def collection_page(document: Document, lang: catalogue.Language) -> str:
    """Page of a collection."""
    facts = {"html_id": document["id"]}
    if "extent" in document:
        facts["html_extent"] = ", ".join(map(str, document["extent"]["spatial"]["bbox"][0]))
    facts["html_crs"] = ", ".join(document["crs"])
    listed = "".join(
        f"<dt>{escape(catalogue.text(f'features.{key}', lang))}</dt><dd>{escape(value)}</dd>"
        for key, value in facts.items()
    )
    body = f"{_described(document)}<dl>{listed}</dl>{_links(document['links'])}"
    return _page(str(document["title"]), body, lang)


def items_page(title: str, document: Document, lang: catalogue.Language) -> str:
    """Page of features as a table, without their geometries."""
    features = document["features"]
    columns = list(features[0]["properties"]) if features else []
    own = next((one["href"] for one in document["links"] if one["rel"] == "collection"), "")
    rows = [(_item(own, one), *(_value(one["properties"].get(name)) for name in columns)) for one in features]
    matched, returned = document["numberMatched"], document["numberReturned"]
    said = catalogue.text("features.html_returned", lang, matched=f"{matched:,}", returned=f"{returned:,}")
    body = f"<p>{escape(said)}</p>{_links(document['links'])}{_table(['id', *columns], rows)}"
    return _page(title, body, lang)


def item_page(title: str, feature: Document, links: Iterable[Document], lang: catalogue.Language) -> str:
    """Page of one feature."""
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{_value(value)}</dd>" for name, value in feature["properties"].items())
    return _page(f"{title}: {feature['id']}", f"<dl>{facts}</dl>{_links(links)}", lang)


def _page(title: str, body: str, lang: catalogue.Language) -> str:
    tag = "zh-CN" if lang == "zh" else "en"
    return (
        f'<!doctype html><html lang="{tag}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def _described(document: Document) -> str:
    return f"<p>{escape(str(document.get('description', '')))}</p>"


def _links(links: Iterable[Document]) -> str:
    shown = (
        f'<a href="{escape(one["href"])}">{escape(one.get("title") or one["rel"])}</a> <small>{escape(one["type"])}'
        "</small>"
        for one in links
        if not one.get("templated")
    )
    return f"<ul>{''.join(f'<li>{one}</li>' for one in shown)}</ul>"


def _anchor(collection: Document) -> str:
    own = next(one["href"] for one in collection["links"] if one["rel"] == "self")
    return f'<a href="{escape(own)}">{escape(collection["title"])}</a>'


def _item(collection: str, feature: Document) -> str:
    shown = escape(str(feature["id"]))
    return f'<a href="{escape(collection)}/items/{quote(str(feature["id"]), safe="")}">{shown}</a>'


def _table(headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _value(value: Any) -> str:
    if value is None:
        return ""
    return escape("; ".join(map(str, value)) if isinstance(value, list) else str(value))
