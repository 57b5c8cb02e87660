"""The maps there are: six sheets of the atlas, and a map for each measure of cells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gridmap.cartography.measures import COVERED_SHARE, CROSSING, DISTANCE, Measure, demand_measure
from gridmap.domain.kinds import FacilityKind, SettlementClass


class Subject(StrEnum):
    """What a sheet of the atlas is about."""

    OUTLETS = "outlets"
    DEVICES = "devices"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of sheet: ground of some settlement classes, and what stands on it or who holds it."""

    volume: str
    settlements: tuple[SettlementClass, ...]
    subject: Subject

    @property
    def facilities(self) -> tuple[FacilityKind, ...]:
        """Kinds of facilities that it shows."""
        if self.subject is Subject.STAFF:
            return (FacilityKind.BRANCH,)
        wants_outlets = self.subject is Subject.OUTLETS
        return tuple(kind for kind in FacilityKind if kind.is_outlet is wants_outlets)


@dataclass(frozen=True, slots=True)
class MapStyle:
    """A map: of a sheet, or of a measure.

    Attributes
    ----------
    name : in addresses; its title stands in the catalogue under ``cartography.style_NAME``
    layers : of tiles that it draws from
    """

    name: str
    layers: tuple[str, ...]
    sheet: Sheet | None = None
    measure: Measure | None = None

    @property
    def key(self) -> str:
        """Key of the title in the catalogue."""
        return f"cartography.style_{self.name.replace('-', '_')}"


#: The fringe of towns goes with them.
_VOLUMES = {
    "urban": (SettlementClass.URBAN, SettlementClass.FRINGE),
    "rural": (SettlementClass.RURAL,),
}
_OF_SHEETS = {
    Subject.OUTLETS: ("areas", "grids", "facilities", "gaps"),
    Subject.DEVICES: ("areas", "grids", "facilities", "gaps"),
    Subject.STAFF: ("areas", "grids", "facilities", "jurisdictions"),
}
_OF_MEASURES = ("areas", "cells", "grids", "facilities")


def _styles() -> dict[str, MapStyle]:
    sheets = [
        MapStyle(f"{volume}-{subject}", _OF_SHEETS[subject], sheet=Sheet(volume, settlements, subject))
        for volume, settlements in _VOLUMES.items()
        for subject in Subject
    ]
    measures = [
        MapStyle(measure.name, _OF_MEASURES, measure=measure)
        for measure in (demand_measure(None), COVERED_SHARE, DISTANCE, CROSSING)
    ]
    return {style.name: style for style in (*sheets, *measures)}


STYLES = _styles()


def style_for(name: str, mean_per_km2: float | None) -> MapStyle:
    """Style of a plan with this density of demand."""
    style = STYLES[name]
    if style.measure is None or style.measure.name != "demand":
        return style
    return MapStyle(style.name, style.layers, measure=demand_measure(mean_per_km2))
