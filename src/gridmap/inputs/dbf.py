"""Find out in which encoding the attribute table of a Shapefile was written, where its .cpg is missing or wrong."""

from __future__ import annotations

import codecs
import struct
from pathlib import Path

import numpy as np

from gridmap.errors import Place, UnreadableFile
from gridmap.inputs.encodings import not_text

#: Spellings of .cpg files that Python does not know.
_ALIASES = {
    "936": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "ansi 936": "gb18030",
    "65001": "utf-8",
}

#: A character of GB18030 or UTF-8 that the width of a field cut off leaves up to three bytes behind.
_LONGEST_CUT = 3


def encoding_of_table(dbf: Path, stated: str | None, given: str | None, place: Place) -> tuple[str, bool]:
    """Find the encoding that decodes every text of a .dbf.

    Parameters
    ----------
    dbf : the attribute table
    stated : what the .cpg says, or None
    given : what the user says, or None; then nothing else is tried

    Returns
    -------
    Encoding by a name that Python and GDAL know, and whether it contradicts what the .cpg says.

    Raises
    ------
    BadValue
        If no encoding fits.
    UnreadableFile
        If the header of the table is broken.
    """
    texts = _texts(dbf, place)
    wanted = [given] if given else [name for name in (stated, "utf-8", "gb18030") if name]
    for name in wanted:
        encoding = _ALIASES.get(name.strip().lower(), name.strip())
        if all(_decodes_but_for_a_cut(text, encoding) for text in texts):
            return codecs.lookup(encoding).name, bool(stated) and name != stated and any(
                not text.isascii() for text in texts
            )
    raise not_text(place, wanted)


def _texts(dbf: Path, place: Place) -> list[bytes]:
    """Distinct field names and character values of the table."""
    content = dbf.read_bytes()
    if len(content) < 33:
        raise UnreadableFile("inputs.broken_dbf", place)
    rows, header_size, row_size = struct.unpack("<IHH", content[4:12])
    if not 33 <= header_size <= len(content) or row_size < 1:
        raise UnreadableFile("inputs.broken_dbf", place)
    rows = min(rows, (len(content) - header_size) // row_size)
    table = np.frombuffer(content, np.uint8, rows * row_size, header_size).reshape(rows, row_size)
    texts: set[bytes] = set()
    start = 1
    for offset in range(32, header_size - 1, 32):
        field = content[offset : offset + 32]
        if len(field) < 32 or field[0] == 0x0D:
            break
        texts.add(field[:11].split(b"\x00")[0])
        width = field[16]
        if field[11:12] == b"C" and rows and start + width <= row_size and width:
            column = np.ascontiguousarray(table[:, start : start + width]).view(f"S{width}")
            texts.update(value.rstrip(b" \x00") for value in np.unique(column).tolist())
        start += width
    return [text for text in texts if not text.isascii()]


def _decodes_but_for_a_cut(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError as error:
        return error.end == len(text) and error.start >= len(text) - _LONGEST_CUT and error.start > 0
    except LookupError:
        return False
    return True
