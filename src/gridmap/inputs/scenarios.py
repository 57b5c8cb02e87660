"""A file of what-if scenarios: one table each, with its changes."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import Metres, Section
from gridmap.errors import BadValue, Place
from gridmap.inputs.toml_file import read_toml
from gridmap.planning.what_ifs.changes import Change, Close, Move, Open, Reach
from gridmap.planning.what_ifs.scenarios import Scenario

#: What a change may be → the keys that go with it, and those that must.
_KEYS: dict[str, tuple[set[str], set[str]]] = {
    "close": (set(), set()),
    "open": ({"kind", "id", "name", "capacity"}, {"kind"}),
    "move": ({"to"}, {"to"}),
    "radius": ({"metres"}, {"metres"}),
}


class ChangeEntry(Section):
    """One entry of ``changes``; exactly one of ``close``, ``open``, ``move`` and ``radius`` is given."""

    close: str | None = None
    open: tuple[float, float] | None = None
    kind: FacilityKind | None = None
    id: str | None = Field(None, min_length=1)
    name: str | None = None
    capacity: float | None = Field(None, ge=0, allow_inf_nan=False)
    move: str | None = None
    to: tuple[float, float] | None = None
    radius: str | None = None
    metres: tuple[Metres, Metres] | None = None


class ScenarioEntry(Section):
    """One table of the file."""

    name: str | None = None
    after: str | None = None
    datum: str | None = None
    changes: list[ChangeEntry] = Field(min_length=1)


def read_scenarios(path: Path, datum: str = "wgs84") -> dict[str, Scenario]:
    """Scenarios by name, in the order of the file.

    Parameters
    ----------
    datum : of the coordinates of scenarios that state none

    Raises
    ------
    UnreadableFile, TooLarge
        If the file is no TOML.
    BadValue
        If a key is not known or missing, or an entry of ``changes`` is not one change.
    """
    return {
        name: Scenario(
            entry.name or name,
            tuple(
                _change(one, Place(file=path.name, field=f"{name}.changes.[{number}]"))
                for number, one in enumerate(entry.changes)
            ),
            entry.after,
            entry.datum or datum,
        )
        for name, entry in read_toml(ScenarioEntry, path).items()
    }


def _change(entry: ChangeEntry, place: Place) -> Change:
    given = entry.model_fields_set
    what = given & set(_KEYS)
    if len(what) != 1:
        raise BadValue("what_ifs.not_one_change", place, given=", ".join(sorted(what)) or "–")
    (verb,) = what
    may, must = _KEYS[verb]
    if given - {verb} - may or must - given:
        keys = ", ".join(sorted((given - {verb} - may) or (must - given)))
        raise BadValue("what_ifs.keys_of_change", place, verb=verb, keys=keys)
    if entry.close is not None:
        return Close(entry.close)
    if entry.open is not None and entry.kind is not None:
        return Open(*entry.open, entry.kind, entry.id, entry.name, entry.capacity)
    if entry.radius is not None and entry.metres is not None:
        return Reach(entry.radius, *entry.metres)
    return Move(entry.move or "", *(entry.to or (float("nan"), float("nan"))))
