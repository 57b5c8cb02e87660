"""Symbols of facilities, each known by its shape alone and by its colour alone, and hatchings of ground."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from gridmap.cartography.palette import GAP, INK
from gridmap.domain.kinds import FacilityKind

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A filled shape with a light edge.

    Attributes
    ----------
    ring : corners about the middle, y down, for a radius of one
    radius_px : on a screen of plain density
    """

    kind: FacilityKind
    colour: str
    radius_px: float
    ring: Ring


@dataclass(frozen=True, slots=True)
class Hatching:
    """Parallel lines on ground; ``is_rising``: from the lower left to the upper right."""

    name: str
    colour: str
    spacing_px: int
    width_px: float
    is_rising: bool


def _corners(count: int, turned_deg: float, size: float = 1.0) -> Ring:
    angles = [pi * (turned_deg + 360 * step / count) / 180 for step in range(count)]
    return tuple((size * cos(angle), size * sin(angle)) for angle in angles)


# Colours after M. Okabe and K. Ito.
SYMBOLS: dict[FacilityKind, Symbol] = {
    symbol.kind: symbol
    for symbol in (
        Symbol(FacilityKind.BRANCH, "#0072b2", 7.0, _corners(32, 0)),
        Symbol(FacilityKind.SELF_SERVICE, "#009e73", 6.0, _corners(4, 45, 1.2)),
        Symbol(FacilityKind.ATM, "#e69f00", 5.5, _corners(3, -90, 1.2)),
        Symbol(FacilityKind.SELF_SERVICE_TERMINAL, "#cc79a7", 5.5, _corners(3, 90, 1.2)),
        Symbol(FacilityKind.RURAL_CASH_POINT, "#d55e00", 5.5, _corners(4, 0, 1.15)),
        Symbol(FacilityKind.POS, "#56b4e9", 4.5, _corners(6, 0)),
    )
}
UNSERVED = Hatching("unserved", GAP, 8, 1.6, is_rising=True)
UNSTAFFED = Hatching("unstaffed", INK, 8, 1.6, is_rising=False)
HATCHINGS = (UNSERVED, UNSTAFFED)
