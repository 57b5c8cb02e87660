"""What a process is: inputs that are checked before a job is recorded, a run that makes outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gridmap import catalogue
from gridmap.domain.access import Identity
from gridmap.progress import Told
from gridmap.store.protocols import VersionInfo
from gridmap.store.sql import Also, SqlStore

Mode = Literal["value", "reference"]


class Inputs(BaseModel):
    """Inputs of a process; unknown ones are refused, numbers are numbers, texts are texts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True, slots=True)
class Output:
    """An output that a process declares; what is none of JSON is handed out by reference only."""

    name: str
    media_type: str = "application/json"
    by_value: bool = True
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where what they name is looked up."""

    store: SqlStore
    identity: Identity


@dataclass(frozen=True, slots=True)
class Run:
    """What a run works with.

    Attributes
    ----------
    store : where uploads and plans are
    identity : who asked; nothing beyond their reach is read or written
    data_directory : folder of uploads
    folder : empty folder for the files it makes
    scratch : empty folder that is gone when it ends
    tell : takes what is being done and the share of the whole that is done, 0 to 1
    """

    store: SqlStore
    identity: Identity
    data_directory: Path
    folder: Path
    scratch: Path
    tell: Told

    @property
    def asker(self) -> Asker:
        """Who asked."""
        return Asker(self.store, self.identity)


@dataclass(frozen=True, slots=True)
class Made:
    """What a run came to.

    Attributes
    ----------
    message : its conclusion in one line, in each language
    values : outputs that are JSON, by name
    files : outputs that are files of the run's folder: name of the output → name of the file, media type
    save : writes what goes into the store, and does with it what it is given; None where nothing does
    """

    message: Mapping[catalogue.Language, str]
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    save: Callable[[Also], VersionInfo] | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A process.

    Attributes
    ----------
    inputs : model of its inputs
    outputs : what it can hand out
    check : refuses inputs that cannot be run, before a job is recorded; quick
    run : does the work
    """

    id: str
    version: str
    inputs: type[Inputs]
    outputs: tuple[Output, ...]
    check: Callable[[Any, Asker], None]
    run: Callable[[Any, Run], Made]

    def title(self, lang: catalogue.Language) -> str:
        """Name for people."""
        return catalogue.text(f"jobs.process_{self.id}_title", lang)

    def description(self, lang: catalogue.Language) -> str:
        """Tell what it does."""
        return catalogue.text(f"jobs.process_{self.id}_about", lang)


def in_each_language(key: str, /, **values: object) -> dict[catalogue.Language, str]:
    """Wording of a key in every language."""
    return {lang: catalogue.text(key, lang, **values) for lang in catalogue.LANGUAGES}
