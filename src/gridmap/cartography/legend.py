"""What a map shows, explained: a swatch and words for each sign."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gridmap import catalogue
from gridmap.cartography import palette
from gridmap.cartography.measures import CROSSING, Measure
from gridmap.cartography.styles import MapStyle, Sheet, Subject
from gridmap.cartography.symbols import SYMBOLS, UNSERVED, UNSTAFFED
from gridmap.domain.kinds import FacilityKind, SettlementClass

GROUNDS = {
    SettlementClass.URBAN: palette.URBAN_GROUND,
    SettlementClass.FRINGE: palette.FRINGE_GROUND,
    SettlementClass.RURAL: palette.RURAL_GROUND,
}


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A sign and its meaning.

    Attributes
    ----------
    kind : ``ground``, ``hatching``, ``line`` or ``symbol``
    sign : name of the hatching or the symbol in the sprite; empty for others
    colour : ``#rrggbb``
    label : by language
    """

    kind: str
    sign: str
    colour: str
    label: dict[str, str]

    def document(self) -> dict[str, Any]:
        """Members as JSON has them."""
        return asdict(self)


def legend_of(style: MapStyle) -> list[LegendEntry]:
    """Explain a map, what matters most first."""
    entries = _of_sheet(style.sheet) if style.sheet else []
    if style.measure is not None:
        entries += _of_measure(style.measure)
    lines = [("cartography.line_grid", palette.GRID_LINE), ("cartography.line_area", palette.BORDER)]
    return [*entries, *(_entry("line", "", colour, key) for key, colour in lines)]


def _of_sheet(sheet: Sheet) -> list[LegendEntry]:
    symbols = [
        _entry("symbol", kind.value, SYMBOLS[kind].colour, f"cartography.kind_{kind}") for kind in sheet.facilities
    ]
    if sheet.subject is Subject.STAFF:
        held = [
            _entry("ground", "", palette.GROUPS[0], "cartography.ground_held"),
            _entry("hatching", UNSTAFFED.name, UNSTAFFED.colour, "cartography.hatching_unstaffed"),
            _entry("line", "", palette.OUTLET_LINE, "cartography.line_outlet"),
        ]
        return [*symbols, *held, _entry("ground", "", palette.BESIDE, "cartography.ground_beside")]
    grounds = [_entry("ground", "", GROUNDS[one], f"cartography.ground_{one}") for one in sheet.settlements]
    gap = _entry("hatching", UNSERVED.name, UNSERVED.colour, "cartography.hatching_unserved")
    return [*symbols, *grounds, _entry("ground", "", palette.BESIDE, "cartography.ground_beside"), gap]


def _of_measure(measure: Measure) -> list[LegendEntry]:
    ends = [end * measure.factor for end in measure.breaks]
    entries = []
    for place, colour in enumerate(measure.colours):
        label: dict[str, str] = {lang: _span(measure, ends, place, lang) for lang in catalogue.LANGUAGES}
        entries.append(LegendEntry("ground", "", colour, label))
    return [
        *entries,
        _entry("ground", "", palette.NO_VALUE, "cartography.ground_no_value"),
        _symbol(FacilityKind.BRANCH),
    ]


def _span(measure: Measure, ends: list[float], place: int, lang: catalogue.Language) -> str:
    """Words of a class: its bounds, and the unit."""
    unit = catalogue.text(measure.unit, lang)
    if measure is CROSSING:
        last = place == len(ends)
        return catalogue.text("cartography.class_from", lang, low=place, unit=unit) if last else f"{place}{unit}"
    if place == 0:
        return catalogue.text("cartography.class_below", lang, high=_number(ends[0]), unit=unit)
    low = _number(ends[place - 1])
    if place == len(ends):
        return catalogue.text("cartography.class_from", lang, low=low, unit=unit)
    return catalogue.text("cartography.class_between", lang, low=low, high=_number(ends[place]), unit=unit)


def _number(value: float) -> str:
    return f"{value:,.10g}" if value < 1000 else f"{value:,.0f}"


def _symbol(kind: FacilityKind) -> LegendEntry:
    return _entry("symbol", kind.value, SYMBOLS[kind].colour, f"cartography.kind_{kind}")


def _entry(kind: str, sign: str, colour: str, key: str) -> LegendEntry:
    label: dict[str, str] = {lang: catalogue.text(key, lang) for lang in catalogue.LANGUAGES}
    return LegendEntry(kind, sign, colour, label)
