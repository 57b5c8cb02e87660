"""Load of each facility: the demand that would go to it, if all went to the nearest one that reaches them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.groups import first_of_each, sums
from gridmap.planning.service.reach import Flags, Floats, Pairs


@dataclass(frozen=True, slots=True)
class Loads:
    """Demand that goes to each of m facilities.

    Attributes
    ----------
    load, capacity : (m,) float64, in the unit of demand; a capacity that is unknown is NaN
    unserved : demand that nothing reaches
    """

    load: Floats
    capacity: Floats
    unserved: float

    @property
    def excess(self) -> Floats:
        """(m,) float64: load beyond capacity, 0 where the capacity is unknown."""
        return np.where(np.isnan(self.capacity), 0.0, np.maximum(self.load - self.capacity, 0.0))


def loads(in_reach: Pairs, demand: Floats, capacity: Floats, counted: Flags | None = None) -> Loads:
    """Demand by the nearest facility in reach; of equally near ones the first.

    Parameters
    ----------
    counted : (m,) bool, the facilities demand goes to; all where None
    """
    pairs = in_reach if counted is None else in_reach.where(counted[in_reach.facility])
    chosen = first_of_each(pairs.point, pairs.facility, pairs.distance_m)
    point, facility = pairs.point[chosen], pairs.facility[chosen]
    reached = np.zeros(len(demand), dtype=np.bool_)
    reached[point] = True
    return Loads(sums(facility, demand[point], len(capacity)), capacity, float(demand[~reached].sum()))
