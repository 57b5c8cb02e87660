"""Write beside, then rename: a file appears whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyogrio.errors

from gridmap.errors import GridmapError, Place, StoreError, UsageError

#: What the drivers of the vector formats raise.
GDAL_FAULTS = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.GeometryError,
    pyogrio.errors.FieldError,
)


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Yield a path in the same folder to write to; it takes the name ``path`` when the block ends well.

    An error or Ctrl-C in the block removes what was written and leaves an older ``path`` as it was. Missing folders
    are made.

    Raises
    ------
    UsageError
        If the place cannot be written to.
    StoreError
        If the disk or the driver fails.
    """
    partial = path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")
    with disk_faults_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            # A driver may leave a journal next to its file.
            for leftover in partial.parent.iterdir():
                if leftover.name.startswith(partial.name):
                    leftover.unlink()


def check_writable(path: Path) -> None:
    """Refuse a file that ``written_beside`` could not write, before any work is done.

    Raises
    ------
    UsageError
        If ``path`` is a directory, or the nearest folder above that exists is none or may not be written to.
    """
    with disk_faults_named(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = next(above for above in path.absolute().parents if above.exists())
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def disk_faults_named(path: Path) -> Iterator[None]:
    """Turn the operating system's and the drivers' errors into ours, naming ``path``."""
    try:
        yield
    except GridmapError:
        raise
    except (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError) as fault:
        raise UsageError("exports.not_writable", Place(file=str(path)), reason=fault.strerror) from fault
    except OSError as fault:
        raise StoreError("exports.write_failed", Place(file=str(path)), reason=fault.strerror or str(fault)) from fault
    except GDAL_FAULTS as fault:
        raise StoreError("exports.write_failed", Place(file=str(path)), reason=str(fault)) from fault
