"""p-centre: candidates with the least farthest distance of any demand to the nearest of them.

The least radius is one of the distances there are: whether a radius is enough is a question of set covering (Minieka,
*The m-center problem*, 1970), so that halving the list of distances finds it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.service.reach import Floats, Rows
from gridmap.planning.siting.covers import covers_of
from gridmap.planning.siting.fewest import fewest_serving
from gridmap.planning.siting.maximal import Told


@dataclass(frozen=True, slots=True)
class Centre:
    """Chosen candidates, the farthest distance, and what no choice of as many falls below.

    Attributes
    ----------
    rows : (k,) int64, k at most the number asked for: more would not bring the farthest any nearer
    radius, bound : in the unit of the distances; ``inf`` where some demand reaches no candidate
    """

    rows: Rows
    radius: float
    bound: float

    @property
    def gap(self) -> float:
        """Distance to the bound, as a share of the radius."""
        if not np.isfinite(self.radius) or self.radius == 0:
            return 0.0
        return (self.radius - self.bound) / self.radius


def least_farthest(
    distance: Floats, size: int, seed: int = 0, told: Told | None = None, existing: Floats | None = None
) -> Centre:
    """Choose candidates with the least distance of the farthest demand.

    Parameters
    ----------
    distance : (m, n) float64, from each demand to each candidate; infinite where it cannot be reached
    size : how many are to be chosen
    seed, told : as ``most_served``
    existing : (m,) float64, distance to what is there already, which goes on serving
    """
    tell = told or (lambda _share: None)
    there = np.full(len(distance), np.inf) if existing is None else existing
    least = np.minimum(distance.min(axis=1, initial=np.inf), there).max(initial=0.0)
    if not np.isfinite(least):
        return Centre(np.empty(0, np.int64), np.inf, np.inf)
    radii = np.unique(np.concatenate([distance.ravel(), there]))
    radii = radii[np.isfinite(radii) & (radii >= least)]
    tried: dict[int, tuple[Rows, int]] = {}

    def enough(place: int) -> tuple[Rows, int]:
        """Candidates for a radius, and how many any choice needs at least."""
        if place not in tried:
            demand, candidate = np.nonzero((distance <= radii[place]) & (there > radii[place])[:, None])
            covers, _ = covers_of(demand, candidate, np.ones(len(distance)), distance.shape[1])
            answer = fewest_serving(covers, covers.total, seed)
            tried[place] = answer.rows, answer.at_least
            tell(min(len(tried) / (2 * np.log2(len(radii) + 2)), 0.99))
        return tried[place]

    low, high = 0, len(radii) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if len(enough(middle)[0]) <= size else (middle + 1, high)
    chosen = enough(high)[0]
    if len(chosen) > size:
        return Centre(chosen[:size], np.inf, _ruled_out(radii, size, enough))
    tell(1.0)
    return Centre(
        np.sort(chosen), float(radii[high]), min(_ruled_out(radii[: high + 1], size, enough), float(radii[high]))
    )


def _ruled_out(radii: Floats, size: int, enough: object) -> float:
    """Least radius for which the bounds allow so few."""
    low, high = 0, len(radii) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if enough(middle)[1] > size else (low, middle)  # type: ignore[operator]
    return float(radii[low])
