"""Every exception gridmap raises for its users, one tree.

::

    GridmapError
    ├── InputError            the user's data or call cannot be used          exit 2
    │   ├── UsageError        an option or argument is unusable
    │   ├── NotStored         a plan, a version, a feature, an upload or a job is not in the store, or not in reach
    │   ├── NotIdentified     no key or token, or none that is valid
    │   ├── NotAllowed        the role of whoever asks does not reach so far
    │   ├── Unconditional     a change does not say which state it is based on
    │   ├── WrongMediaType    a body is of a type that is not read here
    │   ├── TooMany           more requests, uploads or jobs than one account may have
    │   ├── UnreadableFile    missing, empty, broken, of no known format
    │   ├── TooLarge          beyond a stated limit
    │   ├── MissingColumn     a needed column is not there
    │   ├── BadValue          a value is not what its column or key needs
    │   ├── DuplicateId       an identifier stands twice
    │   ├── UnknownDatum      the datum or CRS is not known
    │   ├── InvalidGeometry   a ring crosses itself, is open, or has no area
    │   └── OutOfPlace        a coordinate is not finite, not on Earth, or far from everything else
    ├── PlanError             the data is readable and breaks a rule          exit 1
    │   ├── CoverageFault     areas overlap or leave a gap
    │   ├── InvalidPartition  pieces do not tile their areas
    │   └── RuleBroken        a rule of the plan does not hold
    └── StoreError            ours: a store, a disk, a bug in the kernel      exit 3
        ├── ProofFailed       the partition just made could not be proved
        ├── StoreConflict     somebody else was first, or a version is not open to the change
        │   └── LostUpdate    what was to be changed is no longer what its caller has seen
        ├── StoreDamaged      what is stored is not what was put in
        ├── StoreOutdated     the tables of a store are not those of this version of gridmap
        └── StoreUnreachable  a database cannot be opened, is busy, or went away

Raise the leaf, catch the branch. The wording is the catalogue's (``catalogue/errors.toml`` and its neighbours).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridmap import catalogue


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the user's data a fault lies; every part may be missing.

    ``feature`` counts from 0 as GIS programs show it, ``row`` is the line of a table as a spreadsheet shows it.
    ``lon`` and ``lat`` are degrees, as they stand in the file.
    """

    file: str | None = None
    layer: str | None = None
    feature: int | None = None
    row: int | None = None
    code: str | None = None
    name: str | None = None
    field: str | None = None
    lon: float | None = None
    lat: float | None = None

    def describe(self, lang: catalogue.Language | None = None) -> str:
        """``villages.shp, layer x, feature 214 (code 990101003207, "塆子村"), field y``."""
        parts = [self.file] if self.file else []
        for kind in ("layer", "feature", "row"):
            value = getattr(self, kind)
            if value is not None:
                parts.append(catalogue.text(f"errors.place_{kind}", lang, value=value))
        identity = [catalogue.text("errors.place_code", lang, value=self.code)] if self.code else []
        if self.name:
            identity.append(f'"{self.name}"')
        described = ", ".join(parts)
        if identity:
            described = f"{described} ({', '.join(identity)})" if described else ", ".join(identity)
        if self.field:
            field = catalogue.text("errors.place_field", lang, value=self.field)
            described = f"{described}, {field}" if described else field
        return described


class GridmapError(Exception):
    """Root of all errors. ``key`` names its wording in the catalogue, ``values`` fill the placeholders."""

    exit_code: ClassVar[int] = 3

    def __init__(self, key: str, place: Place | None = None, /, **values: object) -> None:
        super().__init__(key)
        self.key = key if "." in key else f"errors.{key}"
        self.place = place
        self.values = values

    def message(self, lang: catalogue.Language | None = None) -> str:
        """One line: the place, then what is wrong there."""
        said = catalogue.text(self.key, lang, **self.values)
        place = self.place.describe(lang) if self.place else ""
        return f"{place}: {said}" if place else said

    def mend(self, lang: catalogue.Language | None = None) -> str | None:
        """Return what would mend it, where that is known."""
        return catalogue.mend(self.key, lang, **self.values)

    def __str__(self) -> str:
        """Message and mend in the language of the process."""
        mend = self.mend()
        return f"{self.message()}\n  {mend}" if mend else self.message()


class InputError(GridmapError):
    """The user's data or call cannot be used."""

    exit_code = 2


class UsageError(InputError):
    """An option or argument is unusable."""


class NotStored(InputError):
    """A plan, a version, a feature, an upload or a job is not in the store, or not in reach of who asks."""


class NotIdentified(InputError):
    """There is no key or token, or none that is valid."""


class NotAllowed(InputError):
    """The role of whoever asks does not reach so far."""


class Unconditional(InputError):
    """A change does not say which state of the thing it is based on."""


class WrongMediaType(InputError):
    """A body is of a type that is not read here."""


class TooMany(InputError):
    """There are more requests, uploads or jobs than one account may have."""


class UnreadableFile(InputError):
    """A file is missing, empty, broken or of no known format."""


class TooLarge(InputError):
    """Something is beyond a stated limit."""


class MissingColumn(InputError):
    """A needed column is not there."""


class BadValue(InputError):
    """A value is not what its column or key needs."""


class DuplicateId(InputError):
    """An identifier stands twice."""


class UnknownDatum(InputError):
    """The datum or CRS is not known."""


class InvalidGeometry(InputError):
    """A ring crosses itself, is open, or has no area."""


class OutOfPlace(InputError):
    """A coordinate is not finite, not on Earth, or far from everything else."""


class PlanError(GridmapError):
    """The data is readable and breaks a rule."""

    exit_code = 1


class CoverageFault(PlanError):
    """Areas overlap or leave a gap."""


class InvalidPartition(PlanError):
    """Pieces do not tile their areas."""


class RuleBroken(PlanError):
    """A rule of the plan does not hold."""


class StoreError(GridmapError):
    """A store, a disk, or a bug of ours."""


class ProofFailed(StoreError):
    """The partition just made could not be proved."""


class StoreConflict(StoreError):
    """Somebody else was first, or a version is not open to the change."""


class LostUpdate(StoreConflict):
    """What was to be changed is no longer what its caller has seen."""


class StoreDamaged(StoreError):
    """What is stored is not what was put in."""


class StoreOutdated(StoreError):
    """The tables of a store are not those of this version of gridmap."""


class StoreUnreachable(StoreError):
    """A database cannot be opened, is busy, or went away."""
