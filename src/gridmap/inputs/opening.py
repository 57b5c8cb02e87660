"""What keeps a user's file from being opened, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridmap.errors import Place, UnreadableFile


@contextmanager
def opening_faults_named(path: Path) -> Iterator[None]:
    """Turn the operating system's errors about ``path`` into ``UnreadableFile``."""
    place = Place(file=path.name)
    try:
        yield
    except FileNotFoundError:
        raise UnreadableFile("inputs.no_such_file", Place(file=str(path))) from None
    except IsADirectoryError:
        raise UnreadableFile("inputs.is_folder", place) from None
    except OSError as error:
        raise UnreadableFile("inputs.cannot_open", place, reason=error.strerror or str(error)) from None
