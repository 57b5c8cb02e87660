"""Read the grids of the plan before this one: a plan directory, a file of its grids, or a list of codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.domain.inputs import PreviousGrids
from gridmap.domain.plan_settings import PreviousSource
from gridmap.errors import BadValue, DuplicateId, Place, TooLarge, UnreadableFile
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.inputs.columns import GRID_RETIRED, GRID_STATUS, first_column
from gridmap.inputs.folding import Texts, fold_word, folded_texts
from gridmap.inputs.grid_codes import check_grid_code, grid_code_column, grid_codes_of
from gridmap.inputs.opening import opening_faults_named
from gridmap.inputs.polygon_layers import polygons_of, require_distinct
from gridmap.inputs.staging import staged
from gridmap.inputs.tables import Table, read_table
from gridmap.inputs.vector import VectorLayer, read_layer
from gridmap.settings import settings

_GEOPACKAGE, _REPORT = "plan.gpkg", "report.json"
_GRIDS, _LEVELS = "grids", "levels"
_NESTED_LEVELS = ("sub", "super")

#: What columns of ``GRID_RETIRED`` and of ``GRID_STATUS`` say → whether the grid is retired.
_FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "是", "retired", "停用", "已停用", "撤销", "已撤销"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "否", "在用", "正常"), False),
}
_STATES: Mapping[str, bool] = {
    **dict.fromkeys(("retired", "inactive", "停用", "已停用", "撤销", "已撤销", "注销", "作废", "废止", "失效"), True),
    **dict.fromkeys(("in_force", "active", "published", "启用", "在用", "使用中", "有效", "正常", "已发布"), False),
}

Rows = NDArray[np.intp]
PlaceOfField = Callable[[int, str], Place]


def read_previous(
    source: PreviousSource, base_dir: Path, *, repair: bool = False
) -> tuple[PreviousGrids, tuple[str, ...]]:
    """Read the grids and the codes of the plan before this one.

    Parameters
    ----------
    source : the directory that ``gridmap plan`` wrote; or polygons with a column of grid codes, in any vector file; or
        a list of codes (CSV, XLSX). Files may say of each grid whether it is retired (``retired``, ``状态``).
    base_dir : folder that ``source.path`` is relative to
    repair : untangle improper rings instead of refusing them

    Returns
    -------
    The grids by code, and what was noticed, already worded.

    Raises
    ------
    MissingColumn, BadValue, DuplicateId
        If grid codes are missing, empty, of no form that grid codes have, or stand twice; or a status is not known.
    UnreadableFile
        If a directory is no plan; and as the readers of areas and tables.
    TooLarge, UnknownDatum, InvalidGeometry, OutOfPlace
        As ``read_areas``.
    """
    path = base_dir / source.path
    if path.is_dir():
        return _of_plan(path, source, repair)
    place = Place(file=path.name)
    with staged(path, layer=source.layer, encoding=source.encoding) as file:
        if file.format.is_table:
            return _of_table(read_table(file, place))
        if not file.format.is_vector:
            raise UnreadableFile("inputs.not_polygons", place, kind=file.format.shown)
        found = read_layer(file, place, repair=repair)
    return _of_layer(found, source, repair)


def _of_plan(directory: Path, source: PreviousSource, repair: bool) -> tuple[PreviousGrids, tuple[str, ...]]:
    retired = _retired_in_report(directory)
    found = _layer_of_plan(directory, source.layer or _GRIDS, repair)
    if found is None:
        raise UnreadableFile(
            "exports.no_plan", Place(file=directory.name), missing=f"{_GEOPACKAGE}: {source.layer or _GRIDS}"
        )
    grids, warnings = _of_layer(found, source, repair)
    nested, more = _nested(directory, source, repair)
    codes = (*grids.codes, *(nested.codes if nested else ()))
    gone = tuple(sorted({*grids.retired, *retired} - set(codes)))
    return replace(grids, retired=gone, source=directory.name, nested=nested), (*warnings, *more)


def _retired_in_report(directory: Path) -> list[str]:
    """Codes that the report of a plan lists as never to be given again."""
    path = directory / _REPORT
    place = Place(file=f"{directory.name}/{_REPORT}")
    if not path.is_file():
        raise UnreadableFile("exports.no_plan", Place(file=directory.name), missing=_REPORT)
    with opening_faults_named(path):
        size_mb, limit_mb = path.stat().st_size / 1e6, settings().max_file_bytes / 1e6
        if size_mb > limit_mb:
            raise TooLarge("inputs.file_too_large", place, size_mb=f"{size_mb:,.0f}", limit_mb=f"{limit_mb:,.0f}")
        content = path.read_bytes()
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError) as fault:
        raise UnreadableFile("exports.broken_plan", place, reason=str(fault)) from None
    if not isinstance(document, dict) or document.get("made_by") != "gridmap":
        raise UnreadableFile("exports.no_plan", Place(file=directory.name), missing=_REPORT)
    codes = document.get("retired_codes", [])
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise BadValue("inputs.bad_grid_code", replace(place, field="retired_codes"), value=str(codes)[:60])
    for code in codes:
        check_grid_code(code, replace(place, field="retired_codes"))
    return codes


def _layer_of_plan(directory: Path, layer: str, repair: bool) -> VectorLayer | None:
    """Layer of the GeoPackage of a plan, None where it has no such layer."""
    path = directory / _GEOPACKAGE
    if not path.is_file():
        raise UnreadableFile("exports.no_plan", Place(file=directory.name), missing=_GEOPACKAGE)
    try:
        with staged(path, layer=layer) as file:
            return read_layer(file, Place(file=f"{directory.name}/{_GEOPACKAGE}"), repair=repair)
    except UnreadableFile as error:
        if error.key == "inputs.no_such_layer":
            return None
        raise


def _nested(directory: Path, source: PreviousSource, repair: bool) -> tuple[PreviousGrids | None, tuple[str, ...]]:
    """Sub-grids and super-grids of a plan, None where it has none."""
    found = _layer_of_plan(directory, _LEVELS, repair)
    if found is None or not {"code", "level"} <= set(found.attributes.columns):
        return None, ()
    rows = np.flatnonzero(found.attributes["level"].isin(_NESTED_LEVELS))
    if not len(rows):
        return None, ()
    codes = folded_texts(found.attributes["code"])
    for row in rows.tolist():
        check_grid_code(codes[row] or "", found.place_of(row, field="code"))
    require_distinct(codes[rows], lambda number: found.place_of(int(rows[number])), "inputs.grid_code_twice")
    return _grids(found, codes, rows, (), source, repair)


def _of_layer(found: VectorLayer, source: PreviousSource, repair: bool) -> tuple[PreviousGrids, tuple[str, ...]]:
    field = grid_code_column(found.attributes, None, found.place)
    codes = grid_codes_of(found.attributes, field, lambda row: found.place_of(row, field=field))
    require_distinct(codes, found.place_of, "inputs.grid_code_twice")
    is_retired = _retired(found.attributes, lambda row, column: found.place_of(row, field=column))
    return _grids(found, codes, np.flatnonzero(~is_retired), tuple(sorted(codes[is_retired])), source, repair)


def _grids(
    found: VectorLayer, codes: Texts, rows: Rows, retired: tuple[str, ...], source: PreviousSource, repair: bool
) -> tuple[PreviousGrids, tuple[str, ...]]:
    rows = rows[np.argsort(codes[rows])]
    nameless = np.full(len(codes), None, dtype=object)
    if not len(rows):
        return PreviousGrids((), found.geometry[rows], retired, str(found.place.file)), found.warnings
    read = polygons_of(found, source.datum, codes, nameless, repair=repair, rows=rows)
    geometry = geometries_to_degrees(read.units)
    return PreviousGrids(tuple(codes[rows]), geometry, retired, str(found.place.file)), read.warnings


def _of_table(table: Table) -> tuple[PreviousGrids, tuple[str, ...]]:
    def place_of(row: int, field: str | None = None) -> Place:
        return replace(table.place, row=int(table.row[row]), field=field)

    field = grid_code_column(table.frame, None, table.place)
    codes = grid_codes_of(table.frame, field, lambda row: place_of(row, field))
    first: dict[str, int] = {}
    for row, code in enumerate(codes):
        if code in first:
            raise DuplicateId(
                "inputs.code_twice", place_of(row, field), value=code, first=place_of(first[code]).describe()
            )
        first[code] = row
    is_retired = _retired(table.frame, place_of)
    file = str(table.place.file)
    grids = PreviousGrids(tuple(sorted(codes[~is_retired])), None, tuple(sorted(codes[is_retired])), file)
    return grids, (*table.warnings, catalogue.text("inputs.codes_without_ground", file=file))


def _retired(frame: pd.DataFrame, place_of: PlaceOfField) -> NDArray[np.bool_]:
    """(n,) whether a column says so of each grid; where nothing is said it is in force."""
    found = np.zeros(len(frame), dtype=np.bool_)
    for names, words in ((GRID_RETIRED, _FLAGS), (GRID_STATUS, _STATES)):
        field = first_column(frame, names)
        if field is None:
            continue
        for row, text in enumerate(folded_texts(frame[field])):
            says = False if text is None else words.get(fold_word(text))
            if says is None:
                raise BadValue("inputs.unknown_status", place_of(row, field), value=text, known=", ".join(words))
            found[row] |= says
    return found
