"""Roads as planning takes them: lines, which way they may be travelled, and how fast."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Profile(StrEnum):
    """Who travels."""

    WALKING = "walking"
    DRIVING = "driving"


class Measure(StrEnum):
    """What a way costs."""

    METRES = "metres"
    MINUTES = "minutes"


@dataclass(frozen=True, slots=True)
class RoadLines:
    """Roads as they were read.

    Attributes
    ----------
    shapes : (n,) LineString, WGS 84 degrees
    forward, backward : (n,) bool, may be travelled as drawn, and against it
    speed_kmh : (n,) float64, positive
    source : the file they came from, as reports name it
    """

    shapes: NDArray[np.object_]
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    speed_kmh: NDArray[np.float64]
    source: str = ""
