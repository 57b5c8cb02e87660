"""Read CSV and XLSX into a frame of text, whatever spreadsheet wrote them."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.errors import BadValue, Place, TooLarge, UnreadableFile
from gridmap.inputs.archives import check_archive
from gridmap.inputs.encodings import decode_text
from gridmap.inputs.formats import KNOWN_FORMATS, Format
from gridmap.inputs.staging import Staged
from gridmap.settings import settings

#: What a damaged workbook or table makes the libraries under it raise; a SyntaxError is that of XML, whoever parses it.
_DAMAGED = (
    csv.Error,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_DELIMITERS = ",;\t，；|"
_MOST_COLUMNS = 1000

Row = list[str]


@dataclass(frozen=True)
class Table:
    """Rows of a table.

    Attributes
    ----------
    place : file and sheet
    frame : one row a row, columns as headed, values text or None
    row : (n,) int64 number of each row as a spreadsheet shows it; the header is row 1
    warnings : what was noticed, already worded
    """

    place: Place
    frame: pd.DataFrame
    row: NDArray[np.int64]
    warnings: tuple[str, ...]


def read_table(file: Staged, place: Place) -> Table:
    """Read the rows of a staged CSV or XLSX file.

    CSV may have a byte order mark, be UTF-8, UTF-16 or GB18030, and part its cells by comma, semicolon, tab, bar or the
    full-width comma. Of a workbook the sheet named as layer is read, else the first.

    Raises
    ------
    UnreadableFile
        If it is damaged, has no rows, or no such sheet.
    BadValue
        If two columns have one name, or a row has more cells than there are columns.
    TooLarge
        If it has more rows than the settings allow, or more than 1,000 columns.
    """
    if file.format is Format.XLSX:
        rows, place, warnings = _rows_of_workbook(file, place)
    else:
        rows, warnings = _rows_of_text(decode_text(file.path.read_bytes(), place, file.encoding), place), ()
    try:
        return _table(rows, place, (*file.warnings, *warnings))
    except _DAMAGED as error:
        raise UnreadableFile("inputs.cannot_read", place, reason=str(error), known=KNOWN_FORMATS) from None


def _rows_of_text(text: str, place: Place) -> Iterator[Row]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    if "\x00" in text:
        raise UnreadableFile("inputs.unknown_format", place, known=KNOWN_FORMATS)
    delimiter = max(_DELIMITERS, key=first.count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


def _rows_of_workbook(file: Staged, place: Place) -> tuple[Iterator[Row], Place, tuple[str, ...]]:
    book = _workbook(file, place)
    names = [sheet.title for sheet in book.worksheets]
    if file.layer is not None and file.layer not in names:
        raise UnreadableFile("inputs.no_such_layer", place, layer=file.layer, layers=", ".join(names))
    if not names:
        raise UnreadableFile("inputs.no_features", place)
    name = file.layer or names[0]
    sheet = book[name]
    # The size a sheet states of itself may be a lie of a million empty rows.
    sheet.reset_dimensions()
    warnings: tuple[str, ...] = ()
    if file.layer is None and len(names) > 1:
        others = ", ".join(names[1:])
        warnings = (catalogue.text("inputs.first_sheet", file=place.file, sheet=name, others=others),)
    rows = ([_cell_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
    return rows, replace(place, layer=name) if len(names) > 1 else place, warnings


def sheet_names(file: Staged, place: Place) -> list[str]:
    """Names of the sheets of a staged workbook; raises ``UnreadableFile`` if it is damaged."""
    return [str(sheet.title) for sheet in _workbook(file, place).worksheets]


def _workbook(file: Staged, place: Place) -> Any:
    # Imported here because most runs read no workbook, and it takes a tenth of a second.
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(file.path) as archive:
            check_archive(archive, place)
        return load_workbook(file.path, read_only=True, data_only=True)
    except _DAMAGED as error:
        raise UnreadableFile("inputs.cannot_read", place, reason=str(error), known=KNOWN_FORMATS) from None


def _cell_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e17 else repr(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def _table(rows: Iterable[Row], place: Place, warnings: tuple[str, ...]) -> Table:
    numbered = ((number, row) for number, row in enumerate(rows, start=1) if any(cell.strip() for cell in row))
    _, header = next(numbered, (1, []))
    if len(header) > _MOST_COLUMNS:
        raise TooLarge("inputs.too_many_columns", place, limit=f"{_MOST_COLUMNS:,}")
    limit = settings().max_table_rows
    found = list(islice(numbered, limit + 1))
    if len(found) > limit:
        raise TooLarge("inputs.too_many_rows", place, limit=f"{limit:,}")
    if not found:
        raise UnreadableFile("inputs.no_rows", place)
    names = _column_names(header, place)
    for number, row in found:
        if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
            place = replace(place, row=number)
            raise BadValue("inputs.too_many_cells", place, cells=len(row), columns=len(names))
    columns = {
        name: [row[position] if position < len(row) and row[position].strip() else None for _, row in found]
        for position, name in enumerate(names)
        if name
    }
    frame = pd.DataFrame(columns, dtype=object)
    return Table(place, frame, np.array([number for number, _ in found], dtype=np.int64), warnings)


def _column_names(header: Row, place: Place) -> list[str]:
    names = [cell.replace("\ufeff", "").strip() for cell in header]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise BadValue("inputs.column_twice", replace(place, row=1), name=twice)
    return names
