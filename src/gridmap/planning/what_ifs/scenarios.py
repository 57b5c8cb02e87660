"""Named scenarios: lists of changes, each on the plan as it is or on what another scenario leaves."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from gridmap.errors import BadValue, Place
from gridmap.planning.access.standing import Standing
from gridmap.planning.what_ifs.changes import Change, changed


@dataclass(frozen=True, slots=True)
class Scenario:
    """Changes under a name.

    Attributes
    ----------
    title : as reports call it
    changes : in their order
    after : scenario that comes before, None for the plan as it is
    datum : of the coordinates of the changes
    """

    title: str
    changes: tuple[Change, ...]
    after: str | None = None
    datum: str = "wgs84"


def played(standing: Standing, scenarios: Mapping[str, Scenario]) -> dict[str, Standing]:
    """Service after each scenario, by name, in the order given.

    Raises
    ------
    BadValue
        If a scenario comes after one that is not there, or after itself by a detour.
    InputError
        As ``changed``.
    """
    found: dict[str, Standing] = {}
    for name in scenarios:
        for step in _chain(name, scenarios):
            if step not in found:
                scenario = scenarios[step]
                before = standing if scenario.after is None else found[scenario.after]
                found[step] = changed(before, scenario.changes, scenario.datum)
    return {name: found[name] for name in scenarios}


def chain_of_changes(name: str, scenarios: Mapping[str, Scenario]) -> list[Change]:
    """All changes of a scenario from the plan as it is, first ones first."""
    return [change for step in _chain(name, scenarios) for change in scenarios[step].changes]


def _chain(name: str, scenarios: Mapping[str, Scenario]) -> list[str]:
    """Scenarios from the first one to ``name``."""
    chain = [name]
    while (after := scenarios[chain[0]].after) is not None:
        place = Place(field=f"{chain[0]}.after")
        if after not in scenarios:
            near = difflib.get_close_matches(after, scenarios, n=1, cutoff=0.0)
            raise BadValue("what_ifs.unknown_scenario", place, name=after, near=near[0] if near else "–")
        if after in chain:
            raise BadValue("what_ifs.circle", place, name=after)
        chain.insert(0, after)
    return chain
