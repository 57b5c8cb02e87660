"""Tell what a file is by its content; its extension only counts where two formats share a content."""

from __future__ import annotations

import mmap
import re
from enum import StrEnum
from pathlib import Path

from gridmap.errors import Place, UnreadableFile
from gridmap.inputs.opening import opening_faults_named

_HEAD_BYTES = 4096


class Format(StrEnum):
    """A kind of file gridmap reads; the value is the extension it is staged under."""

    GEOJSON = "geojson"
    GEOJSON_LINES = "geojsonl"
    SHAPEFILE = "shp"
    GEOPACKAGE = "gpkg"
    FLATGEOBUF = "fgb"
    KML = "kml"
    OSM = "pbf"
    GEOPARQUET = "parquet"
    GEOTIFF = "tif"
    XLSX = "xlsx"
    ZIP = "zip"
    TEXT = "csv"

    @property
    def shown(self) -> str:
        """Name of the format as messages show it."""
        return _TITLES[self]

    @property
    def is_vector(self) -> bool:
        """Whether the sandboxed reader reads it as features with geometry."""
        return self not in (Format.GEOTIFF, Format.XLSX, Format.ZIP, Format.TEXT)

    @property
    def is_table(self) -> bool:
        """Whether it is rows and columns without geometry."""
        return self in (Format.XLSX, Format.TEXT)


_TITLES = {
    Format.GEOJSON: "GeoJSON",
    Format.GEOJSON_LINES: "GeoJSON (newline-delimited)",
    Format.SHAPEFILE: "Shapefile",
    Format.GEOPACKAGE: "GeoPackage",
    Format.FLATGEOBUF: "FlatGeobuf",
    Format.KML: "KML",
    Format.OSM: "OpenStreetMap PBF",
    Format.GEOPARQUET: "GeoParquet",
    Format.GEOTIFF: "GeoTIFF",
    Format.XLSX: "XLSX",
    Format.ZIP: "ZIP",
    Format.TEXT: "CSV",
}

#: What the product names when it meets something else.
KNOWN_FORMATS = "GeoJSON, Shapefile, GeoPackage, FlatGeobuf, KML/KMZ, OSM PBF, GeoParquet, GeoTIFF, CSV, XLSX, ZIP"

_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"SQLite format 3\x00", Format.GEOPACKAGE),
    (b"fgb\x03", Format.FLATGEOBUF),
    (b"PAR1", Format.GEOPARQUET),
    (b"\x00\x00\x27\x0a", Format.SHAPEFILE),
    (b"II*\x00", Format.GEOTIFF),
    (b"MM\x00*", Format.GEOTIFF),
    (b"II+\x00", Format.GEOTIFF),
    (b"MM\x00+", Format.GEOTIFF),
    (b"\x1e", Format.GEOJSON_LINES),
)

_OSM_HEADER = b"\n\tOSMHeader"

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def sniff(path: Path) -> Format:
    """Format of a file by its first bytes.

    Raises
    ------
    UnreadableFile
        If it is missing, a folder, empty, not to be opened, or of no known format.
    """
    head = _head(path)
    place = Place(file=path.name)
    if head.startswith(b"PK"):
        return Format.XLSX if _is_workbook(path) else Format.ZIP
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    # Four bytes of length come first.
    if head[4:15] == _OSM_HEADER:
        return Format.OSM
    text = _as_text(head).lstrip()
    if text.startswith("{"):
        return _kind_of_json(text, path)
    if text.startswith("<"):
        if re.search(r"<(\w+:)?kml[\s>]", text):
            return Format.KML
        root = re.search(r"<([A-Za-z_][\w:.-]*)", text)
        raise UnreadableFile("inputs.unknown_xml", place, root=root[1] if root else "?", known=KNOWN_FORMATS)
    # A .dbf or another binary part of something has bytes that no text has.
    if text.startswith("[") or "\x00" in text or path.suffix.lower() in (".dbf", ".shx", ".prj", ".cpg"):
        raise UnreadableFile("inputs.unknown_format", place, known=KNOWN_FORMATS)
    return Format.TEXT


def _head(path: Path) -> bytes:
    with opening_faults_named(path), path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if not head.strip(b"\x00 \r\n\t\xef\xbb\xbf"):
        raise UnreadableFile("inputs.empty_file", Place(file=path.name), size=path.stat().st_size)
    return head


def _as_text(head: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, errors="replace")
    return head.decode("latin-1")


def _is_workbook(path: Path) -> bool:
    # The directory of a zip stands at its end; reading it is the archive module's careful work.
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 65536))
        tail = stream.read()
    return b"xl/workbook.xml" in tail


def _kind_of_json(text: str, path: Path) -> Format:
    if path.suffix.lower() in (".geojsonl", ".geojsons", ".ndjson", ".ndgeojson", ".jsonl"):
        return Format.GEOJSON_LINES
    if not re.match(r'\{\s*"(?:type"\s*:\s*"Feature"|geometry"|properties"|id")', text):
        return Format.GEOJSON
    # One object closed and another opened on the next line, with no comma: never so within one JSON text.
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        several = re.search(rb"\}[ \r]*\n\s*\{", content)
    return Format.GEOJSON_LINES if several else Format.GEOJSON
