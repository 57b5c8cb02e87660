"""Pieces of a Markdown report: sections, bullets, tables with heads from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gridmap import catalogue
from gridmap.catalogue import Language


def section(heading: str, body: str, lang: Language) -> str:
    """Body under the heading that ``report.HEADING`` words."""
    return f"## {catalogue.text(f'report.{heading}', lang)}\n\n{body}"


def bullets(lines: Iterable[str]) -> str:
    """One bullet a line."""
    return "\n".join(f"- {line}" for line in lines)


def paragraphs(parts: Iterable[str]) -> str:
    """Parts that are not empty, with an empty line between."""
    return "\n\n".join(part for part in parts if part)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], lang: Language, numbers: Iterable[int]) -> str:
    """Table with heads ``report.column_COLUMN``; ``numbers`` are the columns set to the right.

    Cells are Markdown already.
    """
    right = set(numbers)
    heads = [catalogue.text(f"report.column_{name}", lang) for name in columns]
    rule = ["--:" if at in right else ":--" for at in range(len(columns))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, rule, *rows])
