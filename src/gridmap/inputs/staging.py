"""Lay a user's file ready for reading: unpacked, checked, alone in a folder, under the extension of its content."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridmap import catalogue
from gridmap.errors import Place, TooLarge, UnreadableFile
from gridmap.inputs.archives import unpack
from gridmap.inputs.dbf import encoding_of_table
from gridmap.inputs.encodings import decode_text, decodes
from gridmap.inputs.formats import KNOWN_FORMATS, Format, sniff
from gridmap.settings import settings


@dataclass(frozen=True)
class Staged:
    """A file ready for reading.

    Attributes
    ----------
    path : in a temporary folder that nothing else is in
    format : by content
    layer : the layer still to be chosen within the file, if any
    encoding : of its text, where the reader must be told
    warnings : what was noticed, already worded
    """

    path: Path
    format: Format
    layer: str | None
    encoding: str | None
    warnings: tuple[str, ...]


@contextmanager
def staged(path: Path, *, layer: str | None = None, encoding: str | None = None) -> Iterator[Staged]:
    """Lay a file ready; what was laid out is gone when the context ends.

    Raises
    ------
    UnreadableFile
        If the file is missing, empty, broken, unsafe, or of no known format.
    TooLarge
        If it is beyond the limits of the settings.
    """
    place = Place(file=path.name)
    kind = sniff(path)
    size, limit = path.stat().st_size, settings().max_file_bytes
    if size > limit:
        raise TooLarge("inputs.file_too_large", place, size_mb=f"{size / 1e6:,.0f}", limit_mb=f"{limit / 1e6:,.0f}")
    with tempfile.TemporaryDirectory(prefix="gridmap-") as name:
        folder = Path(name)
        source = path
        if kind is Format.ZIP:
            unpacked = folder / "unpacked"
            unpacked.mkdir()
            source, used_up = unpack(path, unpacked, layer, place)
            layer = None if used_up else layer
            kind = sniff(source)
            if kind is Format.ZIP:
                raise UnreadableFile("inputs.unknown_format", place, known=KNOWN_FORMATS)
        workplace = folder / "work"
        workplace.mkdir()
        yield _lay_out(source, kind, workplace, layer, encoding, place)


def _lay_out(source: Path, kind: Format, folder: Path, layer: str | None, encoding: str | None, place: Place) -> Staged:
    if kind is Format.SHAPEFILE:
        return _lay_out_shapefile(source, folder, layer, encoding, place)
    target = folder / f"{source.stem}.{kind}"
    if kind in (Format.GEOJSON, Format.GEOJSON_LINES, Format.KML):
        return Staged(target, kind, layer, None, _link_as_utf8(source, target, kind, encoding, place))
    target.symlink_to(source.resolve())
    return Staged(target, kind, layer, encoding if kind is Format.TEXT else None, ())


def _link_as_utf8(source: Path, target: Path, kind: Format, encoding: str | None, place: Place) -> tuple[str, ...]:
    """Link a text format, or copy it recoded where it is not the UTF-8 that its standard asks for."""
    content = source.read_bytes()
    if kind is Format.KML:
        # Entities have no use in KML but to burst or to read other files.
        if b"<!ENTITY" in content or "<!ENTITY".encode("utf-16-le") in content:
            raise UnreadableFile("inputs.xml_entities", place)
        target.symlink_to(source.resolve())
        return ()
    if encoding is None and decodes(content, "utf-8"):
        target.symlink_to(source.resolve())
        return ()
    target.write_text(decode_text(content, place, encoding), encoding="utf-8")
    return (catalogue.text("inputs.recoded", file=place.file),)


def _lay_out_shapefile(source: Path, folder: Path, layer: str | None, encoding: str | None, place: Place) -> Staged:
    parts = _parts_of(source)
    warnings: list[str] = []
    for suffix in (".shx", ".dbf"):
        if suffix not in parts:
            warnings.append(catalogue.text(f"inputs.without_{suffix[1:]}", file=place.file))
        elif not parts[suffix].stat().st_size:
            raise UnreadableFile("inputs.empty_part", place, part=f"{source.stem}{suffix}")
    for suffix in (".shp", ".shx", ".dbf", ".prj"):
        if suffix in parts:
            (folder / f"{source.stem}{suffix}").symlink_to(parts[suffix].resolve())
    if ".shx" not in parts:
        # GDAL writes the index anew beside the .shp, so that must be a file of ours, not a link.
        copy = folder / f"{source.stem}.shp"
        copy.unlink()
        copy.write_bytes(source.read_bytes())
    if ".dbf" in parts:
        stated = parts[".cpg"].read_text("latin-1").strip() or None if ".cpg" in parts else None
        encoding, contradicts = encoding_of_table(parts[".dbf"], stated, encoding, place)
        if contradicts:
            warnings.append(catalogue.text("inputs.wrong_cpg", file=place.file, stated=stated, found=encoding))
    return Staged(folder / f"{source.stem}.shp", Format.SHAPEFILE, layer, encoding, tuple(warnings))


def _parts_of(shp: Path) -> dict[str, Path]:
    """Files beside a .shp that have its name, by lower-case suffix."""
    parts = {
        entry.suffix.lower(): entry for entry in shp.parent.iterdir() if entry.stem == shp.stem and entry.is_file()
    }
    return {**parts, ".shp": shp}
