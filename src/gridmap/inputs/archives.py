"""Take the one data set out of a zip, and nothing else: no path out of it, no link, no bomb."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from gridmap.errors import Place, TooLarge, UnreadableFile
from gridmap.settings import settings

_MOST_ENTRIES = 10_000
#: Text of coordinates packs 10 : 1, empty rasters 200 : 1; what packs tighter and is not small is made to burst.
_MOST_RATIO = 300
_HARMLESS_BYTES = 50_000_000
_CHUNK = 1 << 20

_DATA = (
    ".shp",
    ".geojson",
    ".json",
    ".geojsonl",
    ".gpkg",
    ".fgb",
    ".kml",
    ".parquet",
    ".tif",
    ".tiff",
    ".csv",
    ".xlsx",
)
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def check_archive(archive: zipfile.ZipFile, place: Place) -> None:
    """Refuse an archive that is made to do harm.

    Raises
    ------
    UnreadableFile
        If an entry would land outside, is a link, or is encrypted.
    TooLarge
        If it holds too many entries, or unpacks to more than the settings allow or far more than it packs.
    """
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise TooLarge("inputs.zip_entries", place, count=f"{len(entries):,}", limit=f"{_MOST_ENTRIES:,}")
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in name.parts[0:1]:
            raise UnreadableFile("inputs.zip_path", place, entry=entry.filename)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise UnreadableFile("inputs.zip_link", place, entry=entry.filename)
        if entry.flag_bits & 1:
            raise UnreadableFile("inputs.zip_encrypted", place, entry=entry.filename)
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    limit = settings().max_file_bytes
    if unpacked > limit:
        raise TooLarge("inputs.zip_too_large", place, size_mb=f"{unpacked / 1e6:,.0f}", limit_mb=f"{limit / 1e6:,.0f}")
    if unpacked > _HARMLESS_BYTES and unpacked > _MOST_RATIO * max(packed, 1):
        raise TooLarge("inputs.zip_bomb", place, ratio=f"{unpacked / max(packed, 1):,.0f}", limit=_MOST_RATIO)


def unpack(path: Path, folder: Path, layer: str | None, place: Place) -> tuple[Path, bool]:
    """Unpack the data set of an archive into a folder.

    Parameters
    ----------
    layer : the data set to take by its name without extension, where there are several

    Returns
    -------
    The file to read, and whether ``layer`` was used up in choosing it.

    Raises
    ------
    UnreadableFile
        If the archive is broken or unsafe, holds nothing known, or several data sets and none is chosen.
    TooLarge
        As ``check_archive``.
    """
    with _archive(path, place) as archive:
        names = {_shown_name(entry): entry for entry in archive.infolist() if not entry.is_dir()}
        chosen = _choose(sorted(names), layer, place)
        stem = chosen.with_suffix("")
        for name, entry in names.items():
            part = PurePosixPath(name)
            sibling = part.with_suffix("") == stem and part.suffix.lower() in _SHAPEFILE_PARTS
            if part == chosen or (chosen.suffix.lower() == ".shp" and sibling):
                _extract(archive, entry, folder / f"{stem.name}{part.suffix.lower()}", place)
    return folder / f"{stem.name}{chosen.suffix.lower()}", layer is not None and layer == stem.name


def data_sets(path: Path, place: Place) -> list[str]:
    """Names without extension of the data sets of an archive; raises as ``unpack`` where there is none."""
    with _archive(path, place) as archive:
        names = sorted(_shown_name(entry) for entry in archive.infolist() if not entry.is_dir())
        return [file.stem for file in _data_in(names, place)]


@contextmanager
def _archive(path: Path, place: Place) -> Iterator[zipfile.ZipFile]:
    """Open an archive that passes ``check_archive``, and name what may be wrong with it."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, place)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile("inputs.broken_zip", place, reason=str(error) or type(error).__name__) from None
    except OSError as error:
        raise UnreadableFile("inputs.broken_zip", place, reason=error.strerror or str(error)) from None


def _shown_name(entry: zipfile.ZipInfo) -> str:
    """Entry's name; Chinese Windows packs names as GBK without saying so."""
    name = entry.filename.replace("\\", "/")
    if entry.flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode("gb18030")
    except UnicodeError:
        return name


def _choose(names: list[str], layer: str | None, place: Place) -> PurePosixPath:
    data = _data_in(names, place)
    if len(data) == 1:
        return data[0]
    stems = ", ".join(f.stem for f in data)
    if layer is None:
        raise UnreadableFile("inputs.which_layer", place, layers=stems)
    chosen = [f for f in data if f.stem == layer]
    if len(chosen) != 1:
        raise UnreadableFile("inputs.no_such_layer", place, layer=layer, layers=stems)
    return chosen[0]


def _data_in(names: list[str], place: Place) -> list[PurePosixPath]:
    hidden = ("__MACOSX", ".")
    files = [PurePosixPath(name) for name in names]
    data = [f for f in files if f.suffix.lower() in _DATA and not any(p.startswith(hidden) for p in f.parts)]
    if not data:
        held = ", ".join(names[:8]) or "-"
        raise UnreadableFile("inputs.zip_without_data", place, entries=held)
    return data


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, place: Place) -> None:
    # What the directory of the zip says of sizes may be a lie: count what comes out.
    room = settings().max_file_bytes
    with archive.open(entry) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            room -= len(chunk)
            if room < 0:
                limit_mb = f"{settings().max_file_bytes / 1e6:,.0f}"
                raise TooLarge("inputs.zip_too_large", place, size_mb=f"> {limit_mb}", limit_mb=limit_mb)
            sink.write(chunk)
