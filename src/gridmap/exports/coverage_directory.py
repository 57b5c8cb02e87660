"""Everything that ``gridmap coverage`` found, as files of a folder.

``coverage.json`` (all of it), ``coverage.md`` (sentences and tables), ``places.csv`` (measures by place and
institution), ``cells.geojson`` (measures of each cell); of each scenario ``changes/NAME.geojson`` (cells whose cover
changes) and ``gaps/NAME.geojson`` (coverage gaps as they would be).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan
from gridmap.domain.presets import Preset
from gridmap.exports.beside import written_beside
from gridmap.exports.geojson import write_geojson
from gridmap.exports.json_file import write_json
from gridmap.exports.sentences import literal
from gridmap.exports.standing import standing_lines, verdict_lines
from gridmap.exports.what_ifs import Played, file_name, gap_layer, markdown_table, scenario_lines, side_by_side
from gridmap.planning.access.places import cell_measures, place_frame
from gridmap.planning.access.standing import Standing


def write_coverage(
    directory: Path,
    plan: Plan,
    standing: Standing,
    scenarios: Sequence[Played],
    presets: Mapping[str, Preset],
    document: dict[str, Any],
    lang: Language | None = None,
) -> None:
    """Write the files that the head of this module lists; each appears when it is whole.

    Raises
    ------
    UsageError
        If the folder cannot be written to.
    StoreError
        If the disk fails.
    """
    write_json(directory / "coverage.json", document)
    with written_beside(directory / "coverage.md") as partial:
        content = _markdown(plan, standing, scenarios, presets, lang or catalogue.language())
        partial.write_text(content, encoding="utf-8")
    with written_beside(directory / "places.csv") as partial:
        # With the mark that tells spreadsheets it is UTF-8.
        place_frame(standing).to_csv(partial, index=False, encoding="utf-8-sig")
    write_geojson(directory / "cells.geojson", [cell_measures(standing, plan)], layer="cells")
    for one in scenarios:
        write_geojson(file_name(one.name, directory / "changes"), [one.told.cell_frame(plan)], layer="changes")
        write_geojson(file_name(one.name, directory / "gaps"), [gap_layer(one.told.after, plan)], layer="gaps")


def _markdown(
    plan: Plan, standing: Standing, scenarios: Sequence[Played], presets: Mapping[str, Preset], lang: Language
) -> str:
    head, *lines = standing_lines(plan, standing, presets, lang, literal)
    parts = [f"# {head}", _bullets(lines)]
    for one in scenarios:
        title, *told = scenario_lines(plan, one, lang, literal)
        told += verdict_lines(plan, one.told.after, presets, lang, literal)
        parts += [f"## {title}", _bullets(told)]
    if scenarios:
        parts.append(markdown_table(side_by_side(plan, standing, scenarios, lang, literal)))
    return "\n\n".join(parts) + "\n"


def _bullets(lines: Sequence[str]) -> str:
    """One bullet a line; what is indented below another goes a level deeper."""
    found: list[str] = []
    for line in lines:
        deeper = line.startswith(" ") and any(not one.startswith(" ") for one in lines[: len(found)])
        found.append(f"{'  ' if deeper else ''}- {line.strip()}")
    return "\n".join(found)
