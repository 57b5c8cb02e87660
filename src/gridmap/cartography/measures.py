"""What cells are coloured by: for each measure its classes, light to dark, and where they end."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

from gridmap.cartography.palette import ORANGES, PURPLES, YELLOW_BLUE, YELLOW_GREEN


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of cells, in classes.

    Attributes
    ----------
    name : of the style
    attribute : of features in tiles
    breaks : a class ends below each, the last has no end
    colours : of each class, one more than breaks
    factor, unit : numbers of the legend are the attribute times the factor; key of the unit, in the catalogue
    """

    name: str
    attribute: str
    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    factor: float
    unit: str


#: Shares this near one count as all.
_ALL = 0.9995
COVERED_SHARE = Measure(
    "covered-share",
    "covered_share",
    (0.2, 0.4, 0.6, 0.8, _ALL),
    tuple(reversed(ORANGES)),
    100,
    "cartography.unit_percent",
)
DISTANCE = Measure(
    name="distance",
    attribute="distance_m",
    breaks=(500, 1000, 2000, 5000, 10_000),
    colours=YELLOW_BLUE,
    factor=0.001,
    unit="cartography.unit_km",
)
#: Means of many cells are rounded to the nearest degree.
CROSSING = Measure(
    "crossing-degree", "crossing_degree", (0.5, 1.5, 2.5, 3.5, 4.5), PURPLES, 1.0, "cartography.unit_outlets"
)
_OF_MEAN = (1 / 8, 1 / 3, 1.0, 3.0, 8.0)
_USUAL_PER_KM2 = 100.0


def demand_measure(mean_per_km2: float | None) -> Measure:
    """Density of demand, in classes about the mean of the plan: its unit may be people or yuan.

    Parameters
    ----------
    mean_per_km2 : demand of the plan over its ground; None where neither is known
    """
    mean = mean_per_km2 if mean_per_km2 and mean_per_km2 > 0 else _USUAL_PER_KM2
    breaks = tuple(_plain(mean * share) for share in _OF_MEAN)
    return Measure("demand", "demand_per_km2", breaks, YELLOW_GREEN, 1.0, "cartography.unit_per_km2")


def _plain(number: float) -> float:
    """Nearest of 1, 2, 3, 5 times a power of ten: what a legend can say."""
    power = 10.0 ** floor(log10(number))
    return min((1, 2, 3, 5, 10), key=lambda digit: abs(digit - number / power)) * power
